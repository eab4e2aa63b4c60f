"""The text of an expression as Python can read it: `30d`, `15%` and names such as `from` are set aside first."""

from __future__ import annotations

import ast
import keyword
import re
from decimal import Decimal
from typing import Any

from crm.expressions.kinds import ExpressionError
from crm.expressions.values import Period

_LITERAL = re.compile(
    r"""(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    |(?P<literal>(?<![\w.])\d+(?:\.\d+)?(?:%|(?:d|w|m|y|h|min)(?!\w)))
    |(?P<word>(?<!\w)[^\W\d]\w*)""",
    re.X,
)
_KEYWORDS = set(keyword.kwlist) - {"and", "or", "not", "in", "is", "if", "else", "True", "False", "None"}
_UNITS = {"d": (0, 1, 0), "w": (0, 7, 0), "m": (1, 0, 0), "y": (12, 0, 0), "h": (0, 0, 60), "min": (0, 0, 1)}


class Source:
    """One text: its tree, and by place what was set aside (`literals` {place: (kind, value)}, `renamed` {place: name})."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.literals: dict[int, tuple[str, Any]] = {}
        self.renamed: dict[int, str] = {}
        self.source, self.lead = "", 0

    def tree(self) -> ast.Expression:
        """The text as Python's tree, its literals and keywords set aside under names of the same length."""
        source = _LITERAL.sub(self._replace, re.sub(r"[\r\n\t\f\v]", " ", self.text))
        lead = len(source) - len(source.lstrip())
        self.lead = lead
        self.source = source.strip()
        try:
            return ast.parse(self.source, mode="eval")
        except SyntaxError as error:
            offset = min(max((error.offset or 1) - 1, 0), len(self.source)) + lead
            raise ExpressionError("This is not a complete expression.", offset, self._hint(offset)) from None
        except (ValueError, RecursionError, MemoryError):
            raise ExpressionError(
                "This cannot be read.", 0, "Only fields, numbers, texts in quotes and operators may stand here."
            ) from None

    def _replace(self, found: re.Match[str]) -> str:
        token, start = found[0], found.start()
        if found["literal"]:
            if token.endswith("%"):
                value: Any = Decimal(token[:-1]) / 100
                self.literals[start] = ("percent", value)
            else:
                match = re.fullmatch(r"(\d+)(\.\d+)?([a-z]+)", token)
                assert match
                if match[2] or len(match[1]) > 5:
                    raise ExpressionError(
                        "'{text}' is not a length of time.", start, "Whole numbers: 30d, 2w, 3m, 1y, 2h.", text=token[:20]
                    )
                parts = _UNITS[match[3]]
                self.literals[start] = ("period", Period(*(part * int(match[1]) for part in parts)))
            return "_" * len(token)
        if found["word"]:
            before = self.text[:start].rstrip()
            if token in _KEYWORDS or (before.endswith(".") and keyword.iskeyword(token)):
                self.renamed[start] = token
                return "_" * len(token)
        return token

    def _hint(self, offset: int) -> str:
        near = self.text[max(0, offset - 2) : offset + 2]
        if re.search(r"(?<![=!<>])=(?!=)", self.text):
            return "Compare with ==, not with a single =."
        if "&&" in self.text or "||" in self.text:
            return "Write `and` and `or`."
        if re.search(r"!(?!=)", self.text):
            return "Write `not`."
        if "<>" in self.text:
            return "Write != for 'is not'."
        if self.text.count("(") != self.text.count(")"):
            return "An opening or closing bracket is missing."
        if self.text.count("'") % 2 or self.text.count('"') % 2:
            return "A quotation mark is missing."
        if "%" in near:
            return "15% is a percentage; there is no remainder operator."
        return "Something is missing or too much here."

    def at(self, node: ast.AST) -> int:
        """The place of a node in the text (Python counts bytes)."""
        return len(self.source.encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore")) + self.lead

    def end(self, node: ast.expr) -> int:
        return len(self.source.encode()[: node.end_col_offset or 0].decode(errors="ignore")) + self.lead
