"""Lists of things that grow by one file: field types, parts, pages, charts, actions.

A registry belongs to a package and imports all of its modules on first use, so a class is known because its file is there:

    FIELD_TYPES = Registry("crm.fields")

    @FIELD_TYPES.add
    class Email(Field):
        name = "email"

Files from outside the package (a company's own field type or chart) are imported from the folders named in `CRM_PLUGINS`
(separated like `PATH`), or by `load_folder`; they register themselves in the same way.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import pkgutil
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

T = TypeVar("T", bound=type)
_lock = threading.RLock()
_plugins: set[str] = set()


class Registry(Mapping[str, Any]):
    """The classes of one package by their `name`, in alphabetical order; reading it imports the package's modules once."""

    def __init__(self, package: str) -> None:
        self.package = package
        self._classes: dict[str, Any] = {}
        self._loaded = False

    def add(self, cls: T) -> T:
        """Class decorator: makes `cls` known under its `name`; two different classes of one name are a mistake."""
        name = cls.__dict__.get("name") or getattr(cls, "name", "")
        if not isinstance(name, str) or not name:
            raise ValueError(f"{cls.__module__}.{cls.__qualname__} needs a class attribute `name` to be registered in {self.package}")
        known = self._classes.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ValueError(f"{name!r} is registered twice in {self.package}: {known.__module__} and {cls.__module__}")
        self._classes[name] = cls
        return cls

    def remove(self, name: str) -> None:
        """Forget a class (tests that add one for a moment)."""
        self._classes.pop(name, None)

    def load(self) -> None:
        """Import every module of the package, then the plug-in folders; once."""
        if self._loaded:
            return
        with _lock:
            if self._loaded:
                return
            self._loaded = True  # before the imports: a module may look into the registry while it is being read
            try:
                package = importlib.import_module(self.package)
                for module in pkgutil.iter_modules(package.__path__):
                    if not module.name.startswith("_"):
                        importlib.import_module(f"{self.package}.{module.name}")
                load_plugins()
            except BaseException:
                self._loaded = False
                raise

    def __getitem__(self, name: str) -> Any:
        self.load()
        return self._classes[name]

    def __iter__(self) -> Iterator[str]:
        self.load()
        return iter(sorted(self._classes))

    def __len__(self) -> int:
        self.load()
        return len(self._classes)

    def __contains__(self, name: object) -> bool:
        self.load()
        return name in self._classes

    def __repr__(self) -> str:
        return f"Registry({self.package!r}: {', '.join(sorted(self._classes))})"


def load_folder(path: str | os.PathLike[str]) -> list[ModuleType]:
    """Import every `.py` file of a folder and return the modules; what they register is known from then on.

    A file is known by its full path, so two folders may hold files of one name. A mistake in a file is raised with the file's path.
    """
    folder = Path(path).resolve()
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder} to load plug-ins from")
    modules = []
    with _lock:
        for file in sorted(folder.glob("*.py")):
            if file.name.startswith("_"):
                continue
            name = f"crm_plugin_{hashlib.sha1(str(file).encode()).hexdigest()[:10]}_{file.stem}"
            module = sys.modules.get(name)
            if module is None:
                spec = importlib.util.spec_from_file_location(name, file)
                assert spec and spec.loader
                module = importlib.util.module_from_spec(spec)
                sys.modules[name] = module
                try:
                    spec.loader.exec_module(module)
                except BaseException as error:
                    del sys.modules[name]
                    error.add_note(f"while reading the plug-in {file}")
                    raise
            modules.append(module)
    return modules


def load_plugins() -> None:
    """Import the folders named in the environment variable `CRM_PLUGINS`, each once."""
    for folder in filter(None, os.environ.get("CRM_PLUGINS", "").split(os.pathsep)):
        if folder not in _plugins:
            _plugins.add(folder)
            load_folder(folder)
