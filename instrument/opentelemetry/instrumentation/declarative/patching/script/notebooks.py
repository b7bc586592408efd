"""The cells of a notebook, or of an IPython session: functions are traced from the next cell on."""

from __future__ import annotations

import contextlib
import functools
import sys
import types
from collections.abc import Callable
from typing import Any

from opentelemetry.instrumentation.declarative.patching.imports.import_functions import observing_code
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.patching.imports.script_names import MAIN
from opentelemetry.instrumentation.declarative.patching.lookup.static_lookup import value_at
from opentelemetry.instrumentation.declarative.patching.script.script_waits import ScriptWait
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import CodeLayer

_EVENT = "post_run_cell"
_SHELLS = "IPython.core.interactiveshell"


def open_notebook() -> Notebook | None:
    """Return the notebook whose cells this process runs."""
    try:
        shell = sys.modules["IPython"].get_ipython()
        return Notebook(shell) if vars(sys.modules[MAIN]) is shell.user_ns else None
    except Exception:  # there is none
        return None


# The texts stand for objects, which become constants of the code.
def _observed_start(self: Any) -> Any:
    original: Any = "original"
    started: Any = "started"
    result = original(self)
    started(self)
    return result


class StartingNotebook:
    """The notebook that this process is about to open: it is followed from its first cell on."""

    def __init__(self) -> None:
        self._notebook: Notebook | None = None
        self._waits: list[ScriptWait] = []
        self._layer: CodeLayer | None = None
        self._cancel: Callable[[], None] = lambda: None

    def start(self) -> bool:
        self._cancel = when_imported(_SHELLS, self._shells_imported)
        return True

    def stop(self) -> None:
        self._cancel()
        if self._layer is not None:
            self._layer.remove()
            self._layer = None
        if self._notebook is not None:
            self._notebook.stop()

    def add(self, wait: ScriptWait) -> None:
        self._waits.append(wait)
        if self._notebook is not None:
            self._notebook.add(wait)

    def remove(self, wait: ScriptWait) -> None:
        if wait in self._waits:
            self._waits.remove(wait)
        if self._notebook is not None:
            self._notebook.remove(wait)

    def _shells_imported(self) -> None:
        # The method after which a shell has events; the module of its cells is in sys.modules before.
        method = value_at(sys.modules.get(_SHELLS), ["InteractiveShell", "init_events"])
        if type(method) is types.FunctionType and self._layer is None:
            template: Any = _observed_start
            code = functools.partial(observing_code, template, {"started": self._shell_started})
            self._layer = CodeLayer(method, code)

    def _shell_started(self, shell: Any) -> None:
        try:
            is_notebook = self._notebook is None and vars(sys.modules[MAIN]) is shell.user_ns
        except Exception:  # it has been changed
            return
        if is_notebook:
            self._notebook = Notebook(shell)
            self._notebook.start()
            for wait in self._waits:
                self._notebook.add(wait)


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
