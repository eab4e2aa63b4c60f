"""What the builders of entities, pipelines, reports … share: the tree, the faults, the schema so far, expressions and field paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypedDict

from crm.schema.faults import Faults, known, meant, shorten
from crm.schema.language import KINDS
from crm.schema.model import Entity, Schema, Source
from crm.schema.overlay import Tree
from crm.schema.reading import entries, maybe, readable, scalar, source, submap, text
from crm.yamlfile import Map, Scalar


class Head(TypedDict):
    """The keywords every `Thing` takes."""

    name: str
    label: str
    help: str
    module: str | None
    path: str
    source: Source


@dataclass
class Building:
    """A schema on its way."""

    tree: Tree
    faults: Faults
    schema: Schema
    nodes: dict[str, Map] = field(default_factory=dict)  # "entities.account" → its node
    gone: set[str] = field(default_factory=set)  # names that went with a module switched off
    plain: dict[str, Any] = field(default_factory=dict)

    @property
    def off(self) -> bool:
        """Whether any module is switched off."""
        return not all(self.schema.modules.values())

    def things(self, folder: str) -> Iterator[tuple[str, Map]]:
        """(name, node) of every file of a folder, its shape checked and its name compared with the file's."""
        key, shape = KINDS[folder]
        for name, node in self.tree.folder(folder):
            module = scalar(node, "module")
            if module is not None and self.schema.modules.get(module.text) is False:
                self.gone.add(name)
                for _, below in entries(submap(node, "fields")):  # its lists at the other ends go with it
                    if back := scalar(below, "back"):
                        self.gone.add(back.text)
                continue
            if module is not None and not module.is_null and self.schema.modules:
                self.reference(module, self.schema.modules, "module", "E119")
            shape.check(node, self.faults, name)
            said = scalar(node, key)
            if said is not None and said.text != name:
                mend = f"Write `{key}: {name}`, or rename the file to {said.text.rsplit('/')[-1]}.yaml."
                self.faults.add("E115", said, f"this file is called '{name}' and says '{shorten(said.text)}'.", mend)
            elif said is None and folder != "imports":
                from crm.schema.shapes import check_name

                check_name(Scalar(node.file, node.line, node.column, name), self.faults)
            self.nodes[f"{folder}.{name}"] = node
            yield name, node

    def head(self, folder: str, name: str, node: Map, label: str = "") -> Head:
        """What every file says of the thing it is about; `label` where it has none and its name is no good one."""
        path = f"{folder}.{name}"
        return {
            "name": name,
            "label": self.text(f"{path}.label", text(node, "label") or label or readable(name.rsplit("/", 1)[-1])),
            "help": self.text(f"{path}.help", text(node, "help")),
            "module": maybe(node, "module"),
            "path": path,
            "source": source(node),
        }

    def text(self, path: str, english: str) -> str:
        """Note a text that labels may translate, and give it back."""
        if english:
            self.schema.texts[path] = english
        return english

    # --- references

    def reference(self, node: Scalar, choices: Iterable[str], what: str, code: str) -> str | None:
        """The name in `node` when it is one of `choices`; else a fault and None."""
        names = list(choices)
        if node.text in names:
            return node.text
        if node.text not in self.gone:
            said = f"there is no {what} called '{shorten(node.text)}'." + meant(node.text, names)
            self.faults.add(code, node, said, f"There are: {known(names)}.")
        return None

    def entity(self, node: Map, code: str) -> Entity | None:
        """The entity a file is about; a fault and None when there is none of this name."""
        said = scalar(node, "entity")
        name = self.reference(said, self.schema.entities, "entity", code) if said is not None else None
        return self.schema.entities[name] if name is not None else None

    def field(self, node: Scalar, entity: Entity, code: str = "E211", text: str | None = None) -> str | None:
        """The key of one of the entity's own fields; else a fault and None."""
        said = node.text if text is None else text
        if said in entity.fields:
            return said
        if said not in self.gone:
            self.unknown_field(node, said, entity, code)
        return None

    def unknown_field(self, node: Scalar, said: str, entity: Entity, code: str) -> None:
        message = f"the entity '{entity.name}' has no field '{shorten(said)}'." + meant(said, entity.fields)
        self.faults.add(code, node, message, f"Its fields are: {known(own(entity), 40)}.")

    def path(self, node: Scalar, entity: Entity, code: str = "E211", text: str | None = None) -> tuple[str, Any] | None:
        """A field or `link.field` as (path, the field at its end); else a fault and None."""
        said = node.text if text is None else text
        here, rest = entity, said
        while True:
            head, _, rest = rest.partition(".")
            found = here.fields.get(head)
            if found is None:
                if head not in self.gone:
                    self.unknown_field(node, head, here, code)
                return None
            if not rest:
                return said, found
            if head == here.stage_field and rest in ("label", "outcome", "forecast", "probability", "open", "days"):
                return said, found
            if rest in getattr(found, "parts", {}):
                return said, found
            if not found.to or found.to not in self.schema.entities:
                if found.to not in self.gone:
                    message = f"'{head}' of '{here.name}' is no link, so nothing comes after its point."
                    self.faults.add(code, node, message, f"Write `{head}` alone, or a link field before the point.")
                return None
            here = self.schema.entities[found.to]

    def fields(self, nodes: Iterable[Scalar], entity: Entity, code: str = "E211") -> list[str]:
        return [key for node in nodes if (key := self.field(node, entity, code)) is not None]

    # --- expressions

    def expression(
        self, node: Scalar | None, scope: Any, expects: str | tuple[str, ...] | None = None, code: str = "E210", text: str | None = None
    ) -> Any:
        """The parsed expression of a node, None with a fault when it is wrong; `text` when it is only a part of the node's text."""
        from crm.expressions import ExpressionError, parse

        if node is None:
            return None
        said = node.text if text is None else text
        shift = 0 if text is None else max(node.text.find(text), 0)
        try:
            return parse(said, scope, expects=expects)
        except ExpressionError as error:
            if self.gone and any(word in self.gone for word in re.findall(r"\w+", said)):
                return None
            offset = getattr(error, "offset", 0) or 0
            self.faults.add(code, node, _sentence(error), getattr(error, "mend", "") or "Correct the expression.", shift + offset)
            return None

    def template(self, node: Scalar | None, entity: Entity, code: str = "E212") -> str:
        """A template over an entity's fields; unknown names in braces are faults at their place."""
        if node is None:
            return ""
        text = node.text
        for found in re.finditer(r"\{([^{}]*)\}", text):
            name = found[1].split(":")[0].strip()
            here: Entity | None = entity
            for part in name.split("."):
                one = here.fields.get(part) if here is not None else None
                if one is None:
                    if here is not None and part not in self.gone:
                        message = f"the template names '{shorten(part)}', which is no field of '{here.name}'." + meant(part, here.fields)
                        self.faults.add(code, node, message, f"Its fields are: {known(own(here), 40)}.", found.start(1))
                    break
                if part != name.split(".")[-1] and name.split(".")[-1] in getattr(one, "parts", {}):
                    break
                here = self.schema.entities.get(one.to or "")
        if text.count("{") != text.count("}"):
            self.faults.add(code, node, "a brace of this template is not closed.", "Write `{field}`.", max(text.rfind("{"), 0))
        return text


def own(entity: Entity) -> list[str]:
    """The field names of the YAML: what a list of choices shows (the system's own work too)."""
    return [key for key, one in entity.fields.items() if not getattr(one, "system", False)]


def _sentence(error: Any) -> str:
    text = str(getattr(error, "message", None) or error).strip()
    text = text[:1].lower() + text[1:] if not text.split(" ", 1)[0][1:].isupper() else text
    return text if text.endswith((".", "?", "!")) else text + "."
