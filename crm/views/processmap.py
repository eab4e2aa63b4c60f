"""The process map of a pipeline, drawn from the YAML (B11): one layout for the app, the notebook and the SVG file.

Stages stand in lanes by who is responsible, each with what its gate wants, its checklist, what needs somebody's word and what runs
by itself; arrows are the moves that are allowed. A drawing is a tree of plain nodes (`Node`): the part builds it in the browser as it
is, `svg()` writes it as a file. Texts are texts in both, never markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from crm.errors import Missing
from crm.records import approvals
from crm.schema.model import Pipeline, Schema, Stage
from crm.views.tokens import COLORS, FONT

WIDE, NARROW = 1016, 340  # a desk beside the navigation, a phone
LANE, GAP, PAD, LINE = 92, 30, 10, 15
LETTER = 6.5  # width of a letter of 12 px, on average; bold and capital ones a little more
LONGEST = 4  # lines of one thing in a box
CHANNEL = 9  # room of one line that leads past several stages


@dataclass
class Node:
    """One element of the drawing: `tag`, attributes, children or text."""

    tag: str
    attrs: dict[str, Any] = field(default_factory=dict)
    kids: list[Node] = field(default_factory=list)
    text: str = ""

    def json(self) -> list[Any]:
        """`[tag, attributes, children or text]`."""
        return [self.tag, self.attrs, [one.json() for one in self.kids] if self.kids else self.text]

    def xml(self) -> ElementTree.Element:
        made = ElementTree.Element(self.tag, {key: str(value) for key, value in self.attrs.items()})
        made.text = "".join(letter for letter in self.text if letter >= " ")  # what XML has no letter for
        made.extend(one.xml() for one in self.kids)
        return made


@dataclass
class Box:
    """One stage on the map: where it stands and what is written in it: `(class, text)` lines."""

    stage: Stage
    lane: int
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


class ProcessMap:
    """A pipeline as a drawing; `.svg()` is the text of a file, and a notebook shows it as it is."""

    def __init__(self, schema: Schema, name: str, t: Any = None, readable: Iterable[str] | None = None) -> None:
        if name not in schema.pipelines:
            raise Missing("There is no pipeline {name}.", name=name)
        self.schema, self.pipeline = schema, schema.pipelines[name]
        self.entity = schema.entities[self.pipeline.entity]
        self.t = t if t is not None else schema.words()
        self.readable = frozenset(readable) if readable is not None else frozenset(self.entity.fields)

    def __repr__(self) -> str:
        return f"<Process of {self.pipeline.label}: {', '.join(stage.label for stage in self.pipeline.stages.values())}>"

    def _repr_svg_(self) -> str:
        return self.svg()

    def svg(self, width: int = WIDE) -> str:
        """The map as the text of an SVG file, light or dark as its reader has it."""
        root = self.drawing(width)
        root.attrs["xmlns"] = "http://www.w3.org/2000/svg"
        root.kids.insert(0, Node("style", text=STYLE))
        root.kids.insert(0, Node("title", text=str(self.pipeline.label_in(self.t))))
        return ElementTree.tostring(root.xml(), encoding="unicode")

    # -- what is written

    def words(self, stage: Stage) -> list[tuple[str, str]]:
        """What stands in the box of a stage, by kind."""
        t = self.t
        found = [("name", stage.label_in(t))]
        meta = [t.percent(stage.probability) if hasattr(t, "percent") else f"{stage.probability:.0%}"] if stage.open else []
        if stage.open and stage.days:
            meta.append(t("{n} days", n=stage.days))
        if meta:
            found.append(("meta", " · ".join(meta)))
        wanted = [self.label(key) for key in stage.require if key in self.readable or key in self.entity.back]
        if wanted:
            found.append(("gate", t("Needs: {what}", what=", ".join(wanted))))
        for rule in self.pipeline.approvals:
            if rule.before == stage.key or rule.before is None and stage.index == 1:
                what = approvals.label_of(rule, self.entity, t)
                found.append(("word", t("{what}: word of {roles}", what=what, roles=approvals.named(self.schema, rule.by, t))))
        for todo in stage.do:
            found.append(("must" if todo.must else "todo", todo.say_in(t)))
        found += [("auto", one.label_in(t)) for one in self.automations(stage)]
        return found

    def label(self, key: str) -> str:
        if key in self.entity.fields:
            return str(self.entity.fields[key].label_in(self.t))
        return str(self.t.label(f"{self.entity.path}.back.{key}", self.schema.texts.get(f"{self.entity.path}.back.{key}") or key))

    def automations(self, stage: Stage | None) -> list[Any]:
        """What runs by itself when a record comes into a stage; with None, what runs in any stage."""
        mine = [one for one in self.schema.automations.values() if one.entity == self.entity.name and not one.off]
        named = {
            one.name: {key for trigger in one.when for pipeline, key in trigger.stages if pipeline in (None, self.pipeline.name)}
            for one in mine
        }
        if stage is None:
            return [one for one in mine if not any(trigger.stages for trigger in one.when)]
        return [one for one in mine if stage.key in named[one.name]]

    def notes(self) -> list[str]:
        """The moves in words, and what runs in any stage."""
        t, moves = self.t, self.pipeline.moves
        found = []

        def roles(rule: Any) -> str:
            return approvals.named(self.schema, rule, t) if isinstance(rule, list) else ""

        if moves.forward == "any":
            found.append(t("Stages may be skipped."))
        elif roles(moves.forward):
            found.append(t("Stages are skipped by: {roles}.", roles=roles(moves.forward)))
        if moves.back == "any":
            found.append(t("Back to any stage."))
        elif moves.back == "none":
            found.append(t("There is no way back."))
        elif moves.back == "previous":
            found.append(t("Back one stage at a time."))
        else:
            found.append(t("Back: {roles}.", roles=roles(moves.back)))
        if moves.reopen == "none":
            found.append(t("What is closed stays closed."))
        elif moves.reopen == "any":
            found.append(t("What is closed may be reopened."))
        else:
            found.append(t("Reopened by: {roles}.", roles=roles(moves.reopen)))
        anywhere = [one.label_in(t) for one in self.automations(None)]
        if anywhere:
            found.append(t("By itself, in any stage: {what}.", what="; ".join(anywhere)))
        return found

    # -- where it stands

    def lanes(self) -> list[str]:
        """The lanes by who is responsible, as the stages name them first."""
        found: list[str] = []
        for stage in self.pipeline.open_stages():
            said = self.lane_of(stage)
            if said not in found:
                found.append(said)
        return found

    def lane_of(self, stage: Stage) -> str:
        return approvals.named(self.schema, stage.responsible, self.t) or str(self.t("Whoever may change it"))

    def boxes(self, width: int) -> tuple[list[Box], list[tuple[str, float, float]], float, float]:
        """The boxes, the lanes as `(name, top, height)`, width and height of the drawing."""
        lanes, stages = self.lanes(), [*self.pipeline.open_stages()]
        ends = [stage for stage in self.pipeline.stages.values() if not stage.open]
        narrow = width < 600
        made = [Box(stage, lanes.index(self.lane_of(stage))) for stage in stages]
        made += [Box(stage, made[-1].lane if stage.outcome == "won" else len(lanes) - 1) for stage in ends]
        across = 1 if narrow else len(stages) + 1
        box = width - 2 * PAD - CHANNEL * (len(self.jumps(lost=True)) + 1) if narrow else max(132.0, min(220.0, (width - LANE - across * GAP) / across))
        for one in made:
            one.width = box
            one.lines = [(kind, line) for kind, text in self.words(one.stage) for line in wrapped(text, box - 2 * PAD - 12, kind)]
            one.height = PAD * 2 + LINE * len(one.lines)
        if narrow:
            y, last = float(PAD), None
            for one in made:
                if one.stage.open and one.lane != last:
                    y += 20
                    last = one.lane
                one.x, one.y = PAD, y
                y += one.height + 22
            heads = [
                (lanes[one.lane], one.y - 8, 0.0) for number, one in enumerate(made) if number == 0 or made[number - 1].lane != one.lane
            ]
            return made, heads, float(width), y
        y, bands = CHANNEL * len(self.jumps()) + (6.0 if self.jumps() else 0.0), []
        for number, lane in enumerate(lanes):
            here = [one for one in made if one.lane == number]
            opened = [one for one in here if one.stage.open]
            closed = [one for one in here if not one.stage.open]
            high = max([one.height for one in opened] + [sum(one.height + 14 for one in closed) - 14 if closed else 0])
            for one in opened:
                one.x, one.y = LANE + GAP / 2 + stages.index(one.stage) * (box + GAP), y + 16
            at = y + 16
            for one in closed:
                one.x, one.y = LANE + GAP / 2 + len(stages) * (box + GAP), at
                at += one.height + 14
            bands.append((lane, y, high + 32))
            y += high + 32
        return made, bands, max(float(width), LANE + GAP / 2 + across * (box + GAP)), y + 8

    def jumps(self, lost: bool = False) -> dict[str, list[Stage]]:
        """`{stage: the stages from where a move leads past others to it}`: into won, and what `only:` allows; with `lost` also into that
        from any. Steps anybody may skip are said in words, not drawn one by one."""
        found: dict[str, list[Stage]] = {}
        for one in self.pipeline.open_stages():
            for end in self.pipeline.ways(one.key):
                if end.outcome == "lost":
                    if lost:
                        found.setdefault(end.key, []).append(one)
                elif self.straight(one, end) or end.index == one.index - 1:
                    continue
                elif end.outcome == "won" or one.key in self.pipeline.moves.only:
                    found.setdefault(end.key, []).append(one)
        return found

    def straight(self, start: Stage, end: Stage) -> bool:
        """Whether a move is the usual one on: to the next stage, or from the last into won."""
        return self.pipeline.next_open(start.key) == end.key or end.outcome == "won" and start is self.pipeline.open_stages()[-1]

    # -- the drawing

    def drawing(self, width: int = WIDE) -> Node:
        """The whole map for a width in pixels; below 600 one stage stands under the other."""
        boxes, bands, wide, high = self.boxes(width)
        narrow = width < 600
        kids: list[Node] = []
        for number, (lane, top, height) in enumerate(bands):
            if narrow:
                kids.append(text("pm-lane", PAD, top, lane))
                continue
            kids.append(Node("rect", {"class": f"pm-band{number % 2}", "x": 0, "y": top, "width": round(wide), "height": round(height)}))
            for row, line in enumerate(wrapped(lane, LANE - 14, "lane")):
                kids.append(text("pm-lane", PAD, top + 26 + row * LINE, line))
        kids += [*self.arrows(boxes, narrow, high)]
        kids += [self.box(one) for one in boxes]
        for line in [piece for note in self.notes() for piece in wrapped(note, wide - 2 * PAD, "note")]:
            high += LINE
            kids.append(text("pm-note", PAD, high, line))
        size = {"class": "pm", "viewBox": f"0 0 {round(wide)} {round(high + PAD)}", "width": round(wide), "height": round(high + PAD)}
        return Node("svg", {**size, "role": "group", "aria-label": str(self.pipeline.label_in(self.t))}, kids)

    def box(self, one: Box) -> Node:
        spoken = ". ".join(said for _, said in self.words(one.stage))
        frame = {"class": f"pm-box pm-{one.stage.outcome or 'open'}", "x": r(one.x), "y": r(one.y), "width": r(one.width)}
        kids = [Node("rect", {**frame, "height": r(one.height), "rx": 6})]
        y, before = one.y + PAD + 11, ""
        for number, (kind, line) in enumerate(one.lines):
            first = (kind, number) == (kind, 0) or kind != before or not line.startswith("\u2009")
            mark = MARKS.get(kind, "") if first else ""
            if mark:
                kids.append(text(f"pm-mark pm-{kind}", one.x + PAD, y, mark))
            kids.append(text(f"pm-{kind}", one.x + PAD + (14 if kind in MARKS else 0), y, line.strip("\u2009")))
            before = kind
            y += LINE
        return Node("g", {"class": "pm-stage", "role": "button", "tabindex": 0, "data-stage": one.stage.key, "aria-label": spoken}, kids)

    def arrows(self, boxes: list[Box], narrow: bool, high: float) -> Iterator[Node]:
        """The moves: on, back one stage, and the way out where something is given up."""
        at = {one.stage.key: one for one in boxes}
        for one in boxes:
            for end in self.pipeline.ways(one.stage.key):
                other = at[end.key]
                if not one.stage.open:
                    continue
                if end.outcome == "lost":
                    continue
                if self.straight(one.stage, end):
                    yield from arrow("pm-on", one, other, narrow)
                elif end.index == one.stage.index - 1:
                    yield from arrow("pm-back", one, other, narrow, shift=9)
        for number, (key, starts) in enumerate(self.jumps(lost=narrow).items()):
            yield from (beside if narrow else above)(number, [at[one.key] for one in starts], at[key], max(one.x + one.width for one in boxes))
        lost = [stage for stage in self.pipeline.of_outcome("lost")]
        if lost and not narrow:
            ways = [one for one in boxes if one.stage.open and any(end.key == lost[0].key for end in self.pipeline.ways(one.stage.key))]
            foot_of = at[lost[0].key]
            under = high - 12
            if ways:
                left, foot = min(one.x + one.width / 2 for one in ways), foot_of.x + foot_of.width / 2
                yield Node("path", {"class": "pm-lose", "d": f"M{r(left)} {r(under)}H{r(foot)}V{r(foot_of.y + foot_of.height + 7)}"})
                yield tip("pm-tip-lose", foot, foot_of.y + foot_of.height + 1, "up")
                for one in ways:
                    middle = one.x + one.width / 2
                    yield Node("path", {"class": "pm-lose", "d": f"M{r(middle)} {r(one.y + one.height)}V{r(under)}"})


#: Marks before the lines of a box, by kind.
MARKS = {"gate": "▸", "word": "✓", "todo": "☐", "must": "☑", "auto": "↻"}


def above(number: int, starts: list[Box], end: Box, _: float) -> Iterator[Node]:
    """A line over the lanes that gathers what leads past other stages to one."""
    y, x = 5.0 + number * CHANNEL, end.x + end.width / 2 + number * CHANNEL
    for one in starts:
        begin = one.x + one.width / 2 - (number + 1) * CHANNEL
        yield Node("path", {"class": "pm-jump", "d": f"M{r(begin)} {r(one.y)}V{r(y)}H{r(x)}V{r(end.y - 6)}"})
    yield tip("pm-jump-tip", x, end.y, "down")


def beside(number: int, starts: list[Box], end: Box, edge: float) -> Iterator[Node]:
    """The same on a phone: a line at the right of the stages."""
    x, y = edge + (number + 1) * CHANNEL, end.y + 16 + number * CHANNEL
    kind = "pm-lose" if end.stage.outcome == "lost" else "pm-jump"
    for one in starts:
        begin = one.y + 16 + number * CHANNEL
        yield Node("path", {"class": kind, "d": f"M{r(one.x + one.width)} {r(begin)}H{r(x)}V{r(y)}H{r(end.x + end.width + 6)}"})
    yield tip(f"{kind}-tip", end.x + end.width, y, "left")


def arrow(kind: str, start: Box, end: Box, narrow: bool, shift: float = 0) -> Iterator[Node]:
    """A line from one box to another with its tip."""
    if narrow:
        x = start.x + start.width / 2 + shift * 4
        if end.y > start.y:
            yield Node("path", {"class": kind, "d": f"M{r(x)} {r(start.y + start.height)}V{r(end.y - 6)}"})
            yield tip(f"{kind}-tip", x, end.y, "down")
        else:
            yield Node("path", {"class": kind, "d": f"M{r(x)} {r(start.y)}V{r(end.y + end.height + 6)}"})
            yield tip(f"{kind}-tip", x, end.y + end.height, "up")
        return
    if end.x > start.x:
        y1, y2 = min(start.y + 22, start.y + start.height - 8) + shift, min(end.y + 22, end.y + end.height - 8) + shift
        x1, x2 = start.x + start.width, end.x
        bend = (x2 - GAP / 2) if x2 - x1 > GAP else (x1 + x2) / 2
        yield Node("path", {"class": kind, "d": f"M{r(x1)} {r(y1)}H{r(bend)}V{r(y2)}H{r(x2 - 6)}"})
        yield tip(f"{kind}-tip", x2, y2, "right")
    else:
        y1, y2 = start.y + 30 + shift, end.y + 30 + shift
        x1, x2 = start.x, end.x + end.width
        bend = (x1 + x2) / 2
        yield Node("path", {"class": kind, "d": f"M{r(x1)} {r(y1)}H{r(bend)}V{r(y2)}H{r(x2 + 6)}"})
        yield tip(f"{kind}-tip", x2, y2, "left")


def tip(kind: str, x: float, y: float, way: str) -> Node:
    """A tip that ends at a point."""
    dx, dy = {"right": (-7, 4), "left": (7, 4), "down": (4, -7), "up": (4, 7)}[way]
    if way in ("right", "left"):
        points = f"M{r(x)} {r(y)}L{r(x + dx)} {r(y - dy)}V{r(y + dy)}Z"
    else:
        points = f"M{r(x)} {r(y)}L{r(x - dx)} {r(y + dy)}H{r(x + dx)}Z"
    return Node("path", {"class": f"pm-tip {kind}", "d": points})


def text(kind: str, x: float, y: float, words: str) -> Node:
    return Node("text", {"class": kind, "x": r(x), "y": r(y)}, text=words.strip("\u2009"))


def r(value: float) -> str:
    """A coordinate, short."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def wrapped(words: str, width: float, kind: str) -> list[str]:
    """A text in lines that fit a width, at most `LONGEST` of them; lines after the first begin with a thin space."""
    letter = LETTER * {"name": 1.14, "lane": 0.98, "meta": 0.95}.get(kind, 0.97)
    fits = max(6, int((width - (2 if kind in MARKS else 0)) / letter))
    lines: list[str] = []
    for word in words.split():
        while len(word) > fits:
            lines.append(word[: fits - 1] + "‑")
            word = word[fits - 1 :]
        if lines and not lines[-1].endswith("‑") and len(lines[-1]) + 1 + len(word) <= fits:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    if len(lines) > LONGEST and kind != "note":
        lines = [*lines[: LONGEST - 1], lines[LONGEST - 1][: fits - 1] + "…"]
    return [line if number == 0 else f"\u2009{line}" for number, line in enumerate(lines)]


