"""Spans that start when a `with` block is entered and end when it is left: they are current in the block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opentelemetry.instrumentation.declarative.language.nodes.hook import Hook
from opentelemetry.instrumentation.declarative.language.nodes.span import SpanType
from opentelemetry.instrumentation.declarative.language.values import Moment

_ENTER, _EXIT = ("__enter__", "__aenter__"), ("__exit__", "__aexit__")


def is_block(span: SpanType, hooks: Mapping[str, Hook]) -> bool:
    """Whether a span starts only where blocks are entered, and ends where they are left."""
    starts = _methods((start.at for start in span.starts), hooks)
    ends = _methods((end.at for end in span.ends), hooks)
    return bool(starts) and all(name in _ENTER for name in starts) and any(name in _EXIT for name in ends)


def _methods(moments: Iterable[Moment], hooks: Mapping[str, Hook]) -> list[str]:
    """The name of the method at each moment; empty if it is not known."""
    found = (hooks.get(moment.hook) for moment in moments)
    return [hook.target.path.rpartition(".")[2] if hook and hook.target else "" for hook in found]
