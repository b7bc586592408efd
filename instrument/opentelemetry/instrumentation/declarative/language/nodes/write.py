"""Fields of the program that are set."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.node_type import Form, Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.nodes.context_source import CONTEXT, ContextSource, or_current
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FIELD
from opentelemetry.instrumentation.declarative.language.values import Moment, Text


@node(
    "write",
    "Sets a field of the program's objects, or a parameter of the call, at a moment: to the trace context"
    " of a span, or to a value. Writes, injections and extensions are the only parts of a spec that change the "
    "program.",
    {"at": "send.enter", "traceparent": 'message.headers["traceparent"]'},
    {"at": "send.enter", "field": "message.reply_to", "value": "order_id"},
    forms=(
        Form(
            "write of trace context",
            "`traceparent`, `tracestate` and `span_context` name the fields, and `of` the span; `field` "
            "and `value` belong to a write of a value.",
            ("field", "value"),
        ),
        Form(
            "write of a value",
            "`field` is set to `value`; `traceparent`, `tracestate`, `span_context` and `of` belong to a "
            "write of trace context.",
            ("traceparent", "tracestate", "of", "span_context"),
        ),
    ),
    required=("at",),
    one_of=("traceparent", "span_context", "field"),
    requires={"field": ("value",)},
    help="Name the moment with `at`, and use `traceparent` or `span_context` to write trace context, or "
    "`field` and `value` to write a value.",
)
@dataclass(frozen=True, kw_only=True)
class Write(Node):
    """Sets fields of the program at a moment: to a trace context, or ``field`` to ``value``."""

    at: tuple[Moment, ...] = yaml_key(
        MOMENTS,
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true write the field. It can use the names that are "
        "available at the moment.",
        "message.is_remote",
        default="True",
    )
    traceparent: Text | None = yaml_key(
        FIELD,
        "traceparent",
        "The field that is set to the W3C `traceparent`.",
        'message.headers["traceparent"]',
    )
    tracestate: Text | None = yaml_key(
        FIELD,
        "tracestate",
        "The field that is set to the W3C `tracestate`. By default it is not written.",
        'message.headers["tracestate"]',
    )
    span_context: Text | None = yaml_key(
        FIELD,
        "span context",
        "The field or parameter that is set to the `SpanContext` object of OpenTelemetry.",
        "parent_context",
    )
    sources: tuple[ContextSource, ...] = yaml_key(
        CONTEXT,
        "context",
        "The span whose trace context is written. In a list, the first source that is available is used. "
        "If none is available, nothing is written.",
        "current",
        {"span": "checkout", "key": "order.id"},
        default="current",
        yaml="of",
    )
    field: Text | None = yaml_key(
        FIELD,
        "field",
        "The field or parameter that is set to the value.",
        "message.reply_to",
    )
    value: Text | None = yaml_key(
        EXPRESSION,
        "value",
        "The value. If it is `None`, nothing is written.",
        "order_id",
    )

    @property
    def of(self) -> tuple[ContextSource, ...]:
        """The sources of the context that is written."""
        return or_current(self.sources, self.mark)
