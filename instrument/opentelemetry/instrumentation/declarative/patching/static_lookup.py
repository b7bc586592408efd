"""Looks names up in modules and classes without running code of theirs."""

from __future__ import annotations

import types
from typing import Any

#: Stands for an attribute that does not exist, where None could be its value.
MISSING: Any = object()


def static_attribute(owner: Any, name: str) -> Any:
    """Return what a class or module holds under a name without invoking descriptors; ``MISSING`` if it has none.

    Attributes of ``object`` are ignored: its ``__init__`` and ``__new__`` accept surplus arguments only while a class
    overrides just the other one, and a wrapper of them would count as an override.
    """
    for holder in owner.__mro__ if isinstance(owner, type) else (owner,):
        if holder is not object and name in vars(holder):
            return vars(holder)[name]
    return MISSING


def value_at(owner: Any, path: list[str]) -> Any:
    """Return what a path of attributes leads to; ``MISSING`` if it leads nowhere or ``owner`` is not a module."""
    for name in path:
        owner = static_attribute(owner, name) if isinstance(owner, (type, types.ModuleType)) else MISSING
    return owner
