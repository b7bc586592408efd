"""Descriptions of what a spec records, in a file of their own."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import MapOf
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.scalar_types import Version
from opentelemetry.instrumentation.declarative.language.texts import (
    ATTRIBUTE_KEY,
    EVENT_NAME,
    LINK_KIND,
    NAME,
    PLAIN_TEXT,
)
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Entries
from opentelemetry.instrumentation.declarative.records import record


@node(
    "registry",
    "Descriptions of the spans, events, attributes and links that a spec records, for its reference page and its "
    "registry in the format of OpenTelemetry Weaver. The file is beside that of the spec: `shop_registry.yaml` belongs "
    "to `shop.yaml`. A program does not read it.",
    {"instrument": 2, "attributes": {"shop.tier": "The tier of the customer."}},
    always_required=("instrument",),
)
@record(frozen=True, kw_only=True)
class Registry(Node):
    """Descriptions of what a spec records."""

    instrument: int = yaml_key(
        Version(2), "language version", "The version of the language that the file is written in.", 2, absent=2
    )
    spans: Entries[str] = yaml_key(
        MapOf(
            NAME,
            PLAIN_TEXT,
            value_about=About("description", "One sentence that describes the span.", ("An order, until it is paid.",)),
        ),
        "span descriptions",
        "One sentence about each span type, by its name.",
        {"order": "An order, from the payment to the delivery."},
        default={},
    )
    events: Entries[str] = yaml_key(
        MapOf(
            EVENT_NAME,
            PLAIN_TEXT,
            value_about=About("description", "One sentence that describes the event.", ("The order was paid.",)),
        ),
        "event descriptions",
        "One sentence about each event or log record, by the name under which the spec has it.",
        {"paid": "The order was paid."},
        default={},
    )
    attributes: Entries[str] = yaml_key(
        MapOf(
            ATTRIBUTE_KEY,
            PLAIN_TEXT,
            value_about=About(
                "description", "One sentence that describes the attribute.", ("The tier of the customer.",)
            ),
        ),
        "attribute descriptions",
        "One sentence about each attribute, by key.",
        {"shop.tier": "The tier of the customer."},
        default={},
    )
    links: Entries[str] = yaml_key(
        MapOf(
            LINK_KIND,
            PLAIN_TEXT,
            value_about=About(
                "description",
                "One sentence that describes the kind of link.",
                ("The checkout that created the order.",),
            ),
        ),
        "link descriptions",
        "One sentence about each kind of link.",
        {"ordered_by": "The checkout that created the order."},
        default={},
    )
