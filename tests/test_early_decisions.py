"""What is not recorded is not read, and the trace context is passed on as if the tracer had decided."""

import random
import re
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.runtime.sampling.attribute_ratio import AttributeRatio, hashed
from opentelemetry.instrumentation.declarative.runtime.spans import Spans
from opentelemetry.instrumentation.declarative.runtime.starting.sdk_span_starter import UnrecordedSpan, sdk_starter
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, TraceState

HOST = """
from opentelemetry import trace
class Order:
    reads = 0
    @property
    def id(self):
        Order.reads += 1
        return "o-1"
    @property
    def reply_to(self):
        Order.reads += 1
        return "o-0"
class Shop:
    def buy(self, order):
        return trace.get_current_span()
    def open(self, key, order): return key
    def close(self, key, order): return key
    def parcel(self, key): return trace.get_current_span()
    def note(self, order): return 1
def numbers():
    yield trace.get_current_span()
async def awaited():
    return trace.get_current_span()
async def several():
    yield trace.get_current_span()
"""
SPEC = """
hooks: {open: {call: "HOST:Shop.open"}, close: {call: "HOST:Shop.close"}, note: {call: "HOST:Shop.note"}}
spans:
  buy:
    around: "HOST:Shop.buy"
    name: buy {order.id}
    links: {reply: {span: stay, key: order.reply_to}}
    attributes: {id: order.id, late: "order.id if result else None"}
    status: {error: order.id if result is None else None}
  stay:
    {key: key, start: open.enter, end: close.exit, name: "stay {order.id}", attributes: {id: order.id, late: result}}
  parcel: {around: "HOST:Shop.parcel", parent: [{span: stay, key: key}]}
  note: {at: note.return, attributes: {id: order.id}}
"""
VENDOR = TraceState([("vendor", "x")])


def span_context(*, remote: bool, sampled: bool, flags: int = 0) -> SpanContext:
    return SpanContext(5 << 64 | 7, 9, remote, TraceFlags(sampled | flags), VENDOR)


def below(span: SpanContext) -> Context:
    return trace.set_span_in_context(NonRecordingSpan(span), Context())


PARENTS: list[Context] = [
    Context(),
    below(SpanContext(0, 0, False)),
    *(
        below(span_context(remote=remote, sampled=sampled, flags=flags))
        for remote in (False, True)
        for sampled in (False, True)
        for flags in (0, 2)
    ),
]
RATIOS = (0.0, 1e-19, 0.3, 1.0)
SAMPLERS: list[Sampler] = [
    sampling.ALWAYS_ON,
    sampling.ALWAYS_OFF,
    sampling.DEFAULT_ON,
    sampling.DEFAULT_OFF,
    *map(TraceIdRatioBased, RATIOS),
    *map(sampling.ParentBasedTraceIdRatio, RATIOS),
    ParentBased(
        ParentBased(TraceIdRatioBased(0.3)),
        remote_parent_sampled=sampling.ALWAYS_OFF,
        remote_parent_not_sampled=sampling.ALWAYS_ON,
        local_parent_sampled=TraceIdRatioBased(0),
        local_parent_not_sampled=ParentBased(sampling.ALWAYS_OFF, local_parent_not_sampled=sampling.ALWAYS_ON),
    ),
]


class SeededIds(IdGenerator):
    def __init__(self) -> None:
        self._random = random.Random(1)

    def generate_trace_id(self) -> int:
        return self._random.getrandbits(128)

    def generate_span_id(self) -> int:
        return self._random.getrandbits(64)


def tracer_of(sampler: Sampler, ids: IdGenerator | None = None) -> Any:
    return TracerProvider(sampler, shutdown_on_exit=False, id_generator=ids or SeededIds()).get_tracer("x")


