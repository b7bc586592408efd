"""Progress on standard error, if that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds between two updates.
_INTERVAL = 0.2


class Progress:
    """A line that is replaced. Call it as often as you like: it is written only if some time has passed."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._next = time.monotonic() + _INTERVAL
        self._width = 0

    def __call__(self, text: Callable[[], str]) -> None:
        if self._is_shown and time.monotonic() >= self._next:
            self._next = time.monotonic() + _INTERVAL
            line = text()
            print(f"\r{line:<{self._width}}", end="", file=sys.stderr, flush=True)
            self._width = len(line)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self.clear()
        print(text, file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._width:
            print(f"\r{'':<{self._width}}\r", end="", file=sys.stderr, flush=True)


@contextmanager
def progress() -> Iterator[Progress]:
    """A block with progress, which is cleared at its end."""
    shown = Progress()
    try:
        yield shown
    finally:
        shown.clear()
