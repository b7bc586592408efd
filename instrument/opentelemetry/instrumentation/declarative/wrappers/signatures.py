"""Reads how a callable is called: its kind, its parameters, and the source that passes them on unchanged."""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any, Literal

from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.wrappers.binding import Binder, bare_signature, binder
from opentelemetry.instrumentation.declarative.wrappers.parameter_source import header_source

CallKind = Literal["function", "coroutine", "generator", "asynchronous generator"]

#: How a generated wrapper gets its arguments. *direct*: it has the signature of the original. *bound*: the same, but
#: that signature (such as `*args, **kwargs`) stands for another one, according to `functools.wraps` or `__signature__`.
#: That one is bound at each call, and its names are those that a spec can read. *foreign*: the original is not a Python
#: function; a wrapt proxy calls the wrapper with (wrapped, instance, args, kwargs).
Mode = Literal["direct", "bound", "foreign"]

_KINDS = inspect.Parameter


@record(frozen=True)
class Signature:
    """How a callable is called. ``parameters`` are the names that a spec can read.

    ``header`` is the source of its own parameters, and ``own`` has their names. ``passed_on`` is the source of the
    arguments for the original. ``named`` is the signature with the names, to which the arguments are bound if the
    mode is not *direct*.
    """

    kind: CallKind
    mode: Mode
    parameters: tuple[str, ...]
    var_positional: str | None
    own: tuple[str, ...]
    header: str
    passed_on: str
    named: inspect.Signature | None
    original: Any

    def __str__(self) -> str:
        return f"({', '.join(self.parameters)})"

    @property
    def bound_with(self) -> str:
        """The source of the arguments for the function that ``binder`` returns."""
        return "args, kwargs, instance" if self.mode == "foreign" else self.passed_on

    def binder(self, title: str) -> Binder:
        """Return a function that binds the arguments of a call to the parameters. ``title`` is for its messages."""
        assert self.named is not None
        bind = binder(self.original, self.named, title)
        if self.mode == "bound":
            return bind
        if _is_bound(self.original):  # its parameters are without the receiver
            return lambda args, kwargs, _: bind(*args, **kwargs)

        def values(args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any) -> tuple[Any, ...]:
            return bind(*args, **kwargs) if instance is None else bind(instance, *args, **kwargs)

        return values

    @property
    def forwarded(self) -> str:
        """The source of the arguments for another wrapper of the same callable."""
        return ", ".join(self.own) if self.mode == "foreign" else self.passed_on


def read_signature(original: Any) -> Signature:
    """Read the signature of the raw callable that its owner holds: not a bound, static or class method."""
    named = _named(original)
    if type(original) is not types.FunctionType:  # the proxy of another tool may claim to be a function
        return _foreign(original, named)
    own = bare_signature(original)
    bound = named is not None and list(named.parameters) != list(own.parameters)
    shown = named if bound else own
    return Signature(
        _kind(original.__code__.co_flags),
        "bound" if bound else "direct",
        *_names(shown),
        tuple(own.parameters),
        header_source(own.parameters.values()),
        _passed_on(own),
        shown,
        original,
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
        named,
        original,
    )


def _is_bound(original: Any) -> bool:
    """Whether a callable has its receiver already, as a method that a module has taken from an object."""
    try:
        return getattr(original, "__self__", None) is not None
    except Exception:  # raised by a property of another tool's object
        return False


def _named(original: Any) -> inspect.Signature | None:
    if not callable(original):  # `functools.partialmethod` and the like: the object that they return is
        original = original.__get__(None, object)
    try:
        return inspect.signature(original)
    except Exception:  # also what a property of another tool's object raises
        return None


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


def _passed_on(signature: inspect.Signature) -> str:
    forms = {
        _KINDS.POSITIONAL_ONLY: "{0}",
        _KINDS.POSITIONAL_OR_KEYWORD: "{0}",
        _KINDS.VAR_POSITIONAL: "*{0}",
        _KINDS.KEYWORD_ONLY: "{0}={0}",
        _KINDS.VAR_KEYWORD: "**{0}",
    }
    return ", ".join(forms[parameter.kind].format(parameter.name) for parameter in signature.parameters.values())
