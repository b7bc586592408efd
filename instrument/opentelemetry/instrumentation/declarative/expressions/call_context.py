"""What expressions read of the context of a call: whether a span is current, and what an outer call suppresses."""

from __future__ import annotations

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
