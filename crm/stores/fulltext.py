"""Search over all documents of all tables at once: SQLite's FTS5 with trigrams, so that any fragment of three letters finds.

One row of `_fts` is the text of one group of fields of one document; its number says which: `group << 40 | document id`. A search asks
the groups the user may see, takes the newest hits of each (a fragment with a hundred thousand hits costs as much as one with fifty), and
orders those in Python: what starts with the word first, then what has a word starting with it, the title before the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import apsw
from rapidfuzz import fuzz, process

from crm.stores.base import Hit
from crm.stores.query import Path
from crm.stores.snippets import snippet
from crm.stores.sqlite import SQLiteStorage, TableInfo
from crm.words import folded as fold

SHIFT = 40
LEAST = 16  # hits looked at of each group when several are asked
FEW = 3
SHORT_SCAN = 3000


def words_of(value: Any) -> str:
    """The text in a value: of lists and objects, all texts in it."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, dict):
        return " ".join(filter(None, map(words_of, value.values())))
    if isinstance(value, list):
        return " ".join(filter(None, map(words_of, value)))
    return str(value)


def text_of(doc: Any, paths: list[Path]) -> str:
    """The text of one group: a line a field, in the order of the paths."""
    if doc is None:
        return ""
    lines = []
    for path in paths:
        value: Any = doc
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        line = words_of(value)
        if line:
            lines.append(" ".join(line.split()))
    return "\n".join(lines)


def update(c: apsw.Connection, info: TableInfo, rows: Iterable[tuple[int, dict | None, dict | None]]) -> None:
    """Keep full text in step with changed documents `(id, old, new)`."""
    for slot, paths in info.groups.values():
        base = slot << SHIFT
        for i, old, new in rows:
            before, after = text_of(old, paths), text_of(new, paths)
            if before == after:
                continue
            if not before:
                c.execute("INSERT INTO _fts(rowid,text,raw) VALUES (?,?,?)", (base | i, fold(after), after))
            elif not after:
                c.execute("DELETE FROM _fts WHERE rowid=?", (base | i,))
            else:
                c.execute("UPDATE _fts SET text=?,raw=? WHERE rowid=?", (fold(after), after, base | i))


def clear(c: apsw.Connection, slot: int) -> None:
    """Forget the texts of a group."""
    c.execute("DELETE FROM _fts WHERE rowid>=? AND rowid<?", (slot << SHIFT, (slot + 1) << SHIFT))


def build(storage: SQLiteStorage, info: TableInfo, slot: int, paths: list[Path]) -> None:
    """The texts of a group for all documents there are."""
    import orjson

    c = storage.connection
    clear(c, slot)
    base = slot << SHIFT

    def texts() -> Iterable[tuple[int, str, str]]:
        for i, js in c.execute(f"SELECT doc_id,json(doc) FROM {info.source} ORDER BY doc_id"):
            text = text_of(orjson.loads(js), paths)
            if text:
                yield base | i, fold(text), text

    c.executemany("INSERT INTO _fts(rowid,text,raw) VALUES (?,?,?)", texts())


