"""Finds the objects that hold a callable from before it is replaced, such as a route, a registry or a decorator."""

from __future__ import annotations

import gc
import sys
import types
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.known_types import type_title
from opentelemetry.instrumentation.declarative.patching.bypasses import Bypass
from opentelemetry.instrumentation.declarative.patching.import_hooks import contents
from opentelemetry.instrumentation.declarative.patching.targets import PatchPoint, function_of, unwrap
from opentelemetry.instrumentation.declarative.plan.model import CallPlan

#: How many holders a message names.
_MOST_NAMED = 3
#: How many containers are between a callable and the object that is named: a closure has two.
_MOST_CONTAINERS = 4

_CONTAINERS = (dict, list, tuple, set, frozenset, types.CellType, types.MethodType)
_OURS = "opentelemetry.instrumentation.declarative."
#: What holds values only while it runs.
_RUNNING = (types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)


def find_holders(call: CallPlan, point: PatchPoint) -> Bypass | None:
    """Find objects that hold a callable that will be replaced, and will go on to call the original.

    Not modules and other names in the class, which ``find_copies`` and ``find_aliases`` find. Raises PatchError if the
    value is not a callable.
    """
    unwrap(point.value, call)
    if call.tap or function_of(call, point) is not None:
        return None
    names = sorted(_Search(point).names(point.value))
    if not names:
        return None
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return Bypass(
        call,
        "held",
        f"is held from before it could be patched, by: {', '.join(names[:_MOST_NAMED])}{more}",
        "Calls from there are not seen",
        "call it by its name there, or hook a function that it calls or that calls it",
    )


class _Search:
    """The search for the holders of one callable."""

    def __init__(self, point: PatchPoint) -> None:
        self._modules = {id(contents(module)): name for name, module in list(sys.modules.items())}
        self._owners = point.owner.__mro__ if isinstance(point.owner, type) else (point.owner,)
        self._ignored = {id(point)}

    def names(self, value: Any, depth: int = 0) -> set[str]:
        """The names of the objects that hold a value. Of containers, it is what holds these."""
        found: set[str] = set()
        holders = gc.get_referrers(value)
        self._ignored.add(id(holders))
        while holders:  # an iterator would be a holder
            holder = holders.pop()
            module = self._modules.get(id(holder))
            if id(holder) in self._ignored or isinstance(holder, _RUNNING):
                continue
            if module is not None:
                found.update(f"{module}.{name}" for name, each in list(holder.items()) if depth and each is value)
            elif isinstance(holder, type | types.FunctionType):
                found.update([f"{holder.__module__}.{holder.__qualname__}"] if holder not in self._owners else ())
            elif type(holder).__module__.startswith(_OURS):
                continue
            elif type(holder) not in _CONTAINERS:
                found.add(type_title(type(holder)))
            elif depth < _MOST_CONTAINERS:
                self._ignored.add(id(holder))
                found |= self.names(holder, depth + 1)
        return found
