"""What a wheel carries beside Python: the shipped configurations, as `crm/_config` (used when building only; see pyproject.toml)."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py

CONFIG = Path("config")


def files() -> list[Path]:
    """All files of the shipped configurations, from the top of the checkout."""
    return sorted(path for path in CONFIG.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


class BuildPy(build_py):
    """Builds the package, then lays `config/` into it. An editable install reads the checkout's own folder instead."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "crm" / "_config"
        shutil.rmtree(target, ignore_errors=True)
        for path in files():
            copy = target / path.relative_to(CONFIG)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)

    def get_source_files(self) -> list[str]:
        """What a source distribution needs to build the same wheel."""
        return [*super().get_source_files(), *(str(path) for path in files())]
