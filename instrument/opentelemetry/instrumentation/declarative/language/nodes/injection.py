"""Trace context that is written into fields of the program."""

from __future__ import annotations

from typing import Literal, get_args

from opentelemetry.instrumentation.declarative.language.node_type import Form, Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.nodes.context_source import CONTEXT, ContextSource, or_current
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.scalar_types import Choice
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FIELD, FLAG
from opentelemetry.instrumentation.declarative.language.values import ContextPart, Moment, Text
from opentelemetry.instrumentation.declarative.records import record

CarrierForm = Literal["mapping", "pairs", "byte_pairs"]


@node(
    "injection of a span",
    "The fields that receive the trace context of the span when it starts.",
    {"traceparent": 'message.headers["traceparent"]'},
    {"carrier": "message.headers"},
    definition="span_injection",
    requires={"form": ("carrier",), "copy": ("carrier",)},
    one_of=("carrier", "traceparent", "span_context", "baggage"),
    help="Name the `carrier`, such as the headers of a message, or the field for the W3C `traceparent`.",
)
@record(frozen=True, kw_only=True)
class SpanInjection(Node):
    """The fields that receive the trace context of a span."""

    traceparent: Text | None = yaml_key(
        FIELD,
        "traceparent",
        "The field that is set to the W3C `traceparent`.",
        'message.headers["traceparent"]',
        read="rule",
    )
    tracestate: Text | None = yaml_key(
        FIELD,
        "tracestate",
        "The field that is set to the W3C `tracestate`. By default it is not written.",
        'message.headers["tracestate"]',
        read="rule",
    )
    span_context: Text | None = yaml_key(
        FIELD,
        "span context",
        "The field that is set to the `SpanContext` object of OpenTelemetry. By default it is not written.",
        "parent_context",
        read="rule",
    )

    baggage: Text | None = yaml_key(
        FIELD,
        "baggage",
        "The field that is set to the W3C `baggage` of the context. By default it is not written.",
        'message.headers["baggage"]',
        read="rule",
    )
    carrier: Text | None = yaml_key(
        EXPRESSION,
        "carrier",
        "The headers that the configured propagators write to: a mapping, a list of pairs or an object for headers. By "
        "default only the fields that are named here are written.",
        "message.headers",
        read="rule",
    )

    form: CarrierForm | None = yaml_key(
        Choice(get_args(CarrierForm)),
        "form of the carrier",
        "The form of a `carrier` that is `None` or has no pairs: `mapping`, or a list of `pairs` of texts, as gRPC has "
        "it, or `byte_pairs` with bytes as values, as Kafka has it. By default `None` is replaced by a mapping.",
        "pairs",
    )
    copies: bool = yaml_key(
        FLAG,
        "copy",
        "Whether a copy of the `carrier` is written to and takes its place, so that the headers that the program keeps "
        "stay as they are.",
        True,
        default=False,
        absent=False,
        yaml="copy",
    )

    @property
    def fields(self) -> dict[ContextPart, Text]:
        """The field for each part of the trace context that is written."""
        parts: dict[ContextPart, Text | None] = {
            "traceparent": self.traceparent,
            "tracestate": self.tracestate,
            "span_context": self.span_context,
            "baggage": self.baggage,
            "carrier": self.carrier,
        }
        return {part: field for part, field in parts.items() if field is not None}


@node(
    "injection",
    "Writes the trace context of a span, or another value, into fields of the program's objects, or parameters of the "
    "call, at a moment.",
    {"at": "send.enter", "traceparent": 'message.headers["traceparent"]'},
    {"at": "send.enter", "field": "message.reply_to", "value": "order_id"},
    forms=(
        Form(
            "injection of trace context",
            "`carrier`, `traceparent`, `tracestate`, `span_context` and `baggage` name what receives trace context; "
            "`field` and `value` belong to the injection of another value.",
            ("field", "value"),
        ),
        Form(
            "injection of a value",
            "`field` is set to `value`; `carrier`, `form`, `copy`, `traceparent`, `tracestate`, `span_context`, "
            "`baggage` and `of` belong to the injection of trace context.",
            ("form", "copy", "carrier", "traceparent", "tracestate", "span_context", "baggage", "of"),
        ),
    ),
    required=("at",),
    one_of=("carrier", "traceparent", "span_context", "baggage", "field"),
    requires={"field": ("value",), "form": ("carrier",), "copy": ("carrier",)},
    help="Name the moment with `at`, and the `carrier`, such as the headers of a message, the field for the W3C "
    "`traceparent`, or a `field` and its `value`.",
)
@record(frozen=True, kw_only=True)
class Injection(SpanInjection):
    """Writes the trace context of a span, or another value, into fields of the program at a moment."""

    at: tuple[Moment, ...] = yaml_key(MOMENTS)
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true write the field. It can use the names that are available at the "
        "moment.",
        "message.is_remote",
        default="True",
        read="moment",
    )
    field: Text | None = yaml_key(
        FIELD, "field", "The field or parameter that is set to the value.", "message.reply_to", read="moment"
    )
    value: Text | None = yaml_key(
        EXPRESSION, "value", "The value. If it is `None`, the field is not set.", "order_id", read="moment"
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
        read="moment",
        phrase="the span",
        missing="is never found",
    )

    @property
    def of(self) -> tuple[ContextSource, ...]:
        """The sources of the context that is written."""
        return or_current(self.sources, self.mark)
