"""Attributes and statuses that are set on an open span at a moment, wherever in a spec they are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.nodes.attribute import (
    Attribute,
    CurrentAttribute,
    SpanAttribute,
)
from opentelemetry.instrumentation.declarative.language.nodes.attribute_group import (
    CurrentAttributeGroup,
    SpanAttributeGroup,
)
from opentelemetry.instrumentation.declarative.language.nodes.enrichment import Enrichment
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.status import CurrentStatus, SpanStatus, Status
from opentelemetry.instrumentation.declarative.language.values import Moment, SpanOfCall, Text
from opentelemetry.instrumentation.declarative.plan.attribute_planner import group_attributes
from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True, kw_only=True)
class SpanChange:
    """A change of an open span at moments: an attribute, the attributes and name of a group, or the first of several
    statuses.
    """

    name: str
    mark: Mark
    at: tuple[Moment, ...]
    when: Text | None = None
    key: Text | None = None
    of: SpanOfCall = "current"
    #: The new name of the span.
    template: Text | None = None
    attributes: tuple[Attribute, ...] = ()
    statuses: tuple[Status, ...] = ()
    is_group: bool = False

    @property
    def title(self) -> str:
        """The entry as the subject of a sentence."""
        if self.statuses:
            return "this status"
        return f'the attribute group "{self.name}"' if self.is_group else f'the attribute "{self.name}"'


def span_changes(owner: SpanType | Enrichment, of: SpanOfCall = "current") -> Iterator[SpanChange]:
    """The changes at moments: of the spans of a type, or of a span ``of`` the call."""
    for attribute in owner.attributes:
        if attribute.at:
            yield _of_attribute(attribute, of)
    for group in owner.attribute_groups:
        if group.at:
            yield _of_group(group, of)
    yield from _of_statuses([status for status in owner.statuses if status.at], of)


def _of_attribute(attribute: SpanAttribute | CurrentAttribute, of: SpanOfCall) -> SpanChange:
    return SpanChange(
        name=attribute.name,
        mark=attribute.mark,
        at=attribute.at,
        when=attribute.when,
        of=of,
        attributes=(replace(attribute, when=None),),
    )


def _of_group(group: SpanAttributeGroup | CurrentAttributeGroup, of: SpanOfCall) -> SpanChange:
    return SpanChange(
        name=group.name,
        mark=group.mark,
        at=group.at,
        when=group.when,
        key=group.key if isinstance(group, SpanAttributeGroup) else None,
        of=of,
        template=group.template,
        attributes=tuple(group_attributes(group)),
        is_group=True,
    )


def _of_statuses(statuses: Iterable[SpanStatus | CurrentStatus], of: SpanOfCall) -> Iterator[SpanChange]:
    """One for each moment: the first of its statuses that applies is set."""
    for _, together in groupby(statuses, _place):
        first, *others = together
        yield SpanChange(
            name=of,
            mark=first.mark,
            at=first.at,
            key=first.key if isinstance(first, SpanStatus) else None,
            of=of,
            statuses=(first, *others),
        )


def _place(status: SpanStatus | CurrentStatus) -> tuple[object, ...]:
    key = status.key.value if isinstance(status, SpanStatus) and status.key else None
    return [(at.hook, at.phase) for at in status.at], key
