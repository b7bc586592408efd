"""Reads how a callable is called: its kind, its parameters, and the source that passes them on unchanged."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

CallKind = Literal["function", "coroutine", "generator", "asynchronous generator"]

#: How a generated wrapper gets its arguments. *direct*: it has the signature of the original. *bound*: the same, but
#: that signature (such as `*args, **kwargs`) stands for another one, according to `functools.wraps` or `__signature__`.
#: That one is bound at each call, and its names are those that a spec can read. *foreign*: the original is not a Python
#: function; a wrapt proxy calls the wrapper with (wrapped, instance, args, kwargs).
Mode = Literal["direct", "bound", "foreign"]

_KINDS = inspect.Parameter


@dataclass(frozen=True, slots=True)
class Signature:
    """How a callable is called. ``parameters`` are the names that a spec can read.

    ``header`` is the source of its own parameters, and ``own`` has their names. ``passed_on`` is the source of the
    arguments for the original, ``given`` that of the positional and keyword arguments that ``named`` is bound with.
    """

    kind: CallKind
    mode: Mode
    parameters: tuple[str, ...]
    var_positional: str | None
    own: tuple[str, ...]
    header: str
    passed_on: str
    given: str
    named: inspect.Signature | None

    def __str__(self) -> str:
        return f"({', '.join(self.parameters)})"

    @property
    def forwarded(self) -> str:
        """The source of the arguments for another wrapper of the same callable."""
        return ", ".join(self.own) if self.mode == "foreign" else self.passed_on


def read_signature(original: Any) -> Signature:
    """Read the signature of the raw callable that its owner holds: not a bound, static or class method."""
    named = _named(original)
    if type(original) is not types.FunctionType:  # the proxy of another tool may claim to be a function
        return _foreign(original, named)
    own = inspect.signature(_bare(original))
    bound = named is not None and list(named.parameters) != list(own.parameters)
    shown = named if bound else own
    return Signature(
        _kind(original.__code__.co_flags),
        "bound" if bound else "direct",
        *_names(shown),
        tuple(own.parameters),
        _header(own),
        _passed_on(own),
        _given(own),
        shown,
    )


def _foreign(original: Any, named: inspect.Signature | None) -> Signature:
    own = ("wrapped", "instance", "args", "kwargs")
    return Signature(
        _foreign_kind(original),
        "foreign",
        *_names(named),
        own,
        ", ".join(own),
        "*args, **kwargs",
        "args, kwargs",
        named,
    )


def bind(signature: inspect.Signature, wanted: tuple[str, ...]) -> Callable[..., tuple[Any, ...]]:
    """Return a function that gives the values of these parameters in a call, with defaults; None if one is missing."""

    def values(args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None) -> tuple[Any, ...]:
        bound = signature.bind_partial(*(args if instance is None else (instance, *args)), **kwargs)
        bound.apply_defaults()
        return tuple(bound.arguments.get(name) for name in wanted)

    return values


def _named(original: Any) -> inspect.Signature | None:
    if not callable(original):  # `functools.partialmethod` and the like: the object that they return is
        original = original.__get__(None, object)
    try:
        return inspect.signature(original)
    except (ValueError, TypeError):
        return None


def _bare(original: types.FunctionType) -> types.FunctionType:
    """The function without `__wrapped__` and `__signature__`, which are the signature of another function."""
    code, defaults = original.__code__, original.__defaults__
    bare = types.FunctionType(code, original.__globals__, code.co_name, defaults, original.__closure__)
    bare.__kwdefaults__ = original.__kwdefaults__
    return bare


def _foreign_kind(original: Any) -> CallKind:
    """The kind of a callable that is not a Python function: that of the function in it, or of its `__call__`."""
    while isinstance(original, (functools.partial, functools.partialmethod, staticmethod, classmethod)):
        original = original.func if hasattr(original, "func") else original.__func__
    for candidate in (original, inspect.getattr_static(type(original), "__call__", None)):
        if inspect.iscoroutinefunction(candidate):
            return "coroutine"
        if inspect.isasyncgenfunction(candidate):
            return "asynchronous generator"
        if inspect.isgeneratorfunction(candidate):
            return "generator"
    return "function"


def _kind(flags: int) -> CallKind:
    if flags & inspect.CO_COROUTINE:
        return "coroutine"
    if flags & inspect.CO_ASYNC_GENERATOR:
        return "asynchronous generator"
    return "generator" if flags & inspect.CO_GENERATOR else "function"


def _names(signature: inspect.Signature | None) -> tuple[tuple[str, ...], str | None]:
    """The names of the parameters, and of `*args` if it is one of them."""
    parameters = signature.parameters.values() if signature else ()
    star = next((parameter.name for parameter in parameters if parameter.kind is _KINDS.VAR_POSITIONAL), None)
    return tuple(parameter.name for parameter in parameters), star


def _header(signature: inspect.Signature) -> str:
    """The source of the parameters. Defaults are written as `...`; the function gets the real ones afterwards."""
    parts: list[str] = []
    previous = None
    for parameter in signature.parameters.values():
        kind = parameter.kind
        if previous is _KINDS.POSITIONAL_ONLY and kind is not _KINDS.POSITIONAL_ONLY:
            parts.append("/")
        if kind is _KINDS.KEYWORD_ONLY and previous not in (_KINDS.KEYWORD_ONLY, _KINDS.VAR_POSITIONAL):
            parts.append("*")
        star = "*" if kind is _KINDS.VAR_POSITIONAL else "**" if kind is _KINDS.VAR_KEYWORD else ""
        default = "" if parameter.default is _KINDS.empty else "=..."
        parts.append(f"{star}{parameter.name}{default}")
        previous = kind
    if previous is _KINDS.POSITIONAL_ONLY:
        parts.append("/")
    return ", ".join(parts)


def _passed_on(signature: inspect.Signature) -> str:
    forms = {
        _KINDS.POSITIONAL_ONLY: "{0}",
        _KINDS.POSITIONAL_OR_KEYWORD: "{0}",
        _KINDS.VAR_POSITIONAL: "*{0}",
        _KINDS.KEYWORD_ONLY: "{0}={0}",
        _KINDS.VAR_KEYWORD: "**{0}",
    }
    return ", ".join(forms[parameter.kind].format(parameter.name) for parameter in signature.parameters.values())


def _given(signature: inspect.Signature) -> str:
    """The arguments of a call of this signature, as the source of a tuple and a dict."""
    positional, named = [], []
    for name, parameter in signature.parameters.items():
        if parameter.kind is _KINDS.KEYWORD_ONLY:
            named.append(f"{name!r}: {name}")
        elif parameter.kind is _KINDS.VAR_KEYWORD:
            named.append(f"**{name}")
        else:
            positional.append(f"*{name}" if parameter.kind is _KINDS.VAR_POSITIONAL else name)
    args = f"({''.join(f'{name}, ' for name in positional).strip()})"
    if len(positional) == 1 and positional[0].startswith("*"):
        args = positional[0][1:]
    kwargs = named[0][2:] if len(named) == 1 and named[0].startswith("**") else f"{{{', '.join(named)}}}"
    return f"{args}, {kwargs}"
