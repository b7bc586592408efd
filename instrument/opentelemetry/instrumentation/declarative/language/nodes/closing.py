"""Moments at which the spans of an object end."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, MOMENT
from opentelemetry.instrumentation.declarative.language.values import Moment, Text


@node(
    "closing",
    "A moment at which an object of the library is closed. All open spans that it owns end, with the name"
    " of the closing as the attribute `instrument.end`, and their mirrors are flushed.",
    {"at": "close.exit", "owner": "self"},
    required=("at", "owner"),
    help="Name the moment with `at`, and the owner of the spans with `owner`.",
)
@dataclass(frozen=True, kw_only=True)
class Closing(Node):
    """A moment at which an owner is closed: its open spans end, marked with the name of the closing."""

    at: Moment = yaml_key(
        MOMENT,
        "moment",
        "When the object is closed.",
        "close.exit",
    )
    owner: Text = yaml_key(
        EXPRESSION,
        "owner",
        "The object that is closed, evaluated at the moment.",
        "self",
    )
