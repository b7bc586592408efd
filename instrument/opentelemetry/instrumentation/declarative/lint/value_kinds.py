"""The kinds of values, as far as they decide which operators and functions accept them."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import fractions
import inspect
from collections.abc import Mapping

from opentelemetry.instrumentation.declarative.inspection.readable.types import Type
from opentelemetry.instrumentation.declarative.lint.closed_types import with_subclasses

#: The classes of each kind. The first that a class belongs to counts.
_CLASSES: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "bytes": (bytes, bytearray),
    "number": (int, float, decimal.Decimal, fractions.Fraction),
    "duration": (datetime.timedelta,),
    "time": (datetime.date, datetime.time),
    "mapping": (collections.abc.Mapping,),
    "set": (set, frozenset),
    "list": (list, tuple, collections.deque),
    "iterator": (collections.abc.Iterator, collections.abc.AsyncIterator),
    "enumeration": (enum.Enum,),
}
COLLECTIONS = frozenset({"mapping", "set", "list"})
OBJECT = "object"
NUMBERS = frozenset({"number", "duration", "enumeration"})
TEXTS = frozenset({"text", "bytes"})
_TEXT = frozenset({"text"})
#: The kinds that functions accept as an argument, by the name of the parameter.
_ACCEPTED: Mapping[str, frozenset[str]] = {
    "text": TEXTS,
    "items": COLLECTIONS,
    "mapping": frozenset({"mapping"}),
    "number": NUMBERS,
    "time": frozenset({"time", "text"}),
    **dict.fromkeys(("digits", "length"), frozenset({"number"})),
    **dict.fromkeys(("beginning", "ending", "separator", "characters", "pattern", "patterns", "replacement"), _TEXT),
}
#: By the name of the function, where that decides.
_ACCEPTED_BY: Mapping[str, frozenset[str]] = {
    "len": TEXTS | COLLECTIONS,
    **dict.fromkeys(("int", "float"), TEXTS | NUMBERS),
}
#: Methods with which an object is not merely one with fields.
_OPERATIONS = (
    *("__add__", "__radd__", "__lt__", "__gt__", "__contains__", "__len__", "__iter__", "__getitem__", "__getattr__"),
    *("__float__", "__int__", "__index__", "__fspath__", "__array__"),
)


def kind_of(type_: Type) -> str | None:
    """The kind of all values of a type; None if it is not known."""
    kinds = {None if choice.cls is None else _kind_of(choice.cls) for choice in type_.choices}
    return kinds.pop() if len(kinds) == 1 else None


def _kind_of(cls: type) -> str | None:
    for kind, classes in _CLASSES.items():
        if issubclass(cls, classes):
            return kind
    return OBJECT if all(map(_has_only_fields, with_subclasses(cls))) else None


def _has_only_fields(cls: type) -> bool:
    """Whether the instances of a class have fields and methods, and no operators."""
    if cls is object or inspect.isabstract(cls) or getattr(cls, "_is_protocol", False) or issubclass(cls, type):
        return False
    has_own_equality = cls.__eq__ is not object.__eq__ and not (
        dataclasses.is_dataclass(cls) or hasattr(cls, "__attrs_attrs__") or hasattr(cls, "model_fields")
    )
    operations = (name for name in _OPERATIONS if getattr(cls, name, None) is not getattr(object, name, None))
    return not has_own_equality and next(operations, None) is None


def accepted(function: str, parameter: str, count: int) -> frozenset[str] | None:
    """The kinds that a function accepts for a parameter; None for any. ``count``: the number of arguments."""
    if function in ("min", "max") and count == 1:
        return COLLECTIONS
    return _ACCEPTED_BY.get(function) or _ACCEPTED.get(parameter)
