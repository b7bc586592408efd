"""Descriptions for the reference page."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.collection_types import MapOf
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import (
    ATTRIBUTE_KEY,
    ATTRIBUTE_KEY_STRING,
    LINK_KIND,
    PLAIN_TEXT,
)
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Entries


@node(
    "vocabulary",
    "The attribute keys for the type of a span and the kind of a link, and descriptions of attributes and"
    " link kinds for the reference page.",
    {"span_type": "shop.span.type", "link_kind": "shop.link.kind"},
)
@dataclass(frozen=True, kw_only=True)
class Vocabulary(Node):
    """The attribute keys for a span's type and a link's kind, and descriptions of attributes and kinds of links."""

    span_type: str | None = yaml_key(
        ATTRIBUTE_KEY_STRING,
        "span type key",
        "The key of the attribute that records the type of a span. By default the type is not recorded.",
        "shop.span.type",
    )
    link_kind: str = yaml_key(
        ATTRIBUTE_KEY_STRING,
        "link kind key",
        "The key of the attribute that records the kind of a link.",
        "shop.link.kind",
        default="link.kind",
        absent="link.kind",
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
        "One sentence about each attribute, by key, for the reference page. The sentences are not recorded.",
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
        "One sentence about each kind of link, for the reference page. The sentences are not recorded.",
        {"ordered_by": "The checkout that created the order."},
        default={},
    )
