"""The same applications, traced by the shipped spec."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import TracerProvider

CAPTURE_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


@contextmanager
def declarative_tracing(tracer_provider: TracerProvider, capture_content: bool = True) -> Iterator[None]:
    """Instrument inside the block, and leave the environment as it was."""
    from instrument import DeclarativeInstrumentor

    before = os.environ.pop(CAPTURE_CONTENT, None)
    if capture_content:
        os.environ[CAPTURE_CONTENT] = "SPAN_ONLY"
    instrumentor = DeclarativeInstrumentor()
    try:
        instrumentor.instrument(tracer_provider=tracer_provider)
        try:
            yield
        finally:
            instrumentor.uninstrument()
    finally:
        os.environ.pop(CAPTURE_CONTENT, None)
        if before is not None:
            os.environ[CAPTURE_CONTENT] = before
