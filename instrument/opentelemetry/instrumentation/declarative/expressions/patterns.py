"""Regular expressions whose time is bounded: each pattern determines the longest text that it is applied to.

Python's ``re`` cannot be interrupted, and some patterns need exponential time. So a pattern is analyzed when a spec is
read: `pattern_cost` bounds the number of ways in which it can be tried on a text. A repetition without an upper bound
may only repeat what matches in one way. If the character that has to follow it cannot be part of it, as in ``[^/]*/``,
there is one way to leave it; otherwise there is one for each character of the text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.expressions.conversion import MAX_CHARACTERS, bounded_text
from opentelemetry.instrumentation.declarative.expressions.function import Function
from opentelemetry.instrumentation.declarative.expressions.pattern_cost import Refused, pattern_cost
from opentelemetry.instrumentation.declarative.records import record

#: The most steps for one text, and the longest text in any case. Most steps take about a nanosecond.
_MAX_STEPS = 20_000_000
_MAX_LENGTH = 10_000
#: A pattern that cannot be applied to texts of this length is refused.
_MIN_LENGTH = 100
_MAX_PATTERN, _MAX_REPLACEMENT = 500, 100


class PatternError(ValueError):
    """A pattern or a replacement cannot be used; ``help`` says what to do."""

    def __init__(self, reason: str, help: str) -> None:
        super().__init__(reason)
        self.help = help


@record(frozen=True)
class SafePattern:
    """A compiled pattern, and the length of the longest text that it is applied to."""

    compiled: re.Pattern[str]
    max_length: int

    def subject(self, value: Any) -> str:
        """The text to apply the pattern to. Raises ValueError if it is too long."""
        text = bounded_text(value) if isinstance(value, (bytes, bytearray)) else str.__str__(value)
        if len(text) > self.max_length:
            raise ValueError(
                f"a text of {len(text)} characters is too long for the pattern {self.compiled.pattern!r}: "
                f"shorten it with truncate(text, {self.max_length})"
            )
        return text


@functools.lru_cache(maxsize=2_000)
def safe_pattern(pattern: str) -> SafePattern:
    """Compile a pattern. Raises PatternError if it is not valid, or could take too long."""
    if len(pattern) > _MAX_PATTERN:
        raise PatternError(f"it has {len(pattern)} characters: the limit is {_MAX_PATTERN}", "use a shorter one")
    compiled = compiled_pattern(pattern)
    try:
        cost = pattern_cost(pattern)
    except Refused as refused:
        raise PatternError(str(refused), refused.help) from None
    except (OverflowError, RecursionError) as error:
        raise PatternError(str(error), "use a simpler one") from None
    length = min(_MAX_LENGTH, cost.max_length(_MAX_STEPS))
    if length < _MIN_LENGTH:
        raise PatternError(
            "there are too many ways to match it, which could take very long",
            "start it with ^, and repeat classes that exclude what follows, such as [^/]*",
        )
    return SafePattern(compiled, int(length) // 100 * 100)


def compiled_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern without regard to the time that it takes. Raises PatternError if it is not valid."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        raise PatternError(str(error), "correct it: the syntax is that of Python's `re`") from None


def check_replacement(pattern: str, replacement: str) -> None:
    """Raises PatternError if a replacement is too long, or has an invalid reference to a group."""
    if len(replacement) > _MAX_REPLACEMENT:
        reason = f"it has {len(replacement)} characters: the limit is {_MAX_REPLACEMENT}"
        raise PatternError(reason, "use a shorter one")
    try:
        safe_pattern(pattern).compiled.sub(replacement, "")
    except (re.error, IndexError) as error:
        raise PatternError(str(error), r"refer to a group as \1, and double any other backslash") from None


def match(value: Any, pattern: str) -> str | None:
    """The text of the first group, or all that matches if the pattern has no group."""
    if value is None:
        return None
    safe = safe_pattern(pattern)
    found = safe.compiled.search(safe.subject(value))
    return None if found is None else found[1 if safe.compiled.groups else 0]


def match_any(value: Any, patterns: str) -> bool:
    """Whether one of the patterns, which are separated by commas, matches anywhere in the text."""
    if value is None or not (separate := separate_patterns(patterns)):
        return False
    return any(safe.compiled.search(safe.subject(value)) for safe in map(safe_pattern, separate))


@functools.lru_cache(maxsize=1_000)
def separate_patterns(patterns: str) -> tuple[str, ...]:
    return tuple(filter(None, (each.strip() for each in patterns.split(","))))


def replace(value: Any, pattern: str, replacement: str) -> str | None:
    if value is None:
        return None
    safe = safe_pattern(pattern)
    text = safe.subject(value)
    return safe.compiled.sub(replacement, text)[:MAX_CHARACTERS]


#: By the name in an expression.
FUNCTIONS: Mapping[str, Function] = {
    "match": Function(
        match,
        ("text", "pattern"),
        "string",
        "What the regular expression first matches, anywhere in the text: its first group, if it has one.",
        ("match('/users/42/cart', r'/users/(\\d+)')", "42"),
        pattern="pattern",
    ),
    "match_any": Function(
        match_any,
        ("text", "patterns"),
        "boolean",
        "Whether one of the regular expressions, which are separated by commas, matches anywhere in the text. Without"
        " any, the result is false.",
        ("match_any('/users/42/health', r'/health$,/metrics$')", True),
        none_if_none=False,
        pattern="patterns",
        several_patterns=True,
    ),
    "replace": Function(
        replace,
        ("text", "pattern", "replacement"),
        "string",
        "The text with each match of the regular expression replaced. `\\1` stands for the first group.",
        ("replace('/users/42/cart', r'\\d+', '{id}')", "/users/{id}/cart"),
        pattern="pattern",
        replacement="replacement",
    ),
}
