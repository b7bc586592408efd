"""Whether a span of a type with a bound is recorded; where it is not, a span that records nothing stands for it."""

from __future__ import annotations

import random
import threading
import time

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative.language.spec_model import Sample
from opentelemetry.instrumentation.declarative.runtime.forks import reset_in_children
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

#: As OpenTelemetry's TraceIdRatioBased does, the lower 64 bits of a trace id decide.
_BITS = 64


class Sampling:
    """The bound on one type of span. Safe to use from several threads.

    Spans of one trace are recorded by ``ratio`` all or none. ``per_second`` is a bucket: what is not used in a second
    is not saved for the next.
    """

    def __init__(self, sample: Sample) -> None:
        self._bound = round(sample.ratio * (1 << _BITS))
        self._rate = sample.per_second
        self._size = max(1.0, sample.per_second or 0.0)
        self._left = self._size
        self._filled = time.monotonic()
        self._lock = threading.Lock()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """In a child process: who held the lock is not there."""
        self._lock = threading.Lock()

    def unrecorded(self, parent: Context | None) -> NonRecordingSpan | None:
        """A span that stands for one that is not to be recorded; None where it is.

        What is below it is not recorded either, by any sampler that looks at the parent, as the SDK's do by default.
        """
        above = trace.get_current_span(parent).get_span_context()
        if above.is_valid and not above.trace_flags.sampled:
            return None  # the sampler's to decide: it takes nothing from what is left
        trace_id = above.trace_id if above.is_valid else _random(128)
        if trace_id % (1 << _BITS) < self._bound and self._take():
            return None
        return NonRecordingSpan(SpanContext(trace_id, _random(64), False, TraceFlags(TraceFlags.DEFAULT)))

    def _take(self) -> bool:
        if self._rate is None:
            return True
        with self._lock:
            now = time.monotonic()
            self._left = min(self._size, self._left + (now - self._filled) * self._rate)
            self._filled = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


def _random(bits: int) -> int:
    return random.getrandbits(bits) or 1  # an id of zero is none
