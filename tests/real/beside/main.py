"""Uses the shop with one tool, or with two that are started in the given order. Prints what the shop prints."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

from tools import TOOLS


def main(name: str, order: str) -> None:
    from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def instrument() -> None:
        DeclarativeInstrumentor().instrument(tracer_provider=provider, specs=[Path(__file__).with_name("spec.yaml")])

    tool = TOOLS[name]()
    if order == "ours first":
        instrument()
    state = tool.start()
    from shop import orders

    tool.trace(orders)
    if order == "ours last":
        instrument()
    from shop.use import use

    with _transaction(name):
        use()
    recorded = sorted(tool.recorded(state))
    spans = [
        [span.name, {**span.attributes}, span.status.description, len(span.events)]
        for span in exporter.get_finished_spans()
    ]
    if order != "alone":
        DeclarativeInstrumentor().uninstrument()
    use()
    data = {"spans": spans, "tool": recorded, "spans after": len(exporter.get_finished_spans()) - len(spans)}
    Path(os.environ["SCRATCH"], "recorded.json").write_text(json.dumps(data))


def _transaction(name: str) -> contextlib.AbstractContextManager[object]:
    """What each tool needs around the work to record it."""
    if name == "sentry_sdk":
        import sentry_sdk

        return sentry_sdk.start_transaction(name="use")
    if name == "newrelic":
        import newrelic.agent

        return newrelic.agent.BackgroundTask(newrelic.agent.application(), "use")
    return contextlib.nullcontext()


if __name__ == "__main__":
    main(*sys.argv[1:])
