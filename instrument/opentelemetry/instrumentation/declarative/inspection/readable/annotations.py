"""Resolves annotations to types, as far as possible."""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import re
import types
import typing
from dataclasses import replace
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.readable.namespaces import (
    Namespace,
    UnionOperand,
    Unresolved,
    evaluate,
    module_names,
    readable_annotations,
)
from opentelemetry.instrumentation.declarative.inspection.readable.types import NONE, UNKNOWN, Type, of_class, union


def read_type(annotation: Any, namespace: Namespace, depth: int = 0) -> Type:
    """Return the type of an annotation, with its names looked up in a namespace."""
    if depth > 20:  # a recursive alias
        return UNKNOWN

    def inner(one: Any) -> Type:
        return read_type(one, namespace, depth + 1)

    if annotation is inspect.Parameter.empty:
        return UNKNOWN
    if annotation is None or annotation is type(None):
        return NONE
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        return inner(evaluate(annotation, namespace))
    if isinstance(annotation, Unresolved):
        return Type(annotation.text)
    if isinstance(annotation, UnionOperand):
        return union(map(inner, annotation.parts))
    if isinstance(annotation, dataclasses.InitVar):
        return inner(annotation.type)
    if isinstance(annotation, typing.TypeVar):
        return _variable(annotation, namespace, inner)
    if hasattr(annotation, "__supertype__"):  # typing.NewType
        return replace(inner(annotation.__supertype__), text=annotation.__name__)
    if type(annotation).__name__ == "TypeAliasType":
        return inner(annotation.__value__)
    special = getattr(annotation, "_name", None) or getattr(annotation, "__name__", None)
    if special == "Self" and namespace.owner is not None and not isinstance(annotation, type):
        return of_class(namespace.owner)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is not None:
        return _generic(annotation, origin, args, inner)
    if isinstance(annotation, type):
        return of_class(annotation)
    return Type(_name(annotation))


#: Qualifiers, which say something about a value other than its type. The last are those of SQLAlchemy.
_QUALIFIERS = ("Annotated", "ClassVar", "Final", "Required", "NotRequired", "ReadOnly", "InitVar", "Mapped")


def _generic(annotation: Any, origin: Any, args: tuple[Any, ...], inner: typing.Callable[[Any], Type]) -> Type:
    name = _name(origin)
    if origin in (typing.Union, types.UnionType):
        return union(map(inner, args))
    if origin is typing.Literal:
        kinds = union(of_class(type(value)) for value in args if value is not None)
        text = f"Literal[{', '.join(_literal(value) for value in args)}]"
        return replace(kinds, text=text, optional=None in args)
    if hasattr(annotation, "__metadata__") or name in _QUALIFIERS:
        return inner(args[0] if args and not hasattr(annotation, "__metadata__") else annotation.__origin__)
    if type(origin).__name__ == "TypeAliasType":
        return inner(origin.__value__)
    if origin in (type, collections.abc.Callable):
        return Type(_shown(annotation), None)
    if origin is tuple:
        parts = tuple(map(inner, (each for each in args if each is not Ellipsis)))
        texts = [*(part.text or "Any" for part in parts), *(["..."] if Ellipsis in args else [])]
        # Tuples of any length are read like lists: one type argument for all items.
        return Type(f"tuple[{', '.join(texts) or '()'}]", tuple, parts if Ellipsis not in args else (parts[0],))
    parts = tuple(inner(each) for each in args if not isinstance(each, list))
    brackets = f"[{', '.join(part.text or 'Any' for part in parts)}]" if parts else ""
    return Type(f"{name}{brackets}", origin if isinstance(origin, type) else None, parts)


def _variable(variable: Any, namespace: Namespace, inner: typing.Callable[[Any], Type]) -> Type:
    if variable in namespace.variables:
        return namespace.variables[variable]
    if variable.__bound__ is not None:
        return inner(variable.__bound__)
    if variable.__constraints__:
        return union(map(inner, variable.__constraints__))
    return Type(variable.__name__)


def _literal(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', '\\"') + '"'
    return str(value) if hasattr(value, "name") and hasattr(value, "value") else repr(value)


def _name(one: Any) -> str:
    return str(getattr(one, "__name__", None) or getattr(one, "_name", None) or _shown(one))


def _shown(one: Any) -> str:
    text = re.sub(r"ForwardRef\('([^']*)'[^)]*\)", r"\1", str(one))
    return text.replace("typing.", "").replace("collections.abc.", "").replace("'", "")


def return_type(function: Any, namespace: Namespace) -> Type:
    """Return the type in the return annotation of a function."""
    hints = getattr(function, "__annotations__", None)
    if not isinstance(hints, dict) or "return" not in hints:
        return UNKNOWN
    hints = readable_annotations(hints, function)
    names = {**module_names(getattr(function, "__module__", None)), **namespace.names}
    return read_type(hints["return"], Namespace(names, namespace.owner, namespace.variables))
