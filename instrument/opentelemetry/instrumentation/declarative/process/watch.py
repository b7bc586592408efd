"""Watches files by polling, and calls a function after one of them has changed.

Polling works on every file system, and for editors that replace a file instead of writing to it. Between two polls the
thread waits and costs nothing.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Mapping

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.language.text_file import FileStamp, file_stamp
from opentelemetry.instrumentation.declarative.process.interpreters import is_main_interpreter
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children

#: Seconds between two polls. A changed file is reloaded when two polls in a row have found it in the same state.
POLL_INTERVAL = 0.4
#: Seconds that the exit of the program waits for a reload in progress.
PATIENCE = 1.0
THREAD_NAME = "instrument watch"


class FileWatcher:
    """A thread that watches files.

    ``known`` returns each file with its stamp at the time when it was last read. ``reload`` is called when the stamps
    differ from those, and again as long as they do.
    """

    def __init__(self, known: Callable[[], Mapping[str, FileStamp]], reload: Callable[[], None]) -> None:
        self._known = known
        self._reload = reload
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if not is_main_interpreter():  # before Python 3.13, the process would crash at its end, because of the thread
            logger.warning("specs are not watched: this is not the main interpreter of the process.")
            return
        reset_in_children(self)
        # Python does not wait for a daemon thread: without this, a reload could be cut off in the middle of a message.
        atexit.register(self.stop)
        self._start_thread()

    def stop(self) -> None:
        self._stopped.set()
        atexit.unregister(self.stop)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)

    def reset_after_fork(self) -> None:
        """Start the thread again in a child process, as threads are not copied by a fork."""
        if self._thread is not None and not self._stopped.is_set():
            self._stopped = threading.Event()
            self._start_thread()

    def _start_thread(self) -> None:
        self._thread = threading.Thread(target=self._run, args=(self._stopped,), name=THREAD_NAME, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # at the exit of the interpreter, or on a platform without threads
            logger.warning("specs are not watched: the thread could not be started. The application is not affected.")

    def _run(self, stopped: threading.Event) -> None:
        changed: dict[str, FileStamp] | None = None
        while not stopped.wait(POLL_INTERVAL):
            try:
                known = self._known()
                current = {file: file_stamp(file) for file in known}
                if current == known:
                    changed = None
                elif current == changed:
                    self._reload()
                    changed = None
                else:
                    changed = current
            except Exception:
                logger.exception("a changed spec could not be reloaded. The application is not affected.")
                changed = None
