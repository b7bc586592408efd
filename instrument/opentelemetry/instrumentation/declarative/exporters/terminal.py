"""Writes text to a terminal, a pipe or a file, without affecting the program."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import threading
from collections import deque
from typing import NamedTuple, TextIO

from opentelemetry.instrumentation.declarative.diagnostics.log import logger

DEFAULT_WIDTH = 110
#: Seconds for which the last write waits for one that is under way in another thread.
_TIMEOUT = 1.0

#: The first traced process, and its standard output, for the processes that it starts.
_FIRST = "_INSTRUMENT_STANDARD_OUTPUT"

_PLAIN = str.maketrans({"├": "+", "└": "`", "│": "|", "─": "-", "•": "*", "↪": "->", "→": "->", "…": "...", "·": "-"})


class Format(NamedTuple):
    """The format of a stream."""

    color: bool
    width: int


class Terminal:
    """A stream, by default what is standard output now: the program may redirect ``sys.stdout`` to capture its text.

    Each text is written at once, so that those of several processes do not mix. No thread waits for another one.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out if out is not None else sys.stdout
        self._is_default = out is None
        self._texts: deque[str] = deque()
        self._writing = threading.Lock()
        self._has_failed = False

    def reset_after_fork(self) -> None:
        """Drop what the parent process writes."""
        self._writing = threading.Lock()
        self._texts.clear()

    def before_fork(self) -> None:
        """Write what the stream has buffered, which a child would write again."""
        with contextlib.suppress(Exception):
            self._out.flush()

    @property
    def format(self) -> Format:
        """Whether the stream shows colours, and its width."""
        out = self._stream()
        try:
            is_terminal = out is not None and out.isatty()
        except ValueError:  # it is closed, which is reported when the text is written
            is_terminal = False
        if not is_terminal:
            return Format(False, DEFAULT_WIDTH)
        return Format(not os.environ.get("NO_COLOR"), shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns)

    def write(self, text: str, *, last: bool = False) -> None:
        """Write a text, or let the thread do it that writes another one, unless this is the ``last`` one."""
        if text:
            self._texts.append(text)
        while self._texts and self._writing.acquire(blocking=last, timeout=_TIMEOUT if last else -1):
            try:
                while self._texts:
                    self._write(self._texts.popleft())
            finally:
                self._writing.release()

    def _write(self, text: str) -> None:
        try:
            self._write_to(self._stream(), text)
        except (OSError, ValueError, RuntimeError) as error:  # a closed pipe or stream
            if not self._has_failed:
                self._has_failed = True
                reason = str(error).rstrip(".")
                logger.warning("traces cannot be printed: %s. Those that follow may be lost too.", reason)

    def _stream(self) -> TextIO | None:
        """The stream; standard output as it is now if the program has closed or detached the original one."""
        if self._is_default and self._out is not None:
            try:
                if not self._out.closed:
                    return self._out
            except ValueError:
                pass
            return sys.stdout
        return self._out

    def _write_to(self, out: TextIO | None, text: str) -> None:
        if out is None:
            return
        text = fit_encoding(text, out)
        descriptor = _descriptor(out)
        if descriptor is None:
            out.write(text)
            out.flush()
            return
        # Not through the buffer of the stream: a text that cannot be written would stay there, and fail at the exit.
        out.flush()
        data = text.encode(out.encoding, "replace")
        while data:
            data = data[os.write(descriptor, data) :]


def stream_of_process() -> TextIO | None:
    """Standard error if another traced process has started this one and reads its standard output; otherwise None.

    That output may be a protocol, such as that of a server of MCP.
    """
    try:
        status = os.fstat(1)
    except OSError:
        return None
    own = f"{status.st_dev}:{status.st_ino}"
    process, _, first = os.environ.setdefault(_FIRST, f"{os.getpid()} {own}").partition(" ")
    return None if first == own or process == str(os.getpid()) else sys.stderr


def _descriptor(out: TextIO) -> int | None:
    """The descriptor of a stream that writes to nothing else."""
    if type(out) is not io.TextIOWrapper or os.name != "posix":
        return None
    try:
        return out.fileno()
    except (OSError, ValueError):
        return None


def fit_encoding(text: str, out: TextIO) -> str:
    """Replace characters that the encoding of the stream does not have."""
    encoding = getattr(out, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text
