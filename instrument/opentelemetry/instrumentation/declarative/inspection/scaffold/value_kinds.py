"""How the values of a type are recorded as attributes."""

from __future__ import annotations

import collections.abc
import datetime
import decimal
import inspect
import pathlib
import uuid
from collections.abc import Iterable
from enum import Enum
from typing import Any, Literal

from opentelemetry.instrumentation.declarative.inspection.readable.members import members
from opentelemetry.instrumentation.declarative.inspection.readable.types import Type, of_class
from opentelemetry.instrumentation.declarative.inspection.scaffold.identifiers import snake_case

#: How a value is recorded: itself, its text, its length, or its fields. Values of an *unknown* type are recorded
#: themselves; *opaque* ones have nothing that fits into an attribute.
ValueKind = Literal["scalar", "text", "sized", "fields", "unknown", "opaque"]

NO_DEFAULT: Any = inspect.Parameter.empty

_TEXTS = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    uuid.UUID,
    pathlib.PurePath,
)


def value_kind(type_: Type, default: Any = NO_DEFAULT) -> ValueKind:
    """Return how values of a type are recorded. Without a type, the default of a parameter decides."""
    if type_.text in ("", "Any", "object"):
        if default is NO_DEFAULT or default is None:
            return "opaque" if type_.text else "unknown"
        return value_kind(of_class(type(default)))
    return _common_kind(_class_kind(choice) for choice in type_.choices)


def is_number(type_: Type) -> bool:
    """Whether the values are numbers or booleans, which are neither secrets nor content."""
    return all(choice.cls is not None and issubclass(choice.cls, (int, float)) for choice in type_.choices)


def identifying_fields(type_: Type) -> list[tuple[str, ValueKind]]:
    """Return the fields that identify an object, at most two, and how each is recorded."""
    (only, *others) = type_.choices
    if others or only.cls is None or only.cls.__module__ == "builtins":
        return []
    known = members(only)
    names = ("id", "pk", "uid", "uuid", f"{snake_case(only.cls.__name__)}_id", "name")
    kinds = ((name, _field_kind(name, known[name].type)) for name in dict.fromkeys(names) if name in known)
    return [(name, kind) for name, kind in kinds if kind is not None][:2]


def _common_kind(kinds: Iterable[ValueKind]) -> ValueKind:
    """Return the kind of a union."""
    found = [*kinds]
    if len(found) == 1 or (len(set(found)) == 1 and found[0] != "fields"):
        return found[0]
    return "text" if {*found} == {"scalar", "text"} else "opaque"


def _field_kind(name: str, type_: Type) -> ValueKind | None:
    """Return how a field that identifies an object is recorded. The primary key of a model may have no annotation."""
    return "scalar" if name == "pk" and not type_.text else _simple_kind(type_)


def _simple_kind(type_: Type) -> ValueKind | None:
    """Return how a field is recorded; None unless it is a scalar or has a text."""
    kinds = {_scalar_or_text(choice.cls) for choice in type_.choices}
    return "text" if kinds == {"scalar", "text"} else kinds.pop() if len(kinds) == 1 else None


def _scalar_or_text(cls: type | None) -> ValueKind | None:
    if cls is not None and issubclass(cls, (str, int, float, bool, Enum)):
        return "scalar"
    return "text" if cls is not None and issubclass(cls, _TEXTS) else None


def _class_kind(type_: Type) -> ValueKind:
    cls = type_.cls
    simple = _scalar_or_text(cls)
    if simple is not None:
        return simple
    if cls is None or cls is type or issubclass(cls, (collections.abc.Callable, collections.abc.Iterator)):  # type: ignore[arg-type]
        return "opaque"
    if issubclass(cls, collections.abc.Sized) and not _is_record(cls):
        return "sized"
    return "fields" if identifying_fields(type_) else "opaque"


def _is_record(cls: type) -> bool:
    """Whether a class has named fields, even if it is a tuple or a mapping as well."""
    return any(hasattr(cls, name) for name in ("_fields", "__dataclass_fields__", "model_fields", "__total__"))
