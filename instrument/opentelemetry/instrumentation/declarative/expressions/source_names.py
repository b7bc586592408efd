"""How the names in an expression are written in the Python source that is generated for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from opentelemetry.instrumentation.declarative.expressions.helpers import HELPERS


class SourceNames(Protocol):
    """How the names in an expression are written in the source."""

    def variable(self, name: str) -> str: ...

    def item(self, name: str) -> str:
        """The name of the items of a comprehension, which hides no other name in the source."""
        ...

    def is_local(self, name: str) -> bool:
        """Whether a name is a local of the function in which the source is."""
        ...

    def lacks(self, name: str) -> bool: ...

    def function(self, name: str) -> str: ...

    def is_boolean(self, function: str) -> bool:
        """Whether a function returns true or false, and nothing else."""
        ...

    def is_count(self, name: str) -> bool:
        """Whether a name is that of a count of a span, which is a number."""
        ...

    def helper(self, name: str) -> str: ...


class PlainNames:
    """Writes variables as they are. Functions and helpers get names that no spec can define."""

    def variable(self, name: str) -> str:
        return name

    def item(self, name: str) -> str:
        return name

    def is_local(self, name: str) -> bool:
        return False

    def lacks(self, name: str) -> bool:
        return False

    def function(self, name: str) -> str:
        return f"__function_{name}"

    def is_boolean(self, function: str) -> bool:
        return False

    def is_count(self, name: str) -> bool:
        return False

    def helper(self, name: str) -> str:
        return f"__helper_{name}"

    def namespace(self, functions: Mapping[str, Callable[..., object]]) -> dict[str, Any]:
        """The functions and helpers by these names, to evaluate source in."""
        return {
            **{self.function(name): function for name, function in functions.items()},
            **{self.helper(name): helper for name, helper in HELPERS.items()},
        }
