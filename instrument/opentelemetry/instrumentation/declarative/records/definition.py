"""Defines records.

``dataclass`` generates and compiles the source of up to six methods for each class, which takes half a millisecond. The
methods of records are shared: they take the names of the fields from the class. ``replace``, ``fields`` and the other
functions of ``dataclasses`` accept records.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from operator import attrgetter
from typing import Any

#: The attributes of a class: its fields by name, what its constructor needs to know of them, and the function that
#: returns what identifies an instance.
_FIELDS, _LAYOUT, _IDENTITY = "__dataclass_fields__", "__record_layout__", "__record_identity__"


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
    defaults = tuple(map(_default, fields.values()))
    setattr(cls, _LAYOUT, (tuple(fields), defaults, 0 if kw_only else len(fields), hasattr(cls, "__post_init__")))
    own = vars(cls)
    if "__init__" not in own:
        cls.__init__ = _construct
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


class _Factory:
    """Makes the default of a field for each instance."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def _default(field: dataclasses.Field[Any]) -> Any:
    factory = field.default_factory
    return field.default if factory is dataclasses.MISSING else _Factory(factory)


def _construct(self: Any, *args: Any, **named: Any) -> None:
    names, defaults, most, has_more = getattr(self, _LAYOUT)
    given = len(args)
    if given > most:
        raise TypeError(f"{type(self).__qualname__} takes {most} positional arguments but {given} were given")
    for name, value in zip(names, args):  # noqa: B905  # there can be fewer arguments than names
        setattr(self, name, value)
    if given < len(names):
        for name, default in zip(names[given:], defaults[given:], strict=True):
            value = named.pop(name, default)
            if value is dataclasses.MISSING:
                raise TypeError(f"{type(self).__qualname__} lacks the argument {name!r}")
            setattr(self, name, value.make() if type(value) is _Factory else value)
    if named:
        raise TypeError(f"{type(self).__qualname__} got unexpected arguments: {', '.join(named)}")
    if has_more:
        self.__post_init__()


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