@pytest.mark.parametrize("light", [True, False])
@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda each: each.get_description())
def test_the_decision_and_the_context_are_those_of_the_tracer(sampler: Sampler, light: bool):
    expected, tracer = tracer_of(sampler), tracer_of(sampler)
    starter = sdk_starter(tracer, SpanKind.INTERNAL, light=light)
    assert starter is not None
    for _ in range(20):
        for parent in PARENTS:
            by_hand = expected.start_span("x", context=parent)
            is_recorded, draft = starter.decide(parent)
            if is_recorded:
                draft = starter.start(draft, "x", {}, parent, (), None)
            assert draft is not None
            assert draft.is_recording() == by_hand.is_recording()
            assert draft.get_span_context() == by_hand.get_span_context()


def test_an_unrecorded_span_has_one_valid_context_of_its_own():
    provider = TracerProvider(sampling.ALWAYS_OFF, shutdown_on_exit=False)
    starter = sdk_starter(provider.get_tracer("x"), SpanKind.INTERNAL, light=True)
    assert starter is not None
    by_hand = provider.get_tracer("x").start_span("x").get_span_context()
    contexts = set()
    for _ in range(100):
        is_recorded, span = starter.decide(Context())
        assert not is_recorded
        assert isinstance(span, UnrecordedSpan)
        assert span.get_span_context() is span.get_span_context()
        assert span.get_span_context().is_valid
        assert span.get_span_context().trace_flags == by_hand.trace_flags
        assert repr(span) == f"NonRecordingSpan({span.get_span_context()!r})"
        contexts.add(span.get_span_context()[:2])
    assert len(contexts) == 100


@pytest.fixture
def unsampled(tracing) -> Any:
    tracing.provider.sampler = sampling.DEFAULT_OFF
    return tracing


@pytest.mark.parametrize("light", ["1", "0"])
def test_what_is_not_recorded_is_not_read(
    light: str, unsampled, make_module, instrumented, logged, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_LIGHT_SPANS", light)
    module = make_module(HOST)
    shop, order = module.Shop(), module.Order()
    with instrumented(SPEC, module):
        bought = shop.buy(order)
        shop.open("k", order)
        parcel = shop.parcel("k")
        shop.close("k", order)
        shop.note(order)
    assert module.Order.reads == 0
    assert unsampled.names == []
    assert logged() == []
    assert bought.get_span_context().is_valid
    assert not bought.is_recording()
    assert not parcel.get_span_context().trace_flags.sampled


def test_a_span_below_an_unrecorded_one_belongs_to_its_trace(unsampled, make_module, instrumented):
    module = make_module(HOST)
    with instrumented(SPEC.replace("note.return", "open.enter"), module):
        shop = module.Shop()
        shop.open("k", module.Order())
        traces = {shop.parcel("k").get_span_context().trace_id for _ in range(3)}
        shop.close("k", module.Order())
        assert len(traces) == 1
        assert {shop.parcel("k").get_span_context().trace_id} != traces


def test_a_sampler_that_is_not_the_sdks_sees_the_attributes_and_links(tracing, make_module, instrumented):
    seen: list[Any] = []

    class Own(Sampler):
        def should_sample(
            self,
            parent_context: Any,
            trace_id: Any,
            name: str,
            kind: Any = None,
            attributes: Any = None,
            links: Any = None,
            trace_state: Any = None,
        ) -> Any:
            seen.append((name, attributes))
            return SamplingResult(Decision.RECORD_AND_SAMPLE, {"sampled.by": "own"})

        def get_description(self) -> str:
            return "own"

    module = make_module(HOST)
    for sampler in (Own(), ParentBased(Own())):
        tracing.provider.sampler = sampler
        with instrumented(SPEC, module):
            module.Shop().buy(module.Order())
    # Newer releases keep the tracer of the first time, with its sampler.
    assert seen == [("buy o-1", {"id": "o-1"})] * 2
    assert tracing.spans[0].attributes["sampled.by"] == "own"


def test_a_sampler_that_is_replaced_takes_effect(tracing, make_module, instrumented):
    module = make_module(HOST)
    with instrumented(SPEC, module) as instrumentor:
        module.Shop().buy(module.Order())
        (installation,) = instrumentor._active._installations
        installation._runtime.tracer.sampler = sampling.ALWAYS_OFF
        module.Shop().buy(module.Order())
    assert tracing.names == ["buy o-1"]


def test_metrics_of_a_span_that_is_not_recorded_are_measured_with_its_attributes(unsampled, make_module, instrumented):
    module = make_module(HOST)
    spec = SPEC + "metrics: {bought: {instrument: counter, span: buy, span_attributes: [id, late]}}\n"
    with instrumented(spec, module):
        module.Shop().buy(module.Order())
    (attributes,) = unsampled.points("bought")
    assert dict(attributes) == {"id": "o-1", "late": "o-1"}


# ── Without a tracer provider ──


def test_spans_of_a_spec_that_has_changed_are_recorded_as_soon_as_a_provider_is_set(
    tracing, without_provider: None, monkeypatch: pytest.MonkeyPatch
):
    spans, changed = (Spans(trace.get_tracer("x"), "internal", {}) for _ in range(2))
    spans.change(changed)
    assert spans.decide() == (False, trace.INVALID_SPAN)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", tracing.provider)
    for _ in range(2):
        is_recorded, draft = spans.decide()
        assert is_recorded
        spans.leave(spans.enter(draft, "changed"))
    assert tracing.names == ["changed"] * 2


INCOMING = "00-0000000000000005000000000000000a-0000000000000009-01"
PLAIN = """
instrument: 2
name: plain
spans:
  buy: {around: "HOST:Shop.buy", attributes: {id: order.id}}
  numbers: {around: "HOST:numbers"}
  awaited: {around: "HOST:awaited"}
  several: {around: "HOST:several"}
  parcel: {around: "HOST:Shop.parcel", parent: {traceparent: key}}
  open: {around: "HOST:Shop.open", parent: none}
"""


@pytest.fixture
def without_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)


