"""When a report is written and where: at the end of a process and on a signal, to a file or standard error.

Nothing of this is seen by the program: a file is there whole or not at all, what cannot be written is said once on the
log, and a signal is taken only where nobody has.
"""

from __future__ import annotations

import _thread
import atexit
import itertools
import json
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from opentelemetry.instrumentation.declarative.config import environment
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.report.status import SpecStatus
from opentelemetry.instrumentation.declarative.report.text import Occasion, as_text
from opentelemetry.instrumentation.declarative.runtime.forks import close_at_child_exit, reset_in_children

_STANDARD_ERROR = ("-", "stderr")
_PID = "{pid}"
#: Processes of multiprocessing's own, in which nothing of the program runs.
_HELPERS = ("from multiprocessing.resource_tracker ", "from multiprocessing.forkserver ")

#: Seconds for which a report waits for one that is being written.
_PATIENCE = 5.0


class Report:
    """The report of this process and of those that are forked from it.

    ``status`` gives the state of each spec; ``asked`` names the signal on which it is written as well, or is ``none``.
    """

    def __init__(self, where: str, status: Callable[[], list[SpecStatus]], asked: str = "") -> None:
        self._asked_by = asked.strip().upper()
        self._status = status
        self._file = None if where in _STANDARD_ERROR else os.path.abspath(where)
        self._given = where
        self._pid = os.getpid()
        self._numbers = itertools.count()
        #: One report is written at a time, so that none is replaced by an older one; no handler takes this.
        self._writing = threading.Lock()
        #: Whether a thread is there that is to write a report on a signal, and has not begun.
        self._pending = False
        #: The process that has written its last report.
        self._ended = 0
        self._complained = False
        self._signal: signal.Signals | None = None
        self._child_ends = False

    def start(self) -> None:
        """From now on write when the process ends and when it is asked to."""
        if self._file is not None and not os.path.isdir(folder := os.path.dirname(self._file)):
            self._complain(f"there is no folder {folder}", "Make it, or name another.")
        reset_in_children(self)
        self._child_ends = close_at_child_exit(self, after_all=True)
        # What is registered first comes last: after the end of all spans that are open then.
        atexit.register(self.end)
        self._pass_on()
        self._listen()

    def stop(self) -> None:
        """Write what has come about, and never again."""
        atexit.unregister(self.end)
        self._write("at the end of instrument")
        if os.environ.get(environment.OTEL_PYTHON_DECLARATIVE_REPORT) == self._for_others():
            os.environ[environment.OTEL_PYTHON_DECLARATIVE_REPORT] = self._given
        if self._signal is not None and _in_main_thread() and signal.getsignal(self._signal) == self._asked:
            signal.signal(self._signal, signal.SIG_DFL)

    def end(self) -> None:
        """The process is about to end."""
        if os.getpid() == self._pid and any(word.startswith(_HELPERS) for word in sys.orig_argv):
            return
        if self._file is None and self._ended == os.getpid():
            return
        self._write("at its end", last=True)

    def reset_after_fork(self) -> None:
        """In a child process, which ends in a way of its own if it is one of multiprocessing's; its lock is free."""
        self._writing = threading.Lock()
        self._pending = False
        self._child_ends = self._child_ends or close_at_child_exit(self, after_all=True)

    def close_child(self) -> None:
        """A child process is about to end without ``atexit``."""
        self.end()

    # ── Where ──

    def _for_others(self) -> str:
        """The setting for processes that this one starts: they are not to write over its report, nor each other's."""
        return self._given if self._file is None else _with_pid(self._file)

    def _pass_on(self) -> None:
        if os.environ.get(environment.OTEL_PYTHON_DECLARATIVE_REPORT, "").strip() == self._given:
            os.environ[environment.OTEL_PYTHON_DECLARATIVE_REPORT] = self._for_others()

    def _place(self) -> str:
        assert self._file is not None
        pid = os.getpid()
        return (self._file if pid == self._pid else _with_pid(self._file)).replace(_PID, str(pid))

    # ── On a signal ──

    def _listen(self) -> None:
        given = self._asked_by
        if given == "NONE" or (given in ("", "SIGUSR1") and not hasattr(signal, "SIGUSR1")):
            return
        name = given if given.startswith("SIG") else f"SIG{given or 'USR1'}"
        number = getattr(signal, name, None)
        if not isinstance(number, signal.Signals):
            self._deaf(given, "there is no such signal here")
        elif not _in_main_thread():
            self._deaf(name, "only the main thread can take a signal, and instrument was started in another")
        elif signal.getsignal(number) != signal.SIG_DFL:
            self._deaf(name, "the program has a handler for it, which is left alone")
        else:
            try:
                signal.signal(number, self._asked)
                self._signal = number
            except (OSError, ValueError) as error:
                self._deaf(name, str(error))

    def _deaf(self, name: str, why: str) -> None:
        logger.warning(
            "no report is written on the signal %s: %s. Name another with %s, or none.",
            name,
            why,
            environment.OTEL_PYTHON_DECLARATIVE_REPORT_SIGNAL,
        )

    def _asked(self, number: int, _frame: Any) -> None:
        """The handler: it takes no lock, for the program may be in the middle of anything."""
        if self._pending:
            return
        self._pending = True
        try:
            # Not `threading.Thread`, whose start takes locks that what is interrupted may hold.
            _thread.start_new_thread(self._write, (f"on {signal.Signals(number).name}",))
        except Exception:
            self._pending = False  # There is no thread to be had: the report at the end is still to come.

    # ── Writing ──

    def _write(self, why: str, last: bool = False) -> None:
        held = self._writing.acquire(timeout=_PATIENCE)
        try:
            if why.startswith("on "):
                self._pending = False
                if self._ended == os.getpid():
                    return
            if last:
                self._ended = os.getpid()
            self._written(why)
        finally:
            if held:
                self._writing.release()

    def _written(self, why: str) -> None:
        try:
            occasion = Occasion(_program(), os.getpid(), why, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
            specs = self._status()
            if self._file is None:
                _to_standard_error(as_text(occasion, specs))
                return
            place = self._place()
            text = as_json(occasion, specs) if place.endswith(".json") else as_text(occasion, specs)
            _to_file(place, text, f"{os.getpid()}.{next(self._numbers)}")
        except OSError as error:
            self._complain(error.strerror or str(error), "Name a file that can be written.")
        except Exception:
            logger.exception("the report could not be written. The program runs on.")

    def _complain(self, why: str, mend: str) -> None:
        if not self._complained:
            self._complained = True
            logger.warning("the report cannot be written to %s: %s. %s", self._given, why, mend)


def as_json(occasion: Occasion, specs: list[SpecStatus]) -> str:
    """The report as JSON; ``instrument_report`` is the version of its shape."""
    found = {"instrument_report": 1, **asdict(occasion), "specs": [asdict(spec) for spec in specs]}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _with_pid(file: str) -> str:
    """A file's name with the process's id in it, before its ending, if it has none."""
    if _PID in file:
        return file
    root, ending = os.path.splitext(file)
    return f"{root}.{_PID}{ending}"


def _to_file(place: str, text: str, mark: str) -> None:
    """Whole or not at all. What is no regular file, as a terminal or a pipe, is written to and never replaced."""
    place = os.path.realpath(place)
    data = text.encode("utf-8", "backslashreplace")
    try:
        regular = stat.S_ISREG(os.stat(place).st_mode)
    except FileNotFoundError:
        regular = True
    if not regular:
        # A pipe that nobody reads is an error then, and not the end of the program's progress.
        descriptor = os.open(place, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "wb") as stream:
            stream.write(data)
        return
    beside = f"{place}.{mark}.tmp"
    try:
        with open(beside, "xb") as stream:
            stream.write(data)
        os.replace(beside, place)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise


def _to_standard_error(text: str) -> None:
    stream = sys.stderr
    if stream is not None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()


def _program() -> str:
    given = sys.argv[:1] if isinstance(sys.argv, list) else []
    return os.path.basename(str(given[0])) if given and given[0] else "python"


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
