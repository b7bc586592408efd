"""Tells calls that our own reading causes from calls of the application, so that no rule applies to the former.

An expression may read a property, and converting or comparing values may run methods of the application. While the
lines of a rule run, the wrapper has a local that says so, and ``readings`` is not empty. The list is only a hint, which
costs a wrapper next to nothing to check: other threads use it, too. If it is not empty, the frames below the call tell
whether the call comes from the lines of a rule. That is exact for threads, tasks and greenlets.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

#: The local of generated functions that is true while the lines of a rule run, and this text while one of them sets a
#: field of the application.
READING = "instrument_is_reading"
WRITING = "writing"


#: One item for each rule whose lines are running, in all threads. A plain list, as its methods are the fastest.
readings: list[None] = []


def is_own_reading() -> bool:
    """Whether the call of the generated function that asks comes, at any depth, from the lines of a rule."""
    frame = sys._getframe(1).f_back
    while frame is not None:
        if READING in frame.f_code.co_varnames and frame.f_locals.get(READING):
            return True
        frame = frame.f_back
    return False


class NotLoaded(AttributeError):
    """A value is missing because reading it would load it, for example from a database."""


def refusing(load: Callable[..., Any], title: str) -> Callable[..., Any]:
    """Return a function that loads as before, except for what an expression reads: it raises NotLoaded then.

    A field that a rule sets may need its old value. What the SDK does when a span starts or ends is not an expression:
    an exporter may use the same library.
    """

    def load_if_application(*args: Any, **kwargs: Any) -> Any:
        if readings and _is_expression_read():
            raise NotLoaded(f"it is not loaded, and {title} would load it")
        return load(*args, **kwargs)

    # Its frame belongs to the module of the library: SQLAlchemy's warnings name the first frame that does not.
    own = {**globals(), "__name__": getattr(load, "__module__", __name__)}
    guard = types.FunctionType(load_if_application.__code__, own, closure=load_if_application.__closure__)
    return functools.update_wrapper(guard, load)


def _is_expression_read() -> bool:
    frame = sys._getframe(1).f_back
    while frame is not None:
        module = frame.f_globals.get("__name__")
        if type(module) is str and module.startswith("opentelemetry.sdk."):
            return False
        if READING in frame.f_code.co_varnames and (state := frame.f_locals.get(READING)):
            return bool(state != WRITING)
        frame = frame.f_back
    return False
