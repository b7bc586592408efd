"""Watches files by polling, and calls a function after one of them has changed.

Polling works on every file system, and for editors that replace a file instead of writing to it. Between two polls the
thread waits and costs nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.language.text_file import FileStamp, file_stamp
from opentelemetry.instrumentation.declarative.runtime.lifecycle.background_thread import BackgroundThread

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
        self._thread = BackgroundThread(THREAD_NAME, self._run, consequence="specs are not watched", patience=PATIENCE)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop()

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
                logger.exception("a changed spec could not be reloaded. The program is not affected.")
                changed = None
