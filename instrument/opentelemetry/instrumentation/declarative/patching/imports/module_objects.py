"""The modules that have a name: the one in ``sys.modules``, and others that were loaded under the name.

A program may load a module without putting it into ``sys.modules``, and a module may replace itself there.
"""

from __future__ import annotations

import sys
import threading
import types
import weakref

from opentelemetry.instrumentation.declarative.records import record

#: Modules that are not in ``sys.modules``, by the name that they were loaded under.
_others: dict[str, list[weakref.ref[types.ModuleType]]] = {}
_lock = threading.Lock()


@record(frozen=True)
class Definitions:
    """A part of a module: the names that have their final values, while its code runs."""

    module: types.ModuleType
    names: frozenset[str]

    def includes(self, path: str) -> bool:
        return path.partition(".")[0] in self.names


def add_module(name: str, module: object) -> None:
    """Remember a module that was loaded under a name, for as long as it exists."""
    if not isinstance(module, types.ModuleType) or sys.modules.get(name) is module:
        return
    with _lock:
        known = [each for each in _others.get(name, ()) if each() not in (None, module)]
        _others[name] = [*known, weakref.ref(module)]


def modules_named(name: str) -> list[types.ModuleType]:
    """Return all modules that have a name; the one in ``sys.modules`` comes first."""
    current = sys.modules.get(name)
    others = [module for each in _others.get(name, ()) if (module := each()) is not None and module is not current]
    if current is None or (others and not issubclass(type(current), types.ModuleType)):
        return others
    return [current, *others]
