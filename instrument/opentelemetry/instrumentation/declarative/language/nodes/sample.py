"""A limit to how many spans of a type are recorded."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.scalar_types import Number
from opentelemetry.instrumentation.declarative.records import record


@node(
    "sample",
    "Limits how many spans of this type are recorded, each together with all spans below it. Metrics "
    "count spans that are not recorded too. By default all are recorded.",
    {"ratio": 0.1},
    {"per_second": 10},
)
@record(frozen=True, kw_only=True)
class Sample(Node):
    """A limit to how many spans of a type are recorded."""

    per_second: float | None = yaml_key(
        Number(above=0),
        "spans per second",
        "The maximum number of spans that are recorded in one second. By default there is no limit.",
        10,
    )
    ratio: float = yaml_key(
        Number(minimum=0, maximum=1),
        "ratio",
        "The fraction of traces that are recorded, from 0 to 1, chosen by trace id.",
        0.1,
        default=1,
    )
