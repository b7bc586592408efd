"""Reads a spec file as text. Checks what kind of file it is, its size, and its encoding."""

import os
import re
import stat
from typing import NoReturn

from opentelemetry.instrumentation.declarative.diagnostics.problems import (
    Mark,
    Problem,
    SpecError,
    closest,
    did_you_mean,
)

MAX_BYTES = 1024 * 1024

_BREAK = re.compile(rb"\r\n|\r|\n")
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


#: Identifies the state of a file: its device, inode, size, and time of modification. None if it does not exist.
FileStamp = tuple[int, int, int, int] | None


def file_stamp(path: str | os.PathLike[str]) -> FileStamp:
    """The current state of a file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def read_text(path: str | os.PathLike[str], file: str) -> str:
    """The text of a file. ``file`` is its name in messages. Raises SpecError if it cannot be read as UTF-8."""
    content = read_bytes(path, file)
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        _refuse(Mark(file, 1, 1), "encoding", "the file is not UTF-8 but UTF-16 or UTF-32", "save it as UTF-8")
    content = content.removeprefix(b"\xef\xbb\xbf")
    if len(content) > MAX_BYTES:
        _refuse(Mark(file, 1, 1), "too-large", "the file is larger than 1 MiB", "split it into several specs")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = _BREAK.split(content[: error.start])
        mark = Mark(file, len(before), len(before[-1].decode("utf-8")) + 1)
        _refuse(mark, "encoding", f"the byte 0x{content[error.start]:02x} is not UTF-8", "save the file as UTF-8")


def read_bytes(path: str | os.PathLike[str], file: str) -> bytes:
    """The content of a regular file, up to a few bytes more than MAX_BYTES. Never blocks on a pipe or a device."""
    if not file.isprintable():
        message = "the file name has characters that cannot be printed"
        _refuse(Mark(file, 1, 1), "unreadable-file", message, "rename it")
    try:
        kind = stat.S_IFMT(os.stat(path).st_mode)
        if kind != stat.S_IFREG:
            message = f"the file cannot be read: it is {_KINDS.get(kind, 'not a regular file')}"
            _refuse(Mark(file, 1, 1), "unreadable-file", message, "name a file")
        with open(path, "rb", opener=_open_nonblocking) as stream:
            return stream.read(MAX_BYTES + 4)  # enough to detect that it is too large, with a byte order mark or not
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        help = did_you_mean(_file_like(file)) or "check its path"
        _refuse(Mark(file, 1, 1), "unreadable-file", f"the file cannot be read: {reason}", help)


def _file_like(file: str) -> str | None:
    """The file of the same folder that was probably intended; None if there is none, or the file exists."""
    folder, name = os.path.split(file)
    try:
        names = [] if os.path.lexists(file) else os.listdir(folder or os.curdir)
    except (OSError, ValueError):
        return None
    similar = closest(name, [each for each in names if each.endswith((".yaml", ".yml")) and each.isprintable()])
    return None if similar is None else os.path.join(folder, similar)


def _open_nonblocking(path: str, flags: int) -> int:
    """Open a file. If it has been replaced by a pipe since its kind was checked, it is empty instead of blocking."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse(mark: Mark, code: str, message: str, help: str) -> NoReturn:
    raise SpecError([Problem(mark, code, message, help)])
