"""Light spans, and spans of the SDK's class that this package makes: nobody can tell one from a span that the SDK has
started by what it does and shows.
"""

import copy
import itertools
import logging
import pickle
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.instrumentation.declarative.runtime.starting import sdk_structure
from opentelemetry.instrumentation.declarative.runtime.starting.light_spans import LightSpan
from opentelemetry.instrumentation.declarative.runtime.starting.sdk_span_starter import sdk_starter
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import clean_attributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, Tracer, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

OTHER = SpanContext(7, 8, True, TraceFlags(1), TraceState([("vendor", "x")]))
INVALID = SpanContext(0, 0, False)
PARENTS = (None, Context(), trace.set_span_in_context(NonRecordingSpan(OTHER), Context()))
ERROR = ValueError("broken")
VALUES: list[Any] = ["text", "é\U0001f600", "", 5, 2.5, True, ["a", "b"], (1, 2), [], b"raw", None, {"a": 1}, object()]
KEYS = ["one", "two", "three", ""]

attributes = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=4)
clean = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES[:9]), max_size=4).map(clean_attributes)
times = st.sampled_from([None, 1_000, 2_000])
OPERATIONS = st.one_of(
    st.tuples(st.just("set_attribute"), st.sampled_from(KEYS), st.sampled_from(VALUES)),
    st.tuples(st.just("set_attributes"), attributes),
    st.tuples(st.just("add_event"), st.just("event"), attributes, times),
    st.tuples(st.just("add_link"), st.sampled_from([OTHER, INVALID]), attributes),
    st.tuples(st.just("update_name"), st.sampled_from(["renamed", ""])),
    st.tuples(st.just("set_status"), st.sampled_from([Status(StatusCode.OK), Status(StatusCode.ERROR, "no")])),
    st.tuples(st.just("set_status"), st.sampled_from([*StatusCode]), st.sampled_from([None, "why"])),
    st.tuples(st.just("record_exception"), st.just(ERROR), attributes, times),
    st.tuples(st.just("start"), times),
    st.tuples(st.just("end"), times),
    st.tuples(st.just("__exit__"), st.just(ValueError), st.just(ERROR), st.none()),
    st.tuples(st.just("__exit__"), st.none(), st.none(), st.none()),
)
LIMITS = st.sampled_from(
    [
        SpanLimits(),
        SpanLimits(max_span_attributes=2),
        SpanLimits(max_span_attributes=0),
        SpanLimits(max_attributes=SpanLimits.UNSET),
        SpanLimits(max_attribute_length=2),
        SpanLimits(max_span_attribute_length=0),
        SpanLimits(max_events=1, max_links=1, max_event_attributes=1, max_link_attributes=0),
        SpanLimits(max_events=0, max_links=0),
    ]
)


class CountingIds(IdGenerator):
    def __init__(self) -> None:
        self._next = itertools.count(1)

    def generate_trace_id(self) -> int:
        return next(self._next)

    generate_span_id = generate_trace_id


