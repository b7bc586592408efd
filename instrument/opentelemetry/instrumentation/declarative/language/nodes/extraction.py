"""Trace context and baggage that are current during a call, without a span of their own."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.node_type import Form, Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import CALLS, EXPRESSION
from opentelemetry.instrumentation.declarative.language.values import Text


@node(
    "extraction",
    "Makes the trace context and the baggage that a carrier contains current during a call. No span is started.",
    {"around": "receive", "carrier": "message.headers"},
    {"around": "shop.inbox:Inbox.receive", "traceparent": "message.trace"},
    forms=(
        Form(
            "extraction from a carrier",
            "`carrier` names headers that the configured propagators read; `traceparent`, `tracestate` and `baggage` "
            "name single fields.",
            ("traceparent", "tracestate", "baggage"),
        ),
        Form(
            "extraction from fields",
            "`traceparent`, `tracestate` and `baggage` name single fields; `carrier` names headers that the configured "
            "propagators read.",
            ("carrier",),
        ),
    ),
    required=("around",),
    one_of=("carrier", "traceparent", "baggage"),
    help="Name the calls with `around`, and the headers with `carrier`, or the field with `traceparent`.",
)
@dataclass(frozen=True, kw_only=True)
class Extraction(Node):
    """The trace context and baggage that are current during a call."""

    around: Text | None = yaml_key(
        CALLS,
        "hook name, target or pattern",
        "The calls during which the context is current: the name of a hook, a callable, or a pattern as in `call`. The "
        "spans and other rules of these calls see it.",
        "receive",
        "shop.inbox:Inbox.receive",
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true extract the context. It is evaluated before the call.",
        "message.is_remote",
        default="True",
    )
    carrier: Text | None = yaml_key(
        EXPRESSION,
        "carrier",
        "The headers that the configured propagators read: a mapping, pairs or an object for headers. By default only "
        "the fields that are named here are read.",
        "message.headers",
    )
    traceparent: Text | None = yaml_key(
        EXPRESSION,
        "traceparent",
        "Where the W3C `traceparent` is read. By default none is read.",
        "message.trace",
    )
    tracestate: Text | None = yaml_key(
        EXPRESSION,
        "tracestate",
        "Where the W3C `tracestate` is read. By default none is read.",
        "message.state",
    )
    baggage: Text | None = yaml_key(
        EXPRESSION,
        "baggage",
        "Where the W3C `baggage` is read. By default none is read.",
        "message.baggage",
    )
