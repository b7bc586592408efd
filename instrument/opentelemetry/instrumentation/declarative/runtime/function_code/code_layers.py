"""Putting code into a function in place of its own, and taking it out again.

The function stays the same object, so everybody who holds it calls the new code. Several specs, and other tools, can
put code into one function: each puts its code on top of what is there, as a layer that calls a copy of the function
with the code below.
"""

from __future__ import annotations

import gc
import threading
import types
import weakref
from collections.abc import Callable

from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children

#: Makes the code of a layer for a function, and for the copy of the function that has the code below.
MakeCode = Callable[[types.FunctionType, types.FunctionType], types.CodeType]
Closure = tuple[types.CellType, ...]


class CodeLayer:
    """The code of one wrapper in a function. ``original`` is a copy of the function that has the code below it.

    ``is_outermost``: the layer stays on top of later layers that are not.
    """

    __slots__ = ("code", "function", "is_outermost", "original")

    def __init__(
        self,
        function: types.FunctionType,
        make_code: MakeCode,
        *,
        closure: Closure | None = None,
        is_outermost: bool = False,
    ) -> None:
        """Put code into a function, on top of what is there. With ``closure``, the original has another closure."""
        self.function, self.is_outermost = function, is_outermost
        with _stacks.lock:
            stack = _stacks.of.get(function, [])
            above = len(stack)
            while above and stack[above - 1].is_outermost and not is_outermost:
                above -= 1
            holder: types.FunctionType = stack[above].original if above < len(stack) else function
            self.original: types.FunctionType = copy_function(holder, closure)
            self.code: types.CodeType = make_code(function, self.original)
            holder.__code__ = self.code
            _stacks.of.setdefault(function, []).insert(above, self)

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

    @property
    def is_overwritten(self) -> bool:
        """Whether the function has code that does not run the layers.

        Code that another tool has put on top of them calls a function that has their code, or is a variant of it.
        """
        code = self.function.__code__
        with _stacks.lock:
            stack = _stacks.of.get(self.function)
            if stack is None or code is stack[-1].code:
                return False
            codes = {id(layer.code) for each in _stacks.of.values() for layer in each}
        if id(code) in codes or any(each is stack[-1].original for each in code.co_consts):
            return False
        return not any(type(each) is types.FunctionType for each in gc.get_referrers(stack[-1].code))

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


def is_instrumented(function: types.FunctionType) -> bool:
    """Whether a function has layers."""
    return function in _stacks.of


def uninstrumented(function: types.FunctionType) -> types.FunctionType:
    """Return a function that has the code which a function had before any layer: the function itself, or a copy."""
    bottom = bottom_of(function)
    code = original_codes.of(bottom.__code__)
    if code is bottom.__code__:
        return bottom
    copy = copy_function(bottom)
    copy.__code__ = code
    return copy


class _OriginalCodes:
    """The codes that others have replaced in all functions with them, by the id of the code that replaces them."""

    def __init__(self) -> None:
        self._codes: dict[int, tuple[weakref.ref[types.CodeType], types.CodeType]] = {}

    def of(self, code: types.CodeType) -> types.CodeType:
        while (found := self._codes.get(id(code))) is not None:
            code = found[1]
        return code

    def add(self, code: types.CodeType, original: types.CodeType) -> None:
        key = id(code)
        self._codes[key] = weakref.ref(code, lambda _: self._codes.pop(key, None)), original

    def discard(self, code: types.CodeType) -> None:
        self._codes.pop(id(code), None)


original_codes = _OriginalCodes()


def bottom_of(function: types.FunctionType) -> types.FunctionType:
    """Return what has the code below all layers of a function: the function itself, or a copy."""
    stack = _stacks.of.get(function)
    return stack[0].original if stack else function


def copy_function(function: types.FunctionType, closure: Closure | None = None) -> types.FunctionType:
    """Return another function with the same code, defaults and closure, unless another closure is given."""
    code, globals_ = function.__code__, function.__globals__
    closure = function.__closure__ if closure is None else closure
    copy = types.FunctionType(code, globals_, function.__name__, function.__defaults__, closure)
    copy.__kwdefaults__, copy.__qualname__ = function.__kwdefaults__, function.__qualname__
    copy.__module__ = function.__module__
    return copy
