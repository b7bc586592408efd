"""Tests for rules: the pytest fixture ``traced``. Only ``plugin`` knows pytest, and it loads nothing before its use.

For annotations: ``def test_it(traced: Traced)``, and ``Trace`` is what its block gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.testing.trace import Trace
    from opentelemetry.instrumentation.declarative.testing.traced import Traced

__all__ = ["Trace", "Traced"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from opentelemetry.instrumentation.declarative.testing import trace, traced

        return vars(trace if name == "Trace" else traced)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
