"""The language of conditions and formulas in YAML: Python syntax, a closed list of names and functions, no side effects.

    parse("stage.open and next_on < today", entity.scope, expects="boolean")

Fields, `link.field`, comparison, `and or not in`, arithmetic without modulo, `today`, `now`, `me`, the literals `30d` `2w` `3m` `1y`
`2h` and `15%`, functions, and aggregates over lists of linked records: `sum(opportunities.amount, stage.outcome == 'won')`.
An expression is parsed and checked once, then compiled to a Python function (`evaluate`) and to a TinyDB query (`query`); both agree.

Nothing (an empty field) is None: a comparison with it is False, except `== None`, and `!=` is true wherever `==` is not;
arithmetic with it is None. `not` turns False into True, so `not amount > 5` holds where amount is empty.
"""

from crm.expressions.kinds import FUNCTIONS, ExpressionError
from crm.expressions.language import Expression, parse
from crm.expressions.nodes import Name
from crm.expressions.queries import Linked, LinkedFrom, by_id, linked, linked_from, text_like
from crm.expressions.scope import Scope
from crm.expressions.values import Env, Period

__all__ = [
    "FUNCTIONS",
    "Env",
    "Expression",
    "ExpressionError",
    "Linked",
    "LinkedFrom",
    "Name",
    "Period",
    "Scope",
    "by_id",
    "linked",
    "linked_from",
    "parse",
    "text_like",
]
