"""Answers ``instrument status``: sends the open spans of this process to each client that connects to its socket."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.live.span_facts import span_facts
from opentelemetry.instrumentation.declarative.live.stacks import StackFacts, stacks
from opentelemetry.instrumentation.declarative.live.status_sockets import (
    AVAILABLE,
    FORMAT,
    STARTING_SUFFIX,
    make_socket_folder,
    socket_path,
)

#: How many spans are sent: those that have been open for longest.
MAX_SPANS = 2_000
#: Seconds after which a reader that does not read is given up.
_TIMEOUT = 2.0


class StatusServer:
    """Listens at the socket of this process, from ``open`` to ``close``. ``spans`` returns the open spans."""

    def __init__(self, spans: Callable[[], list[Any]]) -> None:
        self._spans = spans
        self._socket: socket.socket | None = None
        self._path: Path | None = None

    def open(self) -> bool:
        """Start to listen, and return whether that is possible."""
        if not AVAILABLE:
            logger.warning("this process does not answer `instrument status`: the platform has no Unix sockets.")
            return False
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            path = socket_path(make_socket_folder(), os.getpid())
            # The path appears when the socket already listens: a client deletes a path that refuses connections.
            starting = path.with_suffix(STARTING_SUFFIX)
            starting.unlink(missing_ok=True)
            listener.bind(str(starting))
            listener.listen(4)
            starting.replace(path)
        except OSError as error:
            listener.close()
            logger.warning(
                "this process does not answer `instrument status`: %s. Set TMPDIR to a folder with a short path that "
                "this user can write to.",
                error,
            )
            return False
        self._socket, self._path = listener, path
        return True

    def close(self, *, is_ours: bool = True) -> None:
        """Stop listening. ``is_ours``: not in a forked child, where the socket is that of the parent process."""
        if self._socket is not None:
            self._socket.close()
        if self._path is not None and is_ours:
            with contextlib.suppress(OSError):
                self._path.unlink()
        self._socket = self._path = None

    def wake(self) -> None:
        """Let ``answer_one`` return now, if another thread waits in it."""
        path = self._path
        if path is not None:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.setblocking(False)
                client.connect(str(path))

    def answer_one(self, timeout: float) -> None:
        """Wait for a reader for some seconds, and send the status to it."""
        assert self._socket is not None
        self._socket.settimeout(timeout)
        try:
            reader, _ = self._socket.accept()
        except TimeoutError:
            return
        with reader, contextlib.suppress(OSError):  # the reader has gone away
            reader.settimeout(_TIMEOUT)
            reader.sendall(json.dumps(self._status()).encode())

    def _status(self) -> dict[str, Any]:
        spans = self._spans()
        return {
            "format": FORMAT,
            "pid": os.getpid(),
            "program": os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else "python",
            "time": time.time_ns(),
            "open": len(spans),
            "spans": [span_facts(span) for span in spans[:MAX_SPANS]],
            "stacks": _stacks(),
        }


def _stacks() -> list[StackFacts]:
    try:
        return stacks()
    except Exception:  # tasks and threads may begin and end meanwhile
        logger.debug("the stacks of this process cannot be read", exc_info=True)
        return []
