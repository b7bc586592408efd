"""Binds the arguments of a call to the parameters that a decorator hides, by generated functions.

`inspect.Signature.bind` takes several microseconds. Instead, each decorator is repeated without its effects: a function
with its parameters passes on what the decorator passes on, and the innermost one returns its parameters.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from opentelemetry.instrumentation.declarative.wrappers.forwarding import forwarded_arguments
from opentelemetry.instrumentation.declarative.wrappers.parameter_source import header_source

_PARAMETER = inspect.Parameter
_STARS: Mapping[Any, str] = {_PARAMETER.VAR_POSITIONAL: "*", _PARAMETER.VAR_KEYWORD: "**"}
_POSITIONAL = (_PARAMETER.POSITIONAL_ONLY, _PARAMETER.POSITIONAL_OR_KEYWORD)

#: Returns the values of the parameters, with defaults. None if one is missing.
Binder = Callable[..., tuple[Any, ...]]


def binder(original: Any, named: inspect.Signature, title: str) -> Binder:
    """Return a function that is called as ``original`` is and returns the values of all parameters of ``named``.

    It raises TypeError if the arguments do not fit, or could be bound in several ways. ``title`` is for its message.
    """
    wrappers = [*_wrappers(original)]
    forwarded = [forwarded_arguments(wrapper, wrapped) for wrapper, wrapped in wrappers]
    # Where the decorator's source says what is passed on, what is missing is known to come from the decorator.
    if all(arguments is not None for arguments in forwarded) and wrappers:
        bind = _values(named, title, is_strict=False)
    else:
        bind = _Shifted(named, title)
    for (wrapper, wrapped), arguments in zip(reversed(wrappers), reversed(forwarded), strict=True):
        bind = _repeated(wrapper, arguments or _unchanged(wrapper, wrapped, named), bind)
    return bind


class _Shifted:
    """Binds to a signature for which a decorator may provide the first arguments.

    Parameters that a call lacks are taken to be provided if the arguments fit the others in exactly one way.
    """

    def __init__(self, named: inspect.Signature, title: str) -> None:
        self._strict = _values(named, title, is_strict=True)
        self._named = named
        self._title = title
        #: The parameters that may be provided, and how to bind the others.
        self._variants: list[tuple[frozenset[str], Binder]] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        try:
            return self._strict(*args, **kwargs)
        except TypeError:
            return self._shifted(args, kwargs)

    def _shifted(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        if self._variants is None:
            self._variants = self._make_variants()
        found = []
        for provided, bind in self._variants:
            if provided.isdisjoint(kwargs):
                with suppress(TypeError):
                    found.append(bind(*args, **kwargs))
        if len(found) != 1:
            raise TypeError(f"the arguments of a call cannot be assigned to the parameters of {self._title}")
        return found[0]

    def _make_variants(self) -> list[tuple[frozenset[str], Binder]]:
        positional = [each.name for each in self._named.parameters.values() if each.kind in _POSITIONAL]
        first = 1 if positional[:1] in (["self"], ["cls"]) else 0
        counts = range(1, len(positional) - first + 1)
        provided = [frozenset(positional[first : first + count]) for count in counts]
        return [(each, _values(self._named, self._title, is_strict=True, provided=each)) for each in provided]


def _wrappers(original: Any) -> Iterator[tuple[types.FunctionType, Any]]:
    """The functions from the outermost decorator's to the one whose signature is shown, each with what it wraps."""
    seen = set[int]()
    while type(original) is types.FunctionType and id(original) not in seen:
        seen.add(id(original))
        wrapped = original.__dict__.get("__wrapped__")
        if wrapped is None or "__signature__" in original.__dict__:
            return
        yield original, wrapped
        original = wrapped


def bare_signature(function: types.FunctionType) -> inspect.Signature:
    """The signature of a function itself, without `__wrapped__` and `__signature__`, which are those of another."""
    code, defaults = function.__code__, function.__defaults__
    bare = types.FunctionType(code, function.__globals__, code.co_name, defaults, function.__closure__)
    bare.__kwdefaults__ = function.__kwdefaults__
    return inspect.signature(bare)


def _unchanged(wrapper: types.FunctionType, wrapped: Any, named: inspect.Signature) -> str:
    """All arguments of a function, except for keyword parameters of its own that the wrapped function lacks."""
    inner = bare_signature(wrapped) if type(wrapped) is types.FunctionType else named
    takes_any = any(each.kind is _PARAMETER.VAR_KEYWORD for each in inner.parameters.values())
    known = {*inner.parameters, *named.parameters} if takes_any else {*inner.parameters}
    parts = []
    for name, parameter in bare_signature(wrapper).parameters.items():
        if parameter.kind is not _PARAMETER.KEYWORD_ONLY:
            parts.append(f"{_STARS.get(parameter.kind, '')}{name}")
        elif name in known:
            parts.append(f"{name}={name}")
    return ", ".join(parts)


def _repeated(wrapper: types.FunctionType, arguments: str, inner: Binder) -> Binder:
    """A function with the parameters of a decorator's function, which calls ``inner`` with these arguments."""
    parameters = [*bare_signature(wrapper).parameters.values()]
    return _function(parameters, f"{_free('bind', parameters)}({arguments})", inner, wrapper.__qualname__)


def _values(named: inspect.Signature, title: str, *, is_strict: bool, provided: frozenset[str] = frozenset()) -> Binder:
    """A function that returns its parameters: those of a signature, and None for those that are ``provided``.

    Unless it is strict, no parameter is required. It ignores keyword arguments that the signature lacks: a decorator
    has used them.
    """
    parameters = [each for name, each in named.parameters.items() if name not in provided]
    if not is_strict:
        parameters = [
            each.replace(default=None) if each.default is each.empty and each.kind not in _STARS else each
            for each in parameters
        ]
    values = "".join(f"{'None' if name in provided else name}, " for name in named.parameters)
    if all(each.kind is not _PARAMETER.VAR_KEYWORD for each in parameters):
        parameters.append(_PARAMETER(_free("unused", parameters), _PARAMETER.VAR_KEYWORD))
    return _function(parameters, f"({values})", None, title)


def _free(wanted: str, parameters: Sequence[inspect.Parameter]) -> str:
    """A name that no parameter has."""
    taken = {each.name for each in parameters}
    while wanted in taken:
        wanted += "_"
    return wanted


def _function(parameters: Sequence[inspect.Parameter], value: str, inner: Binder | None, title: str) -> Binder:
    """A function with these parameters and their defaults that returns a value. ``title`` is for Python's messages."""
    bind = _free("bind", parameters)
    name = _free("values", parameters)
    lines = [f"def make({bind}):", f"    def {name}({header_source(parameters)}): return {value}", f"    return {name}"]
    namespace: dict[str, Any] = {}
    exec(compile("\n".join(lines), "<instrument binding>", "exec"), namespace)
    made: types.FunctionType = namespace["make"](inner)
    defaults = [each.default for each in parameters if each.kind in _POSITIONAL and each.default is not each.empty]
    made.__defaults__ = tuple(defaults) or None
    made.__kwdefaults__ = {
        each.name: each.default
        for each in parameters
        if each.kind is _PARAMETER.KEYWORD_ONLY and each.default is not each.empty
    } or None
    made.__qualname__ = title.partition("(")[0]
    return made
