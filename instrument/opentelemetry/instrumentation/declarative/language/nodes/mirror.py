"""Additional destinations of ended spans."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FLAG, PLAIN_TEXT, TARGET
from opentelemetry.instrumentation.declarative.language.value_types import Number
from opentelemetry.instrumentation.declarative.language.values import Target, Text


@node(
    "mirror",
    "An additional destination of ended spans, such as a file in a store of the library.",
    {
        "sink": "opentelemetry.instrumentation.declarative.libraries.ag2.spans_file:SpansFile",
        "store": "owner.store",
        "path": "/spans.jsonl",
    },
    required=("sink", "store", "path"),
    help="A mirror needs `sink`, `store` and `path`.",
)
@dataclass(frozen=True, kw_only=True)
class Mirror(Node):
    """A file in a store of the library to which ended spans are written as well."""

    sink: Target = yaml_key(
        TARGET,
        "sink",
        "The class that writes the spans. It is created with the path, a rule that receives exceptions, "
        "and the size in bytes for rotation.",
        "opentelemetry.instrumentation.declarative.libraries.ag2.spans_file:SpansFile",
    )
    store: Text = yaml_key(
        EXPRESSION,
        "store",
        "The store. The expression can use the name `owner`, the owner of the span.",
        "owner.store",
    )
    path: str = yaml_key(
        PLAIN_TEXT,
        "path",
        "The path of the file in the store.",
        "/spans.jsonl",
    )
    rotate: int | None = yaml_key(
        Number(minimum=1, is_integer=True),
        "size for rotation",
        "The largest size of the file in bytes. A file that would become larger is renamed to its path "
        "with `.1` appended, which replaces the previous one. By default the file is not limited.",
        10000000,
    )
    enabled: bool = yaml_key(
        FLAG,
        "enabled flag",
        "Whether spans are written. An overlay can set it to `false` to turn the mirror off.",
        False,
        default=True,
    )