def style() -> str:
    """The looks of a file of its own: the colours of the app, by the reader's light or dark."""
    light = {name: pair[0] for name, pair in COLORS.items()}
    dark = {name: pair[1] for name, pair in COLORS.items()}

    def rules(pick: dict[str, str]) -> str:
        return "".join(part.replace("{", "{{").replace("}", "}}").replace("[[", "{").replace("]]", "}").format(**pick) for part in RULES)

    return f"text{{font:12px {FONT}}}" + rules(light) + "@media(prefers-color-scheme:dark){" + rules(dark) + "}"


#: Rules of the drawing with the names of colours; `parts/process.css` says the same of the app.
RULES = (
    ".pm{background:[[bg]]}text{fill:[[text]]}.pm-band0{fill:[[sunken]]}.pm-band1{fill:[[bg]]}",
    ".pm-box{fill:[[raised]];stroke:[[line2]]}.pm-won{stroke:[[good]]}.pm-lost{stroke:[[bad]]}",
    ".pm-name{font-weight:700;font-size:13px}.pm-meta,.pm-todo,.pm-note{fill:[[text2]]}.pm-lane{fill:[[text2]];font-weight:600}",
    ".pm-mark{fill:[[accent]]}.pm-word,.pm-must{fill:[[warn]]}.pm-auto{fill:[[accent]]}",
    ".pm-on,.pm-jump,.pm-back,.pm-lose{fill:none;stroke:[[text2]];stroke-width:1.5}.pm-back,.pm-lose{stroke:[[line2]];stroke-dasharray:4 3}",
    ".pm-tip{fill:[[text2]]}",
)
STYLE = style()


def average(door: Any, pipeline: Pipeline, stage: Stage) -> tuple[int, float | None]:
    """How many records that this user sees have left a stage, and after how many days on average; None where nothing has yet."""
    from tinydb import where

    from crm.records.company import MOVES
    from crm.records.queries import all_of

    company, name = door.company, pipeline.entity
    here = all_of(company.live, where("entity") == name, where("pipeline") == pipeline.name, where("from") == stage.key)
    rows = company.store.table(MOVES).values(["record", "days"], here)
    living = door.sight(name).living()
    seen = set(company.table(name).ids(living))
    days = [float(spent) for record, spent in rows if record in seen and spent is not None]
    return len(days), (sum(days) / len(days) if days else None)
