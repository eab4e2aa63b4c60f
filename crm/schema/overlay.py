"""Finds the files of a configuration and merges its layers: the shipped base, what builds on it, the company's own folder.

`gather(folder, faults)` gives a `Tree`: {path in the configuration: merged node}. Each node still knows the file, line and column it
came from, so a fault in what was inherited points to the inherited file. The same merge of files by path and of mappings by key is
what lets a company keep its changes when the shipped base grows (I9).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from crm.schema import reading
from crm.schema.faults import Faults, known, meant, what
from crm.schema.language import FOLDERS, LEFT_ALONE
from crm.schema.reading import scalar, truth
from crm.yamlfile import Map, Node, Scalar, Seq, read

ELLIPSIS = "..."
_PACKAGE = Path(__file__).resolve().parent.parent
#: Where shipped configurations are: inside the installed package, or beside it in a checkout.
PLACES = (_PACKAGE / "_config", _PACKAGE.parent / "config")


def shipped(name: str) -> Path:
    """The folder of a shipped configuration (`base`, `sales` …); LookupError when none is called so."""
    for place in PLACES:
        if (place / name / "crm.yaml").is_file():
            return place / name
    raise LookupError(name)


def shipped_names() -> list[str]:
    """The shipped configurations by name."""
    return sorted({path.parent.name for place in PLACES if place.is_dir() for path in place.glob("*/crm.yaml")})


@dataclass
class Tree:
    """The merged files by their path in the configuration (`entities/account.yaml`), and what they were made of."""

    files: dict[str, Map] = field(default_factory=dict)
    layers: list[Path] = field(default_factory=list)
    read: list[Path] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)  # names of files that could not be read

    def folder(self, name: str) -> Iterator[tuple[str, Map]]:
        """(name of the thing, its node) of every file of a folder."""
        for path, node in self.files.items():
            if path.startswith(name + "/"):
                yield path[len(name) + 1 : -len(".yaml")], node


def shown(path: Path | str) -> str:
    """A path as faults show it: relative to the current folder when it is inside, with forward slashes."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive on Windows
        return str(path)
    return str(path).replace(os.sep, "/") if relative.startswith("..") else relative.replace(os.sep, "/")


def gather(folder: str | Path, faults: Faults) -> Tree:
    """All layers of the configuration in `folder`, merged."""
    tree = Tree()
    tree.layers = layers(Path(folder), faults)
    for layer in tree.layers:
        for path, node in read_layer(layer, tree, faults).items():
            dropped = scalar(node, "drop")
            if dropped is not None and truth(dropped.text):
                if tree.files.pop(path, None) is None:
                    nothing_there(node.keys["drop"], path, faults)
                continue
            inherited = tree.files.get(path)
            tree.files[path] = merge(inherited, node, faults, [path])
    return tree


def layers(folder: Path, faults: Faults) -> list[Path]:
    """The folders a configuration is made of, the most basic first."""
    found: list[Path] = []
    seen: set[Path] = set()
    current: Path | None = folder
    while current is not None:
        found.insert(0, current)
        seen.add(current.resolve())
        company = current / "crm.yaml"
        if not company.is_file():
            at = Scalar(shown(company), 1, 1)
            if not current.is_dir():
                faults.add("E801", at, f"there is no folder '{shown(current)}'.", f"Shipped configurations are: {known(shipped_names())}.")
            else:
                faults.add(
                    "E801", at, "this configuration has no crm.yaml.", "Add one with at least `name:`; `crm init DIR` writes it for you."
                )
            break
        node, _ = read(company, shown(company))
        extends = scalar(node, "extends")
        current = None
        if extends is not None:
            current = resolve(extends, found[0], faults)
            if current is not None and current.resolve() in seen:
                faults.add("E802", extends, f"'{extends.text}' builds on this configuration itself.", "Remove this `extends:`.")
                current = None
    return found


def resolve(extends: Scalar, folder: Path, faults: Faults) -> Path | None:
    """The folder an `extends:` means: a shipped name, or a path beside the folder it stands in."""
    text = extends.text
    if "/" not in text and "\\" not in text and text not in (".", ".."):
        sibling = folder.parent / text
        try:
            return shipped(text)
        except LookupError:
            if (sibling / "crm.yaml").is_file():
                return sibling
    else:
        path = folder / text
        if (path / "crm.yaml").is_file():
            return path
    said = f"there is no configuration '{text}' to build on." + meant(text, shipped_names())
    faults.add("E803", extends, said, f"Write a shipped one ({known(shipped_names())}), or the path of a folder with a crm.yaml.")
    return None


def read_layer(folder: Path, tree: Tree, faults: Faults) -> dict[str, Map]:
    """The files of one folder by their path in it."""
    found: dict[str, Map] = {}
    for path in sorted(folder.iterdir() if folder.is_dir() else []):
        name = path.name
        if name.startswith((".", "_")):
            continue
        at = Scalar(shown(path), 1, 1)
        if path.is_dir():
            if name in FOLDERS:
                for file in sorted(path.rglob("*") if name == "imports" else path.iterdir()):
                    take(file, f"{name}/{file.relative_to(path).as_posix()}", found, tree, faults)
            elif name not in LEFT_ALONE:
                said = f"no folder of a configuration is called '{name}'." + meant(name, FOLDERS)
                faults.add("E804", at, said, f"The folders are: {known((*FOLDERS, *LEFT_ALONE), 20)}.")
        elif name in ("crm.yaml", "demo.yaml"):
            take(path, name, found, tree, faults)
        elif path.suffix in (".yaml", ".yml"):
            said = f"no file of a configuration is called '{name}'." + meant(path.stem + ".yaml", ("crm.yaml", "demo.yaml"))
            faults.add("E805", at, said, f"Put it into one of the folders {known(FOLDERS)}.")
    return found


