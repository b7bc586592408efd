"""A block in which specs are at work on a provider of its own, and what they report in it."""

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
from opentelemetry.instrumentation.declarative.runtime.context import attach, detach
from opentelemetry.instrumentation.declarative.testing.recorder import Recorder
from opentelemetry.instrumentation.declarative.testing.trace import Trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON


@dataclass(frozen=True, slots=True)
class Strictness:
    """Which reports let a test fail, and how."""

    strict: bool
    #: Reports with one of these texts in them do not.
    allowed: tuple[str, ...]
    fail: Callable[[str], NoReturn]
    #: For reports that shall stand beside another failure.
    note: Callable[[str], None]

    def forbids(self, report: str) -> bool:
        return self.strict and not any(text in report for text in self.allowed)


class Recording:
    """``with`` it, specs are at work; a ``Trace`` is what is recorded. Afterwards everything is as it was."""

    _at_work: ClassVar[Recording | None] = None

    def __init__(self, settings: Settings, strictness: Strictness, make_trace: Callable[..., Trace]) -> None:
        recorder = Recorder()
        provider, meters, reader = _providers()
        provider.add_span_processor(recorder)
        self._trace = make_trace(recorder, provider, reader)
        self._active = ActiveSpecs(replace(settings, tracer_provider=provider, meter_provider=meters))
        self._strictness = strictness
        self._undo: list[Callable[[], object]] = []

    def __enter__(self) -> Trace:
        __tracebackhide__ = True
        if Recording._at_work is not None:
            raise RuntimeError(
                "traced() is inside another traced(): each call would be seen twice. "
                "Give all specs to one, traced(first, second), or end the first block before."
            )
        if self._active.stopped:
            raise RuntimeError("this traced() has been used already: a block records once. Call traced() again.")
        Recording._at_work = self
        try:
            self._undo.append(DeclarativeInstrumentor().set_aside())
            # Whatever is current outside, a span around the whole test perhaps, is no parent of what happens in here.
            token = attach(trace.set_span_in_context(trace.INVALID_SPAN))
            self._undo.append(lambda: detach(token))
            logger.listener = self._said
            self._active.start()
        except BaseException:
            self.stop()
            raise
        if self._forbidden():
            self._note_idle(lambda module: not _can_be_found(module))
            self.stop()
            self._fail()
        return self._trace

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        if error is None:
            self._note_idle()
        self.stop()
        if self._forbidden():
            if error is None:
                self._fail()
            self._strictness.note("\n\n".join(self._forbidden()))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"traced(…) has no {name!r} before its block begins: write `with traced(…) as trace:`, then trace.{name}"
        )

    @property
    def is_at_work(self) -> bool:
        return Recording._at_work is self

    def stop(self) -> None:
        """Undo everything; what is still open ends, marked."""
        try:
            self._active.stop()
        finally:
            logger.listener = None
            Recording._at_work = None
            while self._undo:
                self._undo.pop()()

    def _said(self, message: str, values: tuple[Any, ...], with_traceback: bool) -> bool:
        """Keep what is logged: a problem of a spec just as it is told, without what becomes of the program."""
        report = next((str(value) for value in values if isinstance(value, SpecError)), None)
        if report is None:
            report = message % values if values else message
            if with_traceback:
                report = f"{report}\n{traceback.format_exc()}".rstrip()
        self._trace.reports.append(report)
        return self._strictness.forbids(report)

    def _note_idle(self, meant: Callable[[str], bool] = lambda _module: True) -> None:
        """Report the rules that wait for a module still, where nothing has been said of their place before."""
        for module, mark in self._active.waiting().items():
            if meant(module) and not any(report.startswith(f"{mark}: ") for report in self._trace.reports):
                self._trace.reports.append(_idle(module, mark))

    def _forbidden(self) -> list[str]:
        return [*dict.fromkeys(filter(self._strictness.forbids, self._trace.reports))]

    def _fail(self) -> NoReturn:
        __tracebackhide__ = True
        self._strictness.fail("\n\n".join(self._forbidden()))


def _providers() -> tuple[TracerProvider, MeterProvider, InMemoryMetricReader]:
    """Providers that record everything, whatever the environment says of sampling, limits or of the SDK as such."""
    kept = {key: os.environ.pop(key) for key in [*os.environ] if key.startswith("OTEL_")}
    try:
        reader, nothing = InMemoryMetricReader(), Resource.get_empty()
        meters = MeterProvider([reader], nothing, shutdown_on_exit=False)
        return TracerProvider(ALWAYS_ON, nothing, shutdown_on_exit=False), meters, reader
    finally:
        os.environ.update(kept)


def _idle(module: str, mark: Mark) -> str:
    """What is said of rules that have done nothing because their module has not been imported."""
    if not _can_be_found(module):
        message = f"there is no module {module}: what hooks it has done nothing"
        mend = "mend its name, or let Python find it: pytest's setting `pythonpath` names folders"
        return Problem(mark, "target-missing", message, mend).render()
    message = f"{module} has not been imported: what hooks it has done nothing"
    mend = f'let the test use it or, where that is meant, say traced(…, allow=["{module}"])'
    return Problem(mark, "not-imported", message, mend).render()


def _can_be_found(module: str) -> bool:
    """Whether there is such a module, without importing what it lies in."""
    top = module.partition(".")[0]
    try:
        return top in sys.modules or importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False
