"""When a span starts and ends, in words, what can end it instead, and when its attributes are read."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.inspection.wording import (
    condition_phrase,
    hooked_callable,
    moment_phrase,
)
from opentelemetry.instrumentation.declarative.language.nodes.owner import Owner
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.plan.stages import ITEM_NAMES


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


_OUTCOMES = {"result": "when the call returns", "error": "when the call raises"}


def when_read(spec: Spec, span: SpanType, names: frozenset[str]) -> str:
    """Return when an attribute with these names is read, which is as soon as they exist."""
    if span.at is not None:
        return "with the span"
    around = spec.hooks.get(span.around.value) if span.around else None
    collected = around.collect if around else {}
    if names & {*collected, *(count.name for count in span.counts)}:
        return "at the end"
    if span.around is not None:
        if names & ITEM_NAMES:
            return "at the end"
        outcomes = names & {"result", "error"}
        return {0: "at the start", 2: "at the end"}.get(len(outcomes), _OUTCOMES.get(next(iter(outcomes), ""), ""))
    phases = {start.at.phase for start in span.starts}
    known = {"result"} if phases == {"return"} else {"error"} if phases == {"raise"} else set()
    return "at the end" if names & ({"result", "error"} - known) or names & ITEM_NAMES else "at the start"
