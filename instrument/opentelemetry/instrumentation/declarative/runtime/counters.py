"""Counters that are exact even if threads, signal handlers and finalizers interleave.

Counting is a single step of an iterator implemented in C, and takes no lock that interrupted code could hold.
"""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark


class Counter:
    """Counts the calls of ``add``."""

    __slots__ = ("_before_reset", "_remaining", "add")

    def __init__(self) -> None:
        # An iterator that knows how many items it still has: they can be read without taking one.
        self._remaining = itertools.repeat(None, sys.maxsize)
        self._before_reset = 0
        self.add: Callable[[], None] = self._remaining.__next__

    @property
    def value(self) -> int:
        return sys.maxsize - operator.length_hint(self._remaining) - self._before_reset

    def reset_after_fork(self) -> None:
        """Start again from zero, in a child process. References to ``add`` stay valid."""
        self._before_reset += self.value


class ReadStats:
    """How often an attribute, link or parent had a value when a rule read it."""

    __slots__ = ("kind", "mark", "missing", "name", "present")

    def __init__(self, kind: str, name: str, mark: Mark) -> None:
        self.kind = kind
        self.name = name
        self.mark = mark
        self.present = Counter()
        self.missing = Counter()

    def note(self, value: Any) -> Any:
        """Count whether the value is missing, and return it."""
        (self.missing if value is None else self.present).add()
        return value
