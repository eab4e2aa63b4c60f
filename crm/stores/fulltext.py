"""Search over all documents of all tables at once: SQLite's FTS5 with trigrams, so that any fragment of three letters finds.

One row of `_fts` is the text of one group of fields of one document; its number says which: `group << 40 | (2**40 - 1 - document id)`,
so that the newest come first where FTS5 is fastest, forwards. A search asks the groups the user may see, takes the newest hits of each (a fragment with a hundred thousand hits costs as much as one with fifty), and
orders those in Python: what starts with the word first, then what has a word starting with it, the title before the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import apsw
from rapidfuzz import fuzz, process

from crm.stores.base import Hit
from crm.stores.query import Path
from crm.stores.snippets import snippet
from crm.stores.sqlite import SQLiteStorage, TableInfo
from crm.words import folded as fold

#: Which of some documents of a table may be found.
Sift = Callable[[str, list[int]], Collection[int]] | None
#: `{(table, document): (score, text)}`.
Found = dict[tuple[str, int], tuple[float, str]]
SHIFT = 40
LAST = (1 << SHIFT) - 1
BULK = 1000  # texts in one transaction from which on the index is looked after
MOST = 4000  # hits of a group looked at while hardly any may be shown
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


def update(c: apsw.Connection, info: TableInfo, rows: Iterable[tuple[int, dict | None, dict | None]]) -> int:
    """Keep full text in step with changed documents `(id, old, new)`; how many texts were written."""
    written = 0
    for slot, paths in info.groups.values():
        for i, old, new in rows:
            before, after = text_of(old, paths), text_of(new, paths)
            if before == after:
                continue
            written += 1
            if not before:
                c.execute("INSERT INTO _fts(rowid,text,raw) VALUES (?,?,?)", (number(slot, i), fold(after), after))
            elif not after:
                c.execute("DELETE FROM _fts WHERE rowid=?", (number(slot, i),))
            else:
                c.execute("UPDATE _fts SET text=?,raw=? WHERE rowid=?", (fold(after), after, number(slot, i)))
    return written


def number(slot: int, doc_id: int) -> int:
    """The number of a document's row in a group."""
    return (slot << SHIFT) | (LAST - doc_id)


def arrange(storage: SQLiteStorage) -> None:
    """Take over the index of a store from before its rows were kept newest first."""
    c = storage.connection
    if storage.one("SELECT 1 FROM _meta WHERE key='_fts newest first'"):
        return
    if storage.one("SELECT 1 FROM _fts LIMIT 1"):
        made = storage.one("SELECT sql FROM sqlite_schema WHERE name='_fts'")
        c.execute("CREATE TEMP TABLE fts_before AS SELECT rowid AS old,text,raw FROM _fts")
        c.execute("DROP TABLE _fts")
        c.execute(made)
        c.execute(f"INSERT INTO _fts(rowid,text,raw) SELECT (old|{LAST})-(old&{LAST}) AS new,text,raw FROM temp.fts_before ORDER BY new")
        c.execute("DROP TABLE temp.fts_before")
        merge(c)
    c.execute("INSERT INTO _meta VALUES ('_fts newest first','true')")


def merge(c: apsw.Connection) -> None:
    """Make the index one piece again: many writes leave it in pieces, each of which every search has to look through."""
    c.execute("INSERT INTO _fts(_fts) VALUES ('optimize')")


def look_after(storage: SQLiteStorage, texts: int) -> None:
    """After a transaction that wrote many texts: the index is merged when it has grown by half since the last time."""
    c = storage.connection
    whole, new = map(int, (storage.one("SELECT value FROM _meta WHERE key='_fts merged'") or "0 0").strip('"').split())
    new += texts
    if new * 2 > whole:
        merge(c)
        whole, new = whole + new, 0
    c.execute("INSERT OR REPLACE INTO _meta VALUES ('_fts merged',?)", (f'"{whole} {new}"',))


def clear(c: apsw.Connection, slot: int) -> None:
    """Forget the texts of a group."""
    c.execute("DELETE FROM _fts WHERE rowid>=? AND rowid<?", (slot << SHIFT, (slot + 1) << SHIFT))


