"""Wrapping generators: the span is current while a step runs, and never between two steps."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from typing import Any

from opentelemetry.context import Context, get_current
from opentelemetry.instrumentation.declarative.runtime.context.current import attach, detach, with_span
from opentelemetry.instrumentation.declarative.runtime.span_ending import CallSpan
from opentelemetry.trace import get_current_span

Step = tuple[Any, Context]


def enter_step(call_span: CallSpan | None, kept: Context | None) -> Step | None:
    """Make the span of a generator current for one step, or the context ``kept`` from the step before."""
    if call_span is None:
        return None
    context = with_span(call_span.span) if kept is None else kept
    return attach(context), context


def leave_step(call_span: CallSpan | None, kept: Context | None, step: Step | None) -> Context | None:
    """Restore what was current before the step; return the context to keep for the next one.

    That is what the generator itself has made current, such as the span of a block in which it yields.
    """
    if call_span is None or step is None:
        return None
    token, context = step
    left = get_current()
    detach(token)
    if left is context:
        return kept
    return None if get_current_span(left) is call_span.span else left


def without_own_frame(error: BaseException) -> BaseException:
    """Return an exception thrown into our generator without our frame, before throwing it into the program's.

    Our frame is added when the program's generator lets the exception through, as with `yield from`; without this
    the traceback would contain it twice. The method of ``BaseException`` is used because the exception's class may
    refuse to set attributes.
    """
    traceback = error.__traceback__
    return BaseException.with_traceback(error, traceback and traceback.tb_next)


def hide_from_event_loop(generator: AsyncGenerator[Any, Any]) -> Callable[[Any], Any]:
    """Return ``generator.asend`` for the first step, which does not register the generator with the event loop.

    The loop knows our generator and closes it on shutdown. If it knew the program's as well, it would close both
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
    """The finalizer of a generator of the program that ours closes."""
