"""Allocates the names in a generated function."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class NameAllocator:
    """Allocates names for one generated function. Each is unique, and none hides a parameter of the original."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {*taken, *keyword.kwlist}
        self._free: set[str] = set()
        self._shared: dict[str, str] = {}
        self._blocks: list[list[str]] = []
        self._constants: dict[str, Any] = {}
        self._by_identity: dict[tuple[str, int], str] = {}

    @property
    def constants(self) -> Mapping[str, Any]:
        """The objects that the generated function uses, by their names. It uses no others."""
        return self._constants

    def local(self, wanted: str) -> str:
        """Allocate a local name: ``wanted``, with a number if it is taken."""
        name = wanted = "".join(char if char.isalnum() else "_" for char in wanted)
        count = 1
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._taken.add(name)
        return name

    def shared_local(self, wanted: str) -> str:
        """The local that all blocks use under this name: ``wanted``, with a number if it is taken."""
        if wanted not in self._shared:
            self._shared[wanted] = self.local(wanted)
        return self._shared[wanted]

    def temporary(self, wanted: str) -> str:
        """Allocate a local name that other blocks can use again after the current one."""
        count = 1
        name = wanted
        while name in self._taken and name not in self._free:
            count += 1
            name = f"{wanted}_{count}"
        self._free.discard(name)
        self._taken.add(name)
        self._blocks[-1].append(name)
        return name

    def is_temporary(self, name: str) -> bool:
        """Whether a name has been allocated as a temporary, in a block that is complete."""
        return name in self._free

    @contextmanager
    def block(self) -> Iterator[None]:
        """A block of code with its own temporaries. Later blocks can use them again, as temporaries only."""
        self._blocks.append([])
        yield
        self._free.update(self._blocks.pop())

    def constant(self, wanted: str, value: Any) -> str:
        """The name for an object that the function uses."""
        known = self._by_identity.get((wanted, id(value)))
        if known is None:
            known = self._by_identity[wanted, id(value)] = self.local(wanted)
            self._constants[known] = value
        return known

    def builtin(self, name: str) -> str:
        """The name for a builtin. It is a constant, because the module of the original may define the same name."""
        return self.constant(name, getattr(builtins, name))
