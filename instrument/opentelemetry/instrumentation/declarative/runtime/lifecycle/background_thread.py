"""Threads of this package that run as long as the program does."""

from __future__ import annotations

import atexit
import importlib
import threading
from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children


class BackgroundThread:
    """A daemon thread, from ``start`` to ``stop`` or to the exit of the program, and in each forked child.

    Args:
        name: the name of the thread.
        run: what it runs. The argument is set when the thread is to end.
        consequence: what is not possible without the thread, for a message.
        patience: for how many seconds ``stop`` waits for the thread.
        wake: is called to end what ``run`` waits for, if it waits for anything but its argument.
        before_restart: is called in a forked child before the thread is started there.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[threading.Event], None],
        *,
        consequence: str,
        patience: float,
        wake: Callable[[], None] | None = None,
        before_restart: Callable[[], None] | None = None,
    ) -> None:
        self._name = name
        self._run = run
        self._consequence = consequence
        self._patience = patience
        self._wake = wake
        self._before_restart = before_restart
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, or log why that is not possible."""
        if not _is_main_interpreter():  # before Python 3.13, the process would crash at its end, because of the thread
            logger.warning("%s: this is not the main interpreter of the process.", self._consequence)
            return
        reset_in_children(self)
        # Python does not wait for a daemon thread: without this, it could be cut off in the middle of a message.
        atexit.register(self.stop)
        self._start_thread()

    def stop(self) -> None:
        self._stopped.set()
        atexit.unregister(self.stop)
        if self._wake is not None:
            self._wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(self._patience)

    def reset_after_fork(self) -> None:
        """Start the thread again in a child process, as threads are not copied by a fork."""
        if self._thread is not None and not self._stopped.is_set():
            self._stopped = threading.Event()
            if self._before_restart is not None:
                self._before_restart()
            self._start_thread()

    def _start_thread(self) -> None:
        self._thread = threading.Thread(target=self._run, args=(self._stopped,), name=self._name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # at the exit of the interpreter, or on a platform without threads
            logger.warning("%s: the thread could not be started. The program is not affected.", self._consequence)


def _is_main_interpreter() -> bool:
    """Whether this is the first interpreter of the process. Servers such as mod_wsgi start several."""
    for name in ("_interpreters", "_xxsubinterpreters"):  # since Python 3.13, before
        try:
            module: Any = importlib.import_module(name)
            return bool(module.get_current() == module.get_main())
        except Exception:  # another Python, or one that is built without it
            continue
    return True
