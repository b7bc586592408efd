"""Sampling of one span type: a non-recording span replaces one that is not to be recorded."""

from __future__ import annotations

import random
import threading
import time

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.language.nodes.sample import Sample
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

#: As in OpenTelemetry's TraceIdRatioBased, the lower 64 bits of a trace id decide.
_BITS = 64


class Sampling:
    """Limits how many spans of one type are recorded. Safe to use from several threads.

    ``ratio`` records all spans of a trace or none of them. ``per_second`` is the rate of a token bucket that holds what
    comes in within one second.
    """

    def __init__(self, sample: Sample) -> None:
        self._bound = round(sample.ratio * (1 << _BITS))
        self._rate = sample.per_second
        self._capacity = max(1.0, sample.per_second or 0.0)
        self._tokens = self._capacity
        self._filled_at = time.monotonic()
        self._lock = threading.Lock()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Replace the lock in a child process: the thread that held it does not exist there."""
        self._lock = threading.Lock()

    def unrecorded(self, parent: Context | None) -> NonRecordingSpan | None:
        """Return a non-recording span in place of one that is not to be recorded, or None if it is.

        A sampler that follows the parent's decision, as the SDK's do by default, does not record its children either.
        """
        above = trace.get_current_span(parent).get_span_context()
        if above.is_valid and not above.trace_flags.sampled:
            return None  # the SDK's sampler decides, and no token is used up
        trace_id = above.trace_id if above.is_valid else _random_id(128)
        if trace_id % (1 << _BITS) < self._bound and self._take_token():
            return None
        return NonRecordingSpan(SpanContext(trace_id, _random_id(64), False, TraceFlags(TraceFlags.DEFAULT)))

    def _take_token(self) -> bool:
        if self._rate is None:
            return True
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


def _random_id(bits: int) -> int:
    return random.getrandbits(bits) or 1  # zero is not a valid id
