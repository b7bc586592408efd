"""Following the context managers of ``contextlib``: their span is current in the ``with`` block and ends with it."""

from __future__ import annotations

import weakref
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.following.followed_call import FollowedCall
from opentelemetry.instrumentation.declarative.runtime.following.iterators import asynchronous_steps, generator_steps

_USED_AS_DECORATOR = (
    "the context manager is used as a decorator, and the calls of the decorated function are not recorded; hook that "
    "function instead"
)


def follow_block(manager: Any, call: FollowedCall) -> Any:
    """Return the context manager itself, whose generator is replaced by one that makes the span current."""
    return _follow(manager, generator_steps(manager.gen, call, is_block=True), call)


def follow_asynchronous_block(manager: Any, call: FollowedCall) -> Any:
    """Return the context manager itself. The same for asynchronous ones."""
    return _follow(manager, asynchronous_steps(manager.gen, call, is_block=True), call)


def _follow(manager: Any, generator: Any, call: FollowedCall) -> Any:
    generator.__name__, generator.__qualname__ = manager.gen.__name__, manager.gen.__qualname__
    reference, recreate = weakref.ref(manager), type(manager)._recreate_cm

    def recreated() -> Any:
        # It is used as a decorator: each call of the decorated function has a context manager of its own.
        if not call.has_ended:
            call.dropped()
            call.report(RuntimeError(_USED_AS_DECORATOR))
        return recreate(reference())

    manager.gen, manager._recreate_cm = generator, recreated
    return manager
