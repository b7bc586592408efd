"""The problems of patching one spec: what cannot be patched, and calls that are not seen."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.patching.bypasses import Bypass
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import (
    PatchError,
    can_be_imported,
    missing_module,
)
from opentelemetry.instrumentation.declarative.plan.model import CallPlan


class PatchProblems:
    """Reports the problems, and keeps them by the id of the call plan: why a callable cannot be patched (``refused``),
    and why some of its calls may not be seen (``hints``).
    """

    def __init__(self, report: Callable[[Problem], None]) -> None:
        self.report = report
        self.refused: dict[int, str] = {}
        self.hints: dict[int, str] = {}

    def refuse(self, call: CallPlan, error: Exception) -> None:
        """Take note of an error. It is not raised: patching runs inside an import of the program."""
        if isinstance(error, PatchError):
            self.refused[id(call)] = error.problem.message
            self.report(error.problem)
            return
        self.refused[id(call)] = f"{call.target} cannot be patched: {type(error).__name__}"
        message = "%s: %s could not be patched. The program is not affected."
        logger.error(message, call.target.mark, call.target, exc_info=error)

    def report_bypasses(self, *found: Bypass | None) -> None:
        for bypass in found:
            if bypass is not None:
                self.hints[id(bypass.call)] = f"it {bypass.reason}"
                self.report(bypass.problem)

    def report_missing_module(self, package: str, module: str, calls: Iterable[CallPlan]) -> None:
        """Report if a package has been imported and an awaited module of it does not exist."""
        name = module[len(package) + 1 :].partition(".")[0]
        child = f"{package}.{name}"
        if child in sys.modules:
            return
        try:
            if can_be_imported(child):
                return
            awaiting = [call for call in calls if call.target.module == module]
            problem = missing_module(child, awaiting[0].target.mark)
            self.refused.update(dict.fromkeys(map(id, awaiting), problem.message))
            self.report(problem)
        except Exception:  # raised by the program's own finder, inside an import of the program
            logger.exception("it could not be determined whether %s exists. The program is not affected.", child)
