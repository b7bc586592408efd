"""One span with four attributes, recorded with each tracing library: ``python peer_programs.py ddtrace 12``.

It runs in the environment of that library, which has nothing else. Everything is discarded where it would be sent.
Prints what is added to a call, in nanoseconds of processor time, as a JSON list with one number per round.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

CALLS = 2_000
Call = Callable[["Order"], Any]


class Order:
    def __init__(self) -> None:
        self.id = "o-1017"
        self.customer = "c-4"
        self.total = 17.5
        self.lines = ["tea", "cup"]


def attributes_of(order: Order) -> dict[str, Any]:
    return {
        "shop.order": order.id,
        "shop.customer": order.customer,
        "shop.total": order.total,
        "shop.lines": len(order.lines),
    }


def checkout(order: Order) -> Order:
    return order


def discarding_processor() -> Any:
    """A processor of OpenTelemetry's SDK, and the number of spans that it has discarded."""
    export = import_module("opentelemetry.sdk.trace.export")

    class Discarding(export.SpanExporter):  # type: ignore[misc,name-defined]
        def export(self, spans: Any) -> Any:
            RECORDED.extend(span.name for span in spans)
            return export.SpanExportResult.SUCCESS

    return export.SimpleSpanProcessor(Discarding())


#: The names of the spans that were recorded, to check that there are any.
RECORDED: list[str] = []


def within(start: Callable[[], Any], call: Call, most: int = 500) -> Call:
    """Calls of which so many are in one transaction: these libraries record spans only in one."""
    stack = contextlib.ExitStack()
    count = 0

    def in_transaction(order: Order) -> Any:
        nonlocal count
        if count % most == 0:
            stack.close()
            stack.enter_context(start())
        count += 1
        return call(order)

    return in_transaction


def opentelemetry() -> Call:
    provider = import_module("opentelemetry.sdk.trace").TracerProvider()
    provider.add_span_processor(discarding_processor())
    tracer = provider.get_tracer("shop")

    def call(order: Order) -> Order:
        with tracer.start_as_current_span("checkout", attributes=attributes_of(order)):
            return checkout(order)

    return call


def openinference() -> Call:
    instrumentation = import_module("openinference.instrumentation")
    provider = import_module("opentelemetry.sdk.trace").TracerProvider()
    provider.add_span_processor(discarding_processor())
    tracer = instrumentation.OITracer(provider.get_tracer("shop"), instrumentation.TraceConfig())

    def call(order: Order) -> Order:
        with tracer.start_as_current_span("checkout", attributes=attributes_of(order), openinference_span_kind="chain"):
            return checkout(order)

    return call


def logfire() -> Call:
    library = import_module("logfire")
    library.configure(send_to_logfire=False, console=False, additional_span_processors=[discarding_processor()])

    def call(order: Order) -> Order:
        with library.span("checkout", **attributes_of(order)):
            return checkout(order)

    return call


def ddtrace() -> Call:
    os.environ.update(DD_INSTRUMENTATION_TELEMETRY_ENABLED="false", DD_REMOTE_CONFIGURATION_ENABLED="false")
    trace = import_module("ddtrace.trace")

    class Drop(trace.TraceFilter):  # type: ignore[misc,name-defined]
        def process_trace(self, found: Any) -> None:
            RECORDED.extend(span.name for span in found)

    trace.tracer.configure(trace_processors=[Drop()])

    def call(order: Order) -> Order:
        with trace.tracer.trace("checkout") as span:
            for key, value in attributes_of(order).items():
                span.set_tag(key, value)
            return checkout(order)

    return call


def sentry() -> Call:
    sdk = import_module("sentry_sdk")
    transport = import_module("sentry_sdk.transport")

    class Discarding(transport.Transport):  # type: ignore[misc,name-defined]
        def capture_envelope(self, envelope: Any) -> None:
            RECORDED.extend(span["description"] for span in envelope.get_transaction_event()["spans"])

    sdk.init("http://key@localhost/1", traces_sample_rate=1.0, transport=Discarding, default_integrations=False)

    def call(order: Order) -> Order:
        with sdk.start_span(name="checkout") as span:
            for key, value in attributes_of(order).items():
                span.set_data(key, value)
            return checkout(order)

    return within(lambda: sdk.start_transaction(name="shop"), call)


def newrelic() -> Call:
    os.environ.update(
        NEW_RELIC_APP_NAME="shop",
        NEW_RELIC_LICENSE_KEY="0" * 40,
        NEW_RELIC_DEVELOPER_MODE="true",
        NEW_RELIC_LOG="stderr",
    )
    agent = import_module("newrelic.agent")
    agent.initialize()
    application = agent.register_application(timeout=10)

    def call(order: Order) -> Order:
        with agent.FunctionTrace("checkout"):
            for key, value in attributes_of(order).items():
                agent.add_custom_span_attribute(key, value)
            return checkout(order)

    def started() -> Any:
        RECORDED.append("checkout")
        return agent.BackgroundTask(application, "shop")

    return within(started, call)


def monocle() -> Call:
    instrumentation = import_module("monocle_apptrace")
    wrapper = import_module("monocle_apptrace.instrumentation.common.wrapper")
    method = import_module("monocle_apptrace.instrumentation.common.wrapper_method").WrapperMethod
    accessors = {
        "shop.order": lambda arguments: arguments["args"][0].id,
        "shop.customer": lambda arguments: arguments["args"][0].customer,
        "shop.total": lambda arguments: arguments["args"][0].total,
        "shop.lines": lambda arguments: len(arguments["args"][0].lines),
    }
    attributes = [{"attribute": key, "accessor": accessor} for key, accessor in accessors.items()]
    instrumentation.setup_monocle_telemetry(
        workflow_name="shop",
        span_processors=[discarding_processor()],
        wrapper_methods=[
            method(
                package=__name__,
                object_name="Shop",
                method="checkout",
                span_name="checkout",
                wrapper_method=wrapper.task_wrapper,
                output_processor={"type": "generic", "attributes": [attributes], "events": []},
            )
        ],
        union_with_default_methods=False,
    )
    return lambda order: Shop().checkout(order)


class Shop:
    def checkout(self, order: Order) -> Order:
        return order


PROGRAMS = {each.__name__: each for each in (opentelemetry, openinference, logfire, ddtrace, sentry, newrelic, monocle)}


def nanoseconds(call: Call) -> float:
    order = Order()
    gc.collect()
    start = time.process_time_ns()
    for _ in range(CALLS):
        call(order)
    found = (time.process_time_ns() - start) / CALLS
    RECORDED.clear()
    return found


def main(name: str, rounds: int) -> None:
    call = PROGRAMS[name]()
    for _ in range(CALLS):
        call(Order())
    if not RECORDED:
        raise SystemExit("no span was recorded")
    nanoseconds(call)
    print(json.dumps([nanoseconds(call) - nanoseconds(checkout) for _ in range(rounds)]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
