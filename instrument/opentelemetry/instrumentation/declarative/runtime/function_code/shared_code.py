"""Puts code in place of code that functions share: those that are made from it later get the new code as well.

A function that is defined within another one is made by each call of the outer function. What all of them have in
common is their code, which is a constant of the code of the outer function. Replaced there, it is the code of each
function that is made from then on. Functions that exist already are found among the objects of the process.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import bottom_of, original_codes

#: Makes the code of a layer, which makes a function from the code below and calls it.
MakeSharedCode = Callable[[types.CodeType], types.CodeType]
#: Codes, each with the one that replaces it, the outermost first.
_Changes = list[tuple[types.CodeType, types.CodeType]]

#: The attributes for the frames of suspended calls.
_FRAMES = {types.GeneratorType: "gi_frame", types.CoroutineType: "cr_frame", types.AsyncGeneratorType: "ag_frame"}
_CAN_BE_SUSPENDED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
Missed = Literal["frozen", "in progress"]


class SharedCodeLayer:
    """The code of one wrapper, in all functions that are made from a code object, which is a constant of another one.

    The constant is at the end of a path of constants that starts at the code of ``function``. Without a path, the code
    is only in this function, which is not kept alive.
    """

    __slots__ = ("_code", "_make", "missed")

    def __init__(
        self, function: types.FunctionType, constants: Sequence[int] | None, make_code: MakeSharedCode
    ) -> None:
        self._make = make_code
        with _shared.lock:
            self._code = _shared.find(function, constants)
            self._code.layers.append(self)
            *outer, _ = self._code.update()
        #: Which functions have the code from before: those that the garbage collector ignores, because they are frozen,
        #: or those that a call in progress will make. None if there are none.
        self.missed: Missed | None = None
        if constants is not None:
            is_running = _is_running([before for before, _ in outer])
            self.missed = "frozen" if _is_frozen(function) else "in progress" if is_running else None

    def make(self, below: types.CodeType) -> types.CodeType:
        return self._make(below)

    def replace(self, make_code: MakeSharedCode) -> None:
        """Replace the code of this layer."""
        with _shared.lock:
            self._make = make_code
            self._code.update()

    def remove(self) -> bool:
        """Take the code out of all functions. Return whether none has it any more, and none will."""
        with _shared.lock:
            self._code.layers.remove(self)
            *outer, _ = self._code.update()
        return self.missed is None and not _is_running([before for before, _ in outer])


class _SharedCode:
    """A code object of the program, what replaces it now, and the codes among its constants that are replaced."""

    def __init__(self, original: types.CodeType, parent: _SharedCode | None, *, is_shared: bool = True) -> None:
        self.original = self.current = original
        self.is_shared = is_shared
        self.layers: list[SharedCodeLayer] = []
        self._parent = parent
        self._constants: dict[int, _SharedCode] = {}
        #: The functions that are known to have the code. The garbage collector does not find those that are frozen.
        self.functions: weakref.WeakSet[types.FunctionType] = weakref.WeakSet()

    @property
    def root(self) -> _SharedCode:
        return self if self._parent is None else self._parent.root

    def constant(self, index: int) -> _SharedCode:
        if index not in self._constants:
            self._constants[index] = _SharedCode(self.original.co_consts[index], self)
        return self._constants[index]

    def update(self) -> _Changes:
        """Make the code again, and that of the functions around, and put it into all functions. Return the changes."""
        changes: _Changes = []
        each: _SharedCode | None = self
        while each is not None:
            before, each.current = each.current, each._made()
            changes.insert(0, (before, each.current))
            _shared.note(each, before)
            each = each._parent
        for function in list(self.root.functions):
            _replace(function, changes)
        if self.is_shared:
            # After the outer function: it makes no functions with the old code any more.
            _shared.replace_in_others(changes)
            _shared.put_below(changes)
        return changes

    def _made(self) -> types.CodeType:
        code = self.original
        changed = {index: each.current for index, each in self._constants.items() if each.current is not each.original}
        if changed:
            constants = (changed.get(index, constant) for index, constant in enumerate(code.co_consts))
            code = code.replace(co_consts=tuple(constants))
        for layer in self.layers:
            code = layer.make(code)
        return code


def _replace(function: types.FunctionType, changes: _Changes) -> None:
    holder = bottom_of(function)
    for before, after in changes:  # in the order in which they were made: one can follow another
        if holder.__code__ is before:
            holder.__code__ = after


def _is_frozen(function: types.FunctionType) -> bool:
    """Whether the garbage collector ignores a function, and perhaps those that it has made."""
    frozen = bool(gc.get_freeze_count())
    return frozen and not any(found is function for found in gc.get_referrers(function.__code__))


def _is_running(codes: list[types.CodeType]) -> bool:
    """Whether a call of one of these codes is in progress."""
    if not codes:
        return False
    for each in sys._current_frames().values():
        frame: types.FrameType | None = each
        while frame is not None:
            if any(frame.f_code is code for code in codes):
                return True
            frame = frame.f_back
    codes = [code for code in codes if code.co_flags & _CAN_BE_SUSPENDED]
    found = gc.get_referrers(*codes) if codes else []
    suspended = (getattr(each, _FRAMES[type(each)]) for each in found if type(each) in _FRAMES)
    return any(frame is not None and frame.f_code in codes for frame in suspended)


class _SharedCodes:
    """All codes that are replaced, by the ids of the code that replaces them and of the original."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._codes: dict[int, _SharedCode] = {}
        #: The changes of this thread for which other functions are searched at the end of a block.
        self._pending = threading.local()
        #: Those of only one function.
        self._of_function: weakref.WeakKeyDictionary[types.FunctionType, _SharedCode] = weakref.WeakKeyDictionary()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        self.lock = threading.RLock()

    def find(self, function: types.FunctionType, constants: Sequence[int] | None) -> _SharedCode:
        own, code = self._of_function.get(function), bottom_of(function).__code__
        if constants is None:
            if own is None:
                own = self._of_function[function] = _SharedCode(code, None, is_shared=False)
                own.functions.add(function)
            return own
        if own is not None:
            code = own.original
        found = self._codes.get(id(code)) or _SharedCode(code, None)
        found.functions.add(function)
        for index in constants:
            found = found.constant(index)
        return found

    def note(self, code: _SharedCode, before: types.CodeType) -> None:
        """Take note that what replaces a code has changed."""
        if before is not code.original:
            self._codes.pop(id(before), None)
            original_codes.discard(before)
        if code.current is code.original:
            self._codes.pop(id(code.original), None)
        else:
            original_codes.add(code.current, code.original)
            if code.is_shared:
                self._codes[id(code.original)] = self._codes[id(code.current)] = code

    def replace_in_others(self, changes: _Changes) -> None:
        """Replace codes in the functions that have them, which are found by a search of all objects."""
        pending: _Changes | None = getattr(self._pending, "changes", None)
        if pending is not None:
            pending += changes
            return
        for found in gc.get_referrers(*(before for before, _ in changes)):
            if type(found) is types.FunctionType:
                _replace(found, changes)

    @contextlib.contextmanager
    def one_search(self) -> Iterator[None]:
        changes: _Changes = []
        outer = getattr(self._pending, "changes", None)
        self._pending.changes = changes
        try:
            yield
        finally:
            self._pending.changes = outer
            if changes:
                with self.lock:
                    self.replace_in_others(changes)

    def put_below(self, changes: _Changes) -> None:
        """Replace codes below those that are only in one function."""
        for own in list(self._of_function.values()):
            for before, after in changes:
                if own.original is before:
                    own.original = after
                    own.update()
                    break


_shared = _SharedCodes()
#: A block in which several layers are added, replaced or removed, with one search for the functions at its end.
one_search = _shared.one_search
