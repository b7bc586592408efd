"""Watching files: something is done when one of them has changed and is still again.

By their size, their time and which file it is, looked at now and then: that works on every filesystem, and for editors
that put another file in the old one's place. Between the looks there is nothing that could cost anything.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Mapping

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.language.text_file import FileStamp, file_stamp
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children

#: Seconds between two looks. What has changed is taken up at the second look at which it is the same.
TICK = 0.4
#: Seconds that the end of the program waits for what is being done.
PATIENCE = 1.0


class Watch:
    """A thread that looks at files.

    ``known`` gives each file with its stamp as it was when it was last read; ``act`` is called when that is no longer
    so, and again after that until it is.
    """

    def __init__(self, known: Callable[[], Mapping[str, FileStamp]], act: Callable[[], None]) -> None:
        self._known = known
        self._act = act
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        reset_in_children(self)
        # Python does not wait for this thread; what it has begun shall not be cut off in the middle of a line.
        atexit.register(self.stop)
        self._begin()

    def stop(self) -> None:
        self._ended.set()
        atexit.unregister(self.stop)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)

    def reset_after_fork(self) -> None:
        """In a child process: the thread is not there."""
        if self._thread is not None and not self._ended.is_set():
            self._ended = threading.Event()
            self._begin()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._run, args=(self._ended,), name="instrument watch", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no thread can be started any more, or none at all here
            logger.warning("specs cannot be watched: no thread can be started. The program runs on.")

    def _run(self, ended: threading.Event) -> None:
        before: dict[str, FileStamp] | None = None
        while not ended.wait(TICK):
            try:
                known = self._known()
                now = {file: file_stamp(file) for file in known}
                if now == known:
                    before = None
                elif now == before:
                    self._act()
                    before = None
                else:
                    before = now
            except Exception:
                logger.exception("a spec that has changed could not be taken up. The program runs on as it was.")
                before = None
