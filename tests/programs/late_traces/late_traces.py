"""A distro with which traces are printed when the program ends, however slow it is, and not between its own lines."""

from typing import Any

from opentelemetry.distro import OpenTelemetryDistro
from opentelemetry.instrumentation.declarative.exporters import unprinted_traces
from opentelemetry.instrumentation.declarative.exporters.tree import TreeSpanProcessor


class Distro(OpenTelemetryDistro):
    def _configure(self, **options: Any) -> None:
        unprinted_traces._LONGEST = TreeSpanProcessor.__init__.__kwdefaults__["settle"] = 600.0
        super()._configure(**options)
