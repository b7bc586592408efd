"""Finds the objects that hold a callable from before it is replaced, such as a route, a registry or a decorator."""

from __future__ import annotations

import functools
import gc
import inspect
import sys
import types
from collections.abc import Iterable
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.type_facts import type_title
from opentelemetry.instrumentation.declarative.patching.bypasses import Bypass
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import contents
from opentelemetry.instrumentation.declarative.patching.lookup.decorated_functions import (
    OWN_REFERENCES,
    names_of_definition,
    references,
)
from opentelemetry.instrumentation.declarative.patching.lookup.kept_functions import (
    METHOD_DESCRIPTORS,
    attributes_of,
    kept_function,
)
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import MISSING
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint, function_of, unwrap
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.records import record

#: How many holders a message names.
_MOST_NAMED = 3
#: How far from a wrapper the objects are that it uses: pydantic's wrapper uses an object that uses a validator.
_MOST_DISTANT = 2
#: Libraries that keep objects, with the function for which they were used last, to use them again; and the cache of
#: `functools.singledispatch`.
_REUSING = ("beartype.", "weakref")
#: How many containers are between a callable and the object that is named: a closure has two.
_MOST_CONTAINERS = 4

#: The list of the parts of a wrapper has one reference to each, and that of the functions or of their keepers another.
_REFERENCES_OF_SEARCH = 2

#: What only calls the function that it holds.
_WRAPPERS = (types.CellType, types.MethodType, functools.partial, type(functools.lru_cache(id)))
_COLLECTIONS = (dict, list, tuple, set, frozenset)
_CONTAINERS = (*_COLLECTIONS, types.CellType, types.MethodType)
_OURS = "opentelemetry.instrumentation.declarative."
#: What holds values only while it runs.
_RUNNING = (types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)


def find_holders(call: CallPlan, point: PatchPoint) -> Bypass | None:
    """Find objects that hold a callable that will be replaced, and will go on to call the original.

    Not modules and other names in the class, which ``find_copies`` and ``find_aliases`` find. Raises PatchError if the
    value is not a callable.
    """
    unwrap(point.value, call)
    if call.extension or point.own_value is MISSING or function_of(call, point) is not None:
        return None
    names = _Search(point).names(point.value)
    if not names:
        return None
    return Bypass(
        call,
        "held",
        f"is held from before it could be patched, by: {_listed(names)}",
        "Calls from there are not seen",
        "call it by its name there, or hook a function that it calls or that calls it",
    )


def is_named(call: CallPlan) -> bool:
    """Whether a hook names a callable, and not a pattern."""
    return any(hook.hook.calls is None for hook in call.hooks)


@record(frozen=True)
class HeldFunction:
    """A function below the decorators of a callable, and the names of the objects that hold it, if they are known."""

    function: types.FunctionType
    holders: set[str]


def find_held_functions(call: CallPlan, point: PatchPoint) -> list[HeldFunction]:
    """Find functions below the decorators of a callable that others hold, where the callable is a wrapper of them.

    The decorator itself or one below it may have registered the function. Calls from there do not run the wrapper. The
    search looks at all objects of the process: it is omitted if nothing but the wrapper refers to such a function, and
    for the callables of a pattern. Raises PatchError if the value is not a callable.
    """
    value, _ = unwrap(point.value, call)
    if call.extension or (type(value) is types.FunctionType and value.__closure__ is None and not vars(value)):
        return []
    names, parts = names_of_definition(call, point), _parts_of_wrapper(value)
    if any(issubclass(type(part), METHOD_DESCRIPTORS) for part in parts):
        return []  # each access to one makes another wrapper of the function
    functions = {
        id(part): part
        for part in parts[1:]
        if type(part) is types.FunctionType and (part.__module__, part.__qualname__) in names
    }
    keepers = [part for part in parts[1:] if _keeps(part, functions, names)]
    held = [*functions.values(), *keepers]
    if not any(_is_referred_to_by_others(parts, held, number) for number in range(len(held))):
        return []
    if not is_named(call):
        return [HeldFunction(function, set()) for function in functions.values()]
    search = _Search(point, parts, (held, functions, keepers))
    holders = {name for each in held for name in search.names(each, 1)}
    return [HeldFunction(function, holders) for function in functions.values() if holders]


def _keeps(part: Any, functions: dict[int, types.FunctionType], names: set[tuple[str, str]]) -> bool:
    """Whether an object keeps a function, as a task or a command of a framework does. A function in it is added."""
    if issubclass(type(part), (types.FunctionType, type, types.ModuleType, *_CONTAINERS)):
        return False
    if any(id(used) in functions for used, _ in _used_by(part, 0)):
        return True
    kept = [] if functions else [kept_function(part, module, path) for module, path in names]
    functions.update({id(each): each for each in kept if each is not None})
    return any(each is not None for each in kept)


