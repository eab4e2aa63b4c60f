"""A field type, a part, a chart and an action are one new file each: here from a folder that nothing else knows of."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

FIELD = '''
from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, Field

@FIELD_TYPES.add
class Plate(Field):
    """The number plate of a vehicle, in capitals without blanks."""
    name = "plate"
    examples = {"ab 12 cde": "AB12CDE"}
    refuses = {"!": "This is not a number plate."}
    def read(self, typed, t):
        text = self.text(typed).replace(" ", "").upper()
        if not text.isalnum():
            raise Refused("This is not a number plate.")
        return text
'''
PART = '''
from crm.views.base import PARTS, Part

@PARTS.add
class Hello(Part):
    """Says hello; content {who}."""
    name = "hello"
    words = ("Hello, {who}",)
'''
SCRIPT = "const Hello = part(({who}, {t}) => h('p', null, t('Hello, {who}', {who})))\n"
CHART = '''
import holoviews as hv
from crm.charts.base import CHARTS, Chart

@CHARTS.add
class Dots(Chart):
    """`x` a dimension, `y` a measure; a dot a group."""
    name = "dots"
    axes = {"x": "dimension", "y": "measure"}
    def draw(self, frame, look, x, y, **options):
        return hv.Scatter((look.texts(frame, x), frame[y]))
'''
ACTION = '''
from crm.actions.base import ACTIONS, Action

@ACTIONS.add
class Shout(Action):
    """Writes the name in capitals."""
    name = "shout"
    label = "Shout"
    def applies(self, entity, schema):
        return "name" in entity.fields
    def run(self, door, entity, ids, values):
        with door.step("Shout") as step:
            for one in ids:
                door.change(entity, one, {"name": door.get(entity, one)["name"].upper()})
            return step.id
'''
CONFIG = {
    "crm.yaml": "extends: base\ntitle: Garage\n",
    "entities/car.yaml": 'entity: car\nlabel: Car\ntitle: "{name}"\nfields:\n  name: {type: text, required: true}\n  plate: {type: plate, unique: true}\n'
    "list: {columns: [name, plate]}\n",
    "reports/cars.yaml": "report: cars\nlabel: Cars\nentity: car\nby: [plate]\nmeasures: {n: count}\nchart: {type: dots, x: plate, y: n}\n",
}
PROGRAM = """
import holoviews as hv
from pathlib import Path
from crm.actions.base import ACTIONS, actions_for
from crm.analytics import run
from crm.records import SYSTEM, Company
from crm.schema import load
from crm.stores import open_store
from crm.views.base import PARTS, bundle

company = Company(load(Path("config")), open_store("cars.db"))
door = company.door(SYSTEM)
car = door.create("car", {"name": "Herbie", "plate": "ab 12 cde"})
assert car["plate"] == "AB12CDE"
assert "plate" in door.problems("car", {"name": "x", "plate": "!"})
assert door.count("car", "plate == 'AB12CDE'") == 1
assert isinstance(run(door, "cars").chart(), hv.Scatter)
assert "shout" in [one.name for one in actions_for(door, "car")]
ACTIONS["shout"]().run(door, "car", [car.id], {})
assert door.get("car", car.id)["name"] == "HERBIE"
part = PARTS["hello"]({"who": "Ann"})
text = bundle.build().read_text()
assert "const Hello" in text and part.content == {"who": "Ann"}
print("all four used")
"""


@pytest.mark.slow
def test_one_new_file_each(tmp_path):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    for name, text in {"plate.py": FIELD, "hello.py": PART, "hello.js": SCRIPT, "dots.py": CHART, "shout.py": ACTION}.items():
        (plugins / name).write_text(textwrap.dedent(text))
    for name, text in CONFIG.items():
        (tmp_path / "config" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "config" / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "CRM_PLUGINS": str(plugins), "PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "all four used" in done.stdout


def test_without_the_folder_none_of_them_is_there():
    done = subprocess.run(
        [sys.executable, "-c", "from crm.fields.base import FIELD_TYPES; print('plate' in FIELD_TYPES)"],
        cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False, env={k: v for k, v in os.environ.items() if k != "CRM_PLUGINS"},
    )  # fmt: skip
    assert done.stdout.strip() == "False", done.stderr
