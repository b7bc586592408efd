"""What a span is told: its outcome, events and attributes between its start and its end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.functions import readable_text
from opentelemetry.instrumentation.declarative.runtime.attribute_values import clean
from opentelemetry.instrumentation.declarative.runtime.context import enabled
from opentelemetry.trace import Span, Status, StatusCode

#: Exceptions that are a way of going on, not a failure.
CONTROL = (GeneratorExit, StopIteration, StopAsyncIteration)


class Decided(Enum):
    """A status that is not an error."""

    OK = "ok"
    UNSET = "unset"


def first_status(error: BaseException | None, *tried: tuple[Any, Any, Any, bool]) -> Any:
    """What the first of several statuses says that applies and gives something: ``when``, ``error``, ``ok``, ``unset``.

    The description of an error, or True; or what is decided; or None. A call that has raised is never OK.
    """
    failed = error is not None and not isinstance(error, CONTROL)
    for when, described, ok, unset in tried:
        if not when:
            continue
        if unset:
            return Decided.UNSET
        if described is not None and described is not False:
            return described
        if ok and not failed:
            return Decided.OK
    return None


def tell(
    span: Span,
    error: BaseException | None,
    name: str | None,
    attributes: Mapping[str, Any] | None,
    status: Any,
    ok: Any,
    exception: Any,
) -> None:
    """Tell a span its outcome, before it ends.

    ``error`` is what the host's call has raised, ``exception`` one that it has returned; ``status`` is the description
    of an error, or True, or what is decided, or None; ``ok``, where the host raised nothing, makes the status OK
    whatever ``status`` says.
    """
    if name:
        span.update_name(name)
    if attributes and (there := clean(attributes)):
        span.set_attributes(there)
    if isinstance(error, CONTROL):
        error = None
    shown = error if error is not None else exception if isinstance(exception, BaseException) else None
    if shown is not None:
        _record(span, shown)
    if status is Decided.UNSET:
        return
    if (ok or status is Decided.OK) and error is None:
        span.set_status(Status(StatusCode.OK))
    elif status is not None and status is not False:
        span.set_status(Status(StatusCode.ERROR, None if status is True else readable_text(status)))
    elif shown is not None:
        span.set_status(Status(StatusCode.ERROR, f"{type(shown).__name__}: {readable_text(shown)}"))


def pin(span: Span | None, name: str, attributes: Mapping[str, Any]) -> bool:
    """Pin an event on a span; False where there is none that records, or instrumentation is suppressed."""
    if span is None or not span.is_recording() or not enabled():
        return False
    span.add_event(name, clean(attributes))
    return True


def update(span: Span | None, attributes: Mapping[str, Any]) -> bool:
    """Set attributes of a span; False where there is none that records, or instrumentation is suppressed."""
    if span is None or not span.is_recording() or not enabled():
        return False
    span.set_attributes(clean(attributes))
    return True


def _record(span: Span, error: BaseException) -> None:
    """Record an exception, even one that cannot be shown."""
    try:
        span.record_exception(error)
    except Exception:
        span.add_event(
            "exception", {"exception.type": type(error).__qualname__, "exception.message": readable_text(error)}
        )
