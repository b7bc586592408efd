"""A failure of a rule is counted and logged once; a rule that fails too often is disabled, which is logged too."""

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.runtime import guard
from opentelemetry.instrumentation.declarative.runtime.guard import MOST_FAILURES, Rule

HOST = """
class Item:
    read = 0
    __slots__ = ("other",)
    @property
    def bad(self):
        Item.read += 1
        raise ArithmeticError("bad")
    @property
    def fixed(self): return None
def call(item, good=1): return good
"""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the guard's clock, as the only element."""
    now = [1000.0]
    monkeypatch.setattr(guard.time, "monotonic", lambda: now[0])
    return now


def fail(rule: Rule, times: int) -> None:
    for _ in range(times):
        rule.failed(ValueError("no"))


def test_a_rule_that_fails_too_often_within_a_minute_is_disabled_and_logs_it(
    clock: list[float], caplog: pytest.LogCaptureFixture
):
    rule = Rule(RuleId("event", "gone", Mark("a.yaml", 3, 1)))
    fail(rule, MOST_FAILURES - 1)
    assert rule.on
    fail(rule, 5)
    assert not rule.on
    assert rule.failures == MOST_FAILURES + 4
    assert caplog.messages == [
        "a.yaml:3:1: event gone failed: ValueError: no. The program is not affected; "
        "further failures of this rule are not logged.",
        f"a.yaml:3:1: event gone has failed {MOST_FAILURES} times within a minute, {MOST_FAILURES} times in total: "
        "it is disabled. Fix it and restart the program.",
    ]


def test_a_rule_that_fails_occasionally_stays_on(clock: list[float], caplog: pytest.LogCaptureFixture):
    rule = Rule(RuleId("event", "gone", Mark("a.yaml", 3, 1)))
    for _ in range(10):
        fail(rule, MOST_FAILURES - 1)
        clock[0] += guard.MINUTE + 1
    assert rule.on
    assert rule.failures == 10 * (MOST_FAILURES - 1)
    assert len(caplog.messages) == 1


def test_a_rule_without_a_limit_of_failures_stays_on(clock: list[float]):
    rule = Rule(RuleId("sink", "hub", Mark("a.yaml", 3, 1)), most=None)
    fail(rule, 3 * MOST_FAILURES)
    assert rule.on


def test_an_attribute_that_always_raises_is_no_longer_read_and_its_span_is_still_recorded(
    make_module, instrumented, tracing, logged, clock: list[float]
):
    host = make_module(HOST)
    spec = "spans:\n  call: {around: HOST:call, attributes: {bad: item.bad, good: good, late: result}}\n"
    with instrumented(spec, host):
        for _ in range(MOST_FAILURES):
            host.call(host.Item())
        # Directly with the others, and null-safe on its own; at the first call also null-safe with the others.
        assert host.Item.read == 2 * MOST_FAILURES + 1
        before = host.Item.read
        host.call(host.Item())
        assert host.Item.read == before + 1
    assert [dict(span.attributes or {}) for span in tracing.spans] == [{"good": 1, "late": 1}] * (MOST_FAILURES + 1)
    assert len(logged()) == 2
    assert "it is disabled" in logged()[1]


def test_switching_a_rule_off_does_not_affect_the_others(
    make_module, instrumented, tracing, logged, clock: list[float]
):
    host = make_module(HOST)
    spec = """
    hooks: {call: {call: "HOST:call"}}
    spans: {call: {around: call, attributes: {good: good}}}
    enrich: {current: {events: {called: {at: call.return}}}}
    inject: {forbidden: {at: call.enter, field: item.fixed, value: good}}
    """
    with instrumented(spec, host):
        for _ in range(MOST_FAILURES + 10):
            assert host.call(host.Item()) == 1
    assert len(tracing.spans) == MOST_FAILURES + 10
    assert all(span.attributes == {"good": 1} for span in tracing.spans)
    assert [event.name for event in tracing.spans[-1].events] == ["called"]
    assert ["is disabled" in line for line in logged()] == [False, True]
