"""Fields that receive the trace context of a span."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import FIELD
from opentelemetry.instrumentation.declarative.language.values import Text


@node(
    "injection",
    "The fields that receive the W3C trace context of the span when it starts.",
    {"traceparent": 'message.headers["traceparent"]'},
    required=("traceparent",),
    help="Name the field for `traceparent`; `tracestate` is optional.",
)
@dataclass(frozen=True, kw_only=True)
class Injection(Node):
    """The fields that receive the trace context of a span."""

    traceparent: Text | None = yaml_key(
        FIELD,
        "traceparent",
        "The field that receives the `traceparent`.",
        'message.headers["traceparent"]',
    )
    tracestate: Text | None = yaml_key(
        FIELD,
        "tracestate",
        "The field that receives the `tracestate`. By default it is not written.",
        'message.headers["tracestate"]',
    )
