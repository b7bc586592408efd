"""The status of a span: from one rule, or the first of several that applies."""

import asyncio
import builtins
import concurrent.futures
import sys
from typing import Any

import anyio
import pytest
from opentelemetry.trace import StatusCode

HOST = """
class Reply:
    def __init__(self, code): self.code = code
class Client:
    def get(self, code):
        if isinstance(code, BaseException): raise code
        return Reply(code)
"""

SPEC = """
hooks: {get: {call: "HOST:Client.get"}}
spans:
  get:
    around: get
    status:
      - {when: result.code == 404, unset: true}
      - {when: 'is_a(error, "KeyError")', unset: true}
      - {error: 'f"status {result.code}" if result.code >= 400 else None'}
      - {when: result.code == 204, ok: "False"}
      - {ok: "True"}
"""


@pytest.mark.parametrize(
    ("code", "status", "description"),
    [
        (200, StatusCode.OK, None),
        (204, StatusCode.OK, None),
        (404, StatusCode.UNSET, None),
        (500, StatusCode.ERROR, "status 500"),
        (ValueError("no"), StatusCode.ERROR, "ValueError: no"),
        (KeyError("gone"), StatusCode.UNSET, None),
    ],
)
def test_of_several_statuses_the_first_that_applies_and_has_a_value_is_set(
    tracing, make_module, instrumented, code, status: StatusCode, description: str | None
):
    module = make_module(HOST)
    with instrumented(SPEC, module):
        if isinstance(code, Exception):
            with pytest.raises(type(code)):
                module.Client().get(code)
        else:
            module.Client().get(code)
    assert (tracing.span.status.status_code, tracing.span.status.description) == (status, description)


def test_a_call_that_has_raised_is_never_ok(tracing, make_module, instrumented):
    module = make_module(HOST)
    spec = 'spans: {get: {around: "HOST:Client.get", status: [{ok: "True"}, {error: \'"late"\'}]}}'
    with instrumented(spec, module), pytest.raises(ValueError, match="no"):
        module.Client().get(ValueError("no"))
    assert tracing.span.status.description == "late"
    with instrumented(spec, module):
        module.Client().get(1)
    assert tracing.spans[-1].status.status_code is StatusCode.OK


def test_an_expected_exception_is_not_recorded(tracing, make_module, instrumented):
    module = make_module(HOST)
    spec = """
    spans:
      get: {around: "HOST:Client.get", status: {when: 'is_a(error, "KeyError")', unset: true}}
    metrics:
      get.duration: {instrument: histogram, span: get, span_attributes: [error.type]}
    """
    with instrumented(spec, module):
        for error in (KeyError("gone"), ValueError("no")):
            with pytest.raises(type(error)):
                module.Client().get(error)
    expected, unexpected = tracing.spans
    assert (expected.status.status_code, expected.events) == (StatusCode.UNSET, ())
    assert (unexpected.status.status_code, len(unexpected.events)) == (StatusCode.ERROR, 1)
    assert set(tracing.points("get.duration")) == {(), (("error.type", "ValueError"),)}


class Interrupt(BaseException):
    """Stops a program, or a part of it, as trio's Cancelled does."""


STOPS = [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(), SystemExit(0), Interrupt("stop")]
FAILURES = [SystemExit(1), SystemExit("no disk"), concurrent.futures.CancelledError(), TimeoutError("late")]


