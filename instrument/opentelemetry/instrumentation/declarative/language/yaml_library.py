"""The YAML library, under a name that no program uses. The only module that imports it.

A program may have a module named ``yaml`` itself. If this package put PyYAML under that name, the program would get it
in place of its own module. Therefore PyYAML is loaded under a private name, and without its extension module, which
imports ``yaml``. Once the program has imported PyYAML, that copy is used, which is faster.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_PRIVATE_NAME = f"{__name__}.yaml"
#: What identifies PyYAML among modules of this name.
_NAMES = ("parse", "SafeLoader", "YAMLError", "ScalarEvent")
_EXTENSION, _SUBMODULE = "cyaml", "events"


def yaml_library() -> Any:
    """PyYAML: the copy of the program, if it has imported one, or else a private one.

    Their classes differ: each text is read with one of them.
    """
    imported = sys.modules.get("yaml")
    if isinstance(imported, ModuleType) and _is_complete(imported):
        return imported
    return private_library()


@functools.cache
def private_library() -> Any:
    """The private copy of PyYAML, whose parser is in Python."""
    found = next((spec for entry in list(sys.path) if (spec := _find(entry)) is not None), None)
    if found is None:  # for example in a program that is a single file
        return importlib.import_module("yaml")
    module = importlib.util.module_from_spec(found)
    sys.modules[f"{_PRIVATE_NAME}.{_EXTENSION}"] = None  # type: ignore[assignment]  # cannot be imported
    sys.modules[_PRIVATE_NAME] = module
    try:
        assert found.loader is not None
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[_PRIVATE_NAME]
        raise
    return module


def _is_complete(module: ModuleType) -> bool:
    is_loading = getattr(module.__spec__, "_initializing", False)
    return not is_loading and all(name in vars(module) for name in _NAMES)


def _find(entry: str) -> ModuleSpec | None:
    """PyYAML in a folder or archive of the search path, if it is there."""
    spec = PathFinder.find_spec(_PRIVATE_NAME, [entry])
    if spec is None or spec.loader is None or not spec.submodule_search_locations:
        return None
    folders = list(spec.submodule_search_locations)
    is_library = all(PathFinder.find_spec(f"yaml.{name}", folders) for name in (_EXTENSION, _SUBMODULE))
    return spec if is_library else None
