"""instrument: OpenTelemetry tracing for any Python library, written as YAML.

``DeclarativeInstrumentor`` is the whole public surface in Python; the rest is the command ``instrument``, the
environment variables and the spec language. Importing this package imports no OpenTelemetry.

PYTEST_DONT_REWRITE: pytest would warn of a package with a plugin that has been imported before pytest was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.process.instrumentor import DeclarativeInstrumentor

__all__ = ["DeclarativeInstrumentor"]


def __getattr__(name: str) -> Any:
    if name == "DeclarativeInstrumentor":
        from opentelemetry.instrumentation.declarative.process.instrumentor import DeclarativeInstrumentor

        return DeclarativeInstrumentor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
