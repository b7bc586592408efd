"""A generated function, and what becomes of it once it is done with its work."""

from __future__ import annotations

import linecache
import types
import weakref
from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.spec_model import Target


@dataclass(frozen=True, slots=True)
class CodeSwitch:
    """What becomes of a generated function that is done with its work, as long as anybody still holds and calls it."""

    function: weakref.ref[types.FunctionType]
    _passive: types.CodeType
    _forwarding: types.CodeType
    #: Whom calls are handed on to, in a cell that only the code for this reads.
    _successor: types.CellType

    def pass_through(self) -> None:
        """From the next call on do nothing but call the original; calls under way go on as they are."""
        if (function := self.function()) is not None:
            function.__code__ = self._passive

    def forward_to(self, successor: types.FunctionType) -> None:
        """From the next call on do nothing but call the function that has come in this one's place."""
        if (function := self.function()) is not None:
            self._successor.cell_contents = successor
            function.__code__ = self._forwarding


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A generated function: what replaces the original, its source, and what of the spec had to be left out.

    ``function`` is None where nothing of the plan could be kept. ``foreign`` says that it is to be called by a wrapt
    proxy with (wrapped, instance, args, kwargs). ``left_out``: what a hook on several callables has left out on this
    one, which is no mistake.
    """

    target: Target
    function: types.FunctionType | None
    source: str
    foreign: bool
    problems: tuple[Problem, ...]
    left_out: tuple[Problem, ...] = ()
    switch: CodeSwitch | None = None

    def pass_through(self) -> None:
        """From the next call on do nothing but call the original; calls under way go on as they are."""
        if self.switch is not None:
            self.switch.pass_through()
        if "".join(linecache.getlines(title_of(self.target))) == self.source:  # else it is another spec's
            linecache.cache.pop(title_of(self.target), None)


def title_of(target: Target) -> str:
    """What stands for a file's name in a traceback."""
    return f"<instrument {target}>"
