"""Facts about a class that are found without running code of its own: its name, and what its definition has."""

from __future__ import annotations

from typing import Any


def type_title(kind: type) -> str:
    """The name of a type, with its module unless it is built in."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def on_type(kind: type, name: str) -> Any:
    """The attribute of a class as its definition has it; None if there is none. Runs no code of the class."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def has_on_type(kind: type, *names: str) -> bool:
    return all(on_type(kind, name) is not None for name in names)
