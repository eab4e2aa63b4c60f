"""The house is in order: what lies where, what imports what, what a wheel carries, and that the two commands are what they say."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())
ALLOWED = {"config", "crm", "apps", "notebooks", "tests", "pyproject.toml", "README.md", "CHANGELOG.md", "Makefile", "requirements.lock"}


def tracked() -> list[Path]:
    """The files of the checkout that git knows (or all, where there is no git)."""
    if not (TOP / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, check=True).stdout.decode()
    return [Path(name) for name in listed.split("\0") if name]


def test_the_top_level_is_as_agreed():
    names = {path.parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} <= ALLOWED


def test_nothing_generated_is_kept():
    assert not [path for path in tracked() if re.search(r"\.(pyc|db|egg-info)$|parts\.[0-9a-f]{16}\.js|__pycache__", str(path))]


def test_rules_schema_and_store_load_without_a_screen():
    code = "import sys, crm.records, crm.schema, crm.stores, crm.fields; print([m for m in ('panel', 'bokeh', 'holoviews', 'fastapi') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_engine_names_no_entity_of_a_configuration():
    """`opportunity`, `donor` … are words of YAML; code asks the schema for a role."""
    names = {path.stem for path in (TOP / "config").glob("*/entities/*.yaml")}
    names -= {path.stem for path in (TOP / "config" / "base").rglob("*.yaml")}
    # Words that also mean something else in code (an order of sorting, a campaign as a page, …).
    names -= {
        "order",
        "case",
        "campaign",
        "goal",
        "response",
        "activity",
        "product",
        "document",
        "contract",
        "grant",
        "reply",
        "member",
        "program",
    }
    roles = {"account"}  # what a pipeline calls the field that says whom it is about
    found = []
    for path in sorted((TOP / "crm").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        shown: set[ast.AST] = set()  # examples in the description of the language, and of field types
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "example" or isinstance(node, ast.Assign) and "examples" in ast.unparse(node.targets[0]):
                shown |= set(ast.walk(node.value))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names and node not in shown:
                if node.value not in roles or "schema" not in path.parts:
                    found.append(f"{path.relative_to(TOP)}:{node.lineno}: {node.value}")
    assert not found


def test_the_lock_names_every_dependency_and_no_place():
    lock = (TOP / "requirements.lock").read_text()
    assert "://" not in lock and "--index" not in lock
    locked = {re.split(r"[=\[; ]", line)[0].lower().replace("_", "-") for line in lock.splitlines() if line and not line.startswith("#")}
    wanted = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
    names = {re.split(r"[<>=\[; ]", one)[0].lower().replace("_", "-") for one in wanted}
    assert names <= locked


def test_the_commands_are_there_and_ci_runs_the_tests():
    makefile = (TOP / "Makefile").read_text()
    for name in ("run", "test", "test-all", "check", "bench", "compat", "lock"):
        assert re.search(rf"^{name}:", makefile, re.M), name
    assert "make test" in (TOP / ".ci" / "run").read_text() and os.access(TOP / ".ci" / "run", os.X_OK)


def test_the_readme_leads_to_files_that_exist():
    text = (TOP / "README.md").read_text()
    paths = re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.(?:toml|md|yaml))`", text) + re.findall(r"\]\(([\w./-]+)\)", text)
    assert len(paths) > 8
    assert not [path for path in paths if not (TOP / path).exists()]
    assert "make run" in text and "make test" in text


def test_every_module_says_what_it_is():
    silent = [
        path for path in (TOP / "crm").rglob("*.py") if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


# ---- the wheel ---------------------------------------------------------------------------------------------------------------


def run(*command: object, cwd: Path, **more):
    done = subprocess.run([str(one) for one in command], cwd=cwd, capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built from a copy of what git knows."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for path in tracked():
        if path.parts[0] in ("crm", "config") or path.name in ("pyproject.toml", "README.md"):
            if (TOP / path).is_file():
                (source / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(TOP / path, source / path)
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", target, source, cwd=target)
    return next(target.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_carries_configurations_and_screens(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in tracked():
        if path.parts[0] == "config":
            assert f"crm/_config/{path.relative_to('config')}" in names
        elif path.parts[0] == "crm" and path.suffix in (".py", ".js", ".css"):
            assert str(path) in names
    assert not [name for name in names if name.startswith(("tests", "notebooks", "apps")) or "parts." in name and name.endswith(".js")]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_wheel_works_alone(wheel, tmp_path):
    """Installed in an empty environment, away from the checkout: init, check, demo, serve."""
    place = tmp_path / "env"
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    uv = Path(sys.executable).parent / "uv"
    installer = [uv, "pip", "install", "-q", "--python", python] if uv.exists() else [python, "-m", "pip", "install", "-q"]
    run(*installer, "-c", TOP / "requirements.lock", wheel, cwd=tmp_path)
    crm = place / "bin" / "crm"
    env = {key: value for key, value in os.environ.items() if not key.startswith(("CRM_", "PYTHON", "VIRTUAL"))}
    where = run(python, "-c", "import crm; print(crm.__file__)", cwd=tmp_path, env=env)
    assert str(place) in where
    run(crm, "init", "mine", cwd=tmp_path, env=env)
    assert "extends: sales" in (tmp_path / "mine" / "crm.yaml").read_text()
    assert json.loads(run(crm, "--config", "mine", "check", "--json", cwd=tmp_path, env=env))["faults"] == []
    made = json.loads(run(crm, "--config", "mine", "demo", "--json", cwd=tmp_path, env=env))
    assert made["users"] and sum(made["created"].values()) > 100
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "serve.log"
    with log.open("wb") as told:
        server = subprocess.Popen([crm, "--config", "mine", "serve", "--port", str(port)], cwd=tmp_path, env=env, stdout=told, stderr=told)
    try:
        until = time.monotonic() + 600
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=20) as answer:
                    assert json.load(answer)["ok"] is True
                break
            except OSError:
                assert time.monotonic() < until and server.poll() is None, log.read_text("utf-8", "replace")[-2000:]
                time.sleep(0.2)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/signin", timeout=60) as answer:
            assert b"<form" in answer.read()
    finally:
        server.terminate()
        server.wait(timeout=150)
    assert server.returncode in (0, -15)