@pytest.fixture
def plain(make_module, spec_file, tracing, without_provider: None) -> Any:
    module = make_module(HOST)
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(specs=[spec_file(PLAIN.removeprefix("\ninstrument: 2\nname: plain"), module)])
    yield module
    instrumentor.uninstrument()


def test_without_a_provider_nothing_is_read_and_nothing_changes(plain):
    assert plain.Shop().buy(plain.Order()) is trace.INVALID_SPAN
    assert [*plain.numbers()] == [trace.INVALID_SPAN]
    assert plain.Order.reads == 0


async def _everything(module: Any) -> list[Any]:
    return [await module.awaited(), *[each async for each in module.several()]]


def test_coroutines_and_asynchronous_generators_run_without_a_provider(plain):
    import asyncio

    assert asyncio.run(_everything(plain)) == [trace.INVALID_SPAN] * 2


def test_an_incoming_context_is_passed_on_without_a_provider(plain):
    incoming = SpanContext(5 << 64 | 10, 9, True, TraceFlags(1))
    # The tracer of the oldest releases of the API does not pass it on.
    by_the_api = trace.NoOpTracer().start_span("parcel", below(incoming)).get_span_context()
    assert plain.Shop().parcel(INCOMING).get_span_context() == by_the_api
    assert plain.Shop().parcel("none") is trace.INVALID_SPAN
    with trace.use_span(NonRecordingSpan(incoming)):
        assert plain.Shop().buy(None).get_span_context() == incoming
        assert plain.Shop().parcel("none").get_span_context() == by_the_api


def test_a_span_without_a_parent_hides_an_incoming_context_without_a_provider(plain, make_module, spec_file):
    module = make_module(HOST)
    instrumentor = DeclarativeInstrumentor()
    instrumentor.uninstrument()
    instrumentor.instrument(specs=[spec_file('spans: {buy: {around: "HOST:Shop.buy", parent: none}}', module)])
    try:
        with trace.use_span(NonRecordingSpan(span_context(remote=True, sampled=True))):
            assert module.Shop().buy(None) is trace.INVALID_SPAN
    finally:
        instrumentor.uninstrument()


def test_spans_are_recorded_as_soon_as_a_provider_is_set(plain, tracing, monkeypatch: pytest.MonkeyPatch):
    plain.Shop().buy(plain.Order())
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", tracing.provider)
    plain.Shop().buy(plain.Order())
    plain.Shop().parcel(INCOMING)
    assert tracing.names == ["buy", "parcel"]
    assert dict(tracing.named("buy").attributes) == {"id": "o-1"}
    assert tracing.named("parcel").parent.span_id == 9


