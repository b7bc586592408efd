"""One spec at work in this process: its plan with a tracer, its taps, its patches."""

from __future__ import annotations

import atexit
import contextlib
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem
from opentelemetry.instrumentation.declarative.language.spec_model import Target
from opentelemetry.instrumentation.declarative.patching.patches import Patches
from opentelemetry.instrumentation.declarative.patching.target_loading import (
    PatchError,
    load_function,
    load_functions,
    make_tap_class,
)
from opentelemetry.instrumentation.declarative.plan.model import Plan
from opentelemetry.instrumentation.declarative.runtime.end_reasons import CHANGED, SHUTDOWN
from opentelemetry.instrumentation.declarative.runtime.forks import close_at_child_exit, reset_in_children
from opentelemetry.instrumentation.declarative.runtime.sinks import SinkFactory
from opentelemetry.instrumentation.declarative.wrappers import SpecRuntime

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.report.status import SpecStatus
    from opentelemetry.instrumentation.declarative.runtime.rule_stats import Tallies

#: Milliseconds for which the end of a child process may wait for its spans to be exported.
PATIENCE = 5_000


class Installation:
    """A plan put to work. Nothing is patched before ``install``, and nothing remains patched after ``remove``."""

    def __init__(
        self,
        plan: Plan,
        tracer_provider: Any = None,
        meter_provider: Any = None,
        *,
        copies: bool = False,
        tallies: Tallies | None = None,
    ) -> None:
        self._problems: list[Problem] = []
        self._plan = plan
        self._tracer_provider = tracer_provider
        self._removed = False
        self._child_closes = False
        self._meter_provider = meter_provider
        self._tallies = tallies
        self._runtime = self._made(plan)
        self._patches = Patches(plan, self._runtime, self.report, copies=copies)

    def _made(self, plan: Plan, before: SpecRuntime | None = None) -> SpecRuntime:
        scope = plan.spec.scope
        tracer = trace.get_tracer(scope.name, scope.version, self._tracer_provider, scope.schema_url)
        meter = None
        if plan.metrics:
            from opentelemetry import metrics  # a program without metrics has no need of them

            meter = metrics.get_meter(scope.name, scope.version or "", self._meter_provider, scope.schema_url)
        return SpecRuntime(plan, tracer, self._tap, self._at_exit, meter, before, self._tallies, self._load_sink)

    def _load_sink(self, target: Target) -> SinkFactory | None:
        try:
            return load_function(target)
        except PatchError as error:
            self.report(error.problem)
            return None

    def install(self) -> None:
        """Patch what has been imported, and wait for the rest."""
        self._runtime.functions.update(load_functions(self._plan.spec.functions, self.report))
        reset_in_children(self)
        # This may be a child already: one that imports the program's main module before it begins its work.
        self._child_closes = close_at_child_exit(self)
        self._patches.install()

    def change(self, plan: Plan) -> None:
        """Go on with another plan of the same spec.

        Calls under way end as they began. A span that is open is ended by the new rules; where there are none for it,
        it ends now, marked.
        """
        before = self._runtime
        self._problems = []
        runtime = self._made(plan, before)
        runtime.functions.update(load_functions(plan.spec.functions, self.report))
        self._plan, self._runtime = plan, runtime
        for name, tap in plan.taps.items():
            # Now, while no import waits for us: a module that is half there is waited for.
            if tap.base.module in sys.modules:
                with contextlib.suppress(PatchError):
                    runtime.tap(name)
        self._patches.change(plan, runtime)
        runtime.close_unreachable(before, CHANGED)

    def remove(self, why: str = SHUTDOWN) -> None:
        """Undo every patch and end every span that is still open."""
        self._removed = True
        self._patches.undo()
        atexit.unregister(self.close)
        self._runtime.close(why)

    def _at_exit(self) -> None:
        """Once a span is open it has to end before its provider is shut down, and what is registered last is first."""
        atexit.register(self.close)

    def close(self) -> None:
        """End every span that is still open, marked; the process is about to end."""
        self._runtime.close(running=True)

    def reset_after_fork(self) -> None:
        """In a child process, which ends in a way of its own if it is one of multiprocessing's."""
        self._child_closes = self._child_closes or close_at_child_exit(self)

    def close_child(self) -> None:
        """End and export what is open in a child process that ends without ``atexit``; nobody else will."""
        if self._removed:
            return
        self.close()
        provider = self._tracer_provider or trace.get_tracer_provider()
        try:
            if hasattr(provider, "force_flush"):
                provider.force_flush(PATIENCE)
        except Exception:
            logger.exception("what this process has traced could not be exported.")

    def report(self, problem: Problem) -> None:
        """Say once what of the spec cannot work with the library that is installed."""
        if problem not in self._problems:
            self._problems.append(problem)
            logger.warning("%s", problem.render())

    @property
    def status(self) -> SpecStatus:
        """What is known of each of the spec's rules; only where a report is asked for."""
        from opentelemetry.instrumentation.declarative.report.status import status_of

        assert self._tallies is not None
        return status_of(self._plan, self._patches, self._tallies)

    @property
    def waiting(self) -> list[tuple[str, Mark]]:
        """The modules that have not been imported, with each place in the spec that hooks something in them."""
        targets = (call.target for call in self._plan.calls)
        return [(target.module, target.mark) for target in targets if target.module not in sys.modules]

    @property
    def sources(self) -> dict[str, str]:
        """The generated source of every wrapper in place."""
        return self._patches.sources

    def _tap(self, name: str) -> type:
        return make_tap_class(self._plan.spec.name, self._plan.taps[name])
