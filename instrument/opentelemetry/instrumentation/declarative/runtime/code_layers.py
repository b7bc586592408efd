"""Putting code into a function in place of its own, and taking it out again.

The function stays the same object, so everybody who holds it calls the new code. Several specs, and other tools, can
put code into one function: each puts its code on top of what is there, as a layer that calls a copy of the function
with the code below.
"""

from __future__ import annotations

import threading
import types
from collections.abc import Callable

from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children

#: Makes the code of a layer for a function, and for the copy of the function that has the code below.
MakeCode = Callable[[types.FunctionType, types.FunctionType], types.CodeType]


class CodeLayer:
    """The code of one wrapper in a function. ``original`` is a copy of the function that has the code below it."""

    __slots__ = ("code", "function", "original")

    def __init__(self, function: types.FunctionType, make_code: MakeCode) -> None:
        """Put code into a function, on top of what is there."""
        self.function = function
        with _stacks.lock:
            self.original = copy_function(function)
            self.code = make_code(function, self.original)
            function.__code__ = self.code
            _stacks.of.setdefault(function, []).append(self)

    def replace(self, make_code: MakeCode) -> bool:
        """Replace the code of this layer. Return False if another tool has put its own code on top."""
        with _stacks.lock:
            holder = self._holder()
            if holder is None:
                return False
            self.code = holder.__code__ = make_code(self.function, self.original)
        return True

    def remove(self) -> bool:
        """Take the code out: the function has the code below again. Return False if another tool's code is on top."""
        with _stacks.lock:
            holder = self._holder()
            if holder is None:
                return False
            holder.__code__ = self.original.__code__
            stack = _stacks.of[self.function]
            stack.remove(self)
            if not stack:
                del _stacks.of[self.function]
        return True

    def _holder(self) -> types.FunctionType | None:
        """The function that has this layer's code: that of the layer above, or the instrumented function itself."""
        stack = _stacks.of[self.function]
        above = stack.index(self) + 1
        holder = stack[above].original if above < len(stack) else self.function
        return holder if holder.__code__ is self.code else None


class _Stacks:
    """The layers of each instrumented function, from the bottom to the top."""

    def __init__(self) -> None:
        self.of: dict[types.FunctionType, list[CodeLayer]] = {}
        self.lock = threading.RLock()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        self.lock = threading.RLock()


_stacks = _Stacks()


def uninstrumented(function: types.FunctionType) -> types.FunctionType:
    """Return a function that has the code which a function had before any layer: the function itself, or a copy."""
    stack = _stacks.of.get(function)
    return stack[0].original if stack else function


def copy_function(function: types.FunctionType) -> types.FunctionType:
    """Return another function with the same code, defaults and closure."""
    code, globals_ = function.__code__, function.__globals__
    copy = types.FunctionType(code, globals_, function.__name__, function.__defaults__, function.__closure__)
    copy.__kwdefaults__, copy.__qualname__ = function.__kwdefaults__, function.__qualname__
    copy.__module__ = function.__module__
    return copy
