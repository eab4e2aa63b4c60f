"""Text as search sees it: lower case, without diacritics, `Łódź` = `lodz`, `Straße` = `strasse`."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_OTHER = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n"}
)


def fold(text: str) -> str:
    """`text` in the form in which it is compared by search."""
    return text.lower() if text.isascii() else _fold(text)


@lru_cache(maxsize=20_000)
def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_OTHER)).casefold()
    return "".join(c for c in plain if not unicodedata.combining(c)).translate(_OTHER)


def snippet(raw: str, words: list[str], width: int = 80) -> str:
    """The line of `raw` in which the first of `words` (folded) occurs, cut to about `width` characters around it."""
    lines = raw.split("\n")
    for line in lines:
        folded, origin = [], []
        for i, char in enumerate(line):
            for c in fold(char):
                folded.append(c)
                origin.append(i)
        text = "".join(folded)
        places = [place for place in map(text.find, words) if place >= 0]
        if not places:
            continue
        start = origin[min(places)]
        if len(line) <= width:
            return line
        left = max(0, min(start - width // 3, len(line) - width))
        return ("…" if left else "") + line[left : left + width].strip() + ("…" if left + width < len(line) else "")
    return lines[0][:width]
