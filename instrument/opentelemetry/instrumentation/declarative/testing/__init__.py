"""Tests of specs: the pytest fixture ``traced``. Only ``plugin`` uses pytest, and it loads the rest when it is used.

For annotations: ``def test_it(traced: Traced)``. The ``with`` block of a call returns a ``Trace``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.testing.recorded_trace import Trace
    from opentelemetry.instrumentation.declarative.testing.traced import Traced

__all__ = ["Trace", "Traced"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from opentelemetry.instrumentation.declarative.testing import recorded_trace, traced

        return vars(recorded_trace if name == "Trace" else traced)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
