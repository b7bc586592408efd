"""Modules that the program imports by another name than a spec, as ``shop`` instead of ``src.shop``, or not at all."""

from __future__ import annotations

import atexit
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace

from opentelemetry.instrumentation.declarative.config.run_flags import read_run_flags
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.import_hooks import when_any_imported
from opentelemetry.instrumentation.declarative.patching.module_loads import contents
from opentelemetry.instrumentation.declarative.patching.script_names import MAIN
from opentelemetry.instrumentation.declarative.patching.target_loading import missing_module
from opentelemetry.instrumentation.declarative.plan.model import CallPlan


class OtherNames:
    """Reports, once for each module, that hooks on it are inactive because it has another name in the program.

    If no module has the name, that is reported when a program ends that `instrument run` has started: only then is it
    known where it looks for modules. The processes that it starts may look elsewhere.
    """

    def __init__(self, calls: Iterable[CallPlan], report: Callable[[Problem], None]) -> None:
        self._report = report
        self._reported: set[str] = set()
        #: By the last part of the name of their module.
        self._targets: dict[str, list[Target]] = {}
        for call in calls:
            if call.extension is None and call.target.module != MAIN:
                self._targets.setdefault(_last(call.target.module), []).append(call.target)

    def start(self) -> Callable[[], None]:
        """Start to listen. Returns how to stop."""
        atexit.register(self._program_ended)
        stop_listening = when_any_imported(self._may_be_one, self._imported)

        def stop() -> None:
            stop_listening()
            atexit.unregister(self._program_ended)

        return stop

    def _program_ended(self) -> None:
        if os.getpid() != read_run_flags().process:
            return
        first = {target.module: target.mark for targets in self._targets.values() for target in reversed(targets)}
        for module, mark in first.items():
            package = module.partition(".")[0]
            if module not in self._reported and package not in sys.modules and not _can_be_imported(package):
                self._report(replace(missing_module(package, mark), severity="warning"))

    def _may_be_one(self, module: str) -> bool:
        return _last(module) in self._targets

    def _imported(self, module: str) -> None:
        for target in self._targets[_last(module)]:
            if target.module not in self._reported and _is_same(module, target):
                self._reported.add(target.module)
                message = f"{target.module} was not imported, but {module} was: hooks on {target.module} are inactive"
                help = f"name a module as the program imports it: {module}:{target.path}"
                self._report(Problem(target.mark, "target-missing", message, help, "warning"))


def _last(module: str) -> str:
    return module.rpartition(".")[2]


def _is_same(module: str, target: Target) -> bool:
    """Whether a module of another name is the one that a target means, which is not imported by its own name."""
    wanted, held = target.module, contents(sys.modules.get(module))
    if module == wanted or wanted in sys.modules or target.path.partition(".")[0] not in held:
        return False
    if wanted.endswith(f".{module}"):
        file = held.get("__file__")
        path = os.path.splitext(file)[0].removesuffix(f"{os.sep}__init__") if isinstance(file, str) else ""
        return path.endswith(os.sep + wanted.replace(".", os.sep))
    return module.endswith(f".{wanted}") and not _can_be_imported(wanted.partition(".")[0])


def _can_be_imported(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except Exception:  # raised by a finder of the program
        return True
