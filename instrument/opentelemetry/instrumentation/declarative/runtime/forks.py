"""Forked processes: a child drops the state it has copied from its parent, so that nothing is reported twice."""

from __future__ import annotations

import os
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


if hasattr(os, "register_at_fork"):  # missing on Windows
    os.register_at_fork(after_in_child=_reset_all)
