"""The names that a spec waits for in the script, the module ``__main__``."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterable, Iterator

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.plan.model import CallPlan
from opentelemetry.instrumentation.declarative.records import record

Defined = Callable[[str, types.ModuleType, frozenset[str]], None]


@record(frozen=True, eq=False)
class ScriptWait:
    """The names in a module that may be the script; None stands for all functions and classes.

    ``defined`` receives the name of the module, the module, and those of the names that have their final values or are
    missing. It must not raise. ``place`` is where the spec names the module.
    """

    selects: Callable[[str], bool]
    names: frozenset[str] | None
    defined: Defined
    place: str

    def selected(self, names: list[str]) -> str | None:
        """Return the first name that is selected."""
        return next((name for name in names if self.selects(name)), None)


def script_waits(
    calls: Iterable[CallPlan], patterns: Iterable[tuple[Callable[[str], bool], Mark]], defined: Defined
) -> Iterator[ScriptWait]:
    """The names that a spec waits for if one of its modules is the script."""
    names: dict[str, set[str]] = {}
    marks: dict[str, Mark] = {}
    for call in calls:
        names.setdefault(call.target.module, set()).add(call.target.path.partition(".")[0])
        marks.setdefault(call.target.module, call.target.mark)
    for module, wanted in names.items():
        yield ScriptWait(functools.partial(str.__eq__, module), frozenset(wanted), defined, str(marks[module]))
    for selects, mark in patterns:
        yield ScriptWait(selects, None, defined, str(mark))


def is_interactive(frame: types.FrameType, waits: list[ScriptWait]) -> bool:
    """Whether a frame is that of an interactive input, of which only functions that exist already are traced."""
    if not hasattr(sys, "ps1") or not frame.f_code.co_filename.startswith("<"):
        return False
    for wait in waits:
        logger.warning(
            "%s: functions of an interactive session are traced only if they exist when the spec becomes active. "
            "Define them in a module and import it.",
            wait.place,
        )
    return True
