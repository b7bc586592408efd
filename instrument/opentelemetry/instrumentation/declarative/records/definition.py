"""Defines records.

``dataclass`` generates and compiles the source of up to six methods for each class, which takes half a millisecond. The
methods of records are shared: they take the names of the fields from the class. ``replace``, ``fields`` and the other
functions of ``dataclasses`` accept records.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

#: The attributes of a class that are its fields by name, and the function that returns what identifies an instance.
_FIELDS, _IDENTITY = "__dataclass_fields__", "__record_identity__"


def record(cls: type | None = None, /, *, frozen: bool = False, eq: bool = True, kw_only: bool = False) -> Any:
    """Make a class with annotated fields a record. The arguments are those of ``dataclass``."""
    if cls is None:
        return lambda each: _define(each, frozen, eq, kw_only)
    return _define(cls, frozen, eq, kw_only)


def _define(cls: Any, frozen: bool, eq: bool, kw_only: bool) -> Any:
    fields: dict[str, dataclasses.Field[Any]] = {}
    for base in cls.__mro__[:0:-1]:
        fields.update(vars(base).get(_FIELDS, {}))
    for name, annotation in inspect.get_annotations(cls).items():
        if not str(annotation).startswith(("ClassVar", "typing.ClassVar")):
            fields[name] = _field(cls, name)
    setattr(cls, _FIELDS, fields)
    cls.__init__ = _constructor(tuple(fields.values()), kw_only, hasattr(cls, "__post_init__"))
    own = vars(cls)
    if "__repr__" not in own:
        cls.__repr__ = _represent
    if eq:
        compared = [each.name for each in fields.values() if each.compare]
        setattr(cls, _IDENTITY, staticmethod(attrgetter(*compared) if compared else _nothing))
        if "__eq__" not in own:
            cls.__eq__ = _equal
        if not frozen:
            cls.__hash__ = None
        elif own.get("__hash__") is None:
            cls.__hash__ = _hash
    return cls


def _field(cls: type, name: str) -> Any:
    """The field that a class defines. Only its default stays in the class."""
    given = vars(cls).get(name, dataclasses.MISSING)
    field: Any = given if isinstance(given, dataclasses.Field) else dataclasses.field(default=given)
    field.name = name
    field._field_type = dataclasses._FIELD  # type: ignore[attr-defined]  # for the functions of `dataclasses`
    if field.default is not dataclasses.MISSING:
        setattr(cls, name, field.default)
    elif given is field:
        delattr(cls, name)
    return field


def _constructor(fields: tuple[dataclasses.Field[Any], ...], kw_only: bool, has_more: bool) -> Callable[..., None]:
    names = tuple(each.name for each in fields)
    positional, all_given = ((), -1) if kw_only else (names, len(names))
    known = frozenset(names)
    missing = dataclasses.MISSING
    defaults = {each.name: each.default for each in fields if each.default is not missing}
    factories = [(each.name, each.default_factory) for each in fields if each.default_factory is not missing]

    def __init__(self: Any, *args: Any, **named: Any) -> None:
        if named or len(args) != all_given:
            values = {**defaults, **dict(zip(positional, args, strict=False)), **named}
            for name, factory in factories:
                if name not in values:
                    values[name] = factory()
            if values.keys() != known or len(args) > len(positional):
                raise _wrong_arguments(type(self), known, values)
            args = tuple(values[name] for name in names)
        for name, value in zip(names, args, strict=True):
            setattr(self, name, value)
        if has_more:
            self.__post_init__()

    return __init__


def _wrong_arguments(cls: type, known: frozenset[str], values: Mapping[str, Any]) -> TypeError:
    names = ", ".join(sorted(known ^ values.keys())) or "there are too many"
    return TypeError(f"{cls.__qualname__} has missing or unexpected arguments: {names}")


def _represent(self: Any) -> str:
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in getattr(self, _FIELDS))
    return f"{type(self).__qualname__}({values})"


def _equal(self: Any, other: object) -> Any:
    if type(self) is not type(other):
        return NotImplemented
    identity = getattr(self, _IDENTITY)
    return identity(self) == identity(other)


def _hash(self: Any) -> int:
    return hash(getattr(self, _IDENTITY)(self))


def _nothing(_self: Any) -> tuple[()]:
    return ()
