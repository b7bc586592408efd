"""Runs programs one after the other in one process, each as a script. A line separates what they print."""

from __future__ import annotations

import runpy
import sys

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

separator, *programs = sys.argv[1:]
for program in programs:
    runpy.run_path(program, run_name="__main__")
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.force_flush()
    print(separator, flush=True)
