"""Which span of a call a rule applies to."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.scalar_types import Choice
from opentelemetry.instrumentation.declarative.language.value_types import About

SPAN_OF_CALL = Choice(
    ("current", "parent", "root"),
    About(
        "span",
        "Which span: `current` is the current span at the moment, `parent` the span that was current "
        "before the call, outside the spans of the call itself, and `root` the first span of the trace in"
        " this process. They may come from other instrumentations.",
        ("parent",),
    ),
)
