"""The nodes of a YAML document, and how a plain scalar is read."""

import re

from opentelemetry.instrumentation.declarative.diagnostics.problems import (
    Mark,
)
from opentelemetry.instrumentation.declarative.language.text_file import MAX_BYTES as MAX_BYTES
from opentelemetry.instrumentation.declarative.records import record

_INT = re.compile(r"-?(0|[1-9][0-9]*)")

_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")


@record
class YamlNode:
    """A value of the text. ``size``, ``length`` and ``height`` include keys and the values of aliases."""

    mark: Mark
    value: "str | int | float | bool | list[YamlNode] | dict[str, tuple[Mark, YamlNode]] | None" = None
    #: The number of nodes in it.
    size: int = 1
    #: The number of characters of their texts.
    length: int = 0
    #: The number of levels of nesting.
    height: int = 1
    #: The problems in it: start and end of a slice of all problems.
    problem_range: tuple[int, int] = (0, 0)
    #: Whether it has a problem itself, so that nothing can be said about its value.
    is_invalid: bool = False


def end_of_match(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


def plain_scalar(text: str) -> str | int | float | bool | None:
    """The value of a scalar without quotes: text, unless it has exactly one other obvious meaning."""
    if text in ("null", "~", ""):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INT.fullmatch(text) and len(text) <= 4000:  # Python refuses to convert longer ones
        return int(text)
    if _FLOAT.fullmatch(text) and str(float(text)) == text:  # 1.10 is a version, not 1.1
        return float(text)
    return text
