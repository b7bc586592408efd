"""Distinguishes the calls that our own reading causes from those of the program, so that no rule applies to them.

An expression may read a property, and converting or comparing values may run methods of the program. While the
lines of a rule run, the wrapper has a local that says so, and ``readings`` is not empty. The list is only a hint, which
costs a wrapper next to nothing to check: other threads use it, too. If it is not empty, the frames below the call tell
whether the call comes from the lines of a rule. That is exact for threads, tasks and greenlets.
"""

from __future__ import annotations

import functools
import sys
import types
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from opentelemetry.instrumentation.declarative.runtime.counters import Counter
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children

#: The local of generated functions that is true while the lines of a rule run, and this text while one of them sets a
#: field of the program.
READING = "instrument_is_reading"
WRITING = "writing"


#: One item for each rule whose lines are running, in all threads. A list would release its memory with its last item.
readings: deque[None] = deque()
#: Generated code calls these as they are, which is quicker than looking them up.
begin_reading, end_reading = readings.append, readings.pop


def is_own_reading() -> bool:
    """Whether the call of the generated function that asks comes, at any depth, from the lines of a rule."""
    frame = sys._getframe(1).f_back
    while frame is not None:
        if READING in frame.f_code.co_varnames and frame.f_locals.get(READING):
            return True
        frame = frame.f_back
    return False


_F = TypeVar("_F", bound=Callable[..., Any])


def our_own(function: _F) -> _F:
    """Decorate a function that wrappers call outside the lines of a rule: no rule applies to what it calls."""

    @functools.wraps(function)
    def marked(*args: Any, **kwargs: Any) -> Any:
        readings.append(None)
        instrument_is_reading = True  # noqa: F841  # the local that READING names
        try:
            return function(*args, **kwargs)
        finally:
            readings.pop()

    return marked  # type: ignore[return-value]


class NotLoaded(AttributeError):
    """A value is missing because reading it would load it, for example from a database."""


#: Stands for a value that is not known.
UNKNOWN = object()


class Refusals:
    """How often expressions would have loaded data, by the package of the function that loads it."""

    def __init__(self) -> None:
        self.counters: dict[str, Counter] = {}
        reset_in_children(self)

    def counter(self, module: str) -> Counter:
        return self.counters.setdefault(module.partition(".")[0], Counter())

    def numbers(self) -> dict[str, int]:
        return {name: counter.value for name, counter in self.counters.items() if counter.value}

    def reset_after_fork(self) -> None:
        for counter in self.counters.values():
            counter.reset_after_fork()


REFUSALS = Refusals()


def refusing(load: Callable[..., Any], title: str) -> Callable[..., Any]:
    """Return a function that loads as before, except for what an expression reads: it raises NotLoaded then.

    A field that a rule sets may need its old value. What the SDK does when a span starts or ends is not an expression:
    an exporter may use the same library.
    """

    counter = REFUSALS.counter(title)

    def load_if_application(*args: Any, **kwargs: Any) -> Any:
        if readings and is_expression_read():
            counter.add()
            raise NotLoaded(f"it is not loaded, and {title} would load it")
        return load(*args, **kwargs)

    return _in_module_of(load, load_if_application)


def answering(get: Callable[..., Any], known: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gets a value as before, except for what an expression reads, if the value is known.

    ``known`` receives the same arguments. It returns UNKNOWN if the value has to be loaded.
    """

    def get_if_unknown(*args: Any, **kwargs: Any) -> Any:
        if readings and is_expression_read() and (found := known(*args, **kwargs)) is not UNKNOWN:
            return found
        return get(*args, **kwargs)

    return _in_module_of(get, get_if_unknown)


def _in_module_of(original: Callable[..., Any], guard: Any) -> Callable[..., Any]:
    """The guard as a function of the library: SQLAlchemy's warnings name the first frame that is not one of its own."""
    own = {**globals(), "__name__": getattr(original, "__module__", __name__)}
    moved = types.FunctionType(guard.__code__, own, closure=guard.__closure__)
    return functools.update_wrapper(moved, original)


def is_expression_read() -> bool:
    """Whether the function that calls the one that asks is called, at any depth, by an expression.

    Only worth asking if there are ``readings``.
    """
    frame = sys._getframe(1).f_back
    while frame is not None:
        module = frame.f_globals.get("__name__")
        if type(module) is str and module.startswith("opentelemetry.sdk."):
            return False
        if READING in frame.f_code.co_varnames and (state := frame.f_locals.get(READING)):
            return bool(state != WRITING)
        frame = frame.f_back
    return False
