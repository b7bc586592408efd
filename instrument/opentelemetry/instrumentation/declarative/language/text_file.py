"""A spec file to its text: what kind of file it is, how large, and in which encoding."""

import os
import re
import stat
from typing import NoReturn

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, SpecError

MAX_BYTES = 1024 * 1024

_BREAK = re.compile(rb"\r\n|\r|\n")
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


#: What tells one state of a file from another; None where there is none.
Stamp = tuple[int, int, int, int] | None


def stamp_of(path: str | os.PathLike[str]) -> Stamp:
    """The state that a file is in: which file it is, how long, and when it was written."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def text_of(path: str | os.PathLike[str], file: str) -> str:
    """The text of the file that is named `file` in what is told of it; SpecError where it has none."""
    content = content_of(path, file)
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


def content_of(path: str | os.PathLike[str], file: str) -> bytes:
    """As much of a regular file as tells that it is too large. Neither waits for a pipe nor reads from a device."""
    if not file.isprintable():
        message = "the file's name holds characters that cannot be shown"
        _refuse(Mark(file, 1, 1), "unreadable-file", message, "rename it")
    try:
        kind = stat.S_IFMT(os.stat(path).st_mode)
        if kind != stat.S_IFREG:
            message = f"the file cannot be read: it is {_KINDS.get(kind, 'no regular file')}"
            _refuse(Mark(file, 1, 1), "unreadable-file", message, "name a file")
        with open(path, "rb", opener=_without_waiting) as stream:
            return stream.read(MAX_BYTES + 4)  # enough to know that it is too large, byte order mark or not
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        _refuse(Mark(file, 1, 1), "unreadable-file", f"the file cannot be read: {reason}", "check its path")


def _without_waiting(path: str, flags: int) -> int:
    """Opens a file; what has become a pipe since it was looked at is empty instead of making the program wait."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse(mark: Mark, code: str, message: str, help: str) -> NoReturn:
    raise SpecError([Problem(mark, code, message, help)])
