"""Walks over the attributes in a spec."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from opentelemetry.instrumentation.declarative.inspection.described.facts import AttributeFacts
from opentelemetry.instrumentation.declarative.inspection.described.value_types import merge_types
from opentelemetry.instrumentation.declarative.language.nodes.attribute import Attribute
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.values import Text


def own_attributes(span: SpanType) -> Iterable[tuple[Attribute, tuple[Text | None, ...]]]:
    """The attributes of a span that are not set at a moment of their own, with the conditions of their groups."""
    for attribute in span.attributes:
        if not attribute.at:
            yield attribute, ()
    for group in span.attribute_groups:
        if not group.at:
            for one in group.attributes:
                yield one, (group.when,)


def merged_by_key(uses: Iterable[AttributeFacts]) -> Iterable[AttributeFacts]:
    """The attributes with one entry per key."""
    found: dict[str, list[AttributeFacts]] = {}
    for one in uses:
        found.setdefault(one.key, []).append(one)
    for first, *others in found.values():
        sources = dict.fromkeys(one.source for one in (first, *others))
        yield replace(first, source=" or ".join(sources), type=merge_types(one.type for one in (first, *others)))
