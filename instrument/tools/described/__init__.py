"""What a spec records, as facts: for pages that people read and registries that programs read."""

from instrument.tools.described.describe import describe
from instrument.tools.described.facts import AttributeFacts, Description, EventFacts, LinkFacts, MetricFacts, SpanFacts
from instrument.tools.described.values import ValueType

__all__ = [
    "AttributeFacts",
    "Description",
    "EventFacts",
    "LinkFacts",
    "MetricFacts",
    "SpanFacts",
    "ValueType",
    "describe",
]
