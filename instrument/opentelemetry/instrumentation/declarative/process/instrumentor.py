"""The instrumentor that OpenTelemetry loads: it starts and stops the specs of this process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from opentelemetry.instrumentation.declarative.config.config_file import RawOptions
from opentelemetry.instrumentation.declarative.config.settings import read_settings
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.process.active_specs import ActiveSpecs
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]


class DeclarativeInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Instruments libraries as described by YAML specs.

    Shipped specs are active for each installed library in a supported version. Spec files are added with
    ``instrument(specs=["my.yaml"])`` or with the environment variable ``OTEL_PYTHON_DECLARATIVE_SPECS``. For the other
    options see docs/configuration.md; ``tracer_provider``, ``meter_provider`` and ``logger_provider`` default to the
    global ones. Problems in a spec never raise: they are logged with their location, and the spec is left out.
    """

    _instance = None

    #: The type to which OpenTelemetry converts the options in its configuration file.
    configuration = RawOptions

    # BaseInstrumentor is a singleton whose __init__ runs at every call. Therefore these are class attributes.
    _active: ActiveSpecs | None = None
    #: Whether OpenTelemetry's configuration file started the instrumentor.
    _configured = False
    #: Whether the exporter for trees has been added to the tracer provider.
    _tree_added = False

    def instrumentation_dependencies(self) -> Collection[str]:
        """Nothing: each spec names its own distribution, which is checked when its library is imported."""
        return ()

    def instrument(self, **options: Any) -> None:
        # With a configuration file OpenTelemetry starts the instrumentor twice. The second call is not an error.
        if self._configured and self.is_instrumented_by_opentelemetry and not {*options} - {"skip_dep_check"}:
            return
        self._configured = "configured" in options
        super().instrument(**options)

    def _instrument(self, **options: Any) -> None:
        try:
            settings = read_settings(**options)
            if settings.tree and not self._tree_added:
                self._tree_added = True
                self._add_tree_exporter()
            if settings.enabled:
                self._active = ActiveSpecs(settings)
                self._active.start()
        except Exception:
            # An exception here would prevent OpenTelemetry from loading the remaining instrumentors.
            logger.exception("the instrumentor could not start. The program is not affected, but it is not traced.")

    def _uninstrument(self, **_options: Any) -> None:
        if self._active is not None:
            self._active.stop()
            self._active = None

    def _add_tree_exporter(self) -> None:
        # Not at the top: only this exporter needs the SDK.
        from opentelemetry.instrumentation.declarative.exporters.tree import add_tree_exporter

        add_tree_exporter()

    def pause(self) -> Callable[[], None]:
        """Stop the active specs, if there are any, and return a function that starts them again."""
        paused = self._active
        if paused is None:
            return lambda: None
        paused.stop()

        def resume() -> None:
            if self._active is paused:  # not uninstrumented in the meantime
                self._active = ActiveSpecs(paused.settings)
                self._active.start()

        return resume