def take(path: Path, where: str, found: dict[str, Map], tree: Tree, faults: Faults) -> None:
    """Read one file into `found`."""
    if path.name.startswith(".") or path.is_dir():
        if path.is_dir() and not where.startswith("imports/"):
            at = Scalar(shown(path), 1, 1)
            faults.add("E804", at, f"a folder inside '{where.split('/')[0]}' is not read.", "Move its files one folder up.")
        return
    name = shown(path)
    if path.suffix == ".yml":
        faults.add("E805", Scalar(name, 1, 1), "files end in .yaml here.", f"Rename it to {path.stem}.yaml.")
        return
    if path.suffix != ".yaml":
        return
    tree.read.append(path)
    node, wrong = read(path, name)
    faults.extend(wrong)
    if node is None:
        tree.broken.add(path.stem)
        if wrong and wrong[0].code != "E001":  # what others say of its lists is not told again
            tree.broken.update(re.findall(r"back:\s*(\w+)", path.read_text(encoding="utf-8", errors="replace")))
        if not wrong and where != "demo.yaml":
            faults.add("E806", Scalar(name, 1, 1), "this file is empty.", "Fill it or delete it.")
        return
    if not isinstance(node, Map):
        if not wrong:
            faults.add("E102", node, f"a file must be a mapping, not {what(node)}.", "Write `key: value` lines.")
        return
    found[where] = node


def nothing_there(at: Node, name: str, faults: Faults) -> None:
    faults.add("E807", at, f"there is nothing inherited called '{name}' to drop.", "Remove this, or correct the name.")


def merge(under: Node | None, over: Node, faults: Faults, path: list[str]) -> Map:
    """`over` laid upon `under`: mappings by key, everything else replaced; null and `drop: true` remove."""
    assert isinstance(over, Map)
    base = under if isinstance(under, Map) else None
    merged = Map(over.file, over.line, over.column)
    if base is not None:
        for key, value in base.items():
            merged.put(key, value)
    for key, value in over.items():
        name = key.text
        old = merged.get(name)
        if value.is_null and old is not None:
            merged.remove(name)
            continue
        if isinstance(value, Map):
            dropped = scalar(value, "drop")
            if dropped is not None and path[-1] not in ("values", "interface"):
                if truth(dropped.text):
                    if old is None:
                        nothing_there(value.keys["drop"], name, faults)
                    else:
                        merged.remove(name)
                    continue
                value.remove("drop")
            old = widened(old, path)
            new: Node = merge(old if isinstance(old, Map) else None, value, faults, [*path, name])
        elif isinstance(value, Seq):
            new = spread(old, value, faults)
        elif isinstance(old, Map) and isinstance(value, Scalar) and path[-1] == "options":
            new = Map(old.file, old.line, old.column, dict(old.keys), dict(old.values))
            new.put(Scalar(value.file, value.line, value.column, "label"), value)
        else:
            new = value
        if name in merged:
            merged.values[name] = new
            merged.keys[name] = key if not isinstance(new, Map) else merged.keys[name]
        else:
            merged.put(key, new)
        if path[-1] in ("stages", "fields") and isinstance(value, Map) and base is not None:
            place_after(merged, key, value, faults)
    return merged


def widened(old: Node | None, path: list[str]) -> Node | None:
    """An inherited shorthand as the mapping it stands for: `name: text` is `{type: text}`, an option's label `{label: …}`."""
    if isinstance(old, Scalar) and not old.is_null and path[-1] in ("fields", "columns", "options", "with"):
        wide = Map(old.file, old.line, old.column)
        wide.put(Scalar(old.file, old.line, old.column, "label" if path[-1] == "options" else "type"), old)
        return wide
    if isinstance(old, Seq):
        wide = Map(old.file, old.line, old.column)
        for item in old:
            if isinstance(item, Scalar):
                wide.put(item, Scalar(item.file, item.line, item.column, reading.readable(item.text), True))
        return wide
    return old


def spread(old: Node | None, value: Seq, faults: Faults) -> Seq:
    """A list with the inherited items in the place of its item `...`."""
    new = Seq(value.file, value.line, value.column)
    for item in value:
        if isinstance(item, Scalar) and item.text == ELLIPSIS and not item.quoted:
            if isinstance(old, Seq):
                mine = {one.text for one in value if isinstance(one, Scalar)}
                new.items += [one for one in old if not (isinstance(one, Scalar) and one.text in mine)]
            else:
                faults.add("E808", item, "`...` stands for inherited items, and there are none.", "Remove it.")
        elif isinstance(item, Seq):
            new.items.append(spread(None, item, faults) if any(_is_dots(one) for one in item) else item)
        else:
            new.items.append(item)
    return new


def _is_dots(node: Node) -> bool:
    return isinstance(node, Scalar) and node.text == ELLIPSIS and not node.quoted


def place_after(merged: Map, key: Scalar, value: Map, faults: Faults) -> None:
    """Move an entry behind the one its `after:` names."""
    after = scalar(value, "after")
    if after is None:
        return
    if after.text not in merged or after.text == key.text:
        choices = [name for name in merged if name != key.text]
        faults.add(
            "E809", after, f"there is no '{after.text}' to stand after." + meant(after.text, choices), f"There are: {known(choices)}."
        )
        return
    order = [name for name in merged.values if name != key.text]
    order.insert(order.index(after.text) + 1, key.text)
    keys, values = dict(merged.keys), dict(merged.values)
    merged.keys.clear()
    merged.values.clear()
    for name in order:
        merged.keys[name], merged.values[name] = keys[name], values[name]
