"""Finds the cached functions that something holds besides modules and classes, by one search of all objects.

A pattern can match many of them, and each search looks at every object of the process.
"""

from __future__ import annotations

import functools
import gc
import sys
import types
from collections.abc import Callable, Container, Iterable
from typing import Any

from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import contents
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint, unwrap
from opentelemetry.instrumentation.declarative.plan.model import CallPlan

_RUNNING = (types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)
#: What the namespace of a class contains.
_NAMES_OF_CLASSES = ("__module__", "__doc__")


def is_cached(raw: Any) -> bool:
    return type(raw) is functools._lru_cache_wrapper


def held_cached_functions(
    calls: Iterable[CallPlan], points_of: Callable[[CallPlan], Iterable[PatchPoint]]
) -> Container[int]:
    """The ids of the values of cached functions that something holds besides modules and classes."""
    values: list[Any] = []
    for call in calls:
        try:
            values += [each.value for each in points_of(call) if is_cached(unwrap(each.value, call)[0])]
        except Exception:  # it is reported when the callable is patched
            continue
    return _held(values) if values else ()


def _held(values: list[Any]) -> set[int]:
    wanted = set(map(id, values))
    modules = {id(contents(module)) for module in list(sys.modules.values())}
    held: set[int] = set()
    for holder in gc.get_referrers(*values):
        if holder is values or id(holder) in modules or isinstance(holder, _RUNNING) or _is_class_namespace(holder):
            continue
        held |= wanted.intersection(map(id, gc.get_referents(holder)))
    return held


def _is_class_namespace(holder: Any) -> bool:
    return type(holder) is dict and all(name in holder for name in _NAMES_OF_CLASSES)
