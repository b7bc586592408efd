"""Exits of a process that skip its ``atexit`` handlers: children of multiprocessing and Celery, and fatal signals.

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

#: Finalizers run in descending order of priority.
_LOWEST_PRIORITY = -1_000


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
    """Prepare the exit of child processes, with each library that starts them and is loaded."""
    for name, register in _REGISTRATIONS.items():
        module = sys.modules.get(name)
        if module is None or name in _registered:
            continue
        try:
            register(module)
        except Exception:  # the module is still being imported: a fork calls this again
            continue
        _registered.add(name)


def _register_with_multiprocessing(util: Any) -> None:
    """Before Python 3.15, a child exits without ``atexit`` handlers but runs multiprocessing's finalizers.

    It clears them at its start, so the finalizer is registered by an after-fork hook, which runs later.
    """

    def register(_owner: object) -> None:
        util.Finalize(None, prepare_abrupt_exit, kwargs={"last": False}, exitpriority=_LOWEST_PRIORITY)

    util.register_after_fork(_owner, register)
    process = sys.modules["multiprocessing.process"]
    if process.parent_process() is not None:  # this is a child whose hooks have run
        register(_owner)


def _register_with_celery(signals: Any) -> None:
    """A worker of Celery's pool exits with ``os._exit``, after this signal."""
    signals.worker_process_shutdown.connect(_worker_exits, weak=False)


def _worker_exits(**_arguments: Any) -> None:
    prepare_abrupt_exit(last=True)


_REGISTRATIONS: dict[str, Callable[[Any], None]] = {
    "multiprocessing.util": _register_with_multiprocessing,
    "celery.signals": _register_with_celery,
}
#: The names of those that have been registered.
_registered: set[str] = set()


class _Owner:
    """The object whose lifetime limits the after-fork hook of multiprocessing: that of this module."""


_owner = _Owner()

if hasattr(os, "register_at_fork"):  # missing on Windows
    # The program may have imported a library since. This hook runs before multiprocessing's own.
    os.register_at_fork(after_in_child=register_finalizers)
