"""Entries of OpenTelemetry's context during a call, without a span."""

from __future__ import annotations

from typing import get_args

from opentelemetry.instrumentation.declarative.language.node_type import Form, Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.scalar_types import Choice
from opentelemetry.instrumentation.declarative.language.texts import CALLS, EXPRESSION
from opentelemetry.instrumentation.declarative.language.values import Suppressed, Text
from opentelemetry.instrumentation.declarative.records import record

_FIELDS = ("traceparent", "tracestate", "baggage")


@node(
    "context entry",
    "What is in the context during a call, for everything that it calls: a value under the name of the entry, the "
    "trace context and the baggage that a carrier contains, or that instrumentation is suppressed. No span is started.",
    {"during": "checkout", "value": "order.id"},
    {"during": "receive", "carrier": "message.headers"},
    {"during": "shop.inbox:Inbox.receive", "traceparent": "message.trace"},
    {"during": "refresh", "suppress": "http"},
    forms=(
        Form(
            "context value",
            "`value` is available under the name of the entry; `carrier`, `traceparent`, `tracestate`, `baggage` and "
            "`suppress` belong to entries without a value.",
            ("carrier", *_FIELDS, "suppress"),
        ),
        Form(
            "context from a carrier",
            "`carrier` names headers that the configured propagators read; `traceparent`, `tracestate` and `baggage` "
            "name single fields, and `value` and `suppress` belong to other entries.",
            (*_FIELDS, "value", "suppress"),
        ),
        Form(
            "context from fields",
            "`traceparent`, `tracestate` and `baggage` name single fields; `carrier` names headers that the configured "
            "propagators read, and `value` and `suppress` belong to other entries.",
            ("carrier", "value", "suppress"),
        ),
        Form(
            "suppression",
            "`suppress` says what is not recorded; `value`, `carrier`, `traceparent`, `tracestate` and `baggage` "
            "belong to other entries.",
            ("value", "carrier", *_FIELDS),
        ),
    ),
    required=("during",),
    one_of=("value", "carrier", "traceparent", "baggage", "suppress"),
    help="Name the calls with `during`, and write the expression under `value`, the headers under `carrier`, the field "
    "under `traceparent`, or what is suppressed under `suppress`.",
)
@record(frozen=True, kw_only=True)
class ContextEntry(Node):
    """A value, or trace context and baggage, or a suppression, during a call."""

    during: Text = yaml_key(
        CALLS,
        "hook name, target or pattern",
        "The calls: the name of a hook, a callable, or a pattern as in `call`. The rules of the same hook do not see a "
        "`value`. Its spans and other rules see the context of a `carrier`.",
        "checkout",
        "shop.inbox:Inbox.receive",
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "The entry only applies to calls for which this condition is true. It is evaluated before the call.",
        "order.total > 0",
        default="True",
        read="call",
    )
    value: Text | None = yaml_key(
        EXPRESSION,
        "value",
        "The value, evaluated before the call. Expressions use it by the name of the entry.",
        "order.id",
        read="call",
    )
    carrier: Text | None = yaml_key(
        EXPRESSION,
        "carrier",
        "The headers that the configured propagators read: a mapping, pairs or an object for headers. By default only "
        "the fields that are named here are read.",
        "message.headers",
        read="call",
    )
    traceparent: Text | None = yaml_key(
        EXPRESSION,
        "traceparent",
        "Where the W3C `traceparent` is read. By default none is read.",
        "message.trace",
        read="call",
    )
    tracestate: Text | None = yaml_key(
        EXPRESSION,
        "tracestate",
        "Where the W3C `tracestate` is read. By default none is read.",
        "message.state",
        read="call",
    )
    baggage: Text | None = yaml_key(
        EXPRESSION,
        "baggage",
        "Where the W3C `baggage` is read. By default none is read.",
        "message.baggage",
        read="call",
    )
    suppress: Suppressed | None = yaml_key(
        Choice(get_args(Suppressed)),
        "suppressed instrumentation",
        "What is suppressed in everything that the calls call: `http` for the spans of HTTP clients, `instrumentation` "
        "for all spans, also of other instrumentations, and `model_calls` for what shipped specs record of calls to "
        "models. By default nothing is suppressed.",
        "http",
    )
