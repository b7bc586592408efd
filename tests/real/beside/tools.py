"""Other tools: how each is started, how it traces the functions of the shop, and what it has recorded."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

PLAIN = ("pay", "ship", "items", "stored")


class Tool(NamedTuple):
    start: Callable[[], Any]
    """Before the shop is imported."""
    trace: Callable[[Any], None]
    """Once it is imported."""
    recorded: Callable[[Any], list[str]]


def no_tool() -> Tool:
    return Tool(lambda: None, lambda orders: None, lambda state: [])


def ddtrace() -> Tool:
    """Integrations of libraries, functions that it decorates, and functions whose bytecode it changes."""
    os.environ.update(
        DD_TRACE_ENABLED="true", DD_INSTRUMENTATION_TELEMETRY_ENABLED="false", DD_REMOTE_CONFIGURATION_ENABLED="false"
    )

    def start() -> Any:
        from ddtrace import patch
        from ddtrace.trace import TraceFilter, tracer

        class Keep(TraceFilter):
            def __init__(self) -> None:
                self.names: list[str] = []

            def process_trace(self, trace: Any) -> None:
                self.names += [span.resource for span in trace]

        keep = Keep()
        tracer.configure(trace_processors=[keep])
        patch(sqlite3=True, asyncio=True)
        return keep

    def trace(orders: Any) -> None:
        from ddtrace.internal.wrapping import wrap
        from ddtrace.trace import tracer

        def traced(function: Any, args: Any, kwargs: Any) -> Any:
            with tracer.trace("in place", resource=f"in place {function.__name__}"):
                return function(*args, **kwargs)

        for name in ("pay", "stored"):
            wrap(getattr(orders, name), traced)
        for name in ("ship", "items"):
            setattr(orders, name, tracer.wrap(resource=name)(getattr(orders, name)))
        orders.Cart.total = tracer.wrap(resource="total")(orders.Cart.total)

    return Tool(start, trace, lambda keep: keep.names)


def sentry() -> Tool:
    """Functions that its option `functions_to_trace` names, and a decorated one."""

    def start() -> Any:
        import sentry_sdk

        names: list[str] = []

        def before_send_transaction(event: Any, hint: Any) -> Any:
            names.extend([event["transaction"], *(span["description"] for span in event["spans"])])

        sentry_sdk.init(
            "http://key@127.0.0.1:9/1",
            traces_sample_rate=1.0,
            before_send_transaction=before_send_transaction,
            functions_to_trace=[{"qualified_name": f"shop.orders.{name}"} for name in ("pay", "Cart.total")],
        )
        return names

    def trace(orders: Any) -> None:
        import sentry_sdk

        orders.ship = sentry_sdk.trace(orders.ship)
        orders.stored = sentry_sdk.trace(orders.stored)

    return Tool(start, trace, lambda names: names)


def logfire() -> Tool:
    """Modules that it rewrites while they are imported, and a decorated function."""

    def start() -> Any:
        import logfire
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        exporter = InMemorySpanExporter()
        logfire.configure(
            send_to_logfire=False, console=False, additional_span_processors=[SimpleSpanProcessor(exporter)]
        )
        logfire.install_auto_tracing("shop.orders", min_duration=0)
        return exporter

    def trace(orders: Any) -> None:
        import logfire

        orders.ship = logfire.instrument("ship")(orders.ship)

    return Tool(start, trace, lambda exporter: [span.name for span in exporter.get_finished_spans()])


def newrelic() -> Tool:
    """Functions that it wraps while their module is imported, and a decorated one."""

    def start() -> Any:
        os.environ.update(NEW_RELIC_DEVELOPER_MODE="true", NEW_RELIC_LOG="stderr", NEW_RELIC_LICENSE_KEY="0" * 40)
        os.environ["NEW_RELIC_LOG_LEVEL"] = "critical"
        import newrelic.agent
        from newrelic.api.import_hook import import_hook

        newrelic.agent.initialize()
        newrelic.agent.register_application(timeout=10)

        @import_hook("shop.orders")
        def _wrap(module: Any) -> None:
            for name in ("pay", "Cart.total", "stored"):
                newrelic.agent.wrap_function_trace(module, name)

        return newrelic.agent

    def trace(orders: Any) -> None:
        import newrelic.agent

        orders.ship = newrelic.agent.function_trace()(orders.ship)

    def recorded(agent: Any) -> list[str]:
        engine = agent.application()._agent.application(agent.application().name)._stats_engine
        return [
            f"{name} {stats.call_count}"
            for (name, scope), stats in engine.stats_table.items()
            if name.startswith("Function/shop") and not scope
        ]

    return Tool(start, trace, recorded)


TOOLS = {"none": no_tool, "ddtrace": ddtrace, "sentry_sdk": sentry, "logfire": logfire, "newrelic": newrelic}
