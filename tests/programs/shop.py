"""The functions that the small programs call, and that `spec.yaml` hooks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any


def begin(id: Any) -> Any:
    return id


def end(id: Any) -> Any:
    return id


def work(act: Callable[[], Any] | None = None, id: Any = None) -> Any:
    return act() if act else id


def inner(id: Any = None) -> Any:
    return id


async def awork(act: Callable[[], Any] | None = None, id: Any = None) -> Any:
    return await act() if act else id


def each(count: int) -> Iterator[int]:
    yield from range(count)


async def aeach(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number