@pytest.mark.parametrize("error", STOPS, ids=repr)
def test_an_exception_that_only_stops_the_program_is_not_an_error(
    error: BaseException, tracing, make_module, instrumented
):
    module = make_module(HOST)
    spec = """
    spans: {get: {around: "HOST:Client.get", status: {ok: "True"}}}
    metrics: {get.duration: {instrument: histogram, span: get, span_attributes: [error.type]}}
    """
    with instrumented(spec, module), pytest.raises(type(error)) as caught:
        module.Client().get(error)
    assert caught.value is error
    assert (tracing.span.status.status_code, tracing.span.events) == (StatusCode.UNSET, ())
    assert set(tracing.points("get.duration")) == {()}


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_a_failure_is_an_error(error: BaseException, tracing, make_module, instrumented):
    module = make_module(HOST)
    with instrumented('spans: {get: {around: "HOST:Client.get"}}', module), pytest.raises(type(error)):
        module.Client().get(error)
    assert tracing.span.status.description == f"{type(error).__name__}: {error}"
    assert [event.name for event in tracing.span.events] == ["exception"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups are new in Python 3.11")
def test_a_group_of_exceptions_is_an_error_if_one_of_them_is(tracing, make_module, instrumented):
    module = make_module(HOST)
    group: Any = getattr(builtins, "BaseExceptionGroup", None)
    cancelled = group("stopped", [asyncio.CancelledError(), group("inner", [KeyboardInterrupt()])])
    failed = group("failed", [asyncio.CancelledError(), group("inner", [ValueError("no")])])
    with instrumented('spans: {get: {around: "HOST:Client.get"}}', module):
        for error in (cancelled, failed):
            with pytest.raises(group):
                module.Client().get(error)
    assert [span.status.status_code for span in tracing.spans] == [StatusCode.UNSET, StatusCode.ERROR]


@pytest.mark.parametrize("cancelled_by", ["task", "timeout", "anyio"])
def test_a_cancelled_coroutine_has_the_status_of_a_span_of_the_sdk(
    cancelled_by: str, tracing, make_module, instrumented
):
    module = make_module("""
    import asyncio
    async def poll(): await asyncio.sleep(60)
    async def poll_at_most():
        await asyncio.wait_for(poll(), 0.01)
    """)
    tracer = tracing.provider.get_tracer("by hand")

    async def by_hand(name: str) -> None:
        with tracer.start_as_current_span(name):
            await getattr(module, name)()

    async def task() -> None:
        running = asyncio.ensure_future(by_hand("poll"))
        await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def timeout() -> None:
        await asyncio.gather(by_hand("poll_at_most"), return_exceptions=True)

    async def scope() -> None:
        with anyio.move_on_after(0.01):
            await by_hand("poll")

    spec = 'spans: {poll: {around: "HOST:poll"}, poll_at_most: {around: "HOST:poll_at_most"}}'
    with instrumented(spec, module):
        asyncio.run({"task": task, "timeout": timeout, "anyio": scope}[cancelled_by]())
    statuses = {
        name: {(span.status.status_code, span.status.description, len(span.events)) for span in spans}
        for name in ("poll", "poll_at_most")
        if (spans := [span for span in tracing.spans if span.name == name])
    }
    assert statuses.pop("poll") == {(StatusCode.UNSET, None, 0)}
    assert statuses == (
        {"poll_at_most": {(StatusCode.ERROR, "TimeoutError: ", 1)}} if cancelled_by == "timeout" else {}
    )


def test_a_spec_can_make_cancellation_an_error(tracing, make_module, instrumented):
    module = make_module(HOST)
    spec = """
    spans: {get: {around: "HOST:Client.get", status: {when: 'is_a(error, "CancelledError")', error: '"cancelled"'}}}
    """
    with instrumented(spec, module), pytest.raises(asyncio.CancelledError):
        module.Client().get(asyncio.CancelledError())
    assert tracing.span.status.description == "cancelled"
    assert [event.attributes["exception.type"] for event in tracing.span.events] == [
        "asyncio.exceptions.CancelledError"
    ]


def test_an_exception_can_be_recorded_without_an_event(tracing, make_module, instrumented):
    module = make_module(
        "class Client:\n    def get(self, code, fails):\n        if fails: raise code\n        return code"
    )
    spec = """
    spans: {get: {around: "HOST:Client.get", exception: {value: result, event: false}}}
    metrics: {get.duration: {instrument: histogram, span: get, span_attributes: [error.type]}}
    """
    with instrumented(spec, module):
        with pytest.raises(ValueError, match="no"):
            module.Client().get(ValueError("no"), fails=True)
        module.Client().get(KeyError("returned"), fails=False)
    assert [(span.status.description, span.events) for span in tracing.spans] == [
        ("ValueError: no", ()),
        ("KeyError: 'returned'", ()),
    ]
    assert set(tracing.points("get.duration")) == {(("error.type", "ValueError"),), (("error.type", "KeyError"),)}


class GreenletExit(BaseException):
    """As that of greenlet."""

    __module__ = "greenlet"


@pytest.mark.parametrize(
    ("error", "cancelled"),
    [
        (asyncio.CancelledError(), True),
        (concurrent.futures.CancelledError(), True),
        (GreenletExit(), True),
        (Interrupt("stop"), False),
        (ValueError("no"), False),
        (None, False),
    ],
    ids=repr,
)
def test_a_span_says_whether_its_call_was_cancelled(
    error: BaseException | None, cancelled: bool, tracing, make_module, instrumented
):
    module = make_module(HOST)
    spec = """
    hooks: {get: {call: "HOST:Client.get"}}
    spans:
      get:
        around: get
        exception: {event: false}
        status: {when: is_cancelled(error), error: '"cancelled"'}
        attributes: {cancelled: is_cancelled(error)}
    enrich: {current: {events: {cancelled: {at: get.raise, when: is_cancelled(error)}}}}
    """
    with instrumented(spec, module):
        if error is None:
            module.Client().get(1)
        else:
            with pytest.raises(type(error)):
                module.Client().get(error)
    span = tracing.span
    assert span.attributes == {"cancelled": cancelled}
    assert (span.status.description == "cancelled", [event.name for event in span.events]) == (
        cancelled,
        ["cancelled"] * cancelled,
    )
