"""The names that can be read from an instance of a class, with their types."""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.inspection.readable.annotations import read_type, return_type
from opentelemetry.instrumentation.declarative.inspection.readable.init_assignments import assigned_attributes
from opentelemetry.instrumentation.declarative.inspection.readable.namespaces import (
    Namespace,
    module_names,
    readable_annotations,
)
from opentelemetry.instrumentation.declarative.inspection.readable.types import UNKNOWN, Type, of_class, union

_in_progress: set[tuple[type, tuple[Type, ...]]] = set()


class Member(NamedTuple):
    """A name that can be read from a value: an attribute, or with ``key`` a key of a mapping."""

    name: str
    type: Type
    key: bool = False

    @property
    def private(self) -> bool:
        return self.name.startswith("_")


#: Attributes of a class that are methods or modules although they may not be callable themselves.
_NOT_VALUES = (classmethod, staticmethod, functools.partialmethod, functools.singledispatchmethod, types.ModuleType)

#: Modules of base classes whose own attributes are not listed: they are the same for every model or value.
_OMITTED_MODULES = ("builtins", "pydantic.main")


def members(type_: Type) -> dict[str, Member]:
    """Return what can be read from a value of a type other than a union, in the order of definition."""
    cls = type_.cls
    if cls is None or cls in (type(None), type):
        return {}
    if (cls, type_.args) in _in_progress:  # two classes whose attributes are inferred from each other's
        return {}
    _in_progress.add((cls, type_.args))
    try:
        return _members(cls, type_.args)
    finally:
        _in_progress.discard((cls, type_.args))


@functools.lru_cache(maxsize=512)
def _members(cls: type, args: tuple[Type, ...]) -> dict[str, Member]:
    if typing.is_typeddict(cls):
        namespace = Namespace(module_names(cls.__module__, cls), cls, _variables(cls, args))
        return {name: Member(name, read_type(hint, namespace), key=True) for name, hint in _annotations(cls).items()}
    found: dict[str, Member] = {}
    for base, variables in bases(cls, args):
        if base.__module__ in _OMITTED_MODULES:
            continue
        for name, type_ in _own(base, variables, cls):
            known = found.get(name)
            # The type in a subclass is more specific, if the subclass declares one.
            if name not in found or (known is not None and not known.type.text):
                found[name] = Member(name, type_)
    return {name: member for name, member in found.items() if not _is_dunder(name)}


def bases(cls: type, args: tuple[Type, ...] = ()) -> Iterator[tuple[type, Mapping[Any, Type]]]:
    """A class and its bases, each with the values of its type variables."""
    known: dict[type, Mapping[Any, Type]] = {cls: _variables(cls, args)}
    for base in cls.__mro__:
        namespace = Namespace(module_names(base.__module__, base), base, known.get(base, {}))
        for generic in vars(base).get("__orig_bases__", ()):
            origin = typing.get_origin(generic)
            if isinstance(origin, type) and origin not in known:
                given = tuple(read_type(each, namespace) for each in typing.get_args(generic))
                known[origin] = _variables(origin, given)
    for base in cls.__mro__:
        if base not in (object, typing.Generic, typing.Protocol):
            yield base, known.get(base, {})


def _variables(cls: type, args: tuple[Type, ...]) -> Mapping[Any, Type]:
    parameters = getattr(cls, "__parameters__", ())
    return dict(zip(parameters, args, strict=False)) if isinstance(parameters, tuple) else {}


def _own(base: type, variables: Mapping[Any, Type], cls: type) -> Iterator[tuple[str, Type]]:
    """The names that one class defines: fields, annotations, attributes, and assignments in its ``__init__``."""
    namespace = Namespace(module_names(base.__module__, base), cls, variables)
    if issubclass(base, enum.Enum):
        values = [type(member.value) for member in base]
        yield "name", of_class(str)
        yield "value", union(map(of_class, values)) if values else UNKNOWN
    yield from _fields(base, namespace)
    annotations = _annotations(base)
    hidden = _not_on_instances(base)
    for name, hint in annotations.items():
        if name not in hidden:
            yield name, read_type(hint, namespace)
    for name, held in list(vars(base).items()):
        type_ = _attribute_type(base, name, held, namespace)
        if type_ is not None and name not in annotations and name not in hidden:
            yield name, type_
    for method in ("__init__", "__post_init__", "__attrs_post_init__", "model_post_init"):
        function = inspect.unwrap(vars(base)[method]) if method in vars(base) else None
        if isinstance(function, types.FunctionType):
            yield from assigned_attributes(function, cls, variables, member)