def match(storage: SQLiteStorage, text: str, groups: Mapping[str, Iterable[str]] | None, limit: int, fuzzy: bool) -> list[Hit]:
    """The best `limit` documents in which every word of `text` occurs; see the module."""
    words = fold(text).split()
    slots = _slots(storage, groups)
    if not words or not slots or limit <= 0:
        return []
    found: dict[tuple[str, int], tuple[float, str]] = {}
    each = limit if len(slots) == 1 else min(limit, max(LEAST, limit * 2 // 3))
    hits = _exact(storage, words, slots, each)
    if each < limit and each <= len(hits) < limit:  # one group alone could give more
        hits = _exact(storage, words, slots, limit)
    for slot, i, folded, raw in hits:
        _keep(found, slots[slot], i, _score(folded, words), raw)
    if fuzzy and len(found) < FEW and max(map(len, words)) >= 4:
        for slot, i, score, raw in _similar(storage, words, slots):
            if (slots[slot][0], i) not in found:
                _keep(found, slots[slot], i, score, raw)
    best = sorted(found.items(), key=lambda kv: (-kv[1][0], kv[0][0], -kv[0][1]))
    if len(best) > limit:  # the best two of each table come along in any case
        heard: Counter[str] = Counter()
        first: list[Any] = []
        rest: list[Any] = []
        for entry in best:
            heard[entry[0][0]] += 1
            (first if heard[entry[0][0]] <= 2 else rest).append(entry)
        best = sorted((first + rest)[:limit], key=lambda kv: -kv[1][0])
    return [Hit(table, i, round(score, 3), snippet(raw, words)) for (table, i), (score, raw) in best]


def _slots(storage: SQLiteStorage, groups: Mapping[str, Iterable[str]] | None) -> dict[int, tuple[str, int]]:
    """Group number → (table, place of the group in its table)."""
    slots = {}
    for name in storage.names() if groups is None else groups:
        info = storage.known(name)
        if info is None:
            continue
        wanted = None if groups is None else set(groups[name])
        for place, (group, (slot, _)) in enumerate(info.groups.items()):
            if wanted is None or group in wanted:
                slots[slot] = (name, place)
    return slots


def _keep(found: dict, slot: tuple[str, int], i: int, score: float, raw: str) -> None:
    table, place = slot
    score -= place * 5
    if score > found.get((table, i), (-1e9, ""))[0]:
        found[table, i] = (score, raw)


def _exact(storage: SQLiteStorage, words: list[str], slots: Mapping[int, Any], each: int) -> list[tuple[int, int, str, str]]:
    long = [w for w in words if len(w) >= 3]
    if not long:
        return _short(storage, words, slots, each)
    query = " AND ".join(_quoted(gram) for gram in dict.fromkeys(g for w in long for g in grams(w)))
    return _ask(storage, query, slots, lambda folded: all(w in folded for w in words), each)


def _ask(storage: SQLiteStorage, query: str, slots: Mapping[int, Any], fits: Any, per_group: int) -> list[tuple[int, int, str, str]]:
    """The first hits of each group: newest first; one query over all groups, jumping on as soon as a group has given enough."""
    ordered = sorted(slots, reverse=True)
    c, hits, at = storage.connection, [], 0
    bottom, mask = ordered[-1] << SHIFT, (1 << SHIFT) - 1
    while at < len(ordered):
        slot, taken, jump = ordered[at], 0, False
        for rowid, folded, raw in c.execute(
            "SELECT rowid,text,raw FROM _fts WHERE _fts MATCH ? AND rowid>=? AND rowid<? ORDER BY rowid DESC",
            (query, bottom, (slot + 1) << SHIFT),
        ):
            here = rowid >> SHIFT
            if here != slot:
                while ordered[at] > here:
                    at += 1
                if ordered[at] != here:  # a group not asked for: go on behind it
                    jump = True
                    break
                slot, taken = here, 0
            if fits(folded):
                hits.append((slot, rowid & mask, folded, raw))
                taken += 1
                if taken >= per_group:
                    at += 1
                    jump = True
                    break
        if not jump:
            break
    return hits


def _short(storage: SQLiteStorage, words: list[str], slots: Mapping[int, Any], each: int) -> list[tuple[int, int, str, str]]:
    """One or two letters: words that start with them, among the newest documents of each group."""
    hits = []
    for slot in slots:
        rows = storage.connection.execute(
            "SELECT rowid,text,raw FROM _fts WHERE rowid>=? AND rowid<? ORDER BY rowid DESC LIMIT ?",
            (slot << SHIFT, (slot + 1) << SHIFT, SHORT_SCAN // len(slots) + 100),
        )
        hits += [
            (slot, rowid & ((1 << SHIFT) - 1), folded, raw)
            for rowid, folded, raw in rows
            if all(folded.startswith(w) or f" {w}" in folded or f"\n{w}" in folded for w in words)
        ][:each]
    return hits


def _similar(storage: SQLiteStorage, words: list[str], slots: Mapping[int, Any]) -> list[tuple[int, int, float, str]]:
    """Documents with words that look like those asked for: four letters in a row must be right (three in a short word, or its beginning
    and end), then rapidfuzz decides."""
    word = max(words, key=len)
    parts = grams(word)
    pairs = [*zip(parts, parts[1:], strict=False), (parts[0], parts[-1])]
    sides: list[tuple[str, ...]] = list(dict.fromkeys(pairs)) if len(parts) >= 4 else [(g,) for g in parts]
    query = " OR ".join("(" + " AND ".join(map(_quoted, side)) + ")" for side in sides)
    hits = []
    for slot, i, folded, raw in _ask(storage, query, slots, lambda folded: True, per_group=150):
        there = folded.split()
        scores = [best[1] if (best := process.extractOne(w, there, scorer=fuzz.ratio)) else 0 for w in words]
        if min(scores) >= 70:
            hits.append((slot, i, sum(scores) / len(scores) - 60, raw))
    return hits


def grams(word: str) -> list[str]:
    """The trigrams of a word."""
    return [word[i : i + 3] for i in range(len(word) - 2)]


def _quoted(gram: str) -> str:
    return '"' + gram.replace('"', '""') + '"'


def _score(folded: str, words: list[str]) -> float:
    title, _, _ = folded.partition("\n")
    total = 0.0
    for word in words:
        place = title.find(word)
        if place == 0:
            total += 100
        elif place > 0:
            total += 80 if f" {word}" in title else 60
        else:
            total += 40 if f" {word}" in folded or f"\n{word}" in folded else 20
    return total / len(words) - min(len(title), 200) * 0.05
