"""Notes about results that a span does not cover, according to the annotations of the library."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.inspection.readable import callable_types
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.runtime.following.policies import BY_DEFAULT, ON_REQUEST
from opentelemetry.instrumentation.declarative.runtime.following.special_methods import has_methods

_HELP = "set follow_result: true to follow it to its end, or follow_result: false if the span is only about the call"


def result_notes(call: CallPlan, point: PatchPoint, raw: Any) -> Iterator[Problem]:
    """A note for each span around a callable whose result is used after the call and is only followed on request."""
    traced = [action for hook in call.hooks if hook.follow_result is None for action in hook.calls_traced]
    found = _followed_on_request(point, raw) if traced else None
    if found is None:
        return
    for action in traced:
        message = (
            f"{call.target} returns {found}, which is used after the call: "
            f'the span "{action.span.name}" ends when the call returns'
        )
        yield Problem(action.span.mark, "unfollowed-result", message, _HELP, "note")


def _followed_on_request(point: PatchPoint, raw: Any) -> str | None:
    """The kind of a result that is followed on request only; None for any other result."""
    try:
        types = callable_types(raw, point.owner if isinstance(point.owner, type) else None, point.value)
    except Exception:  # evaluating the library's annotations can raise anything
        return None
    for choice in types.result.choices:
        cls = choice.cls
        if cls is None or inspect.isabstract(cls) or BY_DEFAULT.follows_class(cls):
            continue
        if has_methods(cls, "__next__") or has_methods(cls, "__anext__"):
            return f"a stream ({cls.__name__})"
        # An asynchronous function that returns a context manager has opened a connection, which is used for long.
        if types.shape == "function" and ON_REQUEST.follows_class(cls):
            return f"a context manager ({cls.__name__})"
    return None
