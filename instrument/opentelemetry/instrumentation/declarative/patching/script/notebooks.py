"""The cells of a notebook, or of an IPython session: functions are traced from the cell after their own on."""

from __future__ import annotations

import contextlib
import sys
import types
from typing import Any

from opentelemetry.instrumentation.declarative.patching.imports.script_names import MAIN
from opentelemetry.instrumentation.declarative.patching.script.script_waits import ScriptWait

_EVENT = "post_run_cell"


def open_notebook() -> Notebook | None:
    """Return the notebook whose cells this process runs."""
    try:
        shell = sys.modules["IPython"].get_ipython()
        return Notebook(shell) if vars(sys.modules[MAIN]) is shell.user_ns else None
    except Exception:  # there is none
        return None


class Notebook:
    """Notifies specs of the functions and classes that exist after each cell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._waits: list[ScriptWait] = []

    def start(self) -> bool:
        self._shell.events.register(_EVENT, self._cell_ended)
        return True

    def stop(self) -> None:
        self._waits.clear()
        with contextlib.suppress(ValueError):  # it has been removed already
            self._shell.events.unregister(_EVENT, self._cell_ended)

    def add(self, wait: ScriptWait) -> None:
        self._waits.append(wait)
        self._notify(wait)

    def remove(self, wait: ScriptWait) -> None:
        if wait in self._waits:
            self._waits.remove(wait)

    def _cell_ended(self, *_: object) -> None:
        for wait in list(self._waits):
            self._notify(wait)

    def _notify(self, wait: ScriptWait) -> None:
        module = sys.modules[MAIN]
        own = (types.FunctionType, type)
        names = {
            name
            for name, value in list(vars(module).items())
            if (isinstance(value, own) and value.__module__ == MAIN if wait.names is None else name in wait.names)
        }
        if names and wait.selects(MAIN):
            wait.defined(MAIN, module, frozenset(names))
