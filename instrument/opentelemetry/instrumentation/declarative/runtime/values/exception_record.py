"""How an exception is recorded on a span: with its text, or, where that can be content, as the content policy says.

Its type is always recorded. Unless content is recorded in full, so are the frames of the stack trace without their
source, because neither can contain a value.
"""

from __future__ import annotations

import builtins
import traceback
from collections.abc import Iterator

from opentelemetry.instrumentation.declarative.expressions.conversion import cut_content, hashed_content, readable_text
from opentelemetry.instrumentation.declarative.language.content_policy import FULL_CONTENT, ContentPolicy
from opentelemetry.trace import Span

#: A stack trace without texts is cut after this many exceptions (causes, contexts and members of groups).
MAX_EXCEPTIONS = 20
#: Of a deep stack, the innermost frames are recorded.
MAX_FRAMES = 100
#: Python 3.10 has no groups.
_GROUP: type[BaseException] | tuple[()] = getattr(builtins, "BaseExceptionGroup", ())


def record_exception(span: Span, error: BaseException, policy: ContentPolicy) -> None:
    """Add the event of an exception to a span, even if the text of the exception cannot be read."""
    if policy != FULL_CONTENT:
        message = _text(error, policy)
        attributes = {
            "exception.type": _type_of(error),
            **({} if message is None else {"exception.message": message}),
            "exception.stacktrace": "".join(_stacktrace(error)),
            "exception.escaped": "False",
        }
        span.add_event("exception", attributes)
        return
    try:
        span.record_exception(error)
    except Exception:
        span.add_event(
            "exception", {"exception.type": type(error).__qualname__, "exception.message": readable_text(error)}
        )


def describe(error: BaseException, policy: ContentPolicy) -> str:
    """Return the description of the status that an exception sets."""
    text = _text(error, policy)
    return type(error).__name__ if text is None else f"{type(error).__name__}: {text}"


def _text(error: BaseException, policy: ContentPolicy) -> str | None:
    if not policy.recorded:
        return None
    if policy.hashed:
        return hashed_content(error)
    return readable_text(error) if policy.max_length is None else cut_content(error, policy.max_length)


def _type_of(error: BaseException) -> str:
    """The full name of the type, as the SDK records it."""
    module, name = type(error).__module__, type(error).__qualname__
    return f"{module}.{name}" if module and module != "builtins" else name


def _stacktrace(error: BaseException) -> Iterator[str]:
    """The types and frames of an exception and of those that it comes from or contains, the outermost first."""
    waiting, seen = [("", error)], {id(error)}
    for _ in range(MAX_EXCEPTIONS):
        if not waiting:
            return
        relation, one = waiting.pop(0)
        yield f"{relation}{_type_of(one)}\n"
        yield from _frames(one)
        for relation, other in _related(one):
            if id(other) not in seen:
                seen.add(id(other))
                waiting.append((relation, other))


def _related(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    if error.__cause__ is not None:
        yield "Caused by: ", error.__cause__
    elif error.__context__ is not None and not error.__suppress_context__:
        yield "While handling: ", error.__context__
    if isinstance(error, _GROUP):
        for member in error.exceptions:  # type: ignore[attr-defined]
            yield "Contains: ", member


def _frames(error: BaseException) -> Iterator[str]:
    frames = [*traceback.walk_tb(error.__traceback__)][-MAX_FRAMES:]
    for frame, line in frames:
        yield f'  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_name}\n'
