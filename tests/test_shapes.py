"""A hooked callable behaves as before, for every kind of callable and call, and its span has the outcome."""

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import wrapt
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor
from opentelemetry.trace import StatusCode
from packaging.version import Version

from .conftest import undone_exactly
from .shape_facts import facts
from .shape_runs import FAILED, outcomes_of
from .shape_table import MANAGERS, Case, combinations, table

CASES = list(table())
SPEC = """
spans:
  call: {around: "HOST:TARGET"}
"""


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_hooked_callable_cannot_be_distinguished_from_the_original(
    case: Case, make_module, instrumented, tracing, logged
):
    module = make_module(case.source)
    before, natively = facts(module, case), outcomes_of(module, case)

    def check_span(outcome: str) -> None:
        with_detail = f"{case} {outcome}"
        span = tracing.span
        is_error = outcome in FAILED
        assert span.status.status_code is (StatusCode.ERROR if is_error else StatusCode.UNSET), with_detail
        assert [event.name for event in span.events] == (["exception"] if is_error else []), with_detail
        inside = {each.get_span_context().span_id for each in module.inside}
        expected = {span.context.span_id}
        # The garbage collector runs in a different context, and closes generators of a cycle in any order.
        in_any_order = case.shape == "cached property" and case.kind in MANAGERS
        if outcome == "collect" and (case.kind == "coroutine" or in_any_order):
            inside |= expected | {0}
            expected |= {0}
        assert inside == expected, with_detail
        tracing.exporter.clear()

    with instrumented(SPEC.replace("TARGET", case.target), module):
        assert facts(module, case) == before
        tracing.exporter.clear()
        assert outcomes_of(module, case, check_span) == natively

    assert tracing.spans == ()
    assert facts(module, case) == before
    assert outcomes_of(module, case) == natively
    assert tracing.spans == ()
    assert [message for message in logged() if "imported by name" not in message] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_instrumentation_may_end_in_the_middle_of_any_call(case: Case, make_module, tracing, spec_file, logged):
    module = make_module(case.source)
    natively = outcomes_of(module, case, during=lambda: None)
    spec = spec_file(SPEC.replace("TARGET", case.target), module)
    instrumentor = DeclarativeInstrumentor()

    def start(_: str = "") -> None:
        instrumentor.instrument(tracer_provider=tracing.provider, specs=[spec])

    with undone_exactly(module):
        start()
        assert outcomes_of(module, case, start, instrumentor.uninstrument) == natively
        instrumentor.uninstrument()
    assert len(tracing.spans) == len(natively)
    assert logged() == []


def _wrapped_by_wrapt(function: Any) -> Any:
    return wrapt.FunctionWrapper(function, lambda wrapped, _instance, args, kwargs: wrapped(*args, **kwargs))


def _wrapped_by_hand(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


#: The class holds an object for these that a plain function cannot call, or that does not bind like a function.
NOT_BY_HAND = ("partial method", "single dispatch method", "static method", "class method", "new", "partial")


def wrapped() -> Iterator[Any]:
    """Every kind of each shape, wrapped by every tool that can wrap it."""
    for case, tool in itertools.product(CASES, (_wrapped_by_wrapt, _wrapped_by_hand)):
        if case.signature != "stars" or (tool is _wrapped_by_hand and case.shape in NOT_BY_HAND):
            continue
        if tool is _wrapped_by_wrapt and case.shape == "partial" and Version(wrapt.__version__) < Version("1.17"):
            continue  # before 1.17, wrapt's own wrapper of a partial fails when it is looked up on an instance
        yield pytest.param(case, tool, id=f"{case}-{tool.__name__}")


@pytest.mark.parametrize(("case", "tool"), list(wrapped()))
def test_the_wrapper_of_another_tool_can_be_inside_or_outside_of_ours(
    case: Case, tool: Callable[[Any], Any], make_module, instrumented, spec_file, tracing, logged
):
    module = make_module(case.source)
    owner, name = _holder(module, case)
    original = inspect.getattr_static(owner, name)
    setattr(owner, name, tool(original))
    natively, before = outcomes_of(module, case), inspect.getattr_static(owner, name)
    calls = len(natively)

    with instrumented(SPEC.replace("TARGET", case.target), module):
        assert outcomes_of(module, case) == natively
    assert inspect.getattr_static(owner, name) is before
    assert (len(tracing.spans), outcomes_of(module, case)) == (calls, natively)

    setattr(owner, name, original)
    # What the program holds of the other tool's wrapper would be reported: it calls the original.
    del before
    outcomes_of(module, case)  # the tracebacks of the last outcomes hold the wrapper
    instrumentor = DeclarativeInstrumentor()
    instrumentor.instrument(
        tracer_provider=tracing.provider, specs=[spec_file(SPEC.replace("TARGET", case.target), module)]
    )
    over = tool(inspect.getattr_static(owner, name))
    setattr(owner, name, over)
    assert outcomes_of(module, case) == natively
    instrumentor.uninstrument()
    assert (inspect.getattr_static(owner, name), outcomes_of(module, case)) == (over, natively)
    assert len(tracing.spans) == 2 * calls
    assert logged() == []


def _holder(module: Any, case: Case) -> tuple[Any, str]:
    *path, name = case.target.split(".")
    return functools.reduce(getattr, path, module), name


def test_every_pair_of_a_shape_a_kind_and_a_signature_is_in_the_table():
    for pair in itertools.combinations(("shape", "kind", "signature"), 2):
        possible, selected = (
            {tuple(getattr(case, each) for each in pair) for case in cases} for cases in (combinations(), CASES)
        )
        assert selected == possible
    assert len({(case.kind, case.signature) for case in CASES if case.shape == "method"}) == 36
