"""The bundle: every part of the registry is in it, it is keyed by its content, its words are all declared."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from crm.views import base, tokens
from crm.views.base import PAGES, PARTS, Part, bundle, source_of

VIEWS = Path(base.__file__).parent
SHARED = sorted([*VIEWS.glob("*.js"), *(path for path in (VIEWS / "parts").glob("*.js") if not path.with_suffix(".py").exists())])
SHARED = [path for path in SHARED if not path.name.startswith("parts.")]
LITERAL = re.compile(r"""\bt\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")""")


def literals(path: Path) -> set[str]:
    return {(a or b).replace("\\'", "'") for a, b in LITERAL.findall(path.read_text("utf-8"))}


def declared(cls: type) -> set[str]:
    return {words for owner in cls.__mro__ for words in owner.__dict__.get("words", ())}


def test_the_bundle_is_named_by_its_content():
    path = bundle.build()
    import hashlib
    assert path.name == f"parts.{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}.js"


def test_every_part_is_exported_under_its_class_name():
    text = bundle.build().read_text("utf-8")
    exported = re.search(r"export default \{(.*?)\}", text[text.rindex("export default"):]).group(1).split(", ")
    assert set(exported) == {cls.__name__ for cls in PARTS.values()}


@pytest.mark.parametrize("word", list(PARTS))
def test_every_phrase_of_a_part_is_declared(word):
    """A phrase used in JavaScript but not named in `words` would never be translated."""
    cls = PARTS[word]
    used = literals(source_of(cls).with_suffix(".js"))
    assert used <= declared(cls) | _all_shared_words(cls), sorted(used - declared(cls))


def _all_shared_words(cls):
    return set()


def test_every_phrase_of_the_editors_is_declared():
    assert literals(VIEWS / "editors.js") <= set(base.Editing.words) | {"Required"}


@pytest.mark.parametrize("path", [*SHARED, *(source_of(cls).with_suffix(".js") for cls in PARTS.values())], ids=lambda path: path.stem)
def test_no_part_writes_markup(path):
    """Text nodes only: none of the ways by which text becomes markup or code stands in a part."""
    found = re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\(|new Function|srcdoc|setHTML", path.read_text("utf-8"))
    assert found == []


def test_no_page_gives_data_to_a_pane_that_runs_markup():
    for path in [*VIEWS.glob("*.py"), *(VIEWS / "pages").glob("*.py"), *(VIEWS / "parts").glob("*.py")]:
        assert not re.search(r"pn\.pane\.(HTML|Markdown|Alert|Str)|pmui\.Typography", path.read_text("utf-8")), path.name


def test_pages_are_named_by_their_file():
    for name, cls in PAGES.items():
        assert source_of(cls).stem == name or cls.__module__.endswith(f".{name}") or issubclass(cls, base.Page)


def test_no_entity_is_named_in_the_frame():
    """Views ask the schema for roles: no entity name of a configuration stands in them as a string."""
    names = ("opportunity", "lead", "account", "contact", "donor", "pledge")
    for stem in ("app", "frame", "text", "steps", "pages/home", "pages/form", "pages/admin"):
        text = re.sub(r'"""[\s\S]*?"""', "", (VIEWS / f"{stem}.py").read_text("utf-8"))
        for name in names:
            assert f'"{name}"' not in text and f"'{name}'" not in text, (stem, name)


def test_colours_hold_aa():
    assert tokens.failures() == []


def test_contrast_is_the_wcag_ratio():
    assert round(tokens.contrast("#000000", "#ffffff"), 1) == 21.0
    assert round(tokens.contrast("#777777", "#ffffff"), 2) == 4.48          # WCAG's own well-known near miss


def test_a_part_from_a_plug_in_folder_joins_the_bundle(tmp_path):
    """One new `.py` with its `.js` beside it is all a part needs (a process of its own: the registry is read once)."""
    (tmp_path / "hello.py").write_text("from crm.views.base import PARTS, Part\n\n\n@PARTS.add\nclass Hello(Part):\n    words = ('Hello',)\n")
    (tmp_path / "hello.js").write_text("const secret = 1\nconst Hello = part((c, {t}) => h('p', null, t('Hello')))\n")
    code = ("from crm.views.base import PARTS, bundle\nprint(PARTS['hello'].__name__)\ntext = bundle.text()\n"
            "assert \"t('Hello')\" in text and 'Hello' in text[text.rindex('export default'):]\nprint('in')\n")
    import os
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "CRM_PLUGINS": str(tmp_path)}, timeout=150)
    assert done.stdout.split() == ["Hello", "in"], done.stderr[-2000:]


def test_a_read_only_package_builds_elsewhere(tmp_path, monkeypatch):
    fresh = base._Bundle()
    real = fresh._write

    def refuse(folder, name, text):
        return None if folder == base.HERE else real(folder, name, text)
    monkeypatch.setattr(fresh, "_write", refuse)
    path = fresh.build()
    assert path.is_file() and path.parent != base.HERE
    assert issubclass(PARTS["frame"], Part)
