"""The piece of a text that shows why it was found."""

from __future__ import annotations

from crm.words import folded as fold


def snippet(raw: str, words: list[str], width: int = 80) -> str:
    """The line of `raw` in which the first of `words` (folded) occurs, cut to about `width` characters around it."""
    lines = raw.split("\n")
    for line in lines:
        if len(line) <= width:
            if any(word in fold(line) for word in words):
                return line
            continue
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
        left = max(0, min(start - width // 3, len(line) - width))
        return ("…" if left else "") + line[left : left + width].strip() + ("…" if left + width < len(line) else "")
    return lines[0][:width]
