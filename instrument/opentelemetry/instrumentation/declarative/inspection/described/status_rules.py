"""The rules of a span's status as sentences, in the order of evaluation."""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.instrumentation.declarative.inspection.wording import code, condition_phrase, moment_phrase
from opentelemetry.instrumentation.declarative.language.content_marks import (
    description_is_content,
    exceptions_are_content,
)
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.nodes.status import Status


def status_rules(span: SpanType, spec: Spec) -> Iterable[str]:
    """The rules of a span's status: those of its ends come first."""
    for end in span.ends:
        yield from _statuses(span, spec, end.statuses, f" when {moment_phrase(spec, end.at)}")
    yield from _statuses(span, spec, span.statuses)
    if not span.exception.event:
        yield "No events for exceptions"
    if exceptions_are_content(span, spec) and (span.around or span.ends or span.exception.value):
        yield "The messages of exceptions are content"


def status_words(status: Status) -> str:
    """A status without its condition."""
    if status.error is not None:
        return f"ERROR, described by {code(status.error.value)}"
    return f"OK if {code(status.ok.value)}" if status.ok is not None else "UNSET"


def _statuses(span: SpanType, spec: Spec, statuses: Iterable[Status], where: str = "") -> Iterable[str]:
    for status in statuses:
        when = where + condition_phrase(status.when)
        if status.ok is not None:
            conditions = (text.value for text in (status.ok, status.when) if text is not None)
            yield f"OK{where} if {' and '.join(map(code, conditions))}"
        if status.error is not None:
            content = " (content)" if description_is_content(status, span, spec) else ""
            yield f"ERROR, described by {code(status.error.value)}{content}{when}"
        if status.unset:
            yield f"UNSET{when}"
