"""How a callable is called: its shape, its parameters, and the words that pass them on unchanged."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Shape = Literal["function", "coroutine", "generator", "asynchronous generator"]

#: How a generated wrapper gets the host's arguments. *direct*: it has the very signature of the original.
#: *bound*: the original takes `*args, **kwargs` for another signature, which is bound at each call.
#: *foreign*: no Python function at all; a wrapt proxy calls with (wrapped, instance, args, kwargs).
Mode = Literal["direct", "bound", "foreign"]

_KINDS = inspect.Parameter


@dataclass(frozen=True, slots=True)
class Signature:
    """What is known of a callable. ``parameters`` are the names that a spec can read."""

    shape: Shape
    mode: Mode
    parameters: tuple[str, ...]
    var_positional: str | None
    header: str
    passed_on: str
    named: inspect.Signature | None

    def __str__(self) -> str:
        return f"({', '.join(self.parameters)})"


def read_signature(original: Any) -> Signature:
    """The signature of the raw callable as its owner holds it (no bound method, no static or class method)."""
    named = _named(original)
    if not isinstance(original, types.FunctionType):
        return _signature("function", "foreign", named, "wrapped, instance, args, kwargs", "*args, **kwargs")
    own = inspect.signature(original, follow_wrapped=False)
    shape = _shape(original)
    if named is not None and list(named.parameters) != list(own.parameters):
        return _signature(shape, "bound", named, "*args, **kwargs", "*args, **kwargs")
    return _signature(shape, "direct", own, _header(own), _passed_on(own))


def bind(signature: inspect.Signature, wanted: tuple[str, ...]) -> Callable[..., tuple[Any, ...]]:
    """A function that gives the values of the wanted parameters for one call, defaults included; None where unbound."""

    def values(args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None) -> tuple[Any, ...]:
        bound = signature.bind_partial(*(args if instance is None else (instance, *args)), **kwargs)
        bound.apply_defaults()
        return tuple(bound.arguments.get(name) for name in wanted)

    return values


def _named(original: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(original)
    except (ValueError, TypeError):
        return None


def _shape(function: types.FunctionType) -> Shape:
    if inspect.iscoroutinefunction(function):
        return "coroutine"
    if inspect.isasyncgenfunction(function):
        return "asynchronous generator"
    if inspect.isgeneratorfunction(function):
        return "generator"
    return "function"


def _signature(shape: Shape, mode: Mode, named: inspect.Signature | None, header: str, passed_on: str) -> Signature:
    parameters = named.parameters.values() if named else ()
    star = next((parameter.name for parameter in parameters if parameter.kind is _KINDS.VAR_POSITIONAL), None)
    return Signature(shape, mode, tuple(p.name for p in parameters), star, header, passed_on, named)


def _header(signature: inspect.Signature) -> str:
    """The parameters as source. A default is written as `...`; the real ones are set on the function afterwards."""
    words: list[str] = []
    previous = None
    for parameter in signature.parameters.values():
        kind = parameter.kind
        if previous is _KINDS.POSITIONAL_ONLY and kind is not _KINDS.POSITIONAL_ONLY:
            words.append("/")
        if kind is _KINDS.KEYWORD_ONLY and previous not in (_KINDS.KEYWORD_ONLY, _KINDS.VAR_POSITIONAL):
            words.append("*")
        star = "*" if kind is _KINDS.VAR_POSITIONAL else "**" if kind is _KINDS.VAR_KEYWORD else ""
        default = "" if parameter.default is _KINDS.empty else "=..."
        words.append(f"{star}{parameter.name}{default}")
        previous = kind
    if previous is _KINDS.POSITIONAL_ONLY:
        words.append("/")
    return ", ".join(words)


def _passed_on(signature: inspect.Signature) -> str:
    forms = {
        _KINDS.POSITIONAL_ONLY: "{0}",
        _KINDS.POSITIONAL_OR_KEYWORD: "{0}",
        _KINDS.VAR_POSITIONAL: "*{0}",
        _KINDS.KEYWORD_ONLY: "{0}={0}",
        _KINDS.VAR_KEYWORD: "**{0}",
    }
    return ", ".join(forms[parameter.kind].format(parameter.name) for parameter in signature.parameters.values())
