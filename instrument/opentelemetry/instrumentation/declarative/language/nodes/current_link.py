"""Links that are added to spans that exist already."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.nodes.context_source import CONTEXT, ContextSource
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION
from opentelemetry.instrumentation.declarative.language.values import Moment, Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "link that is added",
    "A link that is added to a span at a moment, such as to a span that has just started.",
    {"at": "pay.return", "to": {"span": "order", "key": "order.id"}},
    definition="current_link",
    required=("at", "to"),
    help="Name the moment with `at`, and the span that the link leads to with `to`.",
)
@record(frozen=True, kw_only=True)
class CurrentLink(Node):
    """A link that a span of the call is given at a moment."""

    at: tuple[Moment, ...] = yaml_key(MOMENTS)
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true add the link. It can use the names that are available at the "
        "moment.",
        "order.total > 100",
        default="True",
        read="moment",
    )
    targets: tuple[ContextSource, ...] = yaml_key(
        CONTEXT,
        "target",
        "The span that the link leads to. In a list, the first that is available.",
        {"span": "order", "key": "order.id"},
        yaml="to",
        read="moment",
    )
