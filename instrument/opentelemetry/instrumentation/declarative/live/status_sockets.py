"""The sockets at which processes answer ``instrument status``: one each, in a folder that only their user can open."""

from __future__ import annotations

import os
import re
import socket
import stat
import tempfile
from pathlib import Path

#: The version of what is sent.
FORMAT = 1

#: Whether there are such sockets on this platform.
AVAILABLE = hasattr(socket, "AF_UNIX") and hasattr(os, "getuid")

#: Of a socket that does not listen yet. It is not longer than the suffix of one that does.
STARTING_SUFFIX = ".new"

#: Bytes: a path of a socket has at most 103 on some platforms, and ours adds up to 50.
_LONGEST_PARENT = 53


class UnsafeFolder(OSError):
    """The folder of the sockets belongs to another user, or others can open it."""


def socket_folder() -> Path:
    """The folder of the sockets of this user. It need not exist."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    parents = [*([runtime] if runtime and os.path.isdir(runtime) else []), tempfile.gettempdir()]
    parent = next((each for each in parents if len(os.fsencode(each)) <= _LONGEST_PARENT), "/tmp")
    return Path(parent) / f"opentelemetry-instrument-{os.getuid()}"


def make_socket_folder() -> Path:
    """The folder, which is made if it does not exist. Raises UnsafeFolder, or another OSError."""
    folder = socket_folder()
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UnsafeFolder(f"{folder} is not a folder that only this user can open")
    return folder


def socket_path(folder: Path, pid: int) -> Path:
    return folder / f"{pid}.sock"


def listed_processes(folder: Path) -> list[int]:
    """The ids of the processes that have a socket, in order. Some may have ended."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(int(name.removesuffix(".sock")) for name in names if re.fullmatch(r"\d+\.sock", name))
