"""Additional destinations of ended spans."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import MapOf
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.scalar_types import ConstantValue
from opentelemetry.instrumentation.declarative.language.texts import IDENTIFIER, PLAIN_TEXT, TARGET
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Constant, Entries, Target
from opentelemetry.instrumentation.declarative.records import record


@node(
    "sink",
    "An additional destination of ended spans, such as a file of the library.",
    {
        "class": "opentelemetry.instrumentation.declarative.libraries.ag2.spans_file:SpansFile",
        "options": {"rotate": 10000000},
    },
    required=("class",),
    help="Name the class that receives the spans with `class`.",
)
@record(frozen=True, kw_only=True)
class Sink(Node):
    """An additional destination of the ended spans of an owner."""

    sink_class: Target = yaml_key(
        TARGET,
        "sink class",
        "The class that receives the spans and their owners. It is created once for each process, with the options.",
        "opentelemetry.instrumentation.declarative.libraries.ag2.spans_file:SpansFile",
        yaml="class",
    )
    options: Entries[Constant] = yaml_key(
        MapOf(
            IDENTIFIER,
            ConstantValue(PLAIN_TEXT),
            value_about=About("option value", "Text, a number, true or false, or a list of texts.", (10000000,)),
        ),
        "sink options",
        "Options of the class, by name: the keyword arguments with which it is created.",
        {"rotate": 10000000},
        default={},
    )
