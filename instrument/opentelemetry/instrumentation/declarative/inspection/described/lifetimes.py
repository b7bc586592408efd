"""When a span starts and ends, in words, and what can end it instead."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.inspection.wording import (
    condition_phrase,
    hooked_callable,
    moment_phrase,
)
from opentelemetry.instrumentation.declarative.language.nodes.owner import Owner
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec


def lifetime(spec: Spec, span: SpanType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return when a span starts and when it ends, with conditions."""
    if span.around is not None:
        return (f"Around {hooked_callable(spec, span.around.value)}{condition_phrase(span.when)}",), ()
    if span.at is not None:
        return (f"When {moment_phrase(spec, span.at, span.when)}",), ()
    return (
        tuple(moment_phrase(spec, start.at, start.when) for start in span.starts),
        tuple(moment_phrase(spec, end.at, end.when) for end in span.ends),
    )


def lifetime_summary(spec: Spec, span: SpanType) -> str:
    """Return when a span starts and ends, without conditions."""
    if span.around is not None:
        return f"around {hooked_callable(spec, span.around.value)}"
    if span.at is not None:
        return f"when {moment_phrase(spec, span.at)}"
    starts, ends = [start.at for start in span.starts], [end.at for end in span.ends]
    first, last = (" or ".join(dict.fromkeys(moment_phrase(spec, at) for at in moments)) for moments in (starts, ends))
    return f"starts when {first}, ends when {last}"


def forced_ends(spec: Spec, span: SpanType) -> tuple[str, ...]:
    """Return what can end a span instead of its own end."""
    if span.at is not None:
        return ()
    bounds = [] if span.around is not None else ["limit", *(["age"] if span.lookup.max_age is not None else [])]
    owner = owner_of_span(spec, span)
    return (*bounds, "shutdown", *([owner.end_reason] if owner is not None and owner.closes else []))


def owner_of_span(spec: Spec, span: SpanType) -> Owner | None:
    """Return the owner that a span belongs to, if it has one."""
    return None if span.owner is None else spec.owners.get(span.owner.value)
