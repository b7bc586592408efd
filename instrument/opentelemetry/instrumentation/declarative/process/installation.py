"""The installation of a spec in this process: its patches, and the runtime that its wrappers use."""

from __future__ import annotations

import atexit
import contextlib
import logging
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.imports.target_loading import (
    PatchError,
    load_function,
    load_functions,
    make_extension_class,
)
from opentelemetry.instrumentation.declarative.patching.loader_guards import LoaderGuards
from opentelemetry.instrumentation.declarative.patching.patches import Patches
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.runtime.context.local_roots import LOCAL_ROOTS
from opentelemetry.instrumentation.declarative.runtime.end_reasons import CHANGED, SHUTDOWN
from opentelemetry.instrumentation.declarative.runtime.lifecycle.abrupt_exits import (
    Stage,
    before_abrupt_exit,
    cancel_before_abrupt_exit,
)
from opentelemetry.instrumentation.declarative.runtime.sinks import SinkFactory
from opentelemetry.instrumentation.declarative.wrappers import SpecRuntime

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.report.status import SpecStatus
    from opentelemetry.instrumentation.declarative.runtime.rule_stats import SpecStats

#: Seconds for which an exit without `atexit` handlers may wait for the export. Exporters may ignore it.
EXPORT_TIMEOUT = 5.0


