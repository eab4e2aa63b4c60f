"""Describes the language: `LANGUAGE.md` for people, JSON Schema for editors; both from `language/` and the field types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from crm.schema import analyses
from crm.schema.language import COMPANY, KINDS, LABELS
from crm.schema.language.fields import FIELD_KEYS, settings_of, type_keys
from crm.schema.shapes import Either, Key, ListOf, MapOf, Shape, Struct, described

INTRO = """# The YAML language

One file is one thing, named after it. A configuration is a folder:

```
crm.yaml            name, what it extends, languages, currency, who the users are, navigation
entities/*.yaml     kinds of record          pipelines/*.yaml   stages                roles/*.yaml        rights
reports/*.yaml      questions                kpis/*.yaml        figures with targets  forecasts/*.yaml    what the pipeline will bring
dashboards/*.yaml   rows of cards            packs/*.yaml       meeting packs         campaigns/*.yaml    campaign types
automations/*.yaml  when, if, then           mails/*.yaml       mail templates        services/*.yaml     what customers are promised
scores/*.yaml       how promising it is      assignments/*.yaml who gets it           conversions/*.yaml  what it becomes
classes/*.yaml      ranked: A, B, C          imports/**/*.yaml  other systems' files  labels/<language>.yaml  translations
demo.yaml           sample data
```

**Text stays text.** `no`, `on`, `1:30`, `0123` mean what is typed; the key decides what a value is. A duplicate key is an error; anchors,
aliases and tags are not supported. Yes/no keys take true, false, yes, no, on, off.

**Overlays.** `extends: base` in crm.yaml builds on a shipped configuration (by name) or a folder (by path). A file at the same path is merged
over the inherited one, key by key; lists are replaced, and the item `...` in a list stands for the inherited items
(`columns: [..., loyalty]`). `null` or `drop: true` removes what was inherited (a field, a stage, an option, a whole file); everything left
must still fit. A new field or stage with `after: x` stands after `x`. `was:` says a former name, so that data follows a rename.

**Expressions** (`show`, `required`, `formula`, `where`, measures …): fields, `link.field`, comparison, `and or not in`, arithmetic, `today`,
`now`, `me`, `30d 2w 3m 1y`, `15%`, and functions; aggregates over lists of linked records: `sum(opportunities.amount)`.
Values of choices stand in quotes: `kind == 'customer'`. `stage.outcome`, `stage.open`, `stage.probability`, `stage.days`, `stage.label`,
`stage.forecast` come from the pipeline.

**System fields** every entity has: `id created_on created_by changed_on changed_by deleted_on`, and `stage_on` and `ticks` (its checklist) where there is a stage. They may
be used everywhere and not be declared.

