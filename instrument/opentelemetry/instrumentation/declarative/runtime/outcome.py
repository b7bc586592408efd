"""What is recorded on a span after its start: its outcome, events and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import WITHHELD, readable_text
from opentelemetry.instrumentation.declarative.language.content_policy import FULL_CONTENT, ContentPolicy
from opentelemetry.instrumentation.declarative.runtime.attribute_values import clean_attributes
from opentelemetry.instrumentation.declarative.runtime.context import enabled
from opentelemetry.instrumentation.declarative.runtime.exception_record import describe, record_exception
from opentelemetry.trace import Span, Status, StatusCode

#: Exceptions that control the flow of a program and are not failures.
CONTROL_FLOW = (GeneratorExit, StopIteration, StopAsyncIteration)


class NonErrorStatus(Enum):
    """A status that is not an error."""

    OK = "ok"
    UNSET = "unset"


def first_status(error: BaseException | None, *candidates: tuple[Any, Any, Any, bool]) -> Any:
    """Return the first of several statuses that applies: each has ``when``, ``error``, ``ok`` and ``unset``.

    The result is the description of an error, or True for an error without one, or a ``NonErrorStatus``, or None.
    A call that raised is never OK.
    """
    failed = error is not None and not isinstance(error, CONTROL_FLOW)
    for when, description, ok, unset in candidates:
        if not when:
            continue
        if unset:
            return NonErrorStatus.UNSET
        if description is not None and description is not False:
            return description
        if ok and not failed:
            return NonErrorStatus.OK
    return None


def set_outcome(
    span: Span,
    error: BaseException | None,
    name: str | None,
    attributes: Mapping[str, Any] | None,
    status: Any,
    ok: Any,
    exception: Any,
    exception_policy: ContentPolicy = FULL_CONTENT,
) -> None:
    """Record the outcome of a span that is about to end.

    ``error`` is the exception that the application's call raised, ``exception`` one that it returned. ``status`` is
    the description of an error, or True for an error without one, or a ``NonErrorStatus``, or None. ``ok`` sets the
    status to OK whatever ``status`` is, unless the call raised. ``exception_policy`` says how much of the text of an
    exception is recorded.
    """
    if name:
        span.update_name(name)
    if attributes and (cleaned := clean_attributes(attributes)):
        span.set_attributes(cleaned)
    if isinstance(error, CONTROL_FLOW):
        error = None
    recorded = error if error is not None else exception if isinstance(exception, BaseException) else None
    if recorded is not None:
        record_exception(span, recorded, exception_policy)
    if status is NonErrorStatus.UNSET:
        return
    if (ok or status is NonErrorStatus.OK) and error is None:
        span.set_status(Status(StatusCode.OK))
    elif status is WITHHELD:
        span.set_status(Status(StatusCode.ERROR, None if recorded is None else type(recorded).__name__))
    elif status is not None and status is not False:
        span.set_status(Status(StatusCode.ERROR, None if status is True else readable_text(status)))
    elif recorded is not None:
        span.set_status(Status(StatusCode.ERROR, describe(recorded, exception_policy)))


def add_event(span: Span | None, name: str, attributes: Mapping[str, Any]) -> bool:
    """Add an event to a span; return False if the span is not recording or instrumentation is suppressed."""
    if span is None or not span.is_recording() or not enabled():
        return False
    span.add_event(name, clean_attributes(attributes))
    return True


def set_attributes(span: Span | None, attributes: Mapping[str, Any]) -> bool:
    """Set attributes of a span; return False if the span is not recording or instrumentation is suppressed."""
    if span is None or not span.is_recording() or not enabled():
        return False
    span.set_attributes(clean_attributes(attributes))
    return True
