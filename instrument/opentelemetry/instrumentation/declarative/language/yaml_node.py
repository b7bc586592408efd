"""The nodes of a YAML document, and how a plain scalar is read."""

import re

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.text_file import MAX_BYTES as MAX_BYTES

_INT = re.compile(r"-?(0|[1-9][0-9]*)")

_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")


class YamlNode:
    """A value of the text. ``size``, ``length`` and ``height`` include keys and the values of aliases."""

    __slots__ = ("height", "is_invalid", "length", "mark", "problem_range", "size", "value")

    def __init__(
        self,
        mark: Mark,
        value: "str | int | float | bool | list[YamlNode] | dict[str, tuple[Mark, YamlNode]] | None" = None,
        *,
        height: int = 1,
        is_invalid: bool = False,
    ) -> None:
        self.mark, self.value = mark, value
        #: The number of nodes in it, of the characters of their texts, and of the levels of nesting.
        self.size, self.length, self.height = 1, 0, height
        #: The problems in it: start and end of a slice of all problems.
        self.problem_range = (0, 0)
        #: Whether it has a problem itself, so that nothing can be said about its value.
        self.is_invalid = is_invalid


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
