"""Objects that an attacked application could pass to an expression: endless, lying, raising, circular."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NoReturn


class Called(BaseException):
    """Something of the program was called, other than an attribute or an operator."""


class Host:
    """Its attributes can be read; it and its methods must not be called."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __call__(self, *_values: Any) -> NoReturn:
        raise Called

    def method(self, *_values: Any) -> NoReturn:
        raise Called

    get = items = keys = values = pop = update = clear = format = startswith = lower = upper = strip = encode = method


class Endless:
    """An endless iterable without a method for `in`."""

    def __iter__(self) -> Iterator[int]:
        while True:
            yield 1

    def __getitem__(self, _key: Any) -> int:
        return 1


class Liar:
    """Claims to be very long."""

    def __len__(self) -> int:
        return 2**62


class Loud:
    """Raises an exception for every operation."""

    def __str__(self) -> NoReturn:
        raise KeyError("no")

    __repr__ = __bool__ = __eq__ = __hash__ = __len__ = __iter__ = __contains__ = __str__  # type: ignore[assignment]

    def __getattr__(self, name: str) -> NoReturn:
        raise ZeroDivisionError(name)


class EndlessMapping(Mapping[str, Any]):
    """A mapping that claims to have one key and iterates endlessly."""

    def __getitem__(self, key: str) -> str:
        return "x"

    def __iter__(self) -> Iterator[str]:
        while True:
            yield "x"

    def __len__(self) -> int:
        return 1

    # A comparison of objects is theirs, and that of mappings would iterate both.
    __eq__ = object.__eq__
    __hash__ = object.__hash__


def shared(depth: int) -> list[Any]:
    """A small list that contains the same list twice on each level: its text would fill any memory."""
    found: list[Any] = ["x"]
    for _ in range(depth):
        found = [found, found]
    return found


def circle() -> list[Any]:
    found: list[Any] = []
    found += [found, {"again": found}]
    return found


def untouched() -> Iterator[NoReturn]:
    raise Called
    yield


def world(depth: int = 10) -> dict[str, Any]:
    """The names that a hostile expression can read, with their values."""
    try:
        raise LookupError("lost")
    except LookupError as caught:
        error = caught
    return {
        "self": Host(id="c-1", total=12.5, none=None, inner=Host(tier="gold", names=["a", "b"]), text="some text"),
        "data": {"id": 1, "items": [1, "two", None], "deep": {"er": {"x": "ä\ud800"}}, 5: b"five"},
        "text": "a text of {0.__class__} and %s " * 3,
        "number": 42,
        "huge": 10**4000,
        "price": Decimal("1e999999999"),
        "wide": range(10**18),
        "endless": Endless(),
        "mapping": EndlessMapping(),
        "liar": Liar(),
        "loud": Loud(),
        "circle": circle(),
        "shared": shared(depth),
        "stream": untouched(),
        "error": error,
        "method": Host().method,
        "kind": Host,
        "none": None,
    }
