"""A file in AG2's ``KnowledgeStore`` whose size is bounded: a full one is renamed, and replaces the previous one."""

from __future__ import annotations

import os
import shutil
from typing import Any

#: Bytes that stay free on the disk of a store: they are the program's, which may fail if it cannot write.
MIN_FREE = 100_000_000


class RotatedFile:
    """A file in one store. ``most`` is its size in bytes at which it is renamed, or None.

    A store has ``async append(path, text)``. To rename, it also has ``read``, ``write`` and ``delete``.
    """

    def __init__(self, path: str, most: int | None) -> None:
        self.path = path
        self.previous = f"{path}.1"
        self._most = most
        #: The size in bytes. None before the first text is appended.
        self._size: int | None = None
        #: Whether the file was renamed. If it was not, the previous one was not written by this.
        self.was_renamed = False
        self._is_new = False

    async def can_hold(self, store: Any) -> bool:
        """Whether the file is this one's to bound: one that is larger already was written by something else."""
        if self._most is None or self._size is not None:
            return True
        self._size = len(await store.read(self.path) or "")
        self._is_new = not self._size
        return self._size <= self._most

    @property
    def size(self) -> int:
        return self._size or 0

    async def append(self, store: Any, text: str) -> None:
        """Append a text, which is ASCII, to the file or, if it would become too large, to a new one."""
        if self._most is not None and self._size and self._size + len(text) > self._most:
            await self._rename(store)
        offset = await store.append(self.path, text)
        # Stores of AG2 return the size before: another process may write to the file too.
        self._size = (offset if isinstance(offset, int) else self.size) + len(text)

    async def remove(self, store: Any) -> None:
        """Delete what this has written, unless it was appended to what was there before."""
        paths = [self.path] if self._is_new or self.was_renamed else []
        for path in [*paths, self.previous] if self.was_renamed else paths:
            await store.delete(path)

    async def _rename(self, store: Any) -> None:
        await store.write(self.previous, await store.read(self.path) or "")
        await store.delete(self.path)
        self._size, self.was_renamed = 0, True


def has_free_space(store: Any) -> bool:
    """Whether enough bytes are free where a store writes. Only known of a store with a directory, or one around it."""
    root = getattr(store, "_root", None) or getattr(getattr(store, "_store", None), "_root", None)
    if not isinstance(root, (str, os.PathLike)):
        return True
    try:
        return shutil.disk_usage(root).free >= MIN_FREE
    except OSError:  # the directory does not exist yet
        return True


def is_permanent(error: Exception) -> bool:
    """Whether a store that raises this will raise again: its disk is full, or cannot be written to."""
    if isinstance(error, OSError):
        return not isinstance(error, (ConnectionError, TimeoutError))
    return type(error).__name__ == "OperationalError" and "full" in str(error)  # SQLite's
