"""The shipped spec of OpenAI's client, compared with OpenTelemetry's own instrumentation in the same program."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
from collections.abc import Awaitable, Callable, Iterator
from importlib import metadata
from typing import Any, NamedTuple

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.real.openai_stub import openai_stub
from tests.real.programs import needs

pytestmark = [
    needs("openai", "ag2"),
    # AG2 and streams that fail leave connections to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]
CALL = {"id": "call-1", "type": "function", "function": {"name": "look_up", "arguments": '{"place": "here"}'}}
HISTORY = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "weather"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call-1", "content": "sunny"},
    {"role": "user", "content": "two"},
]
FULL: dict[str, Any] = {
    "temperature": 0,
    "top_p": 0.5,
    "max_tokens": 7,
    "seed": 0,
    "stop": "x",
    "n": 2,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.2,
    "service_tier": "flex",
    "response_format": {"type": "json_object"},
}


def asked(question: str, **more: Any) -> dict[str, Any]:
    return {"model": "small", "messages": [{"role": "user", "content": question}], **more}


def chat(client: Any) -> Any:
    return client.chat.completions


async def drain(stream: Any) -> None:
    async for _ in stream:
        pass


async def awaited(call: Awaitable[Any]) -> None:
    """Await a call that is cancelled before the answer arrives."""
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def streamed_response(client: Any) -> None:
    await drain(await client.responses.create(model="small", input="two", stream=True))


def azure(client: Any) -> Any:
    """The same server as one of Azure, which has the name of the model in the path."""
    import openai

    url = str(client.base_url).removesuffix("/v1/")
    with openai.AzureOpenAI(azure_endpoint=url, api_key="none", api_version="2024-06-01") as other:
        return chat(other).create(**asked("one"))


async def streamed(client: Any) -> None:
    await drain(await chat(client).create(**asked("two", stream=True)))


#: Calls that both instrumentations record. Each is passed the synchronous and the asynchronous client.
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "chat": lambda client, _: chat(client).create(**asked("one")),
    "all parameters": lambda client, _: chat(client).create(model="small", messages=HISTORY, **FULL),
    "several stops": lambda client, _: chat(client).create(**asked("one", stop=["a", "b"], n=1)),
    "tool call": lambda client, _: chat(client).create(**asked("weather", tools=TOOLS)),
    "too often": lambda client, _: chat(client).create(**asked("too often")),
    "failed": lambda client, _: chat(client).create(**asked("broken")),
    "stream": lambda client, _: [*chat(client).create(**asked("two", stream=True))],
    "stream with usage": lambda client, _: [
        *chat(client).create(**asked("two", stream=True, stream_options={"include_usage": True}))
    ],
    "streamed tool call": lambda client, _: [*chat(client).create(**asked("weather", stream=True))],
    "stream of two choices": lambda client, _: [*chat(client).create(**asked("choices", stream=True, n=2))],
    "second attempt": lambda client, _: chat(client.with_options(max_retries=2)).create(**asked("again")),
    "stream that fails": lambda client, _: [*chat(client).create(**asked("cut off", stream=True))],
    "raw response": lambda client, _: chat(client).with_raw_response.create(**asked("one")),
    "embeddings": lambda client, _: client.embeddings.create(model="vec", input="x", encoding_format="float"),
    "embeddings of a size": lambda client, _: client.embeddings.create(model="vec", input=["x"], dimensions=2),
    "asynchronous chat": lambda _, client: chat(client).create(**asked("one")),
    "asynchronous stream": lambda _, client: streamed(client),
    "asynchronous embeddings": lambda _, client: client.embeddings.create(model="vec", input="x"),
    "asynchronous failure": lambda _, client: chat(client).create(**asked("broken")),
}
#: Calls that only the shipped spec records.
OUR_CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "parsed chat": lambda client, _: chat(client).parse(**asked("one")),
    "response": lambda client, _: client.responses.create(
        model="small", input="one", instructions="Be brief.", temperature=0, max_output_tokens=8
    ),
    "response with a tool call": lambda client, _: client.responses.create(
        model="small",
        input=[{"role": "user", "content": "one"}, {"type": "function_call_output", "call_id": "c", "output": "x"}],
    ),
    "streamed response": lambda client, _: [*client.responses.create(model="small", input="two", stream=True)],
    "asynchronous response": lambda _, client: client.responses.create(model="small", input="one"),
    "asynchronous streamed response": lambda _, client: streamed_response(client),
    "failed response": lambda client, _: client.responses.create(model="small", input="impossible"),
    "failed streamed response": lambda client, _: [
        *client.responses.create(model="small", input="impossible", stream=True)
    ],
    "incomplete response": lambda client, _: client.responses.create(model="small", input="endless"),
    "streamed refusal": lambda client, _: [*chat(client).create(**asked("secret", stream=True))],
    "cancelled call": lambda _, client: awaited(chat(client).create(**asked("one"))),
    "azure": lambda client, _: azure(client),
}
#: What the shipped spec records in addition.
ADDED = {
    "gen_ai.request.stream",
    "gen_ai.response.finish_reasons",  # the other leaves them out for streams
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.tool.definitions",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "openai.api.type",
    "openai.response.service_tier",
    # The other one leaves these out with releases of the client that use httpx2.
    "server.address",
    "server.port",
}
MESSAGES = ("gen_ai.input.messages", "gen_ai.output.messages")


class Recorded(NamedTuple):
    spans: dict[str, list[ReadableSpan]]
    metrics: dict[str, dict[tuple[Any, ...], Any]]

    def attributes(self, call: str) -> dict[str, Any]:
        (span,) = self.spans[call]
        return {key: comparable(key, value) for key, value in (span.attributes or {}).items()}


def comparable(key: str, value: Any) -> Any:
    """Messages as sets of parts: their order and the spaces in the JSON differ."""
    if key not in MESSAGES:
        return value
    messages = json.loads(value)
    for message in messages:
        message["parts"].sort(key=lambda part: part["type"])
    return messages


def record(instrumentor: Any, calls: dict[str, Callable[[Any, Any], Any]]) -> Recorded:
    import openai

    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider, meters = TracerProvider(), MeterProvider([reader])
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor.instrument(tracer_provider=provider, meter_provider=meters)
    spans: dict[str, list[ReadableSpan]] = {}

    async def run(url: str) -> None:
        options: Any = {"base_url": url, "api_key": "none", "max_retries": 0}
        async with openai.AsyncOpenAI(**options) as asynchronous:
            client = openai.OpenAI(**options)
            for name, call in calls.items():
                exporter.clear()
                with contextlib.suppress(openai.APIError):
                    result = call(client, asynchronous)
                    if asyncio.iscoroutine(result):
                        await result
                spans[name] = [*exporter.get_finished_spans()]

    try:
        with openai_stub() as url:
            asyncio.run(run(url))
    finally:
        instrumentor.uninstrument()
    return Recorded(spans, points(reader))


def points(reader: InMemoryMetricReader) -> dict[str, dict[tuple[Any, ...], Any]]:
    """The points of each metric by their attributes; without the host, which one of them leaves out."""
    found: dict[str, dict[tuple[Any, ...], Any]] = {}
    data = reader.get_metrics_data()
    for metric in (
        each for r in (data.resource_metrics if data else ()) for s in r.scope_metrics for each in s.metrics
    ):
        for point in metric.data.data_points:
            kept = {key: value for key, value in (point.attributes or {}).items() if not key.startswith("server.")}
            found.setdefault(metric.name, {})[tuple(sorted(kept.items()))] = point
    return found


@pytest.fixture(scope="module")
def content() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
        patch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental")
        yield


@pytest.fixture(scope="module")
def theirs(content: None) -> Recorded:
    # It requires other releases than the environment of `make test-real` has: `make test-openai` makes one for it.
    if "opentelemetry-instrumentation-openai-v2" not in {each.name for each in metadata.distributions()}:
        pytest.skip("the other instrumentation is not installed")
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    return record(OpenAIInstrumentor(), CALLS)


@pytest.fixture(scope="module")
def ours(content: None) -> Recorded:
    return record(DeclarativeInstrumentor(), {**CALLS, **OUR_CALLS})


@pytest.mark.parametrize("call", CALLS)
def test_each_fact_of_each_span_is_that_of_the_other_instrumentation(call: str, theirs: Recorded, ours: Recorded):
    (expected,), (span,) = theirs.spans[call], ours.spans[call]
    assert (span.name, span.kind, span.status.status_code) == (
        expected.name,
        expected.kind,
        expected.status.status_code,
    )
    assert [*span.events] == [*expected.events] == []
    if expected.status.description:
        assert span.status.description == f"{ours.attributes(call)['error.type']}: {expected.status.description}"
    attributes, known = ours.attributes(call), theirs.attributes(call)
    known.pop("gen_ai.system", None)  # replaced by gen_ai.provider.name, which the other uses for chat only
    attributes.pop("gen_ai.provider.name") if "gen_ai.provider.name" not in known else None
    assert {key: value for key, value in attributes.items() if key not in ADDED - known.keys()} == known


def test_the_metrics_are_those_of_the_other_instrumentation(theirs: Recorded, ours: Recorded):
    for name in ("gen_ai.client.operation.duration", "gen_ai.client.token.usage"):
        for attributes, expected in theirs.metrics[name].items():
            known = dict(attributes)
            if known["gen_ai.operation.name"] == "chat" and "openai.response.service_tier" in known:
                point = ours.metrics[name][attributes]
                assert point.explicit_bounds == expected.explicit_bounds
                assert point.count >= expected.count  # some calls are recorded by the spec only
    assert len(ours.metrics["gen_ai.client.operation.time_to_first_chunk"]) == 1


def test_responses_are_recorded(ours: Recorded):
    assert {key: value for key, value in ours.attributes("response").items() if key not in ("server.port", "x")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "small",
        "gen_ai.request.temperature": 0,
        "gen_ai.request.max_tokens": 8,
        "gen_ai.response.id": "response-1",
        "gen_ai.response.model": "small-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 6,
        "gen_ai.usage.cache_read.input_tokens": 2,
        "gen_ai.usage.reasoning.output_tokens": 1,
        "gen_ai.system_instructions": '[{"type": "text", "content": "Be brief."}]',
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "one"}]}],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "text", "content": "one is a number"}], "finish_reason": "stop"}
        ],
        "openai.api.type": "responses",
        "openai.response.service_tier": "default",
        "server.address": "127.0.0.1",
    }
    parts = [part for message in ours.attributes("response with a tool call")[MESSAGES[1]] for part in message["parts"]]
    assert parts[1] == {"type": "tool_call", "id": "call-1", "name": "look_up", "arguments": {"place": "here"}}
    streamed = ours.attributes("streamed response")
    assert streamed.pop("gen_ai.response.time_to_first_chunk") >= 0
    assert (streamed["gen_ai.usage.output_tokens"], streamed["gen_ai.response.id"]) == (6, "response-1")
    assert streamed[MESSAGES[1]][0]["parts"] == [{"type": "text", "content": "two is a number"}]
    assert ours.attributes("asynchronous response")["gen_ai.usage.output_tokens"] == 6
    assert ours.attributes("parsed chat")["gen_ai.usage.output_tokens"] == 4


def test_a_response_that_failed_is_an_error_and_one_that_is_incomplete_says_why(ours: Recorded):
    for call in ("failed response", "failed streamed response"):
        (span,) = ours.spans[call]
        assert (span.status.status_code.name, span.status.description) == ("ERROR", "overloaded")
        assert ours.attributes(call)["error.type"] == "server_error"
    incomplete = ours.attributes("incomplete response")
    assert incomplete["gen_ai.response.finish_reasons"] == ("max_output_tokens",)
    assert incomplete[MESSAGES[1]][0]["finish_reason"] == "max_output_tokens"


def test_a_streamed_refusal_is_the_answer(ours: Recorded):
    (answer,) = ours.attributes("streamed refusal")[MESSAGES[1]]
    assert answer["parts"] == [{"type": "text", "content": "I cannot."}]


def test_a_stream_that_is_read_from_a_raw_response_is_reported_once(caplog: pytest.LogCaptureFixture):
    def read(client: Any) -> int:
        return len([*chat(client).with_raw_response.create(**asked("two", stream=True)).parse()])

    found = record(DeclarativeInstrumentor(), {name: lambda client, _: read(client) for name in ("first", "second")})
    assert [len(spans) for spans in found.spans.values()] == [1, 1]
    assert len([record for record in caplog.records if "raw response is not followed" in record.getMessage()]) == 1


def test_a_cancelled_call_is_not_an_error(ours: Recorded):
    (span,) = ours.spans["cancelled call"]
    assert span.status.status_code.name == "UNSET"
    assert "error.type" not in ours.attributes("cancelled call")


def test_a_call_of_azure_names_its_provider(ours: Recorded):
    assert ours.attributes("azure")["gen_ai.provider.name"] == "azure.ai.openai"
    assert ours.attributes("azure")["gen_ai.usage.output_tokens"] == 4


def test_without_content_no_text_of_a_person_or_a_model_is_recorded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", raising=False)
    recorded = record(DeclarativeInstrumentor(), {**CALLS, **OUR_CALLS})
    spans = [span for found in recorded.spans.values() for span in found]
    assert len(spans) == len(CALLS) + len(OUR_CALLS)
    texts = " ".join(str((span.attributes, span.status.description, span.events)) for span in spans)
    assert not [
        text
        for text in ("is a number", "Be brief", "here", "sunny", "cut off", "too often", "cannot", "overloaded")
        if text in texts
    ]
    (failed,) = recorded.spans["failed"]
    assert failed.status.description == "InternalServerError"


def test_a_call_by_an_agent_of_ag2_is_recorded_once():
    from ag2 import Agent
    from ag2.config import OpenAIConfig

    def ask(url: str) -> Any:
        config = OpenAIConfig(model="small", base_url=url, api_key="none")
        return Agent("asker", "Ask.", config=config).ask("one")

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    reader = InMemoryMetricReader()
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=provider, meter_provider=MeterProvider([reader]))
    try:
        with openai_stub() as url:
            asyncio.run(ask(url))
    finally:
        instrumentor.uninstrument()
        gc.collect()  # AG2 does not close its client
    found = [
        (span.name, span.attributes["gen_ai.usage.input_tokens"])
        for span in exporter.get_finished_spans()
        if span.attributes and "gen_ai.usage.input_tokens" in span.attributes and "chat" in span.name
    ]
    assert found == [("chat small-1", 3)]
    assert "gen_ai.client.token.usage" not in points(reader)
