"""The same applications, traced by the shipped spec."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import yaml
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.language.shipped import SHIPPED_SPECS
from opentelemetry.sdk.trace import TracerProvider
from packaging.specifiers import SpecifierSet

from .api import PACKAGE, RELEASE

CAPTURE_CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def without_spec() -> str:
    """Why the installed release is not traced; empty if a shipped spec supports it."""
    for spec in SHIPPED_SPECS:
        if spec.distribution == "ag2" and PACKAGE.split(".")[0] in (one.split(".")[0] for one in spec.packages):
            target = yaml.safe_load(spec.path.read_text(encoding="utf-8"))["target"]
            if RELEASE in SpecifierSet(target["version"]):
                return ""
    return f"no shipped spec is for ag2 {RELEASE} (package {PACKAGE})"


@contextmanager
def declarative_tracing(
    tracer_provider: TracerProvider, capture_content: bool = True, specs: Sequence[str] = ()
) -> Iterator[None]:
    """Instrument in the block, and restore the environment. ``specs`` are active in addition to the shipped ones."""
    before = os.environ.pop(CAPTURE_CONTENT, None)
    if capture_content:
        os.environ[CAPTURE_CONTENT] = "SPAN_ONLY"
    instrumentor = DeclarativeInstrumentor()
    try:
        instrumentor.instrument(tracer_provider=tracer_provider, specs=specs)
        try:
            yield
        finally:
            instrumentor.uninstrument()
    finally:
        os.environ.pop(CAPTURE_CONTENT, None)
        if before is not None:
            os.environ[CAPTURE_CONTENT] = before
