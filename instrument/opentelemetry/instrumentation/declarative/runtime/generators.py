"""The steps of a generator: its span is current during each and never between two."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from typing import Any

from opentelemetry.instrumentation.declarative.runtime.context import attach, detach, with_span
from opentelemetry.instrumentation.declarative.runtime.spans import Entered


def step(entered: Entered | None) -> Any:
    """Make a generator's span current for one step; gives the token for ``step_over``."""
    return None if entered is None else attach(with_span(entered.span))


def step_over(token: Any) -> None:
    """The step is over: what was current before it is current again."""
    if token is not None:
        detach(token)


def thrown(error: BaseException) -> BaseException:
    """What was thrown into a generator of ours, to be thrown on: our frame stands in its traceback once, not twice.

    Our frame enters it when the host's generator lets it through, as with `yield from`; here that it has been thrown
    in. The class of the exception may refuse to have an attribute set, so it is not asked.
    """
    traceback = error.__traceback__
    return BaseException.with_traceback(error, traceback and traceback.tb_next)


def unseen(generator: AsyncGenerator[Any, Any]) -> Callable[[Any], Any]:
    """``generator.asend`` for the first step, of which the event loop hears nothing.

    The loop knows the wrapper's generator and closes that when it shuts down. If it knew the host's as well, it would
    close both at once, and one of the two would find the other running.
    """

    def asend(value: Any) -> Any:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)
        try:
            return generator.asend(value)
        finally:
            sys.set_asyncgen_hooks(*hooks)

    return asend
