"""Finds the function that a definition has created in the object that a decorator has put in its place."""

from __future__ import annotations

import functools
import gc
import types
from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import can_be_changed

#: How many objects are searched. The function is near: held by the object, by what it wraps, or by a closure of these.
_MOST_SEARCHED = 500

#: What leads away from the object: to everything that its module, its classes or a running call hold. And the
#: descriptors of classes in C, which hold no function.
_NOT_SEARCHED = (
    *(type, types.ModuleType, types.CodeType, types.FrameType, str, bytes),
    *(types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType),
    *(types.GetSetDescriptorType, types.MemberDescriptorType),
)

#: Packages whose objects have compiled the function that they keep: they do not call it.
_COMPILERS = frozenset({"numba"})

#: The type of functions that Cython has compiled. Each compiled module can have a type of its own with this name.
_CYTHON_FUNCTION = "cython_function_or_method"

#: Descriptors that select one of several functions, or add arguments. They are hooked as they are, also inside a proxy.
METHOD_DESCRIPTORS = (functools.partialmethod, functools.singledispatchmethod)


def is_definition(value: Any, module: str, path: str) -> bool:
    """Whether an object is what a decorator has made of the function that is defined under a name.

    Or the function itself, compiled by Cython. Descriptors are not included, unless they are callable.
    """
    held = value.__func__ if type(value) in (staticmethod, classmethod) else value
    kind = type(held)
    if kind.__name__ == _CYTHON_FUNCTION:
        return bool((held.__module__, held.__qualname__) == (module, path))
    if not callable(value) and (hasattr(kind, "__get__") or not can_be_changed(kind)):
        return False
    return _find_function(value, module, path) is not None


def defined_function(value: Any, module: str, path: str) -> types.FunctionType | None:
    """Return the function that a definition has created, if the object that its name leads to keeps it.

    A decorator can put an object in the place of a function, such as a command, a task, a tool or a fixture of a
    framework, or a descriptor like a property, which calls the function that it keeps; or a proxy that creates the task
    later. An object that stands for all calls of the function, such as a cache, may answer some of them itself: it is
    hooked like any other callable.

    No code of the object runs: looking at an attribute of a proxy would create what it stands for, too early.
    """
    function = _find_function(value, module, path)
    return None if function is None or _stands_for_all_calls(value, function) else function


def kept_function(value: Any, module: str, path: str) -> types.FunctionType | None:
    """Return the function that a definition has created, if a callable or descriptor keeps it in any way."""
    return _find_function(value, module, path) if callable(value) or hasattr(type(value), "__get__") else None


def _find_function(value: Any, module: str, path: str) -> types.FunctionType | None:
    if issubclass(type(value), type | types.FunctionType):
        return None
    seen: set[int] = set()
    waiting: deque[Any] = deque([value])
    while waiting and len(seen) < _MOST_SEARCHED:
        found = waiting.popleft()
        if id(found) in seen or not is_searched(found):
            continue
        seen.add(id(found))
        if issubclass(type(found), METHOD_DESCRIPTORS):
            return None
        if type(found) is types.FunctionType and found.__qualname__ == path and found.__module__ == module:
            return found
        waiting.extend(held_by(found))
    return None


def leads_to(value: Any, wanted: Container[int]) -> bool:
    """Whether an object is or keeps one of the objects with these ids, as what wraps a function does."""
    seen: set[int] = set()
    waiting: deque[Any] = deque([value])
    while waiting and len(seen) < _MOST_SEARCHED:
        found = waiting.popleft()
        if id(found) in wanted:
            return True
        if id(found) not in seen and is_searched(found):
            seen.add(id(found))
            waiting.extend(held_by(found))
    return False


def _stands_for_all_calls(value: Any, function: types.FunctionType) -> bool:
    """Whether an object wraps a function, and only its ``__call__`` uses it, as that of a cache does."""
    if str(type(value).__module__).partition(".")[0] in _COMPILERS:
        return callable(value)
    own = attributes_of(value)
    if "__wrapped__" not in own or not callable(value):
        return False
    names = {"__wrapped__", *(name for name, held in own.items() if held is function)}
    users = {
        name
        for kind in _classes(type(value))
        for name, method in attributes_of(kind).items()
        if type(method) is types.FunctionType and not names.isdisjoint(_names_used_by(method.__code__))
    }
    methods = {name for name in users if not (name.startswith("__") and name.endswith("__"))}
    is_python = any(type(attributes_of(kind).get("__call__")) is types.FunctionType for kind in _classes(type(value)))
    return not is_python or ("__call__" in users and not methods)


def _names_used_by(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_used_by(constant)


def is_searched(value: Any) -> bool:
    """Whether an object may keep the function of a definition."""
    return not issubclass(type(value), _NOT_SEARCHED)


def held_by(value: Any) -> Iterable[Any]:
    """The objects that an object holds, as the garbage collector sees them, and those that its own class holds."""
    kind = type(value)
    if kind is types.FunctionType:
        return (*(value.__closure__ or ()), *(value.__defaults__ or ()), *value.__dict__.values())
    if kind in _CONTAINERS:
        return gc.get_referents(value)
    return (*gc.get_referents(value), *attributes_of(kind).values())


_CONTAINERS = (tuple, list, set, frozenset, dict, types.CellType, types.MethodType, functools.partial)


def attributes_of(value: Any) -> Mapping[str, Any]:
    """The attributes of an object or class itself, without running code of its class."""
    if issubclass(type(value), type):
        return type.__dict__["__dict__"].__get__(value)  # type: ignore[no-any-return]
    for holder in _classes(type(value)):
        found = attributes_of(holder).get("__dict__")
        if found is not None:
            try:
                return found.__get__(value) if type(found) is types.GetSetDescriptorType else {}
            except AttributeError:  # a proxy of an object that has no attributes of its own
                return {}
    return {}


def _classes(kind: type) -> tuple[type, ...]:
    """A class and its base classes, without asking its metaclass."""
    return type.__dict__["__mro__"].__get__(kind)  # type: ignore[no-any-return]
