"""A block in which specs are active on providers of its own, and what they report in it."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, ClassVar, NoReturn

from opentelemetry import trace
from opentelemetry.instrumentation.declarative.config.settings import Settings
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, SpecError
from opentelemetry.instrumentation.declarative.process.active_specs import ActiveSpecs
from opentelemetry.instrumentation.declarative.process.instrumentor import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.runtime.context.current import attach, detach
from opentelemetry.instrumentation.declarative.testing.log_recorder import LogRecorder
from opentelemetry.instrumentation.declarative.testing.recorded_trace import Trace
from opentelemetry.instrumentation.declarative.testing.recorder import Recorder
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON


@dataclass(frozen=True, slots=True)
class ReportPolicy:
    """Which reports make a test fail, and how."""

    strict: bool
    #: A report that contains one of these texts is accepted.
    allowed: tuple[str, ...]
    fail: Callable[[str], NoReturn]
    #: Shows reports next to another failure.
    note: Callable[[str], None]

    def rejects(self, report: str) -> bool:
        return self.strict and not any(text in report for text in self.allowed)


class Recording:
    """A ``with`` block in which specs are active. It returns the ``Trace``, and undoes everything at its end."""

    _active_recording: ClassVar[Recording | None] = None

    def __init__(self, settings: Settings, policy: ReportPolicy, make_trace: Callable[..., Trace]) -> None:
        recorder = Recorder()
        provider, meters, reader = _providers()
        provider.add_span_processor(recorder)
        logs = LogRecorder()
        self._trace = make_trace(recorder, provider, reader, logs)
        self._specs = ActiveSpecs(
            replace(settings, tracer_provider=provider, meter_provider=meters, logger_provider=logs.provider)
        )
        self._policy = policy
        self._undo: list[Callable[[], object]] = []

    def __enter__(self) -> Trace:
        __tracebackhide__ = True
        if Recording._active_recording is not None:
            raise RuntimeError(
                "traced() is inside another traced(): each call would be recorded twice. "
                "Pass all specs to one, traced(first, second), or end the first block before."
            )
        if self._specs.stopped:
            raise RuntimeError("this traced() has already been used: a block records once. Call traced() again.")
        Recording._active_recording = self
        try:
            self._undo.append(DeclarativeInstrumentor().pause())
            # The span that is current outside, perhaps of the whole test, must not become a parent.
            token = attach(trace.set_span_in_context(trace.INVALID_SPAN))
            self._undo.append(lambda: detach(token))
            logger.listener = self._collect
            self._specs.start()
        except BaseException:
            self.stop()
            raise
        if self._rejected():
            self._report_unused(lambda module: not _can_be_found(module))
            self.stop()
            self._fail()
        return self._trace

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        if error is None:
            self._report_unused()
        self.stop()
        if self._rejected():
            if error is None:
                self._fail()
            self._policy.note("\n\n".join(self._rejected()))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"traced(…) has no {name!r} before its block starts: write `with traced(…) as trace:`, then trace.{name}"
        )

    @property
    def is_active(self) -> bool:
        return Recording._active_recording is self

    def stop(self) -> None:
        """Undo everything. Open spans are ended and marked."""
        try:
            self._specs.stop()
        finally:
            logger.listener = None
            Recording._active_recording = None
            while self._undo:
                self._undo.pop()()

    def _collect(self, message: str, values: tuple[Any, ...], with_traceback: bool) -> bool:
        """Keep a log message; for a SpecError, only its problems. Returns True if the message should not be logged."""
        report = next((str(value) for value in values if isinstance(value, SpecError)), None)
        if report is None:
            report = message % values if values else message
            if with_traceback:
                report = f"{report}\n{traceback.format_exc()}".rstrip()
        self._trace.reports.append(report)
        return self._policy.rejects(report)

    def _report_unused(self, applies: Callable[[str], bool] = lambda _module: True) -> None:
        """Report the modules that were not imported, unless there is already a report at that position."""
        for module, mark in self._specs.waiting().items():
            if applies(module) and not any(report.startswith(f"{mark}: ") for report in self._trace.reports):
                self._trace.reports.append(_unused(module, mark).render())

    def _rejected(self) -> list[str]:
        return [*dict.fromkeys(filter(self._policy.rejects, self._trace.reports))]

    def _fail(self) -> NoReturn:
        __tracebackhide__ = True
        self._policy.fail("\n\n".join(self._rejected()))


def _providers() -> tuple[TracerProvider, MeterProvider, InMemoryMetricReader]:
    """Providers that record everything, whatever the environment says about sampling, limits or the SDK."""
    saved = {key: os.environ.pop(key) for key in [*os.environ] if key.startswith("OTEL_")}
    try:
        reader, no_resource = InMemoryMetricReader(), Resource.get_empty()
        meters = MeterProvider([reader], no_resource, shutdown_on_exit=False)
        return TracerProvider(ALWAYS_ON, no_resource, shutdown_on_exit=False), meters, reader
    finally:
        os.environ.update(saved)


def _unused(module: str, mark: Mark) -> Problem:
    """The problem that rules had no effect because their module was not imported."""
    if not _can_be_found(module):
        message = f"there is no module {module}: rules on it had no effect"
        help = "correct the name, or add the folder of the module to pytest's setting `pythonpath`"
        return Problem(mark, "target-missing", message, help)
    message = f"{module} was not imported: rules on it had no effect"
    return Problem(mark, "not-imported", message, f'use it in the test, or accept this: traced(…, allow=["{module}"])')


def _can_be_found(module: str) -> bool:
    """Whether the top-level package of a module exists. Imports nothing."""
    top = module.partition(".")[0]
    try:
        return top in sys.modules or importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False