class Installation:
    """Installs a plan. Nothing is patched before ``install``, and nothing remains patched after ``remove``."""

    def __init__(
        self,
        plan: Plan,
        tracer_provider: Any = None,
        meter_provider: Any = None,
        logger_provider: Any = None,
        *,
        copies: bool = False,
        stats: SpecStats | None = None,
        flush_on_signal: bool = False,
        light_spans: bool = True,
    ) -> None:
        self._problems: list[Problem] = []
        self._plan = plan
        self._tracer_provider = tracer_provider
        self._watches_roots = False
        self._flush_on_signal = flush_on_signal
        self._meter_provider = meter_provider
        self._logger_provider = logger_provider
        self._stats = stats
        self._light_spans = light_spans
        self._runtime = self._make_runtime(plan)
        self._patches = Patches(plan, self._runtime, self.report, copies=copies)
        self._loaders = LoaderGuards(plan.spec.loaders, self.report)

    def _make_runtime(self, plan: Plan, before: SpecRuntime | None = None) -> SpecRuntime:
        scope = plan.scope
        tracer = trace.get_tracer(scope.name, scope.version, self._tracer_provider, scope.schema_url)
        meter = None
        if plan.metrics:
            from opentelemetry import metrics  # not at the top: a program without metrics does not need them

            meter = metrics.get_meter(scope.name, scope.version or "", self._meter_provider, scope.schema_url)
        log_emitter = None
        if plan.emits_logs:
            from opentelemetry import _logs  # not at the top: for the same reason
            from opentelemetry.instrumentation.declarative.runtime.log_records import LogEmitter

            logger = _logs.get_logger(scope.name, scope.version or "", self._logger_provider, scope.schema_url)
            log_emitter = partial(LogEmitter, logger)
        if plan.reads_local_root and not self._watches_roots:
            self._watches_roots = True
            LOCAL_ROOTS.acquire(self._tracer_provider)
        return SpecRuntime(
            plan,
            tracer,
            self._make_extension_class,
            self._close_at_exit,
            meter,
            before,
            self._stats,
            self._load_sink,
            light_spans=self._light_spans,
            log_emitter=log_emitter,
        )

    def _load_sink(self, target: Target) -> SinkFactory | None:
        try:
            return load_function(target)
        except PatchError as error:
            self.report(error.problem)
            return None

    def install(self) -> None:
        """Patch the modules that have been imported, and the others when they are imported."""
        self._runtime.functions.update(load_functions(self._plan.spec.function_targets, self.report))
        for stage, callback in self._before_abrupt_exit:
            before_abrupt_exit(stage, callback)
        if self._flush_on_signal:
            # Not at the top: a process that does not use it does not load it.
            from opentelemetry.instrumentation.declarative.runtime.lifecycle.fatal_signals import (
                start_handling_fatal_signals,
            )

            start_handling_fatal_signals()
        self._loaders.install()
        self._patches.install()

    def change(self, plan: Plan) -> None:
        """Replace the plan by another plan of the same spec.

        Calls in progress finish under the rules with which they started. Open spans are ended by the new rules; those
        that the new rules cannot end are ended now, and marked.
        """
        before = self._runtime
        self._problems = []
        runtime = self._make_runtime(plan, before)
        runtime.functions.update(load_functions(plan.spec.function_targets, self.report))
        self._plan, self._runtime = plan, runtime
        for name, extension in plan.extensions.items():
            # Now, while no import waits for this thread: loading a module that is being imported waits for that import.
            if extension.base.module in sys.modules:
                with contextlib.suppress(PatchError):
                    runtime.extension(name)
        self._loaders.change(plan.spec.loaders)
        self._patches.change(plan, runtime)
        runtime.close_unreachable(before, CHANGED)

    def remove(self, reason: str = SHUTDOWN) -> None:
        """Undo every patch, and end every open span with the reason."""
        self._patches.undo()
        self._loaders.remove()
        atexit.unregister(self.close)
        for _, callback in self._before_abrupt_exit:
            cancel_before_abrupt_exit(callback)
        if self._flush_on_signal:
            from opentelemetry.instrumentation.declarative.runtime.lifecycle.fatal_signals import (
                stop_handling_fatal_signals,
            )

            stop_handling_fatal_signals()
        self._runtime.close(reason)
        if self._watches_roots:
            LOCAL_ROOTS.release()

    def _close_at_exit(self) -> None:
        """Close at exit. Called when the first span is opened: it must end before its provider is shut down.

        Handlers run in reverse order of registration, and the provider has registered its own before.
        """
        atexit.register(self.close)

    def close(self) -> None:
        """End every open span, because the process is about to exit."""
        self._runtime.close(running=True)

    @property
    def _before_abrupt_exit(self) -> list[tuple[Stage, Callable[[], None]]]:
        return [(Stage.END_SPANS, self.close), (Stage.EXPORT, self._export), (Stage.SHUT_DOWN, self._shut_down)]

    def _export(self) -> None:
        """Export what waits for it: spans, metrics and log records."""
        end = time.monotonic() + EXPORT_TIMEOUT
        for provider in (self._span_provider, self._metric_provider, self._log_provider):
            if hasattr(provider, "force_flush"):
                provider.force_flush(max(int((end - time.monotonic()) * 1_000), 1))

    def _shut_down(self) -> None:
        """Shut down the tracer provider, whose processors may complete their output only then."""
        if hasattr(self._span_provider, "shutdown"):
            self._span_provider.shutdown()

    @property
    def _span_provider(self) -> Any:
        return self._tracer_provider or trace.get_tracer_provider()

    @property
    def _metric_provider(self) -> Any:
        metrics = sys.modules.get("opentelemetry.metrics")
        return self._meter_provider or (metrics and metrics.get_meter_provider())

    @property
    def _log_provider(self) -> Any:
        logs = sys.modules.get("opentelemetry._logs")
        return self._logger_provider or (logs and logs.get_logger_provider())

    def report(self, problem: Problem) -> None:
        """Log a problem of the spec with the installed library, each problem once."""
        if problem not in self._problems:
            self._problems.append(problem)
            level = logging.ERROR if problem.severity == "error" else logging.WARNING
            logger.log(level, "%s", problem.render())

    @property
    def status(self) -> SpecStatus:
        """The state and the counts of each rule. Available only if a report is requested."""
        from opentelemetry.instrumentation.declarative.report.active_status import active_status

        assert self._stats is not None
        return active_status(self._plan, self._patches, self._stats)

    @property
    def waiting(self) -> list[tuple[str, Mark]]:
        """The modules that have not been imported, each with the positions of the targets in it."""
        targets = (call.target for call in self._plan.calls)
        return [(target.module, target.mark) for target in targets if target.module not in sys.modules]

    @property
    def sources(self) -> dict[str, str]:
        """The generated source of every installed wrapper, by its callable."""
        return self._patches.sources

    def _make_extension_class(self, name: str) -> type:
        return make_extension_class(self._plan.spec.name, self._plan.extensions[name])
