"""The instrumentor that OpenTelemetry loads: it starts and stops the specs of this process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from opentelemetry.instrumentation.declarative.config.config_file import FromConfiguration
from opentelemetry.instrumentation.declarative.config.settings import settings
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.process.active_specs import ActiveSpecs
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]


class DeclarativeInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Patches libraries as YAML specs say.

    What ships is active for whatever library is installed in a version that it names; each spec file that is given is
    added: ``instrument(specs=["my.yaml"])``, or the environment variable ``OTEL_PYTHON_DECLARATIVE_SPECS``. The other
    options stand in docs/configuration.md; ``tracer_provider`` and ``meter_provider`` default to the global ones. No
    mistake in a spec is raised: it is logged with its place, and the spec is left out.
    """

    _instance = None

    #: What OpenTelemetry makes of our options in its configuration file.
    configuration = FromConfiguration

    #: BaseInstrumentor is a singleton whose __init__ runs at every call: what is active may not be set there.
    _active: ActiveSpecs | None = None
    #: Whether it was OpenTelemetry's configuration file that has started it.
    _configured = False

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: each spec names its own distribution and is asked when that is imported."""
        return ()

    def instrument(self, **options: Any) -> None:
        # With a configuration file OpenTelemetry starts us twice, and the second time is no mistake of anybody's.
        if self._configured and self.is_instrumented_by_opentelemetry and not {*options} - {"skip_dep_check"}:
            return
        self._configured = "configured" in options
        super().instrument(**options)

    def _instrument(self, **options: Any) -> None:
        try:
            found = settings(**options)
            if found.enabled:
                self._active = ActiveSpecs(found)
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
                self._active = ActiveSpecs(stopped.settings)
                self._active.start()

        return start
