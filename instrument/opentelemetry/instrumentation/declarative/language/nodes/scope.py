"""The instrumentation scope."""

from __future__ import annotations

from dataclasses import replace

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.scalar_types import TextType
from opentelemetry.instrumentation.declarative.language.texts import ATTRIBUTE_KEY_STRING, EXPRESSION, PLAIN_TEXT
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Text
from opentelemetry.instrumentation.declarative.records import record

#: The key of the attribute that records the kind of a link, unless a scope has another.
LINK_KIND_KEY = "link.kind"


@node(
    "scope",
    "The OpenTelemetry instrumentation scope of all spans, metrics and log records of the spec. By default its name is"
    " `instrument.` followed by the name of the spec.",
    {"name": "com.example.shop", "version": "1.0.0"},
    required=("name",),
    help="give the scope a name",
)
@record(frozen=True, kw_only=True)
class Scope(Node):
    """The instrumentation scope of the spans, metrics and log records."""

    name_of_scope: str = yaml_key(
        replace(PLAIN_TEXT, removable=False),
        "scope name",
        "The name of the instrumentation scope.",
        "com.example.shop",
        yaml="name",
        absent="",
    )
    version: str | None = yaml_key(
        PLAIN_TEXT,
        "scope version",
        "The version of the instrumentation, not of the library. By default that of this package for shipped specs, "
        "otherwise none.",
        "1.0.0",
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "This scope only applies if the condition is true. It is decided once, so that it uses only fixed values and "
        "functions, such as the text of an environment variable.",
        '"http" in "${OTEL_SEMCONV_STABILITY_OPT_IN}"',
        default="True",
        read="once",
    )
    schema_url: str | None = yaml_key(
        TextType(pattern="^https?://\\S+$", decoded=DocumentNode.string),
        "schema URL",
        "The URL of the semantic conventions that the attributes follow. By default there is none.",
        "https://opentelemetry.io/schemas/1.11.0",
    )
    link_kind: str = yaml_key(
        ATTRIBUTE_KEY_STRING,
        "link kind key",
        "The key of the attribute that records the kind of a link.",
        "shop.link.kind",
        default=LINK_KIND_KEY,
        absent=LINK_KIND_KEY,
    )


SCOPES = OneOrMore(
    NodeValue(Scope),
    ListOf(
        NodeValue(Scope),
        About(
            "list of scopes",
            "Several scopes, tried in order.",
            (
                [
                    {"name": "com.example.shop", "version": "2.0.0", "when": '"2" in "${SHOP_CONVENTIONS}"'},
                    {"name": "com.example.shop", "version": "1.0.0"},
                ],
            ),
        ),
        item_about=About("scope", "One item of the list.", ({"name": "com.example.shop"},)),
        min_items=1,
    ),
    About(
        "scope",
        "The OpenTelemetry instrumentation scope of all spans, metrics and log records of the spec. In a list, the "
        "first scope whose condition is true is used. By default its name is `instrument.` followed by the name of the "
        "spec.",
        (
            {"name": "com.example.shop", "version": "1.0.0"},
            [
                {
                    "name": "com.example.shop",
                    "schema_url": "https://opentelemetry.io/schemas/1.23.0",
                    "when": '"http" in "${OTEL_SEMCONV_STABILITY_OPT_IN}"',
                },
                {"name": "com.example.shop", "schema_url": "https://opentelemetry.io/schemas/1.11.0"},
            ],
        ),
    ),
    definition="scopes",
)
