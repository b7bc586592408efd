"""Exits of a process that skip its ``atexit`` handlers: children of multiprocessing, and fatal signals.

What has to be done before the process exits is registered here as well as with ``atexit``.
"""

from __future__ import annotations

import enum
import os
import sys
import weakref
from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.log import logger


class Stage(enum.IntEnum):
    """The order in which everything registered is called."""

    END_SPANS = 0
    EXPORT = 1
    #: Only if nothing more can happen in the process.
    SHUT_DOWN = 2
    REPORT = 3


#: What is to be called, with its stage. Weak: a removed installation has nothing to do.
_callbacks: list[tuple[Stage, weakref.WeakMethod[Callable[[], Any]]]] = []

#: Modules with the finalizers of child processes. Celery uses billiard, a fork of multiprocessing.
_FINALIZERS = ("multiprocessing.util", "billiard.util")

#: Finalizers run in descending order of priority.
_LOWEST_PRIORITY = -1_000

#: The modules in which the finalizer of child processes is registered.
_registered_in: set[str] = set()


def before_abrupt_exit(stage: Stage, callback: Callable[[], Any]) -> None:
    """Call a bound method before an exit of this process, or of its children, that runs no ``atexit`` handlers."""
    register_finalizers()
    _callbacks[:] = [each for each in _callbacks if each[1]() is not None]
    _callbacks.append((stage, weakref.WeakMethod(callback)))


def cancel_before_abrupt_exit(callback: Callable[[], Any]) -> None:
    """Undo ``before_abrupt_exit``."""
    _callbacks[:] = [each for each in _callbacks if each[1]() not in (None, callback)]


def prepare_abrupt_exit(*, last: bool) -> None:
    """Call everything that is registered, stage by stage. ``last``: nothing more happens in this process."""
    for stage, reference in sorted(_callbacks, key=lambda each: each[0]):
        callback = reference()
        if callback is None or (stage is Stage.SHUT_DOWN and not last):
            continue
        try:
            callback()
        except Exception:
            logger.exception("the telemetry of this process could not be completed before its exit.")


def register_finalizers() -> None:
    """Prepare the exit of children that multiprocessing starts, if it is loaded.

    Before Python 3.15 such a child exits without ``atexit`` handlers but runs multiprocessing's finalizers. It clears
    them at its start, so the finalizer is registered by an after-fork hook, which runs later.
    """
    for name in _FINALIZERS:
        util = sys.modules.get(name)
        if util is None or name in _registered_in:
            continue
        try:
            register = _finalizer_registration(util)
            util.register_after_fork(_callbacks_owner, register)
            if _is_running_child(name):
                register(None)
        except Exception:  # the module is still being imported: a fork calls this again
            continue
        _registered_in.add(name)


def _finalizer_registration(util: Any) -> Callable[[object], None]:
    def register(_owner: object) -> None:
        util.Finalize(None, prepare_abrupt_exit, kwargs={"last": False}, exitpriority=_LOWEST_PRIORITY)

    return register


def _is_running_child(name: str) -> bool:
    """Whether this is a child process that has begun its task, after the after-fork hooks."""
    process = sys.modules.get(name.replace(".util", ".process"))
    parent_process = getattr(process, "parent_process", None)
    return parent_process is not None and parent_process() is not None


class _Owner:
    """The object whose lifetime limits the after-fork hook: that of this module."""


_callbacks_owner = _Owner()

if hasattr(os, "register_at_fork"):  # missing on Windows
    # The program may have imported multiprocessing since. This hook runs before multiprocessing's own.
    os.register_at_fork(after_in_child=register_finalizers)
