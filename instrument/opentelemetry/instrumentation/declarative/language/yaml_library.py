"""The YAML library, under a name that no program uses. The only module that imports it.

A program may have a module named ``yaml`` itself. If this package put PyYAML under that name, the program would get it
in place of its own module. Therefore PyYAML is loaded under a private name, and without its extension module, which
imports ``yaml``. Once the program has imported PyYAML, that copy is used, which is faster.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType, SimpleNamespace
from typing import Any

_PRIVATE_NAME = f"{__name__}.yaml"
#: What identifies PyYAML among modules of this name.
_NAMES = ("parse", "SafeLoader", "YAMLError", "ScalarEvent")
_EXTENSION, _SUBMODULE = "cyaml", "events"
#: The modules that parse text to events, and the classes of the last three.
_PARTS, _CLASSES = ("error", "events", "reader", "scanner", "parser"), ("Reader", "Scanner", "Parser")


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
    """A private copy of the parts of PyYAML that parse text, in Python."""
    found = next((spec for entry in list(sys.path) if (spec := _find(entry)) is not None), None)
    if found is None:  # for example in a program that is a single file
        return importlib.import_module("yaml")
    # The package is not executed: it would import everything that builds, represents and writes values as well.
    sys.modules[_PRIVATE_NAME] = importlib.util.module_from_spec(found)
    try:
        error, events, *parts = (importlib.import_module(f"{_PRIVATE_NAME}.{name}") for name in _PARTS)
    except BaseException:
        del sys.modules[_PRIVATE_NAME]
        raise
    classes = tuple(getattr(part, name) for part, name in zip(parts, _CLASSES, strict=True))
    loader = type("SafeLoader", classes, {"__init__": _start})
    return SimpleNamespace(**vars(events), YAMLError=error.YAMLError, SafeLoader=loader, parse=_parse)


def _start(self: Any, text: str) -> None:
    bases: Any = type(self).__bases__
    bases[0].__init__(self, text)
    for each in bases[1:]:
        each.__init__(self)


def _parse(text: str, Loader: Callable[[str], Any]) -> Iterator[Any]:
    """The events of a text, as ``yaml.parse`` returns them."""
    loader = Loader(text)
    while loader.check_event():
        yield loader.get_event()


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
