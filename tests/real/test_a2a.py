"""The shipped spec of the A2A SDK: one trace through a client and an agent behind a server, with each binding."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.processes import until
from tests.real.programs import needs

pytestmark = [
    needs("a2a", "uvicorn", "sse_starlette", "grpc"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

BINDINGS = {"JSONRPC": "jsonrpc", "HTTP+JSON": "http", "GRPC": "grpc"}


class Agent:
    """An agent behind a server, which speaks the three bindings, and what it has sent to the URL of a client."""

    def __init__(self) -> None:
        from a2a.types import a2a_pb2

        capabilities = a2a_pb2.AgentCapabilities(streaming=True, push_notifications=True)
        self.card = a2a_pb2.AgentCard(name="echo", capabilities=capabilities)
        self.pushed: list[dict[str, str]] = []
        self.port = 0

    def app(self) -> Any:
        """The application, whose lifespan includes the server of gRPC."""
        import grpc
        import httpx
        from a2a.server.request_handlers import DefaultRequestHandler
        from a2a.server.request_handlers.grpc_handler import GrpcHandler
        from a2a.server.routes.jsonrpc_routes import create_jsonrpc_routes
        from a2a.server.routes.rest_routes import create_rest_routes
        from a2a.server.tasks import BasePushNotificationSender, InMemoryPushNotificationConfigStore, InMemoryTaskStore
        from a2a.types.a2a_pb2_grpc import add_A2AServiceServicer_to_server
        from starlette.applications import Starlette
        from starlette.responses import Response
        from starlette.routing import Route

        http, store = httpx.AsyncClient(timeout=None), InMemoryPushNotificationConfigStore()
        handler = DefaultRequestHandler(
            agent_executor=echo(),
            task_store=InMemoryTaskStore(),
            agent_card=self.card,
            push_config_store=store,
            push_sender=BasePushNotificationSender(http, store),
        )

        async def pushed(request: Any) -> Response:
            self.pushed.append(dict(request.headers))
            return Response()

        @contextlib.asynccontextmanager
        async def lifespan(app: Any) -> AsyncIterator[None]:
            server = grpc.aio.server()
            add_A2AServiceServicer_to_server(GrpcHandler(handler), server)
            self.add_interface("GRPC", f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
            await server.start()
            yield
            await server.stop(None)
            await handler.aclose()
            await http.aclose()

        routes = [*create_jsonrpc_routes(handler, "/rpc"), *create_rest_routes(handler, path_prefix="/rest")]
        return Starlette(routes=[*routes, Route("/pushed", pushed, methods=["POST"])], lifespan=lifespan)

    def add_interface(self, binding: str, url: str) -> None:
        from a2a.types import a2a_pb2

        interface = a2a_pb2.AgentInterface(url=url, protocol_binding=binding, protocol_version="1.0")
        self.card.supported_interfaces.append(interface)


def echo() -> Any:
    """An agent that repeats the messages that it receives. If the message is `work`, it does so in a task."""
    from a2a.helpers.proto_helpers import new_task_from_user_message, new_text_message
    from a2a.server.agent_execution import AgentExecutor
    from a2a.server.tasks import TaskUpdater

    class Echo(AgentExecutor):
        async def execute(self, context: Any, event_queue: Any) -> None:
            text = context.get_user_input()
            if text == "work":
                await event_queue.enqueue_event(new_task_from_user_message(context.message))
                await TaskUpdater(event_queue, context.task_id, context.context_id).complete()
            else:
                await event_queue.enqueue_event(new_text_message(text, context_id=context.context_id))

        async def cancel(self, context: Any, event_queue: Any) -> None:
            raise NotImplementedError

    return Echo()


@contextlib.contextmanager
def running_agent() -> Iterator[Agent]:
    import uvicorn

    agent = Agent()
    server = uvicorn.Server(uvicorn.Config(agent.app(), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started, "the server has started")
        agent.port = server.servers[0].sockets[0].getsockname()[1]
        agent.add_interface("JSONRPC", f"http://127.0.0.1:{agent.port}/rpc")
        agent.add_interface("HTTP+JSON", f"http://127.0.0.1:{agent.port}/rest")
        yield agent
    finally:
        server.should_exit = True
        thread.join()


@contextlib.asynccontextmanager
async def client_of(agent: Agent, binding: str, streaming: bool) -> AsyncIterator[Any]:
    import grpc
    import httpx
    from a2a.client import ClientConfig, ClientFactory

    async with httpx.AsyncClient(timeout=None) as http:
        config = ClientConfig(
            httpx_client=http,
            streaming=streaming,
            grpc_channel_factory=grpc.aio.insecure_channel,
            supported_protocol_bindings=[binding],
        )
        client = ClientFactory(config).create(agent.card)
        try:
            yield client
        finally:
            if binding == "GRPC":
                await client.close()


def message(text: str) -> Any:
    from a2a.helpers.proto_helpers import new_text_message
    from a2a.types import a2a_pb2

    return new_text_message(text, context_id="talk-1", role=a2a_pb2.Role.ROLE_USER)


async def ask(agent: Agent, binding: str, streaming: bool) -> None:
    from a2a.types import a2a_pb2
    from a2a.utils.errors import A2AError

    async with client_of(agent, binding, streaming) as client:
        async for _ in client.send_message(a2a_pb2.SendMessageRequest(message=message("hello"))):
            pass
        with contextlib.suppress(A2AError):
            await client.get_task(a2a_pb2.GetTaskRequest(id="unknown"))


async def work(agent: Agent) -> None:
    """Ask for a task, whose progress is sent to a URL of the client."""
    from a2a.types import a2a_pb2

    push = a2a_pb2.TaskPushNotificationConfig(url=f"http://127.0.0.1:{agent.port}/pushed")
    configuration = a2a_pb2.SendMessageConfiguration(task_push_notification_config=push)
    request = a2a_pb2.SendMessageRequest(message=message("work"), configuration=configuration)
    async with client_of(agent, "JSONRPC", streaming=False) as client:
        async for _ in client.send_message(request):
            pass
    until(lambda: len(agent.pushed) >= 2, "the notifications have arrived")


class Recorded(NamedTuple):
    spans: list[ReadableSpan]
    pushed: list[dict[str, str]]

    def under(self, root: str) -> list[ReadableSpan]:
        """The spans of the trace of a span, by its name."""
        (found,) = (span for span in self.spans if span.name == root)
        return [span for span in self.spans if span.context.trace_id == found.context.trace_id and span is not found]


@pytest.fixture(scope="module")
def recorded() -> Iterator[Recorded]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("test")
        instrumentor = DeclarativeInstrumentor()
        instrumentor.instrument(tracer_provider=provider)
        try:
            with running_agent() as agent:
                for binding, streaming in itertools.product(BINDINGS, (False, True)):
                    with tracer.start_as_current_span(f"{binding} {streaming}"):
                        asyncio.run(ask(agent, binding, streaming))
                with tracer.start_as_current_span("work"):
                    asyncio.run(work(agent))
        finally:
            instrumentor.uninstrument()
        yield Recorded([*exporter.get_finished_spans()], agent.pushed)


@pytest.mark.parametrize(("streaming", "method"), [(False, "SendMessage"), (True, "SendStreamingMessage")])
@pytest.mark.parametrize("binding", BINDINGS)
def test_a_request_is_one_trace_through_client_and_agent(
    recorded: Recorded, binding: str, streaming: bool, method: str
):
    (root,) = (span for span in recorded.spans if span.name == f"{binding} {streaming}")
    found = {(span.name, span.kind.name): span for span in recorded.under(root.name)}
    assert {*found} == {(method, "CLIENT"), (method, "SERVER"), ("GetTask", "CLIENT"), ("GetTask", "SERVER")}
    for name in (method, "GetTask"):
        client, server = found[name, "CLIENT"], found[name, "SERVER"]
        assert client.parent is not None and client.parent.span_id == root.context.span_id
        assert server.parent is not None and server.parent.span_id == client.context.span_id
    for side in ("CLIENT", "SERVER"):
        sent, failed = found[method, side], found["GetTask", side]
        assert sent.attributes and failed.attributes
        assert (sent.attributes["rpc.method"], failed.attributes["rpc.method"]) == (method, "GetTask")
        assert sent.attributes["gen_ai.agent.name"] == "echo"
        assert sent.attributes["gen_ai.operation.name"] == "invoke_agent"
        assert "gen_ai.operation.name" not in failed.attributes
        assert sent.attributes["gen_ai.conversation.id"] == "talk-1"
        assert sent.status.is_ok
        assert (failed.attributes["error.type"], failed.attributes["a2a.task.id"]) == ("TaskNotFoundError", "unknown")
        assert not failed.status.is_ok
        if binding == "JSONRPC":
            assert sent.attributes["rpc.jsonrpc.request_id"]
    client, server = found[method, "CLIENT"], found[method, "SERVER"]
    assert client.attributes and server.attributes
    assert client.attributes["rpc.system"] == BINDINGS[binding]
    assert client.attributes["server.address"] == "127.0.0.1"
    assert isinstance(client.attributes["server.port"], int)
    assert server.attributes["a2a.message.text"] == "hello"
    assert client.attributes.get("a2a.stream.events") == (1 if streaming else None)


def test_a_push_notification_continues_the_trace_of_the_task(recorded: Recorded):
    spans = recorded.under("work")
    pushes = {f"{span.context.span_id:016x}": span for span in spans if span.name == "push_notification"}
    assert [headers["traceparent"].split("-")[2] for headers in recorded.pushed] == [*pushes]
    (sent,) = (span for span in spans if span.name == "SendMessage" and span.kind.name == "CLIENT")
    for span in pushes.values():
        assert span.attributes and sent.attributes
        assert span.attributes["a2a.task.id"] == sent.attributes["a2a.task.id"]
        assert (span.attributes["server.address"], span.kind.name) == ("127.0.0.1", "CLIENT")
        assert span.status.is_ok