class Keeping(SpanProcessor):
    """Keeps the spans it gets, and what they showed at each moment."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.spans: list[Any] = []

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        span.set_attribute("at.start", True)
        self._keep("start", span, parent_context)

    def _on_ending(self, span: Any) -> None:
        self._keep("ending", span)

    def on_end(self, span: Any) -> None:
        self._keep("end", span)

    def _keep(self, moment: str, span: Any, *more: Any) -> None:
        self.spans.append(span)
        self.seen.append((moment, shown(span), *more))


def json_of(span: Any) -> str:
    try:
        return str(span.to_json())
    except TypeError as error:  # the SDK has no JSON for bytes
        return str(error)


def shown(span: Any) -> Any:
    """What a span shows to its processors and exporters."""
    return {
        "json": json_of(span),
        "context": span.get_span_context(),
        "times": (span.start_time, span.end_time),
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "values": [*span.attributes.items()],
        "events": [(each.name, each.timestamp, [*each.attributes.items()]) for each in span.events],
        "links": [(each.context, [*(each.attributes or {}).items()], each.dropped_attributes) for each in span.links],
        "types": [type(each) for each in span.attributes.values()],
        "scope": span.instrumentation_scope,
        "kind": span.kind,
        "status": (span.status.status_code, span.status.description),
        "is_recording": span.is_recording() if isinstance(span, Span) else None,
        "repr": repr(span) if isinstance(span, Span) else None,
        "type": "span" if isinstance(span, Span) else type(span).__mro__[-2],
    }


Start = Callable[..., Span]


def start_with_the_sdk(tracer: Tracer, parent: Context | None, **start: Any) -> Any:
    return tracer.start_span("call", context=parent, kind=SpanKind.CLIENT, **start)


def start_light(tracer: Tracer, parent: Context | None, *, light: bool = True, **start: Any) -> Any:
    starter = sdk_starter(tracer, SpanKind.CLIENT, light=light)
    assert starter is not None
    is_recorded, draft = starter.decide(Context() if parent is None else parent)
    assert is_recorded
    # Links of rules are valid.
    links = [link for link in start["links"] if link.context.is_valid or link.attributes or link.context.trace_state]
    return starter.start(draft, "call", dict(start["attributes"]), parent, links, start["start_time"])


def start_constructed(tracer: Tracer, parent: Context | None, **start: Any) -> Any:
    return start_light(tracer, parent, light=False, **start)


@contextmanager
def collected_logs() -> Iterator[list[str]]:
    messages: list[str] = []

    class Collecting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    handler, logger = Collecting(), logging.getLogger("opentelemetry")
    logger.addHandler(handler)
    try:
        yield messages
    finally:
        logger.removeHandler(handler)


def observed(start: Any, limits: SpanLimits, operations: list[Any], **started: Any) -> Any:
    """Everything that can be observed while a span runs through these operations."""
    provider = TracerProvider(
        resource=Resource({"service.name": "shop"}),
        shutdown_on_exit=False,
        id_generator=CountingIds(),
        span_limits=limits,
    )
    keeping = Keeping()
    provider.add_span_processor(keeping)
    tracer = provider.get_tracer("scope", "1", "https://example.com/schema", {"a": 1})
    results = []
    clock = itertools.count(10)
    with collected_logs() as messages, mock.patch("opentelemetry.sdk.trace.time_ns", side_effect=clock):
        links = [Link(context, dict(attributes)) for context, attributes in started.pop("links")]
        span = start(tracer, links=links, **started)
        for name, *arguments in operations:
            try:
                results.append(getattr(span, name)(*arguments))
            except Exception as error:
                results.append((type(error), str(error)))
            results.append(shown(span))
    on_demand = {"_events", "_links", "_has_events", "_has_links", "_first_links"}
    assert isinstance(span, Span)
    return keeping.seen, results, messages, {*vars(span)} - {"_lock", "_record_end_metrics"} - on_demand


@settings(max_examples=400)
@given(
    limits=LIMITS,
    operations=st.lists(OPERATIONS, max_size=8),
    parent=st.sampled_from(PARENTS),
    attributes=clean,
    links=st.lists(st.tuples(st.sampled_from([OTHER, INVALID]), attributes), max_size=2),
    start_time=times,
)
def test_a_span_shows_and_does_what_one_that_the_sdk_has_started_does(operations: list[Any], **start: Any):
    limits = start.pop("limits")
    expected = observed(start_with_the_sdk, limits, operations, **start)
    assert observed(start_light, limits, operations, **start) == expected
    assert observed(start_constructed, limits, operations, **start) == expected


HOST = """
from opentelemetry import trace
def call(*steps):
    span = trace.get_current_span()
    for step in steps: step(span)
    return span
