"""Classes of which all attributes are known, and whether an instance may have one that is not."""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import sys
import types
from collections.abc import Collection, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.readable.members import members
from opentelemetry.instrumentation.declarative.inspection.readable.types import Type


def with_subclasses(cls: type) -> Iterator[type]:
    """A class and every loaded subclass of it."""
    waiting, seen = [cls], set()
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            yield each
            waiting.extend(type.__subclasses__(each))


def is_closed(cls: type) -> bool:
    """Whether the class declares all attributes of its instances."""
    if getattr(cls, "_is_protocol", False) or inspect.isabstract(cls) or issubclass(cls, (type, types.ModuleType)):
        return False
    if issubclass(cls, collections.abc.Mapping):
        return False  # in an expression, a dot reads the keys of a mapping
    if cls.__dictoffset__ == 0:
        return True
    if hasattr(cls, "__pydantic_fields__") or hasattr(cls, "model_fields"):
        return not _allows_extra_fields(cls)
    return dataclasses.is_dataclass(cls) or "__attrs_attrs__" in vars(cls)


def may_have(cls: type, name: str) -> bool:
    """Whether an instance of exactly this class may have an attribute: it is declared, or code mentions its name."""
    for base in cls.__mro__:
        namespace = vars(base)
        # Pydantic's own `__getattr__` only knows private and extra fields.
        if name in namespace or (base.__module__ != "pydantic.main" and _customizes_lookup(base)):
            return True
        if any(name in _mentioned_names(function) for function in namespace.values()):
            return True
    return _allows_extra_fields(cls) or name in members(Type(cls.__name__, cls))


def _customizes_lookup(cls: type) -> bool:
    """Whether a class itself decides which attributes its instances have, in Python or in C as those of protobuf do."""
    if "__getattr__" in vars(cls):
        return True
    lookup = vars(cls).get("__getattribute__")
    in_library = cls.__module__.partition(".")[0] not in sys.stdlib_module_names
    return isinstance(lookup, types.FunctionType) or (lookup is not None and in_library)


def _allows_extra_fields(cls: type) -> bool:
    config = getattr(cls, "model_config", None)
    return isinstance(config, dict) and config.get("extra") == "allow"


def _mentioned_names(value: Any) -> Collection[str]:
    """The names and texts in the code of a function or of a descriptor's function."""
    functions = (getattr(value, name, None) for name in ("fget", "func", "__func__"))
    for each in (*functions, value):
        if isinstance(each, types.FunctionType):
            code = each.__code__
            return (*code.co_names, *(text for text in code.co_consts if isinstance(text, str)))
    return ()
