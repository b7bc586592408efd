"""The types of span of a spec, their expressions parsed and their parents and links looked up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from opentelemetry.instrumentation.declarative.language.spec_model import ContextSource, SpanType, Spec
from opentelemetry.instrumentation.declarative.plan.expression_reader import Phases, Texts, phases_of
from opentelemetry.instrumentation.declarative.plan.model import DYNAMIC, THERE, LinkPlan, Source, SpanPlan, StatusPlan

AT_THE_START = "use what is there when the span starts"


def span_plan(span: SpanType, spec: Spec, texts: Texts) -> SpanPlan:
    """One type of span of a spec. When it begins and ends is not in it."""
    constants: dict[str, object] = {}
    if spec.vocabulary.span_type:
        constants[spec.vocabulary.span_type] = span.type
    constants.update(span.constants)
    first, last = phases_of(span)
    aliases = [texts.expression(alias, first, AT_THE_START) for alias in span.aliases]
    if aliases and not (span.around and span.remember):
        texts.problem(
            span.aliases[0].mark,
            "idle-alias",
            f'the span "{span.name}" cannot be found by an alias: only one around a call that is remembered can',
            "write remember: and how many, beside around:",
        )
    links = [LinkPlan(link.kind, source_plans(link.sources, first, spec, texts)) for link in span.links]
    return SpanPlan(
        name=span.name,
        mark=span.mark,
        template=texts.template(span.template, (*first, *last)),
        kind=span.kind,
        constants=constants,
        parents=source_plans(span.parents, first, spec, texts),
        links=tuple(link for link in links if link.sources[0].where != "none"),
        key=texts.optional(span.key, first, AT_THE_START),
        aliases=tuple(alias for alias in aliases if alias is not None),
        inject={
            word: field
            for word, text in (("traceparent", span.inject_traceparent), ("tracestate", span.inject_tracestate))
            if text is not None and (field := texts.field(text, first, AT_THE_START)) is not None
        },
        readings=texts.readings(span.attributes, (*first, *last)),
        start_time=texts.optional(span.start_time, first, AT_THE_START),
        end_time=texts.optional(span.end_time, last),
        exception=texts.optional(span.exception, last),
        statuses=tuple(
            StatusPlan(
                when=texts.optional(each.when, last),
                error=texts.optional(each.error, last),
                ok=texts.optional(each.ok, last),
                unset=each.unset,
            )
            for each in span.statuses
        ),
        remember=span.remember,
        limit=span.limit,
        age=span.age,
        start_has=_start_has(span),
        owner=texts.optional(span.owner, first, AT_THE_START),
        counts=tuple(dict.fromkeys(count.name for count in span.counts)),
        sample=span.sample,
    )


def source_plans(sources: Sequence[ContextSource], phases: Phases, spec: Spec, texts: Texts) -> tuple[Source, ...]:
    """Where a parent, a link or a context to write comes from, read at these phases: what is tried in turn."""
    for source in sources[:-1]:
        if source.where == "none":
            texts.problem(source.mark, "idle-source", "what stands after none is never looked for", "put none last")
    return tuple(_source_plan(source, phases, spec, texts) for source in sources)


def _source_plan(source: ContextSource, phases: Phases, spec: Spec, texts: Texts) -> Source:
    found = Source(
        where=source.where,
        mark=source.mark,
        span=source.span.value if source.span else None,
        key=texts.optional(source.key, phases, AT_THE_START),
        required=source.required,
        traceparent=texts.optional(source.traceparent, phases, AT_THE_START),
        tracestate=texts.optional(source.tracestate, phases, AT_THE_START),
    )
    if source.span is None:
        return found
    span = spec.spans.get(source.span.value)
    if span is None:
        texts.unknown(source.span, "span", spec.spans)
        return Source("current", source.mark)
    if span.key is None or span.at is not None:
        why = "has no `key`" if span.key is None else "is over as soon as it begins"
        texts.problem(
            source.span.mark,
            "no-key",
            f'the span "{span.name}" {why}: it cannot be found by one',
            "write key: under that span, with what both know, as an id"
            if span.key is None
            else "name a span that is around a call or has a start and an end",
        )
    return found


def _start_has(span: SpanType) -> frozenset[str]:
    """Which of ``result`` and ``error`` exist at every start of the span."""
    moments = [span.at] if span.at else [start.at for start in span.starts]
    there = [DYNAMIC if at.phase == "exit" else THERE[at.phase] for at in moments]
    return reduce(frozenset.intersection, there) if there else frozenset()
