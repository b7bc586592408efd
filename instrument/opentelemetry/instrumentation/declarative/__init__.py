"""OpenTelemetry tracing for any Python library, written as YAML.

The public interface in Python is ``DeclarativeInstrumentor``, and ``testing`` with the types of the pytest fixture
``traced``. Everything else is internal. The other interfaces are the command ``instrument``, the environment variables
and the spec language. Importing this package does not import OpenTelemetry.

PYTEST_DONT_REWRITE: otherwise pytest warns if this package, which has a plugin, is imported before pytest.
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
