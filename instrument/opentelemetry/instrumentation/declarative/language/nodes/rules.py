"""The keys that a spec and its releases have in common."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.collection_types import MapOf
from opentelemetry.instrumentation.declarative.language.node_type import Node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.assignment import Assignment
from opentelemetry.instrumentation.declarative.language.nodes.attribute import CURRENT_ATTRIBUTES, CurrentAttribute
from opentelemetry.instrumentation.declarative.language.nodes.attribute_group import (
    CURRENT_ATTRIBUTE_GROUPS,
    CurrentAttributeGroup,
)
from opentelemetry.instrumentation.declarative.language.nodes.context_value import ContextValue
from opentelemetry.instrumentation.declarative.language.nodes.event import CurrentEvent
from opentelemetry.instrumentation.declarative.language.nodes.extension import Extension
from opentelemetry.instrumentation.declarative.language.nodes.extraction import Extraction
from opentelemetry.instrumentation.declarative.language.nodes.function import FUNCTION, Function
from opentelemetry.instrumentation.declarative.language.nodes.hook import Hook
from opentelemetry.instrumentation.declarative.language.nodes.injection import Injection
from opentelemetry.instrumentation.declarative.language.nodes.log import Log
from opentelemetry.instrumentation.declarative.language.nodes.metric import Metric
from opentelemetry.instrumentation.declarative.language.nodes.owner import Owner
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.status import CURRENT_STATUSES, CurrentStatus
from opentelemetry.instrumentation.declarative.language.texts import (
    ATTRIBUTE_KEY,
    EVENT_NAME,
    EXPRESSION,
    IDENTIFIER,
    NAME,
)
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Entries, Text


@dataclass(frozen=True, kw_only=True)
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
    )
    hooks: Entries[Hook] = yaml_key(
        MapOf(NAME, NodeValue(Hook)),
        "hooks",
        "Named callables of the library, by name.",
        {"pay": {"call": "shop.cart:Cart.pay"}},
        default={},
    )
    context_values: tuple[ContextValue, ...] = yaml_key(
        MapOf(IDENTIFIER, NodeValue(ContextValue), by_name=False),
        "context values",
        "Values that are available in everything that a call calls, by the name that expressions use.",
        {"order_id": {"during": "checkout", "value": "order.id"}},
        default={},
        yaml="context",
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
    events: tuple[CurrentEvent, ...] = yaml_key(
        MapOf(EVENT_NAME, NodeValue(CurrentEvent), by_name=False),
        "events",
        "Events that are added to the current span, by name. An event of a particular span is defined under that span.",
        {"cart_emptied": {"at": "empty.return"}},
        default={},
    )
    attributes: tuple[CurrentAttribute, ...] = yaml_key(
        CURRENT_ATTRIBUTES,
        "attributes",
        "Attributes that are set on the current span at a moment, by key. The current span may come from another "
        "instrumentation.",
        {"shop.order": {"value": "order.id", "at": "pay.enter"}},
        default={},
    )
    attribute_groups: tuple[CurrentAttributeGroup, ...] = yaml_key(
        CURRENT_ATTRIBUTE_GROUPS,
        default={},
    )
    statuses: tuple[CurrentStatus, ...] = yaml_key(
        CURRENT_STATUSES,
        yaml="status",
    )
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
        "Log records that are emitted at a moment, by event name. They are in the context of the current span.",
        {"shop.order.refused": {"at": "pay.raise", "severity": "warn", "body": "str(error)"}},
        default={},
    )
    extractions: tuple[Extraction, ...] = yaml_key(
        MapOf(NAME, NodeValue(Extraction), by_name=False),
        "extractions",
        "Trace context and baggage that are current during a call, by name of the extraction.",
        {"incoming": {"around": "receive", "carrier": "message.headers"}},
        default={},
        yaml="extract",
    )
    injections: tuple[Injection, ...] = yaml_key(
        MapOf(NAME, NodeValue(Injection), by_name=False),
        "injections",
        "Trace context that is written into fields of the program at a moment, by name of the injection.",
        {"outgoing": {"at": "send.enter", "traceparent": 'message.headers["traceparent"]'}},
        default={},
        yaml="inject",
    )
    assignments: tuple[Assignment, ...] = yaml_key(
        MapOf(NAME, NodeValue(Assignment), by_name=False),
        "assignments",
        "Fields of the program that are set to a value at a moment, by name of the assignment. Assignments, "
        "injections and extensions are the only parts of a spec that change the program.",
        {"reply": {"at": "send.enter", "field": "message.reply_to", "value": "order_id"}},
        default={},
        yaml="set",
    )
    owners: Entries[Owner] = yaml_key(
        MapOf(NAME, NodeValue(Owner)),
        "owners",
        "Objects of the library that spans belong to, by name. When one is closed, its open spans end.",
        {"cart": {"object": "self", "closes": "close.exit"}},
        default={},
    )
