"""Facts about classes that are found without running code of theirs: names, definitions, and which are proxies."""

from __future__ import annotations

from typing import Any

#: The method of the proxies of this package that returns the object that they stand for.
ORIGINAL = "_instrument_original"


def type_title(kind: type) -> str:
    """The name of a type, with its module unless it is built in."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def on_type(kind: type, name: str) -> Any:
    """The attribute of a class as its definition has it; None if there is none. Runs no code of the class."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def has_on_type(kind: type, *names: str) -> bool:
    return all(on_type(kind, name) is not None for name in names)


def original(value: Any) -> Any:
    """The object that a proxy of this package stands for; any other value unchanged."""
    while (found := on_type(type(value), ORIGINAL)) is not None:
        value = found(value)
    return value
