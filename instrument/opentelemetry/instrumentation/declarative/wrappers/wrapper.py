"""A generated wrapper, and how its function becomes inactive."""

from __future__ import annotations

import types
import weakref
from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.spec_model import Target
from opentelemetry.instrumentation.declarative.wrappers.compilation import unregister_source


@dataclass(frozen=True, slots=True)
class CodeSwitch:
    """Replaces the code of a generated function once it is no longer needed, because the program may still hold it."""

    function: weakref.ref[types.FunctionType]
    _filename: str
    _passive: types.CodeType
    _forwarding: types.CodeType
    #: The cell in which the forwarding code finds its successor. No other code reads it.
    _successor: types.CellType

    def pass_through(self) -> None:
        """Only call the original, from the next call on. Calls in progress are not affected."""
        unregister_source(self._filename)
        if (function := self.function()) is not None:
            function.__code__ = self._passive

    def forward_to(self, successor: types.FunctionType) -> None:
        """Only call the function that has replaced this one, from the next call on."""
        unregister_source(self._filename)
        if (function := self.function()) is not None:
            self._successor.cell_contents = successor
            function.__code__ = self._forwarding


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A generated function that replaces a callable.

    ``function`` is None if nothing of the plan could be generated. ``foreign``: it has to be called by a wrapt proxy
    with (wrapped, instance, args, kwargs). ``left_out``: names that this callable lacks, used by a hook on several
    callables; they are not problems.
    """

    target: Target
    function: types.FunctionType | None
    source: str
    foreign: bool
    problems: tuple[Problem, ...]
    left_out: tuple[Problem, ...] = ()
    switch: CodeSwitch | None = None

    def pass_through(self) -> None:
        """Only call the original, from the next call on. Calls in progress are not affected."""
        if self.switch is not None:
            self.switch.pass_through()
