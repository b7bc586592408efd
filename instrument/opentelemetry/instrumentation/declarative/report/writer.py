"""Writes the report: at the end of a process and on a signal, to a file or standard error.

The program is not affected: a file is replaced atomically, an error is logged once, and a signal is used only if
it has no handler.
"""

from __future__ import annotations

import _thread
import atexit
import itertools
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.instrumentation.declarative.config import environment
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.report.json_format import as_json
from opentelemetry.instrumentation.declarative.report.status import Occasion, SpecStatus
from opentelemetry.instrumentation.declarative.report.text_format import as_text
from opentelemetry.instrumentation.declarative.runtime.context.own_reading import REFUSALS
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.instrumentation.declarative.runtime.lifecycle.abrupt_exits import (
    Stage,
    before_abrupt_exit,
    cancel_before_abrupt_exit,
)

_STANDARD_ERROR = ("-", "stderr")
_PID = "{pid}"
#: The command lines of helper processes of multiprocessing, which do not run the program.
_HELPERS = ("from multiprocessing.resource_tracker ", "from multiprocessing.forkserver ")

#: How many seconds a report waits for another one that is being written.
_TIMEOUT = 5.0


class Report:
    """The report of this process, and of processes forked from it.

    ``destination`` is a file, or ``stderr`` or ``-``. ``status`` returns the state of each spec. ``signal_name`` is the
    signal on which a report is also written: its name, ``none``, or empty for the default.
    """

    def __init__(self, destination: str, status: Callable[[], list[SpecStatus]], signal_name: str = "") -> None:
        self._signal_name = signal_name.strip().upper()
        self._status = status
        self._file = None if destination in _STANDARD_ERROR else os.path.abspath(destination)
        self._destination = destination
        self._pid = os.getpid()
        self._numbers = itertools.count()
        #: Serializes writing, so that no report is replaced by an older one. A signal handler never acquires it.
        self._writing = threading.Lock()
        #: Whether a thread has been started to write a report on a signal, but has not begun.
        self._pending = False
        #: The id of the process that has written its last report.
        self._finished_pid = 0
        self._has_logged_error = False
        self._signal: signal.Signals | None = None

    def start(self) -> None:
        """Write a report when the process ends and on the signal."""
        if self._file is not None and not os.path.isdir(folder := os.path.dirname(self._file)):
            self._log_error(f"there is no folder {folder}", "Create it, or use another.")
        reset_in_children(self)
        before_abrupt_exit(Stage.REPORT, self.end)
        # Registered first, so it runs last: after all open spans have ended.
        atexit.register(self.end)
        self._configure_subprocesses()
        self._handle_signal()

    def stop(self) -> None:
        """Write a last report, and no more."""
        atexit.unregister(self.end)
        cancel_before_abrupt_exit(self.end)
        self._write("after uninstrument()")
        if os.environ.get(environment.OTEL_PYTHON_DECLARATIVE_REPORT) == self._destination_of_subprocesses():
            os.environ[environment.OTEL_PYTHON_DECLARATIVE_REPORT] = self._destination
        if self._signal is not None and _in_main_thread() and signal.getsignal(self._signal) == self._on_signal:
            signal.signal(self._signal, signal.SIG_DFL)

    def end(self) -> None:
        """Write the last report of a process that is about to end."""
        if os.getpid() == self._pid and any(word.startswith(_HELPERS) for word in sys.orig_argv):
            return
        if self._file is None and self._finished_pid == os.getpid():
            return
        self._write("at exit", last=True)

    def reset_after_fork(self) -> None:
        """Prepare a child process: the lock is free."""
        self._writing = threading.Lock()
        self._pending = False

    # ── The destination ──

    def _destination_of_subprocesses(self) -> str:
        """The setting for processes that this one starts, so that no process overwrites the report of another."""
        return self._destination if self._file is None else _with_pid(self._file)

    def _configure_subprocesses(self) -> None:
        if os.environ.get(environment.OTEL_PYTHON_DECLARATIVE_REPORT, "").strip() == self._destination:
            os.environ[environment.OTEL_PYTHON_DECLARATIVE_REPORT] = self._destination_of_subprocesses()

    def _path(self) -> str:
        assert self._file is not None
        pid = os.getpid()
        return (self._file if pid == self._pid else _with_pid(self._file)).replace(_PID, str(pid))

    # ── The signal ──

    def _handle_signal(self) -> None:
        wanted = self._signal_name
        if wanted == "NONE" or (wanted in ("", "SIGUSR1") and not hasattr(signal, "SIGUSR1")):
            return
        name = wanted if wanted.startswith("SIG") else f"SIG{wanted or 'USR1'}"
        number = getattr(signal, name, None)
        if not isinstance(number, signal.Signals):
            self._log_no_signal(wanted, "there is no such signal on this platform")
        elif not _in_main_thread():
            self._log_no_signal(
                name, "only the main thread can handle signals, and instrumentation was started in another"
            )
        elif signal.getsignal(number) != signal.SIG_DFL:
            self._log_no_signal(name, "the program handles it")
        else:
            try:
                signal.signal(number, self._on_signal)
                self._signal = number
            except (OSError, ValueError) as error:
                self._log_no_signal(name, str(error))

    def _log_no_signal(self, name: str, why: str) -> None:
        logger.warning(
            "no report is written on the signal %s: %s. Set %s to another signal, or to none.",
            name,
            why,
            environment.OTEL_PYTHON_DECLARATIVE_REPORT_SIGNAL,
        )

    def _on_signal(self, number: int, _frame: Any) -> None:
        """The handler. It takes no lock, because it interrupts the program at any point."""
        if self._pending:
            return
        self._pending = True
        try:
            # Not `threading.Thread`: its start takes locks that the interrupted code may hold.
            _thread.start_new_thread(self._write_on_signal, (signal.Signals(number).name,))
        except Exception:
            self._pending = False  # no thread can be started; the report at exit is still written

    # ── Writing ──

    def _write(self, why: str, last: bool = False) -> None:
        with self._only_writer():
            if last:
                self._finished_pid = os.getpid()
            self._write_now(why)

    def _write_on_signal(self, name: str) -> None:
        with self._only_writer():
            self._pending = False
            if self._finished_pid != os.getpid():
                self._write_now(f"on {name}")

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        """Wait, for a limited time, until no other report is being written."""
        acquired = self._writing.acquire(timeout=_TIMEOUT)
        try:
            yield
        finally:
            if acquired:
                self._writing.release()

    def _write_now(self, why: str) -> None:
        try:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            occasion = Occasion(_program(), os.getpid(), why, now, REFUSALS.numbers())
            specs = self._status()
            if self._file is None:
                _write_to_standard_error(as_text(occasion, specs))
                return
            path = self._path()
            text = as_json(occasion, specs) if path.endswith(".json") else as_text(occasion, specs)
            _write_file(path, text, f"{os.getpid()}.{next(self._numbers)}")
        except OSError as error:
            self._log_error(error.strerror or str(error), "Use a file that can be written.")
        except Exception:
            logger.exception("the report could not be written. The program is not affected.")

    def _log_error(self, why: str, help: str) -> None:
        if not self._has_logged_error:
            self._has_logged_error = True
            logger.warning("the report cannot be written to %s: %s. %s", self._destination, why, help)


def _with_pid(file: str) -> str:
    """The file with a placeholder for the process id before its extension, if it has none."""
    if _PID in file:
        return file
    root, extension = os.path.splitext(file)
    return f"{root}.{_PID}{extension}"


def _write_file(path: str, text: str, suffix: str) -> None:
    """Replace a file atomically. A terminal, a pipe or another special file is written to instead."""
    path = os.path.realpath(path)
    data = text.encode("utf-8", "backslashreplace")
    try:
        is_regular = stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        is_regular = True
    if not is_regular:
        # Without a reader, a pipe is then an error, and does not block the program.
        descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "wb") as stream:
            stream.write(data)
        return
    temporary = f"{path}.{suffix}.tmp"
    try:
        with open(temporary, "xb") as stream:
            stream.write(data)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def _write_to_standard_error(text: str) -> None:
    stream = sys.stderr
    if stream is not None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()


def _program() -> str:
    first = sys.argv[:1] if isinstance(sys.argv, list) else []
    return os.path.basename(str(first[0])) if first and first[0] else "python"


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
