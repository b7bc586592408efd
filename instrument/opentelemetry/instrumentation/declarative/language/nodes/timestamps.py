"""Start and end times that the library provides."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "timestamps",
    "Start and end times that the library provides, in nanoseconds since the epoch.",
    {"start": "iso(order.ordered_at)", "end": "iso(order.paid_at)"},
)
@record(frozen=True, kw_only=True)
class Timestamps(Node):
    """The start and end times that the library provides."""

    start: Text | None = yaml_key(
        EXPRESSION,
        "start time",
        "When the span started, in nanoseconds since the epoch. By default the time at which it is recorded.",
        "iso(order.ordered_at)",
        read="start",
    )
    end: Text | None = yaml_key(
        EXPRESSION,
        "end time",
        "When the span ended, in nanoseconds since the epoch. By default the time at which it is recorded.",
        "iso(order.paid_at)",
        read="end",
    )
