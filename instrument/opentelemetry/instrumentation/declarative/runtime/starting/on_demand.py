"""Fields of objects that are made when they are first read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class OnDemand:
    """A field that most objects of a class never need. ``make`` is called with an object when it is first read.

    With ``__getattr__`` instead, Python would read all other fields of the objects much slower.
    """

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else instance.__dict__.setdefault(self._name, self._make(instance))