**Labels** `labels/pl.yaml` by dotted path, nested as you like: `entities.account.label`, `.plural`, `.fields.name.label`, `.fields.name.help`,
`.fields.kind.options.customer`, `.list.filters.mine`, `.form.General` (the group's English name), `.facts.Facts`, `.kinds.customer.label`,
`.checks.1` (by number); `pipelines.b2b.stages.won.label`, `pipelines.b2b.stages.won.do.1`; `roles.rep.label`; `reports.x.label`,
`reports.x.measures.revenue`, `reports.x.by.month`; `forecasts.x.label`, `dashboards.x.label`, `campaigns.fair.activities.call.label`, `navigation.sales`.
`interface:` holds the engine's strings by their English text.

Editors complete and check while you type with the first line `# yaml-language-server: $schema=<path to>/.schema/<kind>.json`
(`crm schema` writes them; the kinds are `crm`, `labels` and the first key of each kind of file: `entity`, `report` …).

"""

EXAMPLES = {
    "company": """name: sales
title: ACME Sales
extends: base
languages: [en, pl]
currency: EUR
timezone: Europe/Warsaw
first_day: monday
fiscal_start: 1
users: {entity: user, name: name, login: login, email: email, role: role, team: team, language: language, active: active}
teams: {entity: team, name: name, parent: parent}
activities: {entity: activity, kind: kind, subject: subject, text: text, due: due_on, done: done_on, result: result, owner: owner, kinds: {call: phone}}
campaigns: {entity: campaign, fields: {name: name, type: type, start: start_on, list: list}, members: {entity: response, campaign: campaign, contact: contact}}
navigation:
  sales: [account, contact, {board: b2b}, {list: opportunity, view: mine, label: My deals}]
  insight: {label: Insight, icon: insights, items: [{dashboard: sales}, {page: reports}]}
modules: {marketing: true}""",
    "entity": """entity: account
label: Company
plural: Companies
icon: apartment
title: "{name}"
subtitle: "{industry}"
owner: owner
fields:
  name:     {type: text, required: true, max: 120}
  kind:     {type: choice, options: {customer: {label: Customer, color: green}, partner: Partner}, default: customer}
  parent:   {type: link, to: account, back: subsidiaries}
  owner:    {type: user, default: me}
  discount: {type: percent, show: kind == 'customer'}
  revenue:  {type: money, rollup: "sum(opportunities.amount, stage.outcome == 'won')"}
  notes:    long_text                       # the type alone is enough
checks:
  - {that: parent != id, say: A company cannot belong to itself., field: parent}
duplicates: [{same: [name]}, {like: name, over: 0.9}]
form: {General: [[name, kind], [owner, parent]], Money: [discount]}
list: {columns: [name, kind, owner, revenue], sort: [name], filters: {mine: owner == me, big: {label: Big ones, where: revenue > 100000}}}
quick: [name, kind]
facts: {Facts: [kind, owner, revenue]}
related: [contacts, opportunities, subsidiaries]
kinds:
  field: kind
  of:
    customer: {plural: Customers, show: [discount], list: {columns: [name, discount]}}
    partner: {plural: Partners}
timeline: {on: created_on, kind: founded, title: "{name}"}
indexes: [[owner, kind]]""",
    "pipeline": """pipeline: b2b
entity: opportunity
fields: {stage: stage, amount: amount, close: close_on, owner: owner, next: next_on, next_text: next_step}
stages:
  identification: {probability: 10%, days: 14, forecast: pipeline, do: [Find who decides]}
  offer:          {probability: 50%, forecast: best_case, require: [close_on]}
  won:  {outcome: won,  require: [amount]}
  lost: {outcome: lost, require: [lost_reason]}
moves: {forward: next, back: any, lost: any, reopen: [sales_manager]}
approvals: [{when: discount > 15%, by: sales_manager}]
when: account.segment == 'b2b\'""",
    "role": """role: rep
label: Sales rep
rights:
  account:     {see: all, create: true, change: own, export: own, hide: [margin], read_only: [credit_limit]}
  opportunity: {see: team, create: true, change: own, delete: none}
  product:     {see: all}
  case:        {see: priority == 'high'}
  '*':         none
home: rep_home
modules: [sales]""",
    "report": """report: won_by_month
label: Won by month
entity: opportunity
where: stage.outcome == 'won'
by: [month(close_on), account.industry]          # or {month: month(close_on), who: {field: owner, label: Rep}}
measures:
  revenue: sum(amount)
  deals: count
  big: sum(amount, amount > 10000)                # with a condition
  lost: {count: true, where: stage.outcome == 'lost', label: Lost}
  mean_size: {formula: revenue / deals, as: money}
compare: last_year
period: close_on
chart: {type: bars, x: close_on_month, y: revenue, color: account_industry}   # axes are called field[_unit]; or their key in a mapping
sort: [-revenue]
limit: 20""",
    "dashboard": """dashboard: sales
label: Sales
for: [sales_manager]
rows:
  - [won_by_month, {report: pipeline_by_stage, width: 4}]
  - [{list: opportunity, view: overdue, limit: 5, label: Late}, {board: b2b}]
  - [{part: today}]""",
    "import": """import: salesforce/Opportunity
entity: opportunity
file: Opportunity.csv
match: [external_id]
columns:
  Id: external_id
  Name: name
  AccountId: {to: account, find: external_id}            # a link, looked up by a field of the other entity
  Company: [{to: account, find: external_id}, {to: company}]   # the first that takes the value
  StageName: {to: stage, values: {Closed Won: won, Closed Lost: lost}, otherwise: reject}
  OwnerId: {to: owner, find: external_id, otherwise: empty}
  BillingCity: address.city
constants: {pipeline: b2b}
defaults: {source: import}
skip: {IsDeleted: ['1', 'true'], Name: empty}
ignore: [PhotoUrl]
gates: skip
dates: iso""",
    "automation": """automation: thanks
label: Thank for an order
entity: opportunity
when: {stage: won}                              # created · {changed: [amount]} · {date: close_on, after: -3d, at: "08:00"}
if: amount > 1000 and was.stage.open            #   · {silent: 30d, since: last_contact} · {every: week, on: monday, at: "07:00"}
then:
  - set: {next_step: Say thank you, next_on: today + 2d}
  - create: activity
    values: {subject: "Thank {account}", kind: call, due_on: now + 2d, owner: owner, opportunity: record, account: account}
  - {notify: [owner, sales_manager], text: "{name} is won"}
  - {mail: thanks, to: contact.email}
  - {webhook: "https://erp.example/orders", secret: ERP_SECRET, send: [name, amount]}
  - {assign: owner.team.leader}                 # or the name of an assignment rule
  - {approve: [sales_manager], text: "Large order"}""",
    "campaign type": """campaign: fair
label: Trade fair
tasks:
  book:   {label: Book the hall, after: start - 60d, by: marketer}
activities:
  letter: {kind: letter, after: start - 30d, text: Invitation}
  call:   {kind: call, after: letter + 15d, by: rep, priority: high, budget: 500}
responses: {interested: {label: Interested, good: true}, no: Not interested}
budget: 10000""",
}


