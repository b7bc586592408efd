"""A process that forks: the child lets go of what its parent has open, so that nothing is told or written twice."""

from __future__ import annotations

import os
import sys
import weakref
from typing import Protocol


class Forgetful(Protocol):
    """What holds something that belongs to one process."""

    def forget(self) -> None:
        """Begin anew in a child process. No lock may be waited for: who held it is not there."""


_known: weakref.WeakSet[Forgetful] = weakref.WeakSet()


def forget_in_children(one: Forgetful) -> None:
    """From now on let this forget what it holds in every process that is forked from this one."""
    _known.add(one)


def _forget() -> None:
    for one in list(_known):
        one.forget()


class Closing(Protocol):
    """What has something to end before its process does."""

    def close_child(self) -> None:
        """End what is open, and have it exported."""


#: Of the finalisers of multiprocessing, the one with the lowest number comes last.
_LAST = -1_000


def at_end_of_child(one: Closing, *, after_all: bool = False) -> bool:
    """Have this closed before the process ends, if that is one of multiprocessing's; False where that is not there.

    Before Python 3.15 such a process ends without ``atexit``, but not without what multiprocessing itself keeps for it.
    That is emptied at the beginning of the process, so the entry is made by what multiprocessing calls after that.
    ``after_all``: when everything else has been closed.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is None:
        return False
    priority = _LAST - after_all
    util.register_after_fork(one, lambda one: util.Finalize(None, one.close_child, exitpriority=priority))
    return True


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_forget)
