"""The start and the end of spans, as actions."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.plan.actions import Action
from opentelemetry.instrumentation.declarative.plan.span_plan import SpanPlan, StatusPlan
from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True, kw_only=True)
class SpanAction(Action):
    """The start or end of a span, or both."""

    span: SpanPlan

    kind = "span"

    @property
    def subject(self) -> str:
        return self.span.name

    @property
    def span_name(self) -> str | None:
        return self.span.name

    @property
    def given_names(self) -> frozenset[str]:
        return frozenset(self.span.counts)


@record(frozen=True, kw_only=True)
class SpanStart(SpanAction):
    """A span starts and stays open."""

    part = "start"

    @property
    def injections(self) -> tuple[RuleId, ...]:
        """The rules that write the context of the new span into fields of the program."""
        return tuple(RuleId("span", self.subject, field.mark, part) for part, field in self.span.inject.items())


@record(frozen=True, kw_only=True)
class TraceCall(SpanStart):
    """The span lasts from the start to the end of the call."""

    @property
    def end_rule(self) -> RuleId:
        return self.span.end_rule


@record(frozen=True, kw_only=True)
class StartSpan(SpanStart):
    """A span with a key starts. ``unless_open``: only if none is open under the key. ``is_block``: it is the current
    span until it ends.
    """

    names: Mapping[str, Expression]
    unless_open: bool
    is_block: bool = False

    @property
    def reference(self) -> str:
        return f'this start of the span "{self.subject}"'

    @property
    def given_names(self) -> frozenset[str]:
        return frozenset({*self.span.counts, *self.names})


@record(frozen=True, kw_only=True)
class EndSpan(SpanAction):
    """The open span with this key ends. ``several``: the key is a list of keys, each of a span that ends."""

    key: Expression
    several: bool = False
    #: Tried before those of the span.
    statuses: tuple[StatusPlan, ...] = ()

    part = "end"

    @property
    def waits_for_counts(self) -> bool:
        """Whether its condition reads counts of the span."""
        return self.when is not None and not self.when.names.isdisjoint(self.span.counts)

    @property
    def reference(self) -> str:
        return f'this end of the span "{self.subject}"'


@record(frozen=True, kw_only=True)
class RecordSpan(SpanAction):
    """A span starts and ends at one moment."""