def language_page() -> str:
    """`LANGUAGE.md` as text."""
    out = [INTRO]
    out += ["## crm.yaml\n", *_example("company"), *_struct(COMPANY)]
    for folder, (_, shape) in KINDS.items():
        out += [f"## {folder}/\n", *_example(shape.word), *_struct(shape)]
    out += ["## Analyses\n", "What `analysis:` of a report may name, and its `options:` (`?`: may be left out):\n", *analyses.described(), ""]
    out += ["## Fields\n", "Keys of every field:\n", *_table(FIELD_KEYS)]
    out += ["Types and what they take beyond that:\n", "| type | what | keys of its own |", "|---|---|---|"]
    try:
        from crm.fields import FIELD_TYPES

        for name, cls in FIELD_TYPES.items():
            doc = (cls.__doc__ or "").strip().splitlines()
            keys = "; ".join(f"`{key}` {text[1].rstrip('.')}" for key, text in settings_of(name).items())
            out.append(f"| `{name}` | {_cell(doc[0] if doc else '')} | {_cell(keys)} |")
    except ImportError:
        pass
    out.append("")
    return "\n".join(out)


def _example(word: str) -> list[str]:
    return ["```yaml", EXAMPLES[word], "```\n"] if word in EXAMPLES else []


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _table(keys: Any) -> list[str]:
    rows = ["| key | is | means | example |", "|---|---|---|---|"]
    for name, one in keys.items():
        must = " (needed)" if one.required else ""
        example = f"`{_cell(one.example)}`" if one.example else ""
        rows.append(f"| `{name}`{must} | {_cell(one.shape.word)} | {_cell(one.doc)} | {example} |")
    return [*rows, ""]


def _struct(shape: Struct, seen: set[int] | None = None) -> list[str]:
    """The table of a struct's keys, then those of the structs inside it."""
    seen = set() if seen is None else seen
    out = _table(shape.keys)
    for name, one in shape.keys.items():
        for inner in _inside(one.shape):
            if id(inner) not in seen:
                seen.add(id(inner))
                out += [f"`{name}`, each {inner.word}:\n" if inner.word else f"`{name}`:\n", *_struct(inner, seen)]
    return out


def _inside(shape: Shape) -> list[Struct]:
    if isinstance(shape, Struct):
        return [shape]
    if isinstance(shape, (ListOf, MapOf)):
        return _inside(shape.of)
    if isinstance(shape, Either):
        return [one for part in shape.shapes for one in _inside(part)]
    return []


def json_schema() -> dict[str, dict[str, Any]]:
    """JSON Schema (draft 7) of every kind of file: {kind: schema}, kinds crm, entity, pipeline, role, …, labels."""
    found = {"crm": _file(COMPANY, "crm.yaml")}
    for folder, (kind, shape) in KINDS.items():
        found[kind] = _file(shape, f"{folder}/*.yaml")
    found["labels"] = _file(LABELS, "labels/*.yaml")
    return found


def _file(shape: Shape, title: str) -> dict[str, Any]:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "title": title, **shape.json()}
    if '"#/definitions/field"' in json.dumps(schema):
        schema["definitions"] = {"field": field_schema()}
    return schema


def field_schema() -> dict[str, Any]:
    """A field: its type decides which keys it takes. Without a type (an overlay of an inherited field) every key is offered."""
    from crm.fields import FIELD_TYPES

    common = {name: described(one) for name, one in FIELD_KEYS.items()}
    common["drop"] = {"type": "boolean", "description": "true removes the inherited field."}
    cases = []
    every: dict[str, Any] = dict(common)
    for name in FIELD_TYPES:
        keys: dict[str, Key] = type_keys(name)
        own = {key: described(one) for key, one in keys.items() if key not in FIELD_KEYS}
        for key in own:
            every.setdefault(key, True)
        cases.append(
            {
                "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                "then": {"properties": {**dict.fromkeys(common, True), **own}, "additionalProperties": False},
            }
        )
    mapping = {"type": "object", "properties": every, "additionalProperties": False, "allOf": cases}
    return {"anyOf": [{"enum": list(FIELD_TYPES)}, mapping]}


def write_json_schema(folder: Path) -> list[Path]:
    """Write one `<kind>.json` per kind of file into a folder; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, schema in json_schema().items():
        path = folder / f"{kind}.json"
        path.write_text(json.dumps(schema, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written
