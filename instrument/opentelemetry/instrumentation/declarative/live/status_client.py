"""Reads the status of another process of the same user."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

from opentelemetry.instrumentation.declarative.live.status_sockets import (
    AVAILABLE,
    FORMAT,
    listed_processes,
    socket_folder,
    socket_path,
)

#: Seconds that a process has to answer: its thread may wait for the global interpreter lock.
_TIMEOUT = 5.0


class NoStatus(Exception):
    """A process that does not answer; the message says why."""


def read_status(pid: int) -> dict[str, Any]:
    """The status of a process. Raises NoStatus."""
    if not AVAILABLE:
        raise NoStatus("this platform has no Unix sockets")
    path = socket_path(socket_folder(), pid)
    parts = []
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT)
            connection.connect(str(path))
            while part := connection.recv(1 << 16):
                parts.append(part)
    except (TimeoutError, BlockingIOError):  # the queue of its socket is full if it has not answered others either
        raise NoStatus(
            f"process {pid} did not answer in {_TIMEOUT:.0f} seconds: its interpreter may be busy in code that "
            "does not release the global interpreter lock, or it may be stopped"
        ) from None
    except (FileNotFoundError, ConnectionRefusedError) as error:
        if isinstance(error, ConnectionRefusedError):  # the process was killed
            with contextlib.suppress(OSError):
                path.unlink()
        raise NoStatus(
            f"no process {pid} of this user answers. Start it under opentelemetry-instrument with "
            "OTEL_PYTHON_DECLARATIVE_STATUS=1, and with the same TMPDIR and XDG_RUNTIME_DIR as this command"
        ) from None
    except OSError as error:
        raise NoStatus(f"the status of process {pid} cannot be read: {error}") from None
    try:
        status: dict[str, Any] = json.loads(b"".join(parts))
    except ValueError:
        raise NoStatus(f"process {pid} ended while it answered") from None
    if status.get("format") != FORMAT:
        raise NoStatus(f"process {pid} runs another version of this package. Use the `instrument` of its environment")
    return status


def read_all() -> list[dict[str, Any]]:
    """The status of every process of this user that answers, by process id."""
    found = []
    for pid in listed_processes(socket_folder()) if AVAILABLE else ():
        with contextlib.suppress(NoStatus):
            found.append(read_status(pid))
    return found
