"""The distribution that a spec is for."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import VERSION_SPECIFIER
from opentelemetry.instrumentation.declarative.language.value_types import TextType


@node(
    "target distribution",
    "The library that the spec is for. Without it the spec is active as soon as its modules are imported,"
    " whatever is installed. By default there is none.",
    {"distribution": "shop", "version": ">=1.2,<2"},
    required=("distribution",),
    help="name the distribution that contains the library with `distribution`",
)
@dataclass(frozen=True, kw_only=True)
class Distribution(Node):
    """The distribution of a library, and a specifier of the supported versions."""

    distribution: str = yaml_key(
        TextType(pattern="^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", decoded=DocumentNode.string, removable=False),
        "distribution name",
        "The name of the distribution that contains the library, as `pip` shows it.",
        "shop",
    )
    version: str = yaml_key(
        VERSION_SPECIFIER,
        "version specifier",
        "The supported releases, as a PEP 440 version specifier. By default all releases.",
        ">=1.2,<2",
        absent="",
    )
