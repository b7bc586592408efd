"""What can be read where a callable is hooked: its parameters and what it returns, with their types."""

from __future__ import annotations

import collections.abc
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.inspection.readable.annotations import read_type
from opentelemetry.instrumentation.declarative.inspection.readable.namespaces import Place, names_of, understood
from opentelemetry.instrumentation.declarative.inspection.readable.types import UNKNOWN, Type, of_class, union
from opentelemetry.instrumentation.declarative.wrappers.signatures import Shape, read_signature

#: What is given for a coroutine that a plain function returns, and which of its arguments that gives when awaited.
_AWAITABLE = {collections.abc.Coroutine: 2, collections.abc.Awaitable: 0}


@dataclass(frozen=True, slots=True)
class Readable:
    """The names that a hook on a callable can read: its parameters, and ``result``.

    ``signature``: as Python writes it. ``defaults``: of the parameters of which only that is known.
    """

    parameters: Mapping[str, Type]
    result: Type
    signature: str
    defaults: Mapping[str, str]
    shape: Shape
    summary: str | None
    #: Whether the parameters are known at all: those of a builtin may not be.
    known: bool = True


def readable_of(raw: Any, owner: type | None = None, held: Any = None) -> Readable:
    """What can be read where a raw callable is hooked that hangs in a class (``owner``) or in a module.

    ``held``: the raw callable as its owner holds it, as a ``staticmethod``, say.
    """
    function = inspect.unwrap(raw) if callable(raw) else raw
    shape = read_signature(raw).shape
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return Readable({}, UNKNOWN, "(…)", {}, shape, _summary(raw), known=False)
    names = {**names_of(getattr(function, "__module__", None), owner), **getattr(function, "__globals__", {})}
    type_parameters = {each.__name__: each for each in getattr(function, "__type_params__", ())}
    place = Place({**names, **type_parameters}, owner)
    parameters: dict[str, Type] = {}
    defaults: dict[str, str] = {}
    hints = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
    hints = {**understood({**hints, "return": signature.return_annotation}, function)}
    for index, parameter in enumerate(signature.parameters.values()):
        parameter = parameter.replace(annotation=hints[parameter.name])
        type_ = _parameter(parameter, place)
        if index == 0 and owner is not None and not type_.text and not isinstance(held, staticmethod):
            type_ = Type(f"type[{owner.__name__}]") if isinstance(held, classmethod) else of_class(owner)
        parameters[parameter.name] = type_
        if not type_.text and parameter.default is not parameter.empty:
            defaults[parameter.name] = _short(parameter.default)
    result = read_type(hints["return"], place)
    return Readable(parameters, _result(result, shape), _written(signature), defaults, shape, _summary(raw))


def _parameter(parameter: inspect.Parameter, place: Place) -> Type:
    type_ = read_type(parameter.annotation, place)
    if parameter.default is None and type_.text and not type_.optional and type_.text != "Any":
        type_ = union([type_, Type("None", optional=True)])
    if parameter.kind is parameter.VAR_POSITIONAL:
        return Type(f"tuple[{type_.text or 'Any'}, ...]", tuple, (type_,))
    if parameter.kind is parameter.VAR_KEYWORD:
        return Type(f"dict[str, {type_.text or 'Any'}]", dict, (of_class(str), type_))
    return type_


def _result(type_: Type, shape: Shape) -> Type:
    """The type of ``result``: of what a coroutine gives when awaited, and a generator at its end."""
    origin = type_.cls
    if shape == "asynchronous generator":
        return Type("None", optional=True)
    if shape == "generator":
        return type_.args[2] if origin is collections.abc.Generator and len(type_.args) > 2 else UNKNOWN
    if shape == "coroutine" and origin in _AWAITABLE and len(type_.args) > _AWAITABLE[origin]:
        return type_.args[_AWAITABLE[origin]]
    return type_


def _written(signature: inspect.Signature) -> str:
    """The signature on one line; a default that is no plain value is an ellipsis."""
    words: list[str] = []
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    for index, parameter in enumerate(signature.parameters.values()):
        kind = parameter.kind
        if kind is parameter.KEYWORD_ONLY and not {parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL} & {*kinds[:index]}:
            words.append("*")
        star = "*" if kind is parameter.VAR_POSITIONAL else "**" if kind is parameter.VAR_KEYWORD else ""
        annotation = "" if parameter.annotation is parameter.empty else f": {_annotation(parameter.annotation)}"
        equals = " = " if annotation else "="
        default = "" if parameter.default is parameter.empty else f"{equals}{_short(parameter.default)}"
        words.append(f"{star}{parameter.name}{annotation}{default}")
        if kind is parameter.POSITIONAL_ONLY and parameter.POSITIONAL_ONLY not in kinds[index + 1 :]:
            words.append("/")
    given = signature.return_annotation
    arrow = "" if given is signature.empty else f" -> {_annotation(given)}"
    return f"({', '.join(words)}){arrow}"


def _annotation(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else read_type(annotation, Place({})).text or "Any"


def _short(value: Any) -> str:
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        text = repr(value)
        return text if len(text) <= 30 else "..."
    return "()" if value == () else "..."


def _summary(raw: Any) -> str | None:
    """The first line of what is written about the callable itself."""
    doc = getattr(raw, "__doc__", None)
    if not isinstance(doc, str) or not doc.strip():
        return None
    return inspect.cleandoc(doc).splitlines()[0].strip() or None
