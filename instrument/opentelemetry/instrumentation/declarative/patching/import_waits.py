"""The import callbacks of one spec, so that they can be cancelled together or module by module."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Container, Iterable

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.patching.imports.import_hooks import when_any_imported, when_imported
from opentelemetry.instrumentation.declarative.patching.imports.other_names import OtherNames
from opentelemetry.instrumentation.declarative.patching.overwritten_code import OverwrittenCode
from opentelemetry.instrumentation.declarative.patching.patch import Patch
from opentelemetry.instrumentation.declarative.patching.script.script_waits import ScriptWait
from opentelemetry.instrumentation.declarative.patching.script.scripts import when_script_defines
from opentelemetry.instrumentation.declarative.plan.model import Plan


class ImportWaits:
    """Which modules a spec waits for. Not synchronised: the caller holds its own lock."""

    def __init__(self) -> None:
        #: How to cancel the callbacks, by the module they wait for.
        self._modules: dict[str, list[Callable[[], None]]] = {}
        #: The same for patterns, whose callbacks are for any module, and for the script.
        self._patterns: list[Callable[[], None]] = []

    def __contains__(self, module: str) -> bool:
        return module in self._modules

    def add(self, module: str, callback: Callable[[str], None], on_package: Callable[[str, str], None]) -> None:
        """Call back with the module's name once it is imported, and with each package above it and the module."""
        cancels = self._modules[module] = []
        cancels.append(when_imported(module, functools.partial(callback, module)))
        *packages, _ = itertools.accumulate(module.split("."), "{}.{}".format)
        for package in packages:
            cancels.append(when_imported(package, functools.partial(on_package, package, module)))

    def add_pattern(self, selects: Callable[[str], bool], callback: Callable[[str], None]) -> None:
        """Call back with the name of every module that is selected."""
        self._patterns.append(when_any_imported(selects, callback))

    def add_script(self, wait: ScriptWait) -> None:
        """Notify the spec of what the script defines, if the spec names it."""
        self._patterns.append(when_script_defines(wait))

    def add_checks(
        self,
        plan: Plan,
        imported: Container[str],
        patches: Callable[[], Iterable[Patch]],
        report: Callable[[Problem], None],
    ) -> None:
        """Report hooks that are inactive for reasons that are not found when callables are patched."""
        self._patterns.append(OtherNames(plan, imported, report).start())
        self._patterns.append(OverwrittenCode(patches, report).start())

    def add_base_class(self, module: str, callback: Callable[[], None]) -> None:
        """Call back once the module of a class is imported that a pattern's matches must be subclasses of."""
        self._patterns.append(when_imported(module, callback))

    def cancel_patterns(self) -> None:
        for cancel in self._patterns:
            cancel()
        self._patterns.clear()

    def cancel_modules(self, keep: Collection[str] = ()) -> set[str]:
        """Stop waiting for all modules but some; return those that are no longer waited for."""
        cancelled = {module for module in self._modules if module not in keep}
        for module in cancelled:
            for cancel in self._modules.pop(module):
                cancel()
        return cancelled
