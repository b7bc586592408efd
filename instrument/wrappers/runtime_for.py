"""What the wrappers of one spec share at run time: its spans, functions and taps, made once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.trace import Tracer

from instrument.functions import FUNCTIONS
from instrument.plan.model import Plan
from instrument.runtime.spans import Spans


class Runtime:
    """The run-time objects of one spec. ``make_tap`` gives the pass-through class of a tap."""

    def __init__(self, plan: Plan, tracer: Tracer, make_tap: Callable[[str], type]) -> None:
        self.link_kind = plan.spec.vocabulary.link_kind
        self.spans = {
            name: Spans(tracer, span.kind, span.constants, limit=span.limit, remember=span.remember)
            for name, span in plan.spans.items()
        }
        self.functions: dict[str, Callable[..., Any]] = {name: function for name, (function, _, _) in FUNCTIONS.items()}
        self._make_tap = make_tap
        self._taps: dict[str, type] = {}

    def tap(self, name: str) -> type:
        """The pass-through class of a tap, the same one every time."""
        if name not in self._taps:
            self._taps[name] = self._make_tap(name)
        return self._taps[name]

    def close(self) -> None:
        """End every span that is still open."""
        for spans in self.spans.values():
            spans.close()
