"""From a spec to the facts about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from opentelemetry.instrumentation.declarative.expressions import Expression, ExpressionError, parse
from opentelemetry.instrumentation.declarative.inspection import wording as words
from opentelemetry.instrumentation.declarative.inspection.described.conventions import meaning
from opentelemetry.instrumentation.declarative.inspection.described.facts import (
    AttributeFacts,
    Description,
    EventFacts,
    LinkFacts,
    MetricFacts,
    SpanFacts,
)
from opentelemetry.instrumentation.declarative.inspection.described.value_types import (
    ValueType,
    merged,
    type_of,
    type_of_constant,
)
from opentelemetry.instrumentation.declarative.inspection.wording import code
from opentelemetry.instrumentation.declarative.language.spec_model import Attribute, Event, Metric, SpanType, Spec, Text

#: What marks a span that did not end as it should.
END = "instrument.end"
_Names = Mapping[str, ValueType | None]
_LEFT = "What ended the span, where its own end did not come."


def describe(spec: Spec) -> Description:
    """All that a spec records. The spec has been planned without a problem."""
    return _Describing(spec).description()


class _Describing:
    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.briefs = {**_briefs(spec), **spec.vocabulary.attributes}
        self.links: Mapping[str, str] = spec.vocabulary.links

    def description(self) -> Description:
        spec = self.spec
        events = [event for event in spec.events if event.template is not None]
        updates = [event for event in spec.events if event.template is None]
        return Description(
            name=spec.name,
            target=(spec.target.name, spec.target.version) if spec.target else None,
            scope=(spec.scope.name, spec.scope.version, spec.scope.schema_url),
            span_type=spec.vocabulary.span_type,
            link_kind=spec.vocabulary.link_kind,
            spans=tuple(map(self._span, spec.spans.values())),
            events=tuple(self._event(event, None) for event in events),
            updates=tuple(one for update in updates for one in self._update(update)),
            metrics=tuple(map(self._metric, spec.metrics)),
            hooks=tuple(
                (name, words.place_of(spec, hook), hook.when.value if hook.when else None)
                for name, hook in spec.hooks.items()
                if not hook.direct
            ),
        )

    def _span(self, span: SpanType) -> SpanFacts:
        starts, ends = self._lifetime(span)
        return SpanFacts(
            key=span.name,
            type=span.type,
            name=span.template.value,
            kind=span.kind,
            starts=starts,
            ends=ends,
            in_short=self._in_short(span),
            parents=tuple(map(words.source, span.parents)),
            links=tuple(
                LinkFacts(link.kind, tuple(map(words.source, link.sources)), self.links.get(link.kind))
                for link in span.links
            ),
            attributes=tuple(self._span_attributes(span)),
            events=tuple(self._event(event, span) for event in span.events if event.template is not None),
            status=tuple(_statuses(span)),
            times=tuple(
                f"{word} at {code(text.value)}"
                for word, text in (("began", span.start_time), ("ended", span.end_time))
                if text is not None
            ),
            keys=tuple(text.value for text in (*([span.key] if span.key else []), *span.aliases)),
            mirror=next((one.path for one in self.spec.mirrors if _is(span.mirror, one.name) and one.enabled), None),
            brief=span.brief,
        )

    def _lifetime(self, span: SpanType) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if span.around is not None:
            return (f"Around {words.called(self.spec, span.around)}{words.condition(span.when)}",), ()
        if span.at is not None:
            return (f"When {words.moment(self.spec, span.at, span.when)}",), ()
        return (
            tuple(words.moment(self.spec, start.at, start.when) for start in span.starts),
            tuple(words.moment(self.spec, end.at, end.when) for end in span.ends),
        )

    def _in_short(self, span: SpanType) -> str:
        """The same without the conditions, for a list of spans."""
        if span.around is not None:
            return f"around {words.called(self.spec, span.around)}"
        if span.at is not None:
            return f"when {words.moment(self.spec, span.at)}"
        starts, ends = [start.at for start in span.starts], [end.at for end in span.ends]
        first, last = (
            " or ".join(dict.fromkeys(words.moment(self.spec, at) for at in moments)) for moments in (starts, ends)
        )
        return f"from when {first} until {last}"

    def _span_attributes(self, span: SpanType) -> Iterable[AttributeFacts]:
        key = self.spec.vocabulary.span_type
        if key is not None:
            yield self._fixed(key, span.type, "The type of the span.")
        for name, value in span.constants.items():
            yield self._fixed(name, value)
        names = self._names(span)
        found = {one.key: self._attribute(one, self._when(span, one), names) for one in span.attributes}
        for end in span.ends:
            for one in end.attributes:
                found.setdefault(one.key, self._attribute(one, f"when {words.moment(self.spec, end.at)}"))
        for update in span.events:
            if update.template is None:
                for fact in self._update(update):
                    found.setdefault(fact.key, fact)
        left = found.pop(END, None)
        yield from found.values()
        values = (*self._unasked_ends(span), *(left.type.values if left and left.type else ()))
        if values:
            yield AttributeFacts(
                END, "", "where its own end does not come", ValueType("string", values, True), self._brief(END) or _LEFT
            )

    def _unasked_ends(self, span: SpanType) -> tuple[str, ...]:
        """What may end a span whose own end does not come."""
        if span.at is not None:
            return ()
        bounds = [] if span.around is not None else ["limit", *(["age"] if span.age is not None else [])]
        return (*bounds, "shutdown", *(closing.name for closing in self.spec.closings if span.owner is not None))

    def _update(self, update: Event) -> Iterable[AttributeFacts]:
        when = " or ".join(words.moment(self.spec, at, update.when) for at in update.at)
        return [self._attribute(one, f"when {when}") for one in update.attributes]

    def _event(self, event: Event, span: SpanType | None) -> EventFacts:
        assert event.template is not None
        return EventFacts(
            key=event.name,
            name=event.template.value,
            span=span.name if span else None,
            at=tuple(words.moment(self.spec, at, event.when) for at in event.at),
            attributes=tuple(self._attribute(one, "with the event") for one in event.attributes),
            brief=event.brief,
        )

    def _metric(self, metric: Metric) -> MetricFacts:
        kept: str = metric.span.value if metric.span else ""
        when = " or ".join(words.moment(self.spec, at, metric.when) for at in metric.at)
        values = " and ".join(code(one.value.value) for one in metric.values if one.value) if not kept else ""
        span = self.spec.spans.get(kept)
        known = {one.key: one for one in self._span(span).attributes} if span else {}
        shared = [known.get(text.value) or self._of_what_ended_it(text.value) for text in metric.span_attributes]
        own = [self._attribute(one, "with each value") for one in metric.attributes]
        own += [self._attribute(one, "with its value") for value in metric.values for one in value.attributes]
        lasts = kept != "" and metric.instrument == "histogram"
        measured = f"how long each {code(kept)} span lasts" if lasts else f"{code(kept)} spans" if kept else ""
        return MetricFacts(
            name=metric.name,
            instrument=metric.instrument,
            unit=metric.unit.value if metric.unit else "s" if lasts else "1",
            measures=measured or f"{values or 'one more'} when {when}",
            attributes=tuple(_together([*shared, *own])),
            brief=metric.brief,
        )

    def _of_what_ended_it(self, key: str) -> AttributeFacts:
        """An attribute that a metric of spans has and the spans themselves have not: what ended the span."""
        return AttributeFacts(key, "", "where the span failed", ValueType("string"), self._brief(key))

    def _attribute(self, one: Attribute, recorded: str, names: _Names = MappingProxyType({})) -> AttributeFacts:
        kind = self._type(one.value, names)
        return AttributeFacts(one.key, one.value.value, recorded, kind, self._brief(one.key, one), one.content)

    def _type(self, text: Text, names: _Names = MappingProxyType({})) -> ValueType | None:
        expression = self._parsed(text)
        return None if expression is None else type_of(expression.tree, names)

    def _parsed(self, text: Text) -> Expression | None:
        try:
            return parse(text.value, text.mark, self.spec.functions)
        except ExpressionError:  # told where the spec is checked
            return None

    def _names(self, span: SpanType) -> _Names:
        """What is known of the names that only this span has: its counts, and what its starts give."""
        given: dict[str, list[ValueType | None]] = {count.name: [ValueType("int")] for count in span.counts}
        for start in span.starts:
            for name, text in start.names.items():
                if text.value != "None":  # a start that has nothing to give
                    given.setdefault(name, []).append(self._type(text))
        return {name: merged(types) for name, types in given.items()}

    def _fixed(self, key: str, value: Any, brief: str | None = None) -> AttributeFacts:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        told = self._brief(key) or brief
        return AttributeFacts(key, shown, "always", type_of_constant(value), told, fixed=True)

    def _brief(self, key: str, one: Attribute | None = None) -> str | None:
        """What a key means: as it is said here, elsewhere in the spec, or by the conventions."""
        return (one.brief if one else None) or self.briefs.get(key) or meaning(key)

    def _when(self, span: SpanType, one: Attribute) -> str:
        """When an attribute of a span is read: as soon as its names exist."""
        expression = self._parsed(one.value)
        names = expression.names if expression else frozenset()
        if span.at is not None:
            return "with the span"
        if names & {count.name for count in span.counts}:
            return "at the end"
        if span.around is not None:
            given = names & {"result", "error"}
            return {0: "at the start", 2: "at the end"}.get(len(given), _GIVEN.get(next(iter(given), ""), ""))
        phases = {start.at.phase for start in span.starts}
        there = {"result"} if phases == {"return"} else {"error"} if phases == {"raise"} else set()
        return "at the end" if names & ({"result", "error"} - there) else "at the start"


def _together(uses: Iterable[AttributeFacts]) -> Iterable[AttributeFacts]:
    """Each key once, whatever its values are read from."""
    found: dict[str, list[AttributeFacts]] = {}
    for one in uses:
        found.setdefault(one.key, []).append(one)
    for first, *others in found.values():
        sources = dict.fromkeys(one.source for one in (first, *others))
        yield replace(first, source=" or ".join(sources), type=merged(one.type for one in (first, *others)))


def _is(text: Text | None, name: str) -> bool:
    return text is not None and text.value == name


_GIVEN = {"result": "when the call returns", "error": "when the call raises"}


def _briefs(spec: Spec) -> dict[str, str]:
    """What the spec itself says of its keys: said once, it is meant wherever the key is recorded."""
    found: dict[str, str] = {}
    spans = spec.spans.values()
    groups: list[Iterable[Attribute]] = [
        *(span.attributes for span in spans),
        *(end.attributes for span in spans for end in span.ends),
        *(event.attributes for span in spans for event in span.events),
        *(event.attributes for event in spec.events),
        *(metric.attributes for metric in spec.metrics),
    ]
    for group in groups:
        for one in group:
            if one.brief:
                found.setdefault(one.key, one.brief)
    return found


def _statuses(span: SpanType) -> Iterable[str]:
    """The rules of a span's status in words, in the order in which they are asked."""
    for status in span.statuses:
        when = words.condition(status.when)
        for text, name in ((status.ok, "OK"), (status.error, "ERROR")):
            if text is not None:
                yield f"{name} by {code(text.value)}{when}"
        if status.unset:
            yield f"left unset{when}"
