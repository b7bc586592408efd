"""Finds entries of a list that an earlier entry covers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.nodes.context_source import ContextSource
from opentelemetry.instrumentation.declarative.language.nodes.each import Each
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.values import Moment, Text
from opentelemetry.instrumentation.declarative.lint.plan_parts import lint_warning
from opentelemetry.instrumentation.declarative.plan.stages import Stage


def repetitions(spec: Spec) -> Iterator[Problem]:
    for span in spec.spans.values():
        yield from _sources(span.parent_sources)
        yield from _ends(span)
        yield from _moments(span)
        for sources in span.links.values():
            yield from _sources(sources)
    for injection in spec.inject:
        yield from _sources(injection.of)
    yield from _metric_names(spec)
    for log in spec.logs:
        yield from _overlaps(log.name, log.at)


def _metric_names(spec: Spec) -> Iterator[Problem]:
    """Names of metrics that are the same to OpenTelemetry, which ignores case."""
    seen: dict[str, str] = {}
    for metric in spec.metrics:
        other = seen.setdefault(metric.name.lower(), metric.name)
        if other != metric.name:
            message = f'"{metric.name}" is the same metric as "{other}": OpenTelemetry ignores the case of names'
            yield lint_warning(metric.mark, "repeated", message, "choose another name for one of them")


def _sources(sources: tuple[ContextSource, ...]) -> Iterator[Problem]:
    seen = set()
    for source in sources:
        identity = (source.where, *map(_value, (source.span, source.key, source.traceparent, source.carrier)))
        if identity in seen:
            message = "this source is in the list twice: the second is never tried"
            yield lint_warning(source.mark, "repeated", message, "remove one of them")
        seen.add(identity)


def _ends(span: SpanType) -> Iterator[Problem]:
    """Ends at which an earlier one has ended the span."""
    seen: set[tuple[object, ...]] = set()
    for end in span.ends:
        key = _value(end.key)
        conditions = (None, _value(end.when))
        if any(all((end.at.hook, stage, when, key) in seen for stage in _stages(end.at)) for when in conditions):
            message = f'this end of the span "{span.name}" never takes effect: one above it has ended the span'
            yield lint_warning(end.at.mark, "repeated", message, "remove it, or distinguish them with `when`")
        seen |= {(end.at.hook, stage, _value(end.when), key) for stage in _stages(end.at)}


def _moments(span: SpanType) -> Iterator[Problem]:
    """Moments of an event or a count that overlap."""
    for name, moments in (*((event.name, event.at) for event in span.events), *((c.name, c.at) for c in span.counts)):
        yield from _overlaps(name, moments)


def _overlaps(name: str, moments: Iterable[Moment]) -> Iterator[Problem]:
    seen: set[tuple[str, Stage]] = set()
    for at in moments:
        stages = {(at.hook, stage) for stage in _stages(at)}
        if stages & seen:
            message = f'"{name}" happens twice at this moment: another entry of the list includes it'
            yield lint_warning(at.mark, "repeated", message, "remove one of them")
        seen |= stages


def _stages(at: Moment) -> Iterable[Stage]:
    return ("return", "raise") if at.phase == "exit" else (at.phase,)


def _value(text: Text | Each | None) -> object:
    """What tells a text, or a list, from others."""
    if isinstance(text, Each):
        return "each", _value(text.each)
    return None if text is None else text.value
