"""The instrumentor that OpenTelemetry loads: it starts and stops the specs of this process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]

from instrument.active import Active
from instrument.log import logger
from instrument.settings import settings


class DeclarativeInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Patches libraries as YAML specs say.

    What ships is active for whatever library is installed in a version that it names; each spec file that is given is
    added: ``instrument(specs=["my.yaml"])``, or the environment variable ``OTEL_PYTHON_DECLARATIVE_SPECS``.
    ``tracer_provider`` and ``meter_provider`` default to the global ones. No mistake in a spec is raised: it is logged
    with its place, and the spec is left out.
    """

    _instance = None

    #: BaseInstrumentor is a singleton whose __init__ runs at every call: what is active may not be set there.
    _active: Active | None = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: each spec names its own distribution and is asked when that is imported."""
        return ()

    def _instrument(self, **options: Any) -> None:
        try:
            self._active = Active(settings(*map(options.get, ("specs", "tracer_provider", "meter_provider"))))
            self._active.start()
        except Exception:
            # An exception here would end the loading of every instrumentor after this one.
            logger.exception("instrument could not start. The program runs on without it.")

    def _uninstrument(self, **_options: Any) -> None:
        if self._active is not None:
            self._active.stop()
            self._active = None

    def set_aside(self) -> Callable[[], None]:
        """Stop what is at work, if anything is; gives how to start it again, as it was given."""
        stopped = self._active
        if stopped is None:
            return lambda: None
        stopped.stop()

        def start() -> None:
            if self._active is stopped:  # nobody has ended it meanwhile
                self._active = Active(stopped.settings)
                self._active.start()

        return start
