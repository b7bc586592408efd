"""What a spec changes: spans that exist already, fields of the program, and what it calls with a span."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.inspection.described.status_rules import status_words
from opentelemetry.instrumentation.declarative.inspection.wording import (
    code,
    condition_phrase,
    injected_part,
    moment_phrase,
    sources_phrase,
)
from opentelemetry.instrumentation.declarative.language.nodes.function import Function
from opentelemetry.instrumentation.declarative.language.nodes.injection import Injection
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.values import Moment, SpanOfCall, Text
from opentelemetry.instrumentation.declarative.plan.span_changes import span_changes

#: A span of a call in a sentence.
SPANS_OF_CALL: Mapping[SpanOfCall, str] = {
    "current": "the current span",
    "parent": "the parent",
    "root": "the local root",
}


class ChangeFacts(NamedTuple):
    """A change, what it changes, and when."""

    what: str
    where: str
    when: str


def new_names(span: SpanType, spec: Spec) -> Iterator[str]:
    """The names that a span gets while it is open."""
    for change in span_changes(span):
        if change.template is not None:
            yield f"{code(change.template.value)} when {_when(change.at, change.when, spec)}"


def span_changes_of_calls(spec: Spec) -> Iterator[ChangeFacts]:
    """The new names, statuses and links of spans that exist already."""
    for of, enrichment in spec.enrich:
        where = SPANS_OF_CALL[of]
        for change in span_changes(enrichment, of):
            when = _when(change.at, change.when, spec)
            if change.template is not None:
                yield ChangeFacts(f"name {code(change.template.value)}", where, when)
            for status in change.statuses:
                yield ChangeFacts(f"status {status_words(status)}{condition_phrase(status.when)}", where, when)
        for link in enrichment.links:
            to = sources_phrase(link.targets, code)
            yield ChangeFacts(f"link {code(link.name)} to {to}", where, _when(link.at, link.when, spec))


def written_fields(spec: Spec) -> Iterator[ChangeFacts]:
    """The fields of the program that are written."""
    for span in spec.spans.values():
        for part, field in span.inject.fields.items() if span.inject is not None else ():
            yield ChangeFacts(injected_part(part), code(field.value), f"a span {code(span.name)} starts")
    for injection in spec.inject:
        when = _when(injection.at, injection.when, spec)
        yield from (fact._replace(when=when) for fact in _of_injection(injection))


def _of_injection(injection: Injection) -> Iterator[ChangeFacts]:
    if injection.field is not None and injection.value is not None:
        yield ChangeFacts(code(injection.value.value), code(injection.field.value), "")
    for part, field in injection.fields.items():
        yield ChangeFacts(f"{injected_part(part)} of {sources_phrase(injection.of, code)}", code(field.value), "")


def called_functions(spec: Spec) -> Iterator[ChangeFacts]:
    """The functions that are called with a span."""
    for function in spec.functions.values():
        if function.is_called_with_span:
            arguments = ", ".join(text.value for text in function.arguments)
            what = f"{code(str(function.call))}{f' with {code(arguments)}' if arguments else ''}"
            yield ChangeFacts(what, _span_of(function), _when(function.at, function.when, spec))


def _span_of(function: Function) -> str:
    if not isinstance(function.of, str):
        return f"the open span {code(function.of.span.value)}" if function.of.span is not None else ""
    return SPANS_OF_CALL[function.of]


def _when(moments: Iterable[Moment], when: Text | None, spec: Spec) -> str:
    return " or ".join(moment_phrase(spec, at, when) for at in moments)
