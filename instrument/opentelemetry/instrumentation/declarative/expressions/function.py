"""A function of the language, with what its documentation and its checks need to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Literal

from opentelemetry.instrumentation.declarative.records import record

#: Types as semantic conventions name them; ``any`` if the type depends on the arguments.
ResultType = Literal["boolean", "int", "double", "string", "string[]", "any"]


@record(frozen=True)
class Function:
    """A function of the language."""

    call: Callable[..., Any]
    #: The names of its parameters. If it is ``variadic``, the last one can be repeated.
    parameters: tuple[str, ...]
    result: ResultType
    #: What it returns, for the reference.
    description: str
    #: A call with its value, for the reference and its tests; the value is not shown if the function ``varies``.
    example: tuple[str, Any]
    #: The values of the names in the example.
    given: Mapping[str, Any] = field(default_factory=dict)
    variadic: bool = False
    #: The last parameters that can be left out.
    optional: int = 0
    #: Whether it returns None if its first argument is None, so that a missing value stays missing.
    none_if_none: bool = True
    #: Whether its value differs from call to call with the same arguments.
    varies: bool = False
    #: The parameters that are a regular expression, and the replacement for what it matches. Literals only.
    pattern: str | None = None
    replacement: str | None = None
    #: Whether the pattern is a list of patterns with commas between them.
    several_patterns: bool = False

    @property
    def least_arguments(self) -> int:
        return len(self.parameters) - self.optional

    @property
    def max_arguments(self) -> int | None:
        """None if there is no limit."""
        return None if self.variadic else len(self.parameters)

    def signature(self, name: str) -> str:
        """How it is called: ``starts_with(text, beginning, ...)``, or ``round(number[, digits])``."""
        required = ", ".join(self.parameters[: self.least_arguments])
        optional = "".join(f"[, {each}]" for each in self.parameters[self.least_arguments :])
        return f"{name}({required}{optional}{', ...' if self.variadic else ''})"
