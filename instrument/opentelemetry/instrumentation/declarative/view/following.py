"""Following a recording: a file that is being written, or an endpoint, shown again whenever spans have been added."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import IO, Protocol

from opentelemetry.instrumentation.declarative.view.formats.reading import Recording, read_line
from opentelemetry.instrumentation.declarative.view.report import Report

_INTERVAL = 0.5
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"


class Source(Protocol):
    """Something that spans are added to."""

    recording: Recording

    def poll(self) -> None:
        """Read what has been added."""


class FollowedFile:
    """A file of lines. It may be replaced by a new one, as AG2's ``spans.jsonl`` is, and need not exist yet."""

    def __init__(self, path: str) -> None:
        self.recording = Recording()
        self._path = path
        self._stream: IO[bytes] | None = None
        self._rest = b""

    def poll(self) -> None:
        """Read the lines that are complete, of the old file first if there is a new one."""
        self._read()
        if self._stream is None or self._is_replaced(self._stream):
            self.close()
            try:
                self._stream = open(self._path, "rb")  # noqa: SIM115
            except FileNotFoundError:
                return
            self._read()

    def _read(self) -> None:
        if self._stream is None:
            return
        *lines, self._rest = (self._rest + self._stream.read()).split(b"\n")
        for line in lines:
            read_line(line + b"\n", self.recording)

    def _is_replaced(self, stream: IO[bytes]) -> bool:
        try:
            return not os.path.samestat(os.stat(self._path), os.fstat(stream.fileno()))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream, self._rest = None, b""


def follow(source: Source, report: Callable[[Recording], Report], size: Callable[[], os.terminal_size]) -> None:
    """Show what is in a source whenever it has changed, until the user presses Ctrl-C."""
    shown: tuple[int, str | None, os.terminal_size] | None = None
    try:
        while True:
            source.poll()
            state = source.recording.size, source.recording.advice, size()
            if state != shown:
                shown = state
                advice = f"{state[1]}.\n" if state[1] else ""
                sys.stdout.write(_CLEAR + advice + "\n".join(screen(report(source.recording), state[2].lines)))
                sys.stdout.flush()
            time.sleep(_INTERVAL)
    except KeyboardInterrupt:
        sys.stdout.write("\n")


def screen(report: Report, height: int) -> Iterator[str]:
    """The part that fits on a screen: failures and open spans, and the latest of the story."""
    top = [*report.lines(("summary", "failures", "open"))][: height // 2]
    story = [*report.lines(("story",))]
    yield from top or ["no spans yet"]
    room = height - len(top) - 2
    if story and room > 0:
        yield ""
        yield from story[-room:]
