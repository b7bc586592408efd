"""Looks names up in modules and classes without running code of theirs."""

from __future__ import annotations

import types
from typing import Any

#: Stands for an attribute that does not exist, where None could be its value.
MISSING: Any = object()

#: The functions of a property.
PROPERTY_FUNCTIONS = ("fget", "fset", "fdel")


def static_attribute(owner: Any, name: str) -> Any:
    """Return what an object holds under a name without invoking descriptors; ``MISSING`` if it has none.

    Of an object that is not a class, these are its own attributes, and the functions of a property.

    Attributes of ``object`` are ignored: its ``__init__`` and ``__new__`` accept surplus arguments only while a class
    overrides just the other one, and a wrapper of them would count as an override.
    """
    for holder in owner.__mro__ if isinstance(owner, type) else (owner,):
        held = getattr(holder, "__dict__", {})
        if holder is not object and name in held:
            return held[name]
    if isinstance(owner, property) and name in PROPERTY_FUNCTIONS:
        function = getattr(owner, name)
        return MISSING if function is None else function
    return MISSING


def value_at(owner: Any, path: list[str]) -> Any:
    """Return what a path of attributes leads to; ``MISSING`` if it leads nowhere or ``owner`` is not a module."""
    for name in path:
        owner = static_attribute(owner, name) if isinstance(owner, (type, types.ModuleType)) else MISSING
    return owner


def defining_class(value: Any, module: str, path: str) -> Any:
    """The class that is defined under a path, if a decorator or metaclass has put an instance of it there.

    Otherwise the value itself.
    """
    kind = type(value)
    own = type.__dict__["__dict__"].__get__(kind)  # without asking its metaclass; a class in C can lack a module
    is_defined_here = own.get("__module__") == module and type.__dict__["__qualname__"].__get__(kind) == path
    return kind if is_defined_here else value


#: Flags of classes: `Py_TPFLAGS_HEAPTYPE`, which classes of a static C structure lack, and `Py_TPFLAGS_IMMUTABLETYPE`.
_HEAP_TYPE, _IMMUTABLE_TYPE = 1 << 9, 1 << 8


def can_be_changed(cls: type) -> bool:
    """Whether attributes of a class can be set, as of those that Python code has defined."""
    return cls.__flags__ & (_HEAP_TYPE | _IMMUTABLE_TYPE) == _HEAP_TYPE
