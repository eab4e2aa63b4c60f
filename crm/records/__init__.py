"""The one door to a company's records: rights, cleaning, formulas, gates, history, undo.

    company = Company(load("config/sales"), open_store("var/crm.db"))
    door = company.door(company.actor("anna"))
    door.list("account", "owner == me", order=["-changed_on"], limit=20)

Views, the command line, imports and the API use `Door` and nothing below it.
"""

from crm.records.actor import SYSTEM, Actor
from crm.records.company import Company
from crm.records.door import Door
from crm.records.past import Change, Clash, Undone
from crm.records.record import Record
from crm.records.search import Hit
from crm.records.timeline import Event
from crm.records.why import Decision

__all__ = ["SYSTEM", "Actor", "Change", "Clash", "Company", "Decision", "Door", "Event", "Hit", "Record", "Undone"]