def runs_when_called(function: types.FunctionType) -> bool:
    """Whether the code of a function runs when it is called, and not when the object that it returns is used."""
    return not function.__code__.co_flags & (inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR)


def held_below_decorators(call: CallPlan, held: Iterable[HeldFunction]) -> Bypass | None:
    """Return that functions below the decorators of a callable are held by others, and calls from there are unseen."""
    names = {name for each in held for name in each.holders}
    if not names:
        return None
    return Bypass(
        call,
        "held",
        f"is a wrapper, and the function itself is held by: {_listed(names)}",
        "Calls from there are not seen",
        "change the order of the decorators, or hook a function that it calls or that calls it",
    )


def _is_referred_to_by_others(parts: list[Any], held: list[Any], number: int) -> bool:
    """Whether an object has more references than those of the parts of a wrapper, and those of the search itself."""
    key = id(held[number])
    known = sum(id(each) == key for part in parts for each in gc.get_referents(part))
    return references(held, number) > OWN_REFERENCES + _REFERENCES_OF_SEARCH + known


def _parts_of_wrapper(value: Any) -> list[Any]:
    """A wrapper, the functions that it calls, and the objects and containers with which it does so."""
    parts: dict[int, Any] = {}
    waiting = [(value, 0)]
    while waiting:
        part, distance = waiting.pop(0)
        if id(part) not in parts:
            parts[id(part)] = part
            waiting += _used_by(part, distance)
    return list(parts.values())


def _used_by(part: Any, distance: int) -> list[tuple[Any, int]]:
    """What a part of a wrapper uses: each with its distance, in objects that are not functions."""
    if type(part) is types.FunctionType:
        held = [vars(part), part.__defaults__, part.__kwdefaults__, *(part.__closure__ or ())]
        return [(each, distance) for group in held for each in (group, *_values(group))]
    if type(part) in _WRAPPERS:
        return [(each, distance) for each in gc.get_referents(part)]
    if issubclass(type(part), (type, types.ModuleType, *_COLLECTIONS)) or distance == _MOST_DISTANT:
        return []
    attributes = attributes_of(part)
    held = [each for each in (*attributes.values(), *gc.get_referents(part)) if type(each) not in _COLLECTIONS]
    return [(each, distance + 1) for each in (attributes, *held)]


def _values(group: Any) -> Iterable[Any]:
    return group.values() if isinstance(group, dict) else group if isinstance(group, tuple) else ()


def _is_of_extension(part: Any) -> bool:
    """Whether an object is of a class without Python code: what it holds is for its own use."""
    kind = type(part)
    if issubclass(kind, (types.FunctionType, *_CONTAINERS)):
        return False
    return not any(type(each) is types.FunctionType for each in attributes_of(kind).values())


def _is_reused(holder: Any) -> bool:
    return type(holder).__module__.startswith(_REUSING)


def _listed(names: Iterable[str]) -> str:
    first, more = sorted(names)[:_MOST_NAMED], len(set(names)) - _MOST_NAMED
    return f"{', '.join(first)} and {more} more" if more > 0 else ", ".join(first)


class _Search:
    """The search for the holders of one callable, other than the parts of its own wrapper."""

    def __init__(self, point: PatchPoint, parts: Iterable[Any] = (), ignored: Iterable[Any] = ()) -> None:
        self._modules = {id(contents(module)): name for name, module in list(sys.modules.items())}
        # By name: a decorator such as `dataclass(slots=True)` makes another class, and the first one may still exist.
        owners = point.owner.__mro__ if isinstance(point.owner, type) else ()
        self._owners = {f"{owner.__module__}.{owner.__qualname__}" for owner in owners}
        self._ignored = {id(point), id(parts), *map(id, ignored)}
        self._parts = {id(part) for part in parts}
        self._ignored |= {id(part) for part in parts if _is_of_extension(part)}

    def names(self, value: Any, depth: int = 0) -> set[str]:
        """The names of the objects that hold a value. Of containers, it is what holds these."""
        found: set[str] = set()
        holders = gc.get_referrers(value)
        self._ignored.add(id(holders))
        while holders:  # an iterator would be a holder
            holder = holders.pop()
            module = self._modules.get(id(holder))
            if id(holder) in self._ignored or issubclass(type(holder), _RUNNING):
                continue
            if depth == 1 and id(holder) in self._parts:
                continue
            if module is not None:
                found.update(f"{module}.{name}" for name, each in list(holder.items()) if depth and each is value)
            elif issubclass(type(holder), (type, types.FunctionType)):
                name = f"{holder.__module__}.{holder.__qualname__}"
                found.update([name] if name not in self._owners else ())
            elif type(holder).__module__.startswith(_OURS):
                continue
            elif type(holder) not in _CONTAINERS:
                found.update([type_title(type(holder))] if not _is_reused(holder) else ())
            elif depth < _MOST_CONTAINERS:
                self._ignored.add(id(holder))
                found |= self.names(holder, depth + 1)
        return found
