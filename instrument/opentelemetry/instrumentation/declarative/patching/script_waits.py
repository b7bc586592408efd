"""What a spec waits for in the script, the module ``__main__``."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, eq=False, slots=True)
class ScriptWait:
    """What a spec waits for: names of a module that may be the script; None stands for all functions and classes.

    ``defined`` receives the name of the module, the module, and those of the names that have their final values or are
    missing. It must not raise. ``place`` is where the spec names the module.
    """

    selects: Callable[[str], bool]
    names: frozenset[str] | None
    defined: Callable[[str, types.ModuleType, frozenset[str]], None]
    place: str

    def selected(self, names: list[str]) -> str | None:
        """Return the first name that is selected."""
        return next((name for name in names if self.selects(name)), None)
