"""Hooked functions into which the program has put other code, by an assignment to ``__code__``."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterable

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.patching.patch import Patch


class OverwrittenCode:
    """Reports, at the end of the process, functions whose hooks are inactive because they have other code.

    The assignment itself cannot be observed.
    """

    def __init__(self, patches: Callable[[], Iterable[Patch]], report: Callable[[Problem], None]) -> None:
        self._patches, self._report = patches, report
        self._process = os.getpid()

    def start(self) -> Callable[[], None]:
        """Report at the end of the process. Returns how to cancel that."""
        atexit.register(self._process_ends)
        return lambda: atexit.unregister(self._process_ends)

    def _process_ends(self) -> None:
        if os.getpid() != self._process:
            return
        for patch in self._patches():
            if not patch.is_inner and patch.layer.is_overwritten:
                target = patch.call.target
                message = f"{target} has other code since it was patched: hooks on it are inactive"
                help = "hook the function that the code is from, or restart the program if a tool has reloaded the code"
                self._report(Problem(target.mark, "target-missing", message, help, "warning"))