"""
SPEC = 'spans: {call: {around: "HOST:call", attributes: {n: len(steps)}}}'


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def test_a_spec_records_light_spans(tracing, module, instrumented):
    with instrumented(SPEC, module):
        span = module.call(lambda span: span.add_event("now"))
    assert type(span) is LightSpan
    assert isinstance(span, Span)
    assert [event.name for event in tracing.named("call").events] == ["now"]
    assert isinstance(tracing.named("call"), ReadableSpan)
    assert not isinstance(tracing.named("call"), Span)


@pytest.mark.parametrize("how", ["variable", "argument"])
def test_the_setting_turns_light_spans_off(how: str, tracing, module, spec_file, monkeypatch: pytest.MonkeyPatch):
    if how == "variable":
        monkeypatch.setenv("OTEL_PYTHON_DECLARATIVE_LIGHT_SPANS", "false")
    options = {} if how == "variable" else {"light_spans": False}
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=tracing.provider, specs=[spec_file(SPEC, module)], **options)
    try:
        span = module.call()
    finally:
        instrumentor.uninstrument()
    assert isinstance(span, Span)
    assert type(span) is not LightSpan
    assert tracing.names == ["call"]


def test_a_subclass_of_the_tracer_starts_its_spans_itself(tracing):
    class Own(Tracer):
        pass

    tracer = tracing.provider.get_tracer("x")
    assert sdk_starter(tracer, SpanKind.INTERNAL, light=True) is not None
    tracer.__class__ = Own
    assert sdk_starter(tracer, SpanKind.INTERNAL, light=True) is None


def test_a_tracer_whose_method_another_tool_has_replaced_starts_its_spans_itself(tracing):
    tracer = tracing.provider.get_tracer("x")
    tracer.start_span = tracer.start_span
    assert sdk_starter(tracer, SpanKind.INTERNAL, light=True) is None


@pytest.fixture
def structure() -> Iterator[Any]:
    sdk_structure.is_known.cache_clear()
    yield sdk_structure
    sdk_structure.is_known.cache_clear()


def test_the_structure_of_the_installed_sdk_is_known(structure):
    assert structure.is_known()


def test_a_release_of_the_sdk_that_does_more_starts_its_spans_itself(
    structure, tracing, module, instrumented, monkeypatch: pytest.MonkeyPatch
):
    end = Span.end

    def end_and_more(self: Any, end_time: int | None = None) -> None:
        something_new(self)  # type: ignore[name-defined]  # noqa: F821
        end(self, end_time)

    end_and_more.__module__ = end.__module__
    names = [(end_and_more if function is end else function, known) for function, known in structure._NAMES]
    monkeypatch.setattr(structure, "_NAMES", names)
    assert not structure.is_known()
    with instrumented(SPEC, module):
        assert type(module.call()) is not LightSpan
    assert tracing.names == ["call"]


def test_a_span_of_the_sdks_class_has_the_fields_of_one_that_the_sdk_has_started(tracing):
    tracer = tracing.provider.get_tracer("x")
    given: dict[str, Any] = {"attributes": {"n": 1}, "links": [Link(OTHER)], "start_time": None}
    by_hand, ours = (start(tracer, None, **given) for start in (start_with_the_sdk, start_constructed))
    assert type(ours) is type(by_hand)
    assert {key: type(value) for key, value in vars(ours).items() if key != "_record_end_metrics"} == {
        key: type(value) for key, value in vars(by_hand).items() if key != "_record_end_metrics"
    }


def test_a_new_field_of_spans_is_not_known(structure, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(structure, "_SPAN_FIELDS", structure._SPAN_FIELDS.replace("_links", ""))
    assert not structure.is_known()


def test_a_light_span_that_threads_end_at_once_is_exported_once(tracing, module, instrumented, logged):
    barrier = threading.Barrier(8)

    def end(span: Any) -> None:
        barrier.wait()
        span.end()

    with instrumented(SPEC, module):
        for _ in range(20):
            span = module.call(lambda span: [thread.join() for thread in start_threads(end, span)])
            assert not span.is_recording()
    assert tracing.names == ["call"] * 20
    assert {*logged()} == {"Calling end() on an ended span."}


def start_threads(function: Any, *arguments: Any) -> list[threading.Thread]:
    threads = [threading.Thread(target=function, args=arguments) for _ in range(8)]
    for thread in threads:
        thread.start()
    return threads


def test_events_that_threads_add_at_once_are_all_recorded(tracing, module, instrumented):
    barrier = threading.Barrier(8)

    def add(span: Any) -> None:
        barrier.wait()
        span.add_event("now")
        span.add_link(OTHER)

    with instrumented(SPEC, module):
        for _ in range(20):
            module.call(lambda span: [thread.join() for thread in start_threads(add, span)])
    assert {(len(span.events), len(span.links)) for span in tracing.spans} == {(8, 8)}


def test_a_light_span_is_copied_and_pickled_as_little_as_a_span_of_the_sdk(tracing, module, instrumented):
    with instrumented(SPEC, module):
        light = module.call()
    sdk = tracing.provider.get_tracer("x").start_span("call")
    for span in (light, sdk):
        assert weakref.ref(span)() is span
        for refused in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError, match="cannot pickle"):
                refused(span)
        shallow = copy.copy(span)
        assert shallow.get_span_context() is span.get_span_context()
        assert not hasattr(span, "missing")


def test_what_a_processor_changes_on_a_light_span_is_exported(tracing, module, instrumented):
    class Redacting(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            span.set_attribute("process", 1)
            span._attributes["directly"] = 2

    tracing.provider.add_span_processor(Redacting())
    with instrumented(SPEC, module):
        module.call()
    assert dict(tracing.named("call").attributes) == {"n": 0, "process": 1, "directly": 2}


def test_light_spans_have_the_resource_of_a_tracer_whose_resource_changes(tracing, module, instrumented):
    with instrumented(SPEC, module):
        module.call()
        for tracer in [tracing.provider.get_tracer("test"), *getattr(tracing.provider, "_tracers", {}).values()]:
            tracer.resource = Resource({"service.name": "other"})
        span = module.call()
    if hasattr(tracing.provider, "_tracers"):  # newer releases keep their tracers
        assert span.resource.attributes["service.name"] == "other"


def test_the_resource_of_a_light_span_is_that_of_its_provider(tracing, module, instrumented):
    of_provider = tracing.provider.resource
    before = Resource(of_provider.attributes, of_provider.schema_url)
    with instrumented(SPEC, module):
        resource = module.call().resource
    assert resource is tracing.provider.resource is of_provider
    assert isinstance(resource, Resource)
    assert (resource, hash(resource)) == (before, hash(before))
    assert resource != Resource({"service.name": "other"})
    assert resource.to_json() == before.to_json()
    assert resource.merge(Resource({"a": 1})) == before.merge(Resource({"a": 1}))
    for copied in (copy.copy(resource), copy.deepcopy(resource), pickle.loads(pickle.dumps(resource))):
        assert type(copied) is Resource
        assert copied == resource


def test_threads_that_start_the_first_spans_of_a_type_at_once_record_all_of_them(tracing, module, instrumented, logged):
    barrier = threading.Barrier(8)

    def call(_: Any) -> None:
        barrier.wait()
        module.call()

    for _ in range(20):
        with instrumented(SPEC, module):
            for thread in start_threads(call, None):
                thread.join()
    assert tracing.names == ["call"] * 160
    assert logged() == []
