"""The shipped spec of the A2A SDK: one trace through a client and an agent behind a server."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.processes import until
from tests.real.programs import needs

pytestmark = [needs("a2a", "uvicorn", "sse_starlette"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@contextlib.contextmanager
def agent() -> Iterator[Any]:
    """Run a server with an agent that repeats the messages that it receives. Yields the card of the agent."""
    import uvicorn
    from a2a.helpers.proto_helpers import new_text_message
    from a2a.server.agent_execution import AgentExecutor
    from a2a.server.request_handlers import DefaultRequestHandler
    from a2a.server.routes.jsonrpc_routes import create_jsonrpc_routes
    from a2a.server.tasks import InMemoryTaskStore
    from a2a.types import a2a_pb2
    from starlette.applications import Starlette

    class Echo(AgentExecutor):
        async def execute(self, context: Any, event_queue: Any) -> None:
            text = context.get_user_input()
            await event_queue.enqueue_event(new_text_message(text, context_id=context.context_id))

        async def cancel(self, context: Any, event_queue: Any) -> None:
            raise NotImplementedError

    card = a2a_pb2.AgentCard(name="echo", capabilities=a2a_pb2.AgentCapabilities(streaming=True))
    handler = DefaultRequestHandler(agent_executor=Echo(), task_store=InMemoryTaskStore(), agent_card=card)
    app = Starlette(routes=create_jsonrpc_routes(handler, "/rpc"))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, "the server has started")
        port = server.servers[0].sockets[0].getsockname()[1]
        interface = a2a_pb2.AgentInterface(
            url=f"http://127.0.0.1:{port}/rpc", protocol_binding="JSONRPC", protocol_version="1.0"
        )
        card.supported_interfaces.append(interface)
        yield card
    finally:
        server.should_exit = True
        thread.join()


async def ask(card: Any, streaming: bool) -> None:
    import httpx
    from a2a.client import ClientConfig, ClientFactory
    from a2a.helpers.proto_helpers import new_text_message
    from a2a.types import a2a_pb2
    from a2a.utils.errors import A2AError

    async with httpx.AsyncClient() as http:
        client = ClientFactory(ClientConfig(httpx_client=http, streaming=streaming)).create(card)
        message = new_text_message("hello", context_id="talk-1", role=a2a_pb2.Role.ROLE_USER)
        async for _ in client.send_message(a2a_pb2.SendMessageRequest(message=message)):
            pass
        with contextlib.suppress(A2AError):
            await client.get_task(a2a_pb2.GetTaskRequest(id="unknown"))


@pytest.fixture(scope="module")
def spans() -> Iterator[list[ReadableSpan]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        instrumentor = DeclarativeInstrumentor()
        instrumentor.instrument(tracer_provider=provider)
        try:
            with agent() as card:
                for streaming in (False, True):
                    with trace.use_span(provider.get_tracer("test").start_span("work"), end_on_exit=True):
                        asyncio.run(ask(card, streaming))
        finally:
            instrumentor.uninstrument()
        yield [*exporter.get_finished_spans()]


@pytest.mark.parametrize(("number", "method"), [(0, "SendMessage"), (1, "SendStreamingMessage")])
def test_a_request_is_one_trace_through_client_and_agent(spans: list[ReadableSpan], number: int, method: str) -> None:
    work = [span for span in spans if span.name == "work"][number]
    trace_id = work.context.trace_id
    found = {
        (span.name, span.kind.name): span for span in spans if span.context.trace_id == trace_id and span is not work
    }
    assert {*found} == {(method, "CLIENT"), (method, "SERVER"), ("GetTask", "CLIENT"), ("GetTask", "SERVER")}
    for name in (method, "GetTask"):
        client, server = found[name, "CLIENT"], found[name, "SERVER"]
        assert client.parent is not None and client.parent.span_id == work.context.span_id
        assert server.parent is not None and server.parent.span_id == client.context.span_id
    for side in ("CLIENT", "SERVER"):
        sent, failed = found[method, side], found["GetTask", side]
        assert sent.attributes and failed.attributes
        assert sent.attributes["gen_ai.agent.name"] == "echo"
        assert sent.attributes["gen_ai.operation.name"] == "invoke_agent"
        assert sent.attributes["gen_ai.conversation.id"] == "talk-1"
        assert sent.status.is_ok
        assert (failed.attributes["error.type"], failed.attributes["a2a.task.id"]) == ("TaskNotFoundError", "unknown")
        assert not failed.status.is_ok
    assert found[method, "SERVER"].attributes["a2a.message.text"] == "hello"  # type: ignore[index]
    assert found[method, "CLIENT"].attributes.get("a2a.stream.events") == (1 if number else None)  # type: ignore[union-attr]
