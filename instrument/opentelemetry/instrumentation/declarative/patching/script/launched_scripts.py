"""Observes `runpy.run_path` and `runpy.run_module`, by which a program runs the script of the user as ``__main__``."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from opentelemetry.instrumentation.declarative.patching.imports.import_functions import observing_code
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import when_imported
from opentelemetry.instrumentation.declarative.patching.imports.script_names import MAIN, SPAWNED_MAIN
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import CodeLayer

# The texts stand for objects, which become constants of the code: see ``import_functions``.


def _observed_path(path_name: Any, init_globals: Any = None, run_name: Any = None) -> Any:
    original: Any = "original"
    started: Any = "started"
    ended: Any = "ended"
    run = started(path_name, run_name)
    try:
        return original(path_name, init_globals, run_name)
    finally:
        ended(run)


def _observed_module(mod_name: Any, init_globals: Any = None, run_name: Any = None, alter_sys: Any = False) -> Any:
    original: Any = "original"
    started: Any = "started"
    ended: Any = "ended"
    run = started(mod_name, run_name)
    try:
        return original(mod_name, init_globals, run_name, alter_sys)
    finally:
        ended(run)


_TEMPLATES: dict[str, Any] = {"run_path": _observed_path, "run_module": _observed_module}


class LaunchedScripts:
    """Calls ``started`` before a script runs as ``__main__``, and ``ended`` afterwards with what it has returned.

    ``skipped`` receives the name of a module, or a path, that runs under another name.
    """

    def __init__(
        self, started: Callable[[], Any], ended: Callable[[Any], None], skipped: Callable[[str], None]
    ) -> None:
        def started_script(script: object, run_name: Any) -> Any:
            if run_name == MAIN:
                return started()
            if run_name != SPAWNED_MAIN and isinstance(script, str | PurePath):
                skipped(str(script))
            return None

        self._observers: dict[str, Any] = {"started": started_script, "ended": ended}
        self._layers: list[CodeLayer] = []
        self._cancel: Callable[[], None] | None = None

    def observe(self) -> None:
        """Observe the functions, once their module is imported."""
        if self._cancel is None:
            self._cancel = when_imported("runpy", self._imported)

    def restore(self) -> None:
        """Give the functions their own code back."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        for layer in self._layers:
            layer.remove()
        self._layers.clear()

    def _imported(self) -> None:
        for name, template in _TEMPLATES.items():
            function = vars(sys.modules["runpy"]).get(name)
            own = template.__code__.co_varnames[: template.__code__.co_argcount]
            if type(function) is types.FunctionType and function.__code__.co_varnames[: len(own)] == own:
                make_code = functools.partial(observing_code, template, self._observers)
                self._layers.append(CodeLayer(function, make_code))
