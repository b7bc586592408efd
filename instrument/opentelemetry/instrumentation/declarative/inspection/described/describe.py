"""Derives the facts about what a spec records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from opentelemetry.instrumentation.declarative.expressions import Expression
from opentelemetry.instrumentation.declarative.inspection.described.attribute_entries import (
    merged_by_key,
    own_attributes,
)
from opentelemetry.instrumentation.declarative.inspection.described.changes import (
    called_functions,
    new_names,
    span_changes_of_calls,
    written_fields,
)
from opentelemetry.instrumentation.declarative.inspection.described.conventions import conventional_brief
from opentelemetry.instrumentation.declarative.inspection.described.facts import (
    AttributeFacts,
    Description,
    EventFacts,
    LinkFacts,
    MetricFacts,
    SpanFacts,
)
from opentelemetry.instrumentation.declarative.inspection.described.lifetimes import (
    forced_ends,
    lifetime,
    lifetime_summary,
    owner_of_span,
    when_read,
)
from opentelemetry.instrumentation.declarative.inspection.described.status_rules import status_rules
from opentelemetry.instrumentation.declarative.inspection.described.value_types import (
    ValueType,
    constant_type,
    merge_types,
    value_type,
)
from opentelemetry.instrumentation.declarative.inspection.wording import (
    code,
    condition_phrase,
    hooked_target,
    moment_phrase,
    sources_phrase,
)
from opentelemetry.instrumentation.declarative.language.content_policy import NO_CONTENT
from opentelemetry.instrumentation.declarative.language.nodes.attribute import Attribute
from opentelemetry.instrumentation.declarative.language.nodes.end import End
from opentelemetry.instrumentation.declarative.language.nodes.event import CurrentEvent, Event
from opentelemetry.instrumentation.declarative.language.nodes.log import Log, LogBody
from opentelemetry.instrumentation.declarative.language.nodes.metric import Metric, MetricValue
from opentelemetry.instrumentation.declarative.language.nodes.registry import Registry
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.span_selection import OpenSpan
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.values import SpanOfCall, Text
from opentelemetry.instrumentation.declarative.plan.expression_reader import EXIT, ExpressionReader
from opentelemetry.instrumentation.declarative.plan.scope_planner import scope_plan
from opentelemetry.instrumentation.declarative.plan.span_changes import SpanChange, span_changes

#: The attribute that says why a span was ended, if not by its own end.
END = "instrument.end"
_Names = Mapping[str, ValueType | None]
#: Which span of a call something is recorded on, as the end of a sentence.
_ON: Mapping[SpanOfCall, str] = {"current": "", "parent": ", on the parent", "root": ", on the local root"}
_END_BRIEF = "Why the span was ended, if not by its own end."


def describe(spec: Spec, registry: Registry) -> Description:
    """Return everything that a spec records, with the descriptions in its registry. The spec must have no problems."""
    return _Describer(spec, registry).description()


def _target(spec: Spec) -> tuple[str, str] | None:
    target = spec.target
    return None if target is None or target.distribution is None else (target.distribution, target.version)


class _Describer:
    def __init__(self, spec: Spec, registry: Registry) -> None:
        self.spec = spec
        self.registry = registry
        self.reader = ExpressionReader(spec.expression_functions, NO_CONTENT, spec.names)

    def description(self) -> Description:
        spec = self.spec
        return Description(
            name=spec.name,
            target=_target(spec),
            scope=scope_plan(spec, self.reader),
            spans=tuple(map(self._span, spec.spans.values())),
            events=tuple(self._event(event, None, of) for of, enrichment in spec.enrich for event in enrichment.events),
            current_attributes=tuple(
                one
                for of, enrichment in spec.enrich
                for change in span_changes(enrichment, of)
                for one in self._assigned(change)
            ),
            metrics=tuple(map(self._metric, spec.metrics)),
            logs=tuple(map(self._log, spec.logs)),
            hooks=tuple(
                (name, hooked_target(spec, hook), hook.when.value if hook.when else None)
                for name, hook in spec.hooks.items()
                if not hook.direct
            ),
            changes=tuple(span_changes_of_calls(spec)),
            fields=tuple(written_fields(spec)),
            functions=tuple(called_functions(spec)),
        )

    def _span(self, span: SpanType) -> SpanFacts:
        starts, ends = lifetime(self.spec, span)
        return SpanFacts(
            key=span.name,
            name=span.recorded_name.value,
            kind=span.kind,
            starts=starts,
            ends=ends,
            summary=lifetime_summary(self.spec, span),
            parent=sources_phrase(span.parent_sources, code),
            links=tuple(
                LinkFacts(kind, sources_phrase(sources, code), self.registry.links.get(kind))
                for kind, sources in span.links.items()
            ),
            attributes=tuple(self._span_attributes(span)),
            events=tuple(self._event(event, span) for event in span.events),
            status=tuple(status_rules(span, self.spec)),
            times=tuple(
                f"{word} at {code(text.value)}"
                for word, text in (("starts", span.timestamps.start), ("ends", span.timestamps.end))
                if text is not None
            ),
            keys=tuple(text.value for text in (*([span.key] if span.key else []), *span.lookup.also)),
            new_names=tuple(new_names(span, self.spec)),
            sink=self._sink(span),
            brief=self.registry.spans.get(span.name),
        )

    def _span_attributes(self, span: SpanType) -> Iterable[AttributeFacts]:
        names = self._names(span)
        facts = [self._attribute(one, self._when(span, one), names, whens) for one, whens in own_attributes(span)]
        found = {fact.key: fact for fact in merged_by_key(facts)}
        for end in span.ends:
            for fact in self._with(end, f"when {moment_phrase(self.spec, end.at)}"):
                found.setdefault(fact.key, fact)
        for change in span_changes(span):
            for fact in self._assigned(change):
                found.setdefault(fact.key, fact)
        own = found.pop(END, None)
        yield from found.values()
        values = (*forced_ends(self.spec, span), *(own.type.values if own and own.type else ()))
        if values:
            recorded, type_ = "if not ended by its own end", ValueType("string", values, True)
            yield AttributeFacts(END, "", recorded, type_, self._brief(END) or _END_BRIEF)

    def _sink(self, span: SpanType) -> str | None:
        """The class that also receives the ended spans, without its module."""
        owner = owner_of_span(self.spec, span)
        return None if owner is None or owner.sink is None else owner.sink.sink_class.path

    def _assigned(self, change: SpanChange) -> Iterable[AttributeFacts]:
        when = " or ".join(moment_phrase(self.spec, at, change.when) for at in change.at)
        return [self._attribute(one, f"when {when}{_ON[change.of]}") for one in change.attributes]

    def _event(self, event: Event | CurrentEvent, span: SpanType | None, of: SpanOfCall = "current") -> EventFacts:
        return EventFacts(
            key=event.name,
            name=event.recorded_name.value,
            span=span.name if span else None,
            at=tuple(
                moment_phrase(self.spec, at, event.when) + (", the first time" if event.once else "") + _ON[of]
                for at in event.at
            ),
            attributes=tuple(self._with(event, "with the event")),
            brief=self.registry.events.get(event.name),
        )

    def _log(self, log: Log) -> EventFacts:
        body = log.body
        span = log.of.span if isinstance(log.of, OpenSpan) else None
        return EventFacts(
            key=log.name,
            name=log.event_name,
            span=span.value if span else None,
            at=tuple(moment_phrase(self.spec, at, log.when) for at in log.at),
            attributes=tuple(self._with(log, "with the log record")),
            brief=self.registry.events.get(log.name),
            severity=log.severity,
            body=None if body is None else _body(body),
        )

    def _metric(self, metric: Metric) -> MetricFacts:
        spans = [span.value for span in metric.spans]
        when = " or ".join(moment_phrase(self.spec, at, metric.when) for at in metric.at)
        values = " and ".join(code(one.value.value) for one in metric.recorded_values if one.value) if not spans else ""
        known = {
            one.key: one
            for span in spans
            if span in self.spec.spans
            for one in self._span(self.spec.spans[span]).attributes
        }
        shared = [known.get(text.value) or self._failure_attribute(text.value) for text in metric.span_attributes]
        own = [*self._with(metric, "with each value")]
        own += [fact for value in metric.values for fact in self._with(value, "with its value")]
        named = " or ".join(map(code, spans))
        is_duration = bool(spans) and metric.instrument == "histogram"
        if is_duration:
            measures = f"the duration of each {named} span"
        elif spans:
            measures = f"the number of {'open ' if metric.instrument == 'up_down_counter' else ''}{named} spans"
        else:
            measures = f"{values or '1'} when {when}"
        return MetricFacts(
            name=metric.name,
            instrument=metric.instrument,
            unit=metric.unit.value if metric.unit else "s" if is_duration else "1",
            measures=measures,
            attributes=tuple(merged_by_key([*shared, *own])),
            brief=metric.description,
        )

    def _failure_attribute(self, key: str) -> AttributeFacts:
        """Return an attribute that a metric of spans has and the spans have not: the type of the failure."""
        return AttributeFacts(key, "", "if the span failed", ValueType("string"), self._brief(key))

    def _with(
        self, entry: Event | CurrentEvent | Metric | MetricValue | Log | End, recorded: str
    ) -> Iterable[AttributeFacts]:
        """Return the attributes of an event, a metric or a log record."""
        groups = ((one, (group.when,)) for group in entry.attribute_groups for one in group.attributes)
        for one, whens in (*((one, ()) for one in entry.attributes), *groups):
            yield self._attribute(one, recorded, whens=whens)

    def _attribute(
        self, one: Attribute, recorded: str, names: _Names = MappingProxyType({}), whens: Iterable[Text | None] = ()
    ) -> AttributeFacts:
        """Return an attribute. ``whens`` are conditions that it has in addition to its own."""
        recorded += "".join(map(condition_phrase, dict.fromkeys([*whens, one.when])))
        if one.value is None:
            return self._fixed(one.name, one.const, recorded, self._brief(one.name))
        type_ = self._type(one.value, names)
        if one.is_mapping:
            type_ = ValueType("template[string[]]" if one.as_list else "template[string]")
        return AttributeFacts(one.name, one.value.value, recorded, type_, self._brief(one.name), one.content)

    def _type(self, text: Text, names: _Names = MappingProxyType({})) -> ValueType | None:
        expression = self._parsed(text)
        return None if expression is None else value_type(expression.tree, names)

    def _parsed(self, text: Text) -> Expression | None:
        return self.reader.expression(text, EXIT)  # problems are reported when the spec is checked

    def _names(self, span: SpanType) -> _Names:
        """Return the types of the names that only this span defines: its counts, and the names of its starts."""
        types: dict[str, list[ValueType | None]] = {count.name: [ValueType("int")] for count in span.counts}
        for start in span.starts:
            for name, text in start.names.items():
                if text.value != "None":  # a start without a value for the name
                    types.setdefault(name, []).append(self._type(text))
        return {name: merge_types(known) for name, known in types.items()}

    def _fixed(self, key: str, value: Any, recorded: str, brief: str | None) -> AttributeFacts:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        return AttributeFacts(key, shown, recorded, constant_type(value), brief, fixed=True)

    def _brief(self, key: str) -> str | None:
        """Return the description of a key: from the registry of the spec, or the semantic conventions."""
        return self.registry.attributes.get(key) or conventional_brief(key)

    def _when(self, span: SpanType, one: Attribute) -> str:
        """Return when an attribute of a span is read, which is as soon as its names exist."""
        expressions = [self._parsed(text) for text in (one.value, one.when) if text is not None]
        names = frozenset[str]().union(*(each.names for each in expressions if each))
        if one.value is None and not names:
            return "always"
        return when_read(self.spec, span, names)


def _body(body: LogBody) -> str:
    if body.value is None:
        return str(body.const)
    return code(body.value.value) + (" (content)" if body.content else "")