# ── The sampler that looks at an attribute ──

KEPT, DROPPED = "session 2", "session 1"


def is_sampled(sampler: Sampler, attributes: dict[str, Any]) -> bool:
    return sampler.should_sample(None, 1, "x", attributes=attributes).decision.is_sampled()


def test_a_conversation_is_sampled_by_the_hash_of_its_id():
    sampler = AttributeRatio(0.5, "session.id", "user.id")
    found = {value: is_sampled(sampler, {"session.id": value}) for value in map(str, range(2_000))}
    assert 900 < sum(found.values()) < 1_100
    assert found == {value: is_sampled(sampler, {"user.id": value, "session.id": None}) for value in found}
    assert is_sampled(sampler, {"session.id": ["a", "b"]}) == is_sampled(sampler, {"session.id": ("a", "b")})
    # The hash is the same in every process and release.
    assert (hashed(KEPT), hashed(DROPPED)) == (5840944291911546635, 13930972277644087021)


@pytest.mark.parametrize("attributes", [{"session.id": KEPT}, {"session.id": DROPPED}, {"other": 1}, None])
def test_a_span_without_the_attribute_follows_its_parent_and_a_root_its_trace_id(attributes):
    sampler, parent_based = AttributeRatio(0.5, "session.id"), sampling.ParentBasedTraceIdRatio(0.5)
    for parent in PARENTS:
        for trace_id in (1, (1 << 64) - 1):
            result = sampler.should_sample(parent, trace_id, "x", attributes=attributes)
            expected = parent_based.should_sample(parent, trace_id, "x", attributes=attributes)
            assert result.trace_state == expected.trace_state
            if not attributes or "session.id" not in attributes:
                assert (result.decision, result.attributes) == (expected.decision, expected.attributes)
            else:
                assert result.decision.is_sampled() == (attributes["session.id"] == KEPT)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (None, "expected a ratio and the name of an attribute"),
        ("a,session.id", "expected a ratio"),
        ("1.5,session.id", "is not between 0 and 1"),
        ("0.1", "the name of an attribute is missing"),
    ],
)
def test_a_wrong_argument_is_refused(argument: str | None, message: str):
    with pytest.raises(ValueError, match=re.escape(message)):
        AttributeRatio.of_argument(argument)
    assert AttributeRatio.of_argument(" 0.1, a , b ").get_description() == "AttributeRatio{0.1,a,b}"


@pytest.mark.parametrize("light", ["1", "0"])
@pytest.mark.parametrize("early", [True, False])
def test_only_the_attribute_of_the_sampler_is_read_of_a_conversation_that_is_dropped(
    monkeypatch: pytest.MonkeyPatch, make_module, spec_file, light: str, early: bool
):
    monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_LIGHT_SPANS", light)
    exporter = InMemorySpanExporter()
    provider = TracerProvider(AttributeRatio(0.5, "session.id"), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    if not early:
        # A wrapper of the sampler is not known: everything is read before it is asked.
        provider.sampler = ParentBased(provider.sampler)
    module = make_module("""
    class Message:
        def __init__(self, session): self.session, self.read = session, []
        def __getattr__(self, name):
            if name.startswith("_"): raise AttributeError(name)
            self.read.append(name)
            return name
    def answer(message): return think(message)
    def think(message): return message
    """)
    spec = """
    spans:
      answer: {around: "HOST:answer", attributes: {text: message.text, session.id: message.session}}
      think: {around: "HOST:think", attributes: {thought: message.thought}}
    """
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=provider, specs=[spec_file(spec, module)])
    try:
        kept, dropped = (module.answer(module.Message(session)) for session in (KEPT, DROPPED))
    finally:
        instrumentor.uninstrument()
    assert [span.name for span in exporter.get_finished_spans()] == ["think", "answer"]
    assert kept.read == ["text", "thought"]
    assert dropped.read == ([] if early else ["text", "thought"])
