"""Runs the program of a library under OpenTelemetry's instrumentation and under the spec, and prints both as JSON.

``python -m tests.libraries.compare NAME`` prints the recorded facts, and with ``--cost`` also the cost.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.libraries.library import Library, read_library, start_spec

#: Attributes of events that depend on where the code is.
_PLACES = ("exception.stacktrace",)
_ROUNDS = 7
_SECONDS = 0.15


def facts(spans: list[ReadableSpan]) -> list[dict[str, Any]]:
    """Every fact of every span, in the order in which they started; a parent is its place in this order."""
    spans = sorted(spans, key=lambda span: span.start_time or 0)
    place = {span.context.span_id: index for index, span in enumerate(spans)}
    return [
        {
            "name": span.name,
            "kind": span.kind.name,
            "parent": place.get(span.parent.span_id) if span.parent else None,
            "status": span.status.status_code.name,
            "status.description": span.status.description,
            **{f"attribute {key}": value for key, value in (span.attributes or {}).items()},
            "events": [
                [event.name, {key: value for key, value in (event.attributes or {}).items() if key not in _PLACES}]
                for event in span.events
            ],
            # The kind of a link is an attribute that only a spec records.
            "links": sorted(place.get(link.context.span_id, "remote") for link in span.links),
        }
        for span in spans
    ]


def run(library: Library, start: Callable[..., Callable[[], None]], provider: TracerProvider) -> None:
    trace._TRACER_PROVIDER = provider  # not every instrumentation uses the one that it is given
    stop = start(tracer_provider=provider)
    try:
        library.program().main()
    finally:
        stop()


def theirs(library: Library, **providers: Any) -> Callable[[], None]:
    instrumentor = library.instrumentor_class()()
    instrumentor.instrument(**providers, skip_dep_check=True)
    return lambda: instrumentor.uninstrument()


def ours(library: Library, **providers: Any) -> Callable[[], None]:
    stop: Callable[[], None] = start_spec(library, **providers).stop
    return stop


def recorded(library: Library, start: Callable[..., Callable[[], None]]) -> list[dict[str, Any]]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    run(library, lambda **given: start(library, **given), provider)
    return facts([*exporter.get_finished_spans()])


def cost(library: Library) -> float:
    """The processor time that the spec adds to the program, over that which the instrumentation adds."""
    program = getattr(library.program(), "hot", library.program().main)
    best = {"bare": float("inf"), "theirs": float("inf"), "ours": float("inf")}
    starts: dict[str, Callable[..., Callable[[], None]]] = {
        "bare": lambda _, **given: lambda: None,
        "theirs": theirs,
        "ours": ours,
    }
    for _ in range(_ROUNDS):
        for name, start in starts.items():
            trace._TRACER_PROVIDER = TracerProvider()
            stop = start(library, tracer_provider=trace._TRACER_PROVIDER)
            getattr(library.program(), "prepare", lambda: None)()
            program()
            gc.collect()
            begin, count = time.process_time(), 0
            while time.process_time() - begin < _SECONDS:
                program()
                count += 1
            best[name] = min(best[name], (time.process_time() - begin) / count)
            stop()
    return (best["ours"] - best["bare"]) / (best["theirs"] - best["bare"])


def main() -> None:
    library = read_library(sys.argv[1])
    trace.set_tracer_provider(TracerProvider())
    library.program()  # what it does when it is imported is not part of the comparison
    # The spec is first, because not every instrumentation leaves a library as it was.
    found: dict[str, Any] = {"ours": recorded(library, ours), "theirs": recorded(library, theirs)}
    if "--cost" in sys.argv:
        found["cost"] = cost(library)
    print(json.dumps(found, default=str))


if __name__ == "__main__":
    main()
