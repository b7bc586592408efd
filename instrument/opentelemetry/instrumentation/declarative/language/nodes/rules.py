"""The keys that a spec and its releases have in common."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import MapOf
from opentelemetry.instrumentation.declarative.language.node_type import NO_MARK, Node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.context_entry import ContextEntry
from opentelemetry.instrumentation.declarative.language.nodes.enrichment import EnrichedSpans
from opentelemetry.instrumentation.declarative.language.nodes.extension import Extension
from opentelemetry.instrumentation.declarative.language.nodes.function import FUNCTION, Function
from opentelemetry.instrumentation.declarative.language.nodes.hook import Hook
from opentelemetry.instrumentation.declarative.language.nodes.injection import Injection
from opentelemetry.instrumentation.declarative.language.nodes.log import Log
from opentelemetry.instrumentation.declarative.language.nodes.metric import Metric
from opentelemetry.instrumentation.declarative.language.nodes.owner import Owner
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.texts import (
    ATTRIBUTE_KEY,
    EVENT_NAME,
    EXPRESSION,
    IDENTIFIER,
    NAME,
)
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Entries, Text
from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True, kw_only=True)
class Rules(Node):
    """The keys that a spec has, and that each of its releases can change."""

    functions: Entries[Function] = yaml_key(
        MapOf(IDENTIFIER, FUNCTION),
        "functions",
        "Python functions that expressions can call, by the name that expressions use. They must not have"
        " side effects. With `at`, a function is called with a span instead, which it can change.",
        {"price_of": "shop.prices:price_of"},
        {"record_card": {"call": "shop.tracing:record_card", "at": "pay.return", "arguments": ["card"]}},
        default={},
    )
    names: Entries[Text] = yaml_key(
        MapOf(
            IDENTIFIER,
            EXPRESSION,
            value_about=About("value", "The value of the name, evaluated where an expression reads it.", ("order.id",)),
        ),
        "names",
        "Names that all expressions can read. Each stands for its expression, which reads what is available there, and "
        "the names before it.",
        {"customer": "order.customer"},
        default={},
        read="rule",
    )
    hooks: Entries[Hook] = yaml_key(
        MapOf(NAME, NodeValue(Hook)),
        "hooks",
        "Named callables of the library, by name.",
        {"pay": {"call": "shop.cart:Cart.pay"}},
        default={},
    )
    context: tuple[ContextEntry, ...] = yaml_key(
        MapOf(IDENTIFIER, NodeValue(ContextEntry), by_name=False),
        "context",
        "What is in OpenTelemetry's context during calls, by name: values that everything below the call can use by "
        "this name, the trace context and baggage of a carrier, or that instrumentation is suppressed.",
        {"order_id": {"during": "checkout", "value": "order.id"}},
        {"incoming": {"during": "receive", "carrier": "message.headers"}},
        default={},
    )
    inject: tuple[Injection, ...] = yaml_key(
        MapOf(NAME, NodeValue(Injection), by_name=False),
        "injections",
        "Trace context and other values that are written into fields of the program at a moment, by name of the "
        "injection. Injections and extensions are the only parts of a spec that change the program.",
        {"outgoing": {"at": "send.enter", "traceparent": 'message.headers["traceparent"]'}},
        {"reply": {"at": "send.enter", "field": "message.reply_to", "value": "order_id"}},
        default={},
    )
    extensions: Entries[Extension] = yaml_key(
        MapOf(NAME, NodeValue(Extension)),
        "extensions",
        "The extension points of the library that the spec uses, by name.",
        {
            "middleware": {
                "base": "shop.middleware:Middleware",
                "install": {"at": "app_created.return", "call": "self.add_middleware"},
            }
        },
        default={},
    )
    spans: Entries[SpanType] = yaml_key(
        MapOf(NAME, NodeValue(SpanType)),
        "spans",
        "The spans, by span type.",
        {"checkout": {"around": "shop.cart:Cart.checkout"}},
        default={},
    )
    enrich: EnrichedSpans = yaml_key(NodeValue(EnrichedSpans), default={}, absent=EnrichedSpans(mark=NO_MARK))
    metrics: tuple[Metric, ...] = yaml_key(
        MapOf(ATTRIBUTE_KEY, NodeValue(Metric), by_name=False),
        "metrics",
        "The metrics, by the name under which they are recorded.",
        {"shop.checkout.duration": {"instrument": "histogram", "span": "checkout"}},
        default={},
    )
    logs: tuple[Log, ...] = yaml_key(
        MapOf(EVENT_NAME, NodeValue(Log), by_name=False),
        "log records",
        "Log records that are emitted at a moment, by event name. They are in the context of the current span, unless "
        "`of` names another one.",
        {"shop.order.refused": {"at": "pay.raise", "severity": "warn", "body": "str(error)"}},
        default={},
    )
    owners: Entries[Owner] = yaml_key(
        MapOf(NAME, NodeValue(Owner)),
        "owners",
        "Objects of the library that spans belong to, by name. When one is closed, its open spans end.",
        {"cart": {"object": "self", "closes": "close.exit"}},
        default={},
    )
