"""What is recorded on a span after its start: its outcome, events and attributes."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import Enum
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import WITHHELD, readable_text
from opentelemetry.instrumentation.declarative.plan.span_plan import EXCEPTIONS_IN_FULL, ExceptionPolicy
from opentelemetry.instrumentation.declarative.runtime.context.current import enabled
from opentelemetry.instrumentation.declarative.runtime.context.trace_context import all_links
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import clean_attributes
from opentelemetry.instrumentation.declarative.runtime.values.exception_record import describe, record_exception
from opentelemetry.trace import Link, Span, Status, StatusCode

#: Exceptions with which iterators and generators end. A call that raises one has completed.
_COMPLETIONS = (GeneratorExit, StopIteration, StopAsyncIteration)
#: Missing before Python 3.11.
_GROUP: Any = getattr(builtins, "BaseExceptionGroup", ())


class NonErrorStatus(Enum):
    """A status that is not an error."""

    OK = "ok"
    UNSET = "unset"


def is_failure(error: BaseException | None) -> bool:
    """Return whether an exception that leaves a call is an error by default.

    As in OpenTelemetry's SDK, only an `Exception` is: cancellation, KeyboardInterrupt and GeneratorExit are not. The
    end of an iterator is not one either. An exit of the program is one, unless its code means success, and so is a
    group with such a member.
    """
    if isinstance(error, Exception):
        return not isinstance(error, _COMPLETIONS)
    if isinstance(error, SystemExit):
        return not (error.code is None or (isinstance(error.code, int) and error.code == 0))
    return isinstance(error, _GROUP) and any(map(is_failure, error.exceptions))


def first_status(error: BaseException | None, *candidates: tuple[Any, Any, Any, bool]) -> Any:
    """Return the first of several statuses that applies: each has ``when``, ``error``, ``ok`` and ``unset``.

    The result is the description of an error, or True for an error without one, or a ``NonErrorStatus``, or None.
    A call that raised is never OK.
    """
    raised = error is not None and not isinstance(error, _COMPLETIONS)
    for when, description, ok, unset in candidates:
        if not when:
            continue
        if unset:
            return NonErrorStatus.UNSET
        if description is not None and description is not False:
            return description
        if ok and not raised:
            return NonErrorStatus.OK
    return None


def resulting_status(error: BaseException | None, status: Any, ok: Any) -> Any:
    """Return the status that a spec sets: the description of an error, True, or a ``NonErrorStatus``; None if none.

    ``status`` is one of these, or False for none. ``ok`` sets the status to OK whatever ``status`` is, unless the call
    raised.
    """
    if status is NonErrorStatus.UNSET:
        return status
    raised = error is not None and not isinstance(error, _COMPLETIONS)
    if (status is NonErrorStatus.OK or ok) and not raised:
        return NonErrorStatus.OK
    return None if status is False or status is NonErrorStatus.OK else status


def recorded_exception(error: BaseException | None, exception: Any, status: Any) -> BaseException | None:
    """Return the exception to record on a span: the one that the program's call raised, or one that it returned.

    None if there is none, if ``status`` says that it is expected, or if it is not a failure and ``status`` is not an
    error either.
    """
    raised = exception if error is None or isinstance(error, _COMPLETIONS) else error
    if status is NonErrorStatus.UNSET or not isinstance(raised, BaseException):
        return None
    is_error = status is not None and status is not NonErrorStatus.OK
    return raised if is_error or is_failure(raised) else None


def set_outcome(
    span: Span,
    name: str | None,
    attributes: Mapping[str, Any],
    status: Any,
    recorded: BaseException | None,
    exception_policy: ExceptionPolicy = EXCEPTIONS_IN_FULL,
) -> None:
    """Record the outcome of a span that is about to end: a ``resulting_status`` and a ``recorded_exception``.

    The attributes are clean. ``exception_policy`` says how an exception is recorded.
    """
    if name:
        span.update_name(name)
    if attributes:
        span.set_attributes(attributes)
    if recorded is not None and exception_policy.event:
        record_exception(span, recorded, exception_policy.content)
    if status is not None and status is not NonErrorStatus.UNSET:
        _set_status(span, status, recorded)
    elif recorded is not None:
        span.set_status(Status(StatusCode.ERROR, describe(recorded, exception_policy.content)))


def set_status(span: Span | None, error: BaseException | None, status: Any) -> bool:
    """Set the status of a span that is open; return False if there is none to set, or the span is not recording."""
    status = resulting_status(error, status, None)
    if status is None or status is NonErrorStatus.UNSET or span is None or not span.is_recording() or not enabled():
        return False
    _set_status(span, status, None)
    return True


def add_event(span: Span | None, name: str, attributes: Mapping[str, Any]) -> bool:
    """Add an event to a span; return False if the span is not recording or instrumentation is suppressed."""
    if span is None or not span.is_recording() or not enabled():
        return False
    span.add_event(name, clean_attributes(attributes))
    return True


def add_link(span: Span | None, link: Link | Sequence[Link] | None) -> bool:
    """Add a link, or several, to a span; return False if there is none to add, or the span is not recording."""
    if span is None or link is None or not span.is_recording() or not enabled():
        return False
    for each in all_links(link):
        span.add_link(each.context, each.attributes)
    return True


def set_attributes(span: Span | None, attributes: Mapping[str, Any]) -> bool:
    """Set attributes of a span; return False if the span is not recording or instrumentation is suppressed."""
    if span is None or not span.is_recording() or not enabled():
        return False
    if cleaned := clean_attributes(attributes):
        span.set_attributes(cleaned)
    return True


def update_span(span: Span | None, name: str, attributes: Mapping[str, Any]) -> bool:
    """Set attributes of a span, and its name unless that is empty; return False as ``set_attributes`` does."""
    if not set_attributes(span, attributes):
        return False
    if span is not None and name:
        span.update_name(name)
    return True


def call_with_span(span: Span | None, function: Callable[..., Any], *arguments: Any) -> bool:
    """Call a function of the spec with a span; return False if the span is not recording or while suppressed.

    An exit of the program in it is an exception like any other.
    """
    result = _result_with_span(span, function, arguments)
    if isinstance(result, Coroutine):
        result.close()
        raise TypeError("the function is a coroutine function, which is awaited only in a call of a coroutine function")
    return result is not False


def start_with_span(
    span: Span | None, function: Callable[..., Any], *arguments: Any
) -> bool | Coroutine[Any, Any, None]:
    """The same for a call that can await: return what it awaits if it is a coroutine function."""
    result = _result_with_span(span, function, arguments)
    return _awaited(result) if isinstance(result, Coroutine) else result is not False


def _result_with_span(span: Span | None, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """A coroutine, or False if the function is not called, or None."""
    if span is None or not span.is_recording() or not enabled():
        return False
    try:
        result = function(span, *arguments)
    except (SystemExit, GeneratorExit) as error:
        raise _exit_of_function(error) from error
    return result if isinstance(result, Coroutine) else None


async def _awaited(result: Coroutine[Any, Any, Any]) -> None:
    try:
        await result
    except SystemExit as error:
        raise _exit_of_function(error) from error


def _exit_of_function(error: BaseException) -> RuntimeError:
    return RuntimeError(f"the function has raised {type(error).__name__}: {error}")


def _set_status(span: Span, status: Any, recorded: BaseException | None) -> None:
    if status is NonErrorStatus.OK:
        span.set_status(Status(StatusCode.OK))
    elif status is WITHHELD:
        span.set_status(Status(StatusCode.ERROR, None if recorded is None else type(recorded).__name__))
    else:
        span.set_status(Status(StatusCode.ERROR, None if status is True else readable_text(status)))
