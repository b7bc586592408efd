"""The instrumentation scope."""

from __future__ import annotations

from dataclasses import dataclass, replace

from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import PLAIN_TEXT
from opentelemetry.instrumentation.declarative.language.value_types import TextType


@node(
    "scope",
    "The OpenTelemetry instrumentation scope of all spans and metrics of the spec. By default its name is"
    " `instrument.` followed by the name of the spec.",
    {"name": "com.example.shop", "version": "1.0.0"},
    required=("name",),
    help="give the scope a name",
)
@dataclass(frozen=True, kw_only=True)
class Scope(Node):
    """The instrumentation scope of the spans and metrics."""

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
        "The version of the instrumentation scope. By default there is none.",
        "1.0.0",
    )
    schema_url: str | None = yaml_key(
        TextType(pattern="^https?://\\S+$", decoded=DocumentNode.string),
        "schema URL",
        "The URL of the semantic conventions that the attributes follow. By default there is none.",
        "https://opentelemetry.io/schemas/1.11.0",
    )
