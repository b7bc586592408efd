"""What expressions read of the context of a call: whether a span is current, and what an outer call suppresses."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.instrumentation.declarative.expressions.function import Function

#: The key of a context in which calls to models are suppressed.
MODEL_CALLS_KEY = "instrument-suppress-model-calls"


def are_suppressed(kind: str | None) -> bool:
    """Whether an outer call suppresses what is recorded of a kind of calls."""
    # Not at the top: a spec is planned without OpenTelemetry.
    if kind == "http":
        from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled

        return not is_http_instrumentation_enabled()
    from opentelemetry.context import get_value

    return kind == "model_calls" and get_value(MODEL_CALLS_KEY) is True


def in_trace() -> bool:
    """Whether a span is current."""
    from opentelemetry.trace import get_current_span

    return bool(get_current_span().get_span_context().is_valid)


#: By the name in an expression.
FUNCTIONS: Mapping[str, Function] = {
    "in_trace": Function(
        in_trace,
        (),
        "boolean",
        "Whether a span is current, of any instrumentation or of another process, so that a new span has a parent.",
        ("in_trace()", None),
        none_if_none=False,
        varies=True,
    ),
    "is_suppressed": Function(
        are_suppressed,
        ("kind",),
        "boolean",
        "Whether an outer call suppresses what is recorded of HTTP clients (`'http'`) or of calls to models"
        " (`'model_calls'`).",
        ("is_suppressed('http')", False),
        none_if_none=False,
        varies=True,
    ),
}
