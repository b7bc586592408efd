"""Failures in a spec's expressions or in an exporter do not affect the program."""

import re
import threading
from typing import Any

import pytest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import StatusCode

from tests.processes import PATIENCE

HOST = """
class Evil:
    def __eq__(self, other): raise ArithmeticError("eq")
    def __bool__(self): raise ArithmeticError("bool")
    def __str__(self): raise ArithmeticError("str")
    __repr__ = __str__
    def __hash__(self): raise ArithmeticError("hash")
    def __len__(self): raise ArithmeticError("len")
    @property
    def field(self): raise ArithmeticError("property")
EVIL = Evil()
class EvilError(Exception):
    def __str__(self): raise ArithmeticError("str")
def call(value, good=1): return value
async def acall(value, good=1): return value
def give(value, good=1):
    yield value
def fail(error): raise error
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


@pytest.mark.parametrize(
    "expression",
    [
        "value.field",
        "value == 1",
        "1 if value else 2",
        "not value",
        "value or 1",
        "str(value)",
        "value",
        "[value]",
        'f"{value}"',
        "value + 1",
        "len(value)",
        "value.missing.deeper",
        "value[0]",
        'value in ("a", "b")',
        "json(value)",
        "result.field",
        "str(result)",
        "result == good",
    ],
)
def test_an_attribute_that_cannot_be_read_does_not_affect_the_others(
    expression: str, module, instrumented, tracing, logged
):
    spec = f"""
    spans:
      call:
        around: HOST:call
        attributes:
          before: good
          bad: {expression!r}
          after: good + 1
          late: result is None
    """
    with instrumented(spec, module):
        for _ in range(2):
            assert module.call(module.EVIL) is module.EVIL
    attributes = {key: value for key, value in (tracing.spans[0].attributes or {}).items() if key != "bad"}
    assert attributes == {"before": 1, "after": 2, "late": False}
    assert len(tracing.spans) == 2
    assert len(logged()) <= 1  # a missing value is not an error
    for line in logged():
        assert re.search(r"spec\.yaml:8:\d+: span call (starts|ends) failed: ArithmeticError|TypeError", line)


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        ("name: x {value}", None),
        ("name: x {value.field} {result}", 6),
        ("status: {error: str(value)}", 6),
        ("status: {ok: value}", None),
        ("status: {error: value}", None),
        ("exception: value.field", 6),
        ("key: value", 6),
        ("key: value.field", 6),
        ("parent: {traceparent: value.field}", 6),
        ("links: {a: {traceparent: value.field}}", 6),
        ("inject: {traceparent: value.field}", 6),
    ],
)
def test_a_rule_that_fails_does_not_lose_the_span(rule: str, where: int | None, module, instrumented, tracing, logged):
    with instrumented(f"spans:\n  call:\n    around: HOST:call\n    {rule}\n    attributes: {{good: good}}\n", module):
        assert module.call(module.EVIL) is module.EVIL
    assert tracing.span.attributes["good"] == 1
    for line in logged():
        assert where is None or f"spec.yaml:{where}:" in line
    assert where is None or logged()


def test_a_condition_that_cannot_be_evaluated_is_false_and_reported_once(module, instrumented, tracing, logged):
    spec = """
    hooks:
      whole: {call: "HOST:call", when: value == 1}
      part: {call: "HOST:acall"}
    spans:
      whole: {around: whole}
      sure: {at: whole.enter}
      part: {at: part.return, when: value.field}
      other: {at: part.return}
    """
    with instrumented(spec, module):
        for _ in range(3):
            module.call(module.EVIL)
            with pytest.raises(StopIteration):
                module.acall(module.EVIL).send(None)
        module.call(1)
    assert tracing.names == ["other"] * 3 + ["sure", "whole"]
    assert [re.sub(r".*(spec.yaml:\d+).*", r"\1", line) for line in logged()] == ["spec.yaml:4", "spec.yaml:9"]


def test_an_exception_without_a_readable_text_reaches_the_application_and_the_span(
    module, instrumented, tracing, logged
):
    error = module.EvilError()
    with instrumented('spans: {fail: {around: "HOST:fail"}}', module), pytest.raises(module.EvilError) as caught:
        module.fail(error)
    assert caught.value is error
    assert tracing.span.status.status_code is StatusCode.ERROR
    assert tracing.span.status.description == "EvilError: <EvilError that cannot be shown>"
    assert tracing.span.events[0].attributes["exception.type"] == "EvilError"
    assert logged() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), MemoryError(), RecursionError()])
def test_every_exception_of_the_application_passes_through(error: BaseException, module, instrumented, tracing):
    with instrumented('spans: {fail: {around: "HOST:fail"}}', module), pytest.raises(type(error)) as caught:
        module.fail(error)
    assert caught.value is error
    is_failure = not isinstance(error, KeyboardInterrupt)
    assert tracing.span.status.status_code is (StatusCode.ERROR if is_failure else StatusCode.UNSET)


@pytest.mark.parametrize("moment", ["on_start", "on_end"])
def test_an_exception_of_a_span_processor_does_not_reach_the_application(
    moment: str, module, make_module, spec_file, logged
):
    from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor

    class Broken(SpanProcessor):
        pass

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    setattr(Broken, moment, broken)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Broken())
    spec = spec_file(
        'spans: {a: {around: "HOST:call"}, b: {around: "HOST:acall"}, c: {around: "HOST:give"},'
        ' d: {around: "HOST:fail"}}',
        module,
    )
    error = ValueError("host")
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(tracer_provider=provider, specs=[spec])
    try:
        for _ in range(2):
            assert module.call(1) == 1
            with pytest.raises(StopIteration, match="2"):
                module.acall(2).send(None)
            assert list(module.give(3)) == [3]
            with pytest.raises(ValueError, match="host") as caught:
                module.fail(error)
            assert caught.value is error
    finally:
        instrumentor.uninstrument()
    assert len([line for line in logged() if "the disk is full" in line and "spec.yaml:3:" in line]) == 4


def test_a_property_that_blocks_delays_the_call_as_it_would_any_reader(make_module, instrumented, tracing):
    """An expression is evaluated in the thread of the call; nothing can interrupt a property from outside."""
    module = make_module("""
        import threading
        class Slow:
            reached, let = threading.Event(), threading.Event()
            @property
            def field(self):
                self.reached.set()
                self.let.wait()
                return "late"
        def call(value): return value
    """)
    slow, given = module.Slow(), []
    with instrumented('spans: {call: {around: "HOST:call", attributes: {field: value.field}}}', module):
        thread = threading.Thread(target=lambda: given.append(module.call(slow)))
        thread.start()
        assert slow.reached.wait(PATIENCE)
        assert (given, module.call(None)) == ([], None)  # other threads do not wait
        slow.let.set()
        thread.join()
    assert given == [slow]
    assert tracing.spans[-1].attributes == {"field": "late"}


@pytest.mark.parametrize("expression", ["value", "json(value)", "[value, value]"])
def test_only_the_recorded_part_of_a_huge_list_is_read(expression: str, module, instrumented, tracing, logged):
    class Huge(list[Any]):
        read = 0

        def __iter__(self) -> Any:
            for each in super().__iter__():
                Huge.read += 1
                yield each

    huge = Huge([["a\ud800", 2**70]] * 1_000_000)
    with instrumented(f'spans: {{call: {{around: "HOST:call", attributes: {{a: "{expression}"}}}}}}', module):
        assert module.call(huge) is huge
    assert Huge.read <= 4_000
    assert 0 < len(tracing.span.attributes["a"]) < 200_000
    assert logged() == []
