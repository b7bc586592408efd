"""Forked processes: a child drops the state it has copied from its parent, so that nothing is reported twice."""

from __future__ import annotations

import os
import sys
import weakref
from typing import Protocol


class Resettable(Protocol):
    """An object with state that belongs to one process."""

    def reset_after_fork(self) -> None:
        """Drop that state in a child process. Must not wait for a lock: its holder does not exist in the child."""


_registered: weakref.WeakSet[Resettable] = weakref.WeakSet()


def reset_in_children(each: Resettable) -> None:
    """Call ``reset_after_fork`` in every process forked from now on, as long as the object exists."""
    _registered.add(each)


def _reset_all() -> None:
    for each in list(_registered):
        each.reset_after_fork()


class ChildExit(Protocol):
    """An object with work to do before a child process exits."""

    def close_child(self) -> None:
        """End and export what is open."""


#: Finalizers of multiprocessing run in descending order of priority.
_LOWEST_PRIORITY = -1_000


def close_at_child_exit(each: ChildExit, *, after_all: bool = False) -> bool:
    """Call ``close_child`` before this process exits if multiprocessing has started it.

    With ``after_all``, call it after those registered without. Returns False if multiprocessing is not loaded.

    Before Python 3.15 a child of multiprocessing exits without running ``atexit`` handlers but runs multiprocessing's
    finalizers. It clears them at its start, so the finalizer is registered by an after-fork hook, which runs later.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is None:
        return False
    priority = _LOWEST_PRIORITY - after_all
    util.register_after_fork(each, lambda each: util.Finalize(None, each.close_child, exitpriority=priority))
    return True


if hasattr(os, "register_at_fork"):  # missing on Windows
    os.register_at_fork(after_in_child=_reset_all)