def build(storage: SQLiteStorage, info: TableInfo, slot: int, paths: list[Path]) -> None:
    """The texts of a group for all documents there are."""
    import orjson

    c = storage.connection
    clear(c, slot)

    def texts() -> Iterable[tuple[int, str, str]]:
        for i, js in c.execute(f"SELECT doc_id,json(doc) FROM {info.source} ORDER BY doc_id DESC"):
            text = text_of(orjson.loads(js), paths)
            if text:
                yield number(slot, i), fold(text), text

    c.executemany("INSERT INTO _fts(rowid,text,raw) VALUES (?,?,?)", texts())


def match(
    storage: SQLiteStorage, text: str, groups: Mapping[str, Iterable[str]] | None, limit: int, fuzzy: bool, sift: Sift = None
) -> list[Hit]:
    """The best `limit` documents in which every word of `text` occurs; see the module."""
    words = fold(text).split()
    slots = _slots(storage, groups)
    if not words or not slots or limit <= 0:
        return []
    each = limit if len(slots) == 1 else min(limit, max(LEAST, limit // 2))
    while True:
        hits = _exact(storage, words, slots, each)
        found: Found = {}
        for slot, i, folded, raw in hits:
            _keep(found, slots[slot], i, _score(folded, words), raw)
        found = _sifted(found, sift)
        full = hits and max(Counter(slot for slot, _, _, _ in hits).values()) >= each
        if len(found) >= limit or not full or each >= MOST:
            break
        each = limit if each < limit else each * 4  # some group could give more
    if fuzzy and len(found) < FEW and max(map(len, words)) >= 4:
        similar: Found = {}
        for slot, i, score, raw in _similar(storage, words, slots):
            if (slots[slot][0], i) not in found:
                _keep(similar, slots[slot], i, score, raw)
        found |= _sifted(similar, sift)
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


def _sifted(found: Found, sift: Sift) -> Found:
    """What of the hits passes; asked once a table."""
    if sift is None or not found:
        return found
    tables: dict[str, list[int]] = {}
    for table, i in found:
        tables.setdefault(table, []).append(i)
    passed = {table: sift(table, ids) for table, ids in tables.items()}
    return {key: kept for key, kept in found.items() if key[1] in passed[key[0]]}


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
    query = " AND ".join(_quoted(gram) for gram in dict.fromkeys(g for w in long for g in cover(w)))
    return _ask(storage, query, slots, lambda folded: all(w in folded for w in words), each)


def _ask(storage: SQLiteStorage, query: str, slots: Mapping[int, Any], fits: Any, per_group: int) -> list[tuple[int, int, str, str]]:
    """The first hits of each group: newest first; one query over all groups, jumping on as soon as a group has given enough."""
    ordered = sorted(slots)
    c, hits, at = storage.connection, [], 0
    end = (ordered[-1] + 1) << SHIFT
    while at < len(ordered):
        slot, taken, jump = ordered[at], 0, False
        for rowid, folded, raw in c.execute(
            "SELECT rowid,text,raw FROM _fts WHERE _fts MATCH ? AND rowid>=? AND rowid<? ORDER BY rowid",
            (query, slot << SHIFT, end),
        ):
            here = rowid >> SHIFT
            if here != slot:
                while ordered[at] < here:
                    at += 1
                if ordered[at] != here:  # a group not asked for: go on behind it
                    jump = True
                    break
                slot, taken = here, 0
            if fits(folded):
                hits.append((slot, LAST - (rowid & LAST), folded, raw))
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
            "SELECT rowid,text,raw FROM _fts WHERE rowid>=? AND rowid<? ORDER BY rowid LIMIT ?",
            (slot << SHIFT, (slot + 1) << SHIFT, SHORT_SCAN // len(slots) + 100),
        )
        hits += [
            (slot, LAST - (rowid & LAST), folded, raw)
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


def cover(word: str) -> list[str]:
    """Trigrams that hold every letter of a word: half as many to look up as all, and what they find too much the text itself shows."""
    parts = grams(word)
    return [*parts[:-1:2], parts[-1]]


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
