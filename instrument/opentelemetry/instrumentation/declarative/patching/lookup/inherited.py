"""A method that a class inherits and that has no code of its own, such as one of a builtin class.

A hook on it binds a proxy in the class, and an attribute of a class hides those of the classes behind it. The proxy
therefore calls what the lookup would have found without it, which depends on the class of the receiver.
"""

from __future__ import annotations

from typing import Any

from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import MISSING
from opentelemetry.instrumentation.declarative.patching.lookup.targets import PatchPoint


class InheritedMethod:
    """Stands for the method that a class inherits, and looks like it."""

    __slots__ = ("_name", "_owner", "_value")
    __class__ = property(lambda self: type(self._value))
    __doc__ = property(lambda self: self._value.__doc__)

    def __init__(self, owner: type, name: str, value: Any) -> None:
        self._owner, self._name, self._value = owner, name, value

    def _instrument_original(self) -> Any:
        return self._value

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Look the method up in the classes behind the owner, in the order of the receiver's class."""
        return getattr(super(self._owner, owner if instance is None else instance), self._name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._value(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._value, name)

    def __repr__(self) -> str:
        return repr(self._value)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._value.__reduce_ex__(protocol)


def inherited(point: PatchPoint, raw: Any) -> Any:
    """Return what a proxy has to call instead of a raw callable: an ``InheritedMethod`` if it is inherited."""
    if point.own_value is MISSING and isinstance(point.owner, type) and raw is point.value:
        return InheritedMethod(point.owner, point.name, raw)
    return raw