def _annotations(base: type) -> Mapping[str, Any]:
    try:
        found = inspect.get_annotations(base)
    except Exception:  # a metaclass of the library can raise anything
        return {}
    return readable_annotations(found, base) if isinstance(found, dict) else {}


def _fields(base: type, namespace: Namespace) -> Iterator[tuple[str, Type]]:
    """The fields of pydantic and attrs classes and of named tuples, which keep them apart from annotations."""
    for name, field in _own_table(base, "__pydantic_fields__", "model_fields"):
        yield name, read_type(getattr(field, "annotation", None) or UNKNOWN, namespace)
    attributes = vars(base).get("__attrs_attrs__")
    for attribute in attributes if isinstance(attributes, tuple) else ():
        if attribute.type is not None:
            yield attribute.name, read_type(attribute.type, namespace)
    fields = vars(base).get("_fields")
    if issubclass(base, tuple) and isinstance(fields, tuple):
        for name in fields:
            if name not in _annotations(base):
                yield name, UNKNOWN


def _own_table(base: type, *names: str) -> list[tuple[str, Any]]:
    for name in names:
        table = vars(base).get(name)
        if isinstance(table, dict):
            return list(table.items())
    return []


def _not_on_instances(base: type) -> set[str]:
    """Annotated names that instances do not have, such as the ``InitVar`` parameters of a dataclass."""
    hidden = (
        {"model_config", "model_fields", "model_computed_fields"} if hasattr(base, "__pydantic_fields__") else set()
    )
    for name, field in _own_table(base, "__dataclass_fields__"):
        if field._field_type is dataclasses._FIELD_INITVAR:  # type: ignore[attr-defined]
            hidden.add(name)
    return hidden


def _attribute_type(base: type, name: str, held: Any, namespace: Namespace) -> Type | None:
    """Return the type of a class attribute as read from an instance; None for methods and other non-values."""
    if _is_dunder(name) or _is_bookkeeping(base, name):
        return None
    wrapped = getattr(held, "wrapped", None)
    if type(held).__name__ == "PydanticDescriptorProxy" and wrapped is not None:  # a computed field
        held = wrapped
    getter = (
        held.fget if isinstance(held, property) else held.func if isinstance(held, functools.cached_property) else None
    )
    if getter is not None:
        return return_type(getter, namespace)
    if isinstance(held, (types.MemberDescriptorType, types.GetSetDescriptorType)):
        return UNKNOWN  # a slot
    if callable(held) or isinstance(held, _NOT_VALUES) or base in type(held).__mro__:
        return None
    read = inspect.getattr_static(type(held), "__get__", None)
    if read is not None:  # a descriptor of the library, which may return itself to the class
        parameters = dict.fromkeys(getattr(type(held), "__parameters__", ()), UNKNOWN)
        returned = return_type(read, Namespace(namespace.names, type(held), parameters))
        return UNKNOWN if type(held) in [choice.cls for choice in returned.choices] else returned
    if issubclass(base, tuple) and name in ("_fields", "_field_defaults"):
        return None
    return UNKNOWN if held is None else of_class(type(held))


def _is_bookkeeping(base: type, name: str) -> bool:
    """Whether Python itself uses the name, for abstract classes, protocols and enumerations."""
    return name.startswith(("_abc_", "_is_protocol", "_is_runtime_protocol")) or (
        issubclass(base, enum.Enum) and name.startswith("_")
    )


def member(type_: Type, name: str) -> Type:
    """Return the type of an attribute; UNKNOWN unless every alternative of the type has it."""
    found = [members(choice).get(name) for choice in type_.choices]
    there = [each.type for each in found if each is not None]
    return union(there) if there and len(there) == len(found) else UNKNOWN


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
