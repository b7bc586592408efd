"""Which span a log record or a function is about: one of the call, or an open span of the spec."""

from __future__ import annotations

from typing import get_args

from opentelemetry.instrumentation.declarative.language.collection_types import OneOf
from opentelemetry.instrumentation.declarative.language.node_type import node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.open_span import OnOpenSpan
from opentelemetry.instrumentation.declarative.language.scalar_types import Choice
from opentelemetry.instrumentation.declarative.language.texts import NAME
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import SpanOfCall, Text
from opentelemetry.instrumentation.declarative.records import record

SPAN_OF_CALL = Choice(
    get_args(SpanOfCall),
    About(
        "span of the call",
        "`current` is the current span at the moment, `parent` the span that was current before the call, outside the "
        "spans of the call itself, and `root` the first span of the trace in this process. They may come from other "
        "instrumentations.",
        ("parent",),
    ),
)


@node(
    "open span",
    "A span of this spec, found by its key. If it is not open, nothing happens.",
    {"span": "order", "key": "payment.order_id"},
    required=("span",),
    help="name the type of the span with `span`",
)
@record(frozen=True, kw_only=True)
class OpenSpan(OnOpenSpan):
    """An open span of a type."""

    span: Text | None = yaml_key(NAME, "span type", "The type of the span.", "order")


SPAN_SELECTION = OneOf(
    (SPAN_OF_CALL, NodeValue(OpenSpan)),
    About(
        "span",
        "Which span: `current`, the current span at the moment; `parent`, the span that was current before the call, "
        "outside the spans of the call itself; `root`, the first span of the trace in this process; or "
        "`{span: TYPE, key: KEY}` for an open span of this spec.",
        ("parent", {"span": "order", "key": "payment.order_id"}),
    ),
)
