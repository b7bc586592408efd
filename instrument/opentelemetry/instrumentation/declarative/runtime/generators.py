"""Wrapping generators: the span is current while a step runs, and never between two steps."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.context import attach, detach, with_span
from opentelemetry.instrumentation.declarative.runtime.span_ending import CallSpan


def enter_step(call_span: CallSpan | None) -> Any:
    """Make the span of a generator current for one step; return the token for ``leave_step``."""
    return None if call_span is None else attach(with_span(call_span.span))


def leave_step(token: Any) -> None:
    """Restore what was current before the step."""
    if token is not None:
        detach(token)


def without_own_frame(error: BaseException) -> BaseException:
    """Return an exception thrown into our generator without our frame, before throwing it into the application's.

    Our frame is added when the application's generator lets the exception through, as with `yield from`; without this
    the traceback would contain it twice. The method of ``BaseException`` is used because the exception's class may
    refuse to set attributes.
    """
    traceback = error.__traceback__
    return BaseException.with_traceback(error, traceback and traceback.tb_next)


def hide_from_event_loop(generator: AsyncGenerator[Any, Any]) -> Callable[[Any], Any]:
    """Return ``generator.asend`` for the first step, which does not register the generator with the event loop.

    The loop knows our generator and closes it on shutdown. If it knew the application's as well, it would close both
    at the same time, and one of them would find the other running. If both are garbage, ours closes the other.
    """

    def asend(value: Any) -> Any:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, _left_to_ours)
        try:
            return generator.asend(value)
        finally:
            sys.set_asyncgen_hooks(*hooks)

    return asend


def _left_to_ours(_generator: Any) -> None:
    """The finalizer of a generator of the application that ours closes."""
