"""A process that forks: the child lets go of what its parent has open, so that nothing is told or written twice."""

from __future__ import annotations

import os
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


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_forget)
