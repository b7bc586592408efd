"""Calls to which no rule applies because of the value of a parameter: they are passed on after a single comparison."""

from __future__ import annotations

import decimal
from typing import Any

import pytest

HOST = """
class Hub:
    def notify(self, kind, *details): return kind
class Kind(str):
    pass
class Shouted:
    def __eq__(self, other): return other == "opened"
"""

SPEC = """
hooks:
  opened: {call: "HOST:Hub.notify", when: kind == "opened", unpack: [name]}
  ended: {call: "HOST:Hub.notify", when: 'kind in ("closed", "expired") and details'}
spans:
  opened: {at: opened.enter, attributes: {name: name}}
  ended: {at: ended.return, attributes: {kind: result}}
"""


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("'opened'", ["opened"]),
        ("'closed'", ["ended"]),
        ("'other'", []),
        ("None", []),
        ("[]", []),
        ("module.Kind('expired')", ["ended"]),
        ("module.Kind('other')", []),
        ("module.Shouted()", ["opened"]),
    ],
)
def test_a_rule_applies_to_the_calls_for_which_its_condition_is_true(
    tracing: Any, make_module: Any, instrumented: Any, kind: str, names: list[str]
):
    module = make_module(HOST)
    value = eval(kind, {"module": module})
    with instrumented(SPEC, module):
        assert module.Hub().notify(value, "a detail") is value
    assert tracing.names == names


def test_a_hook_without_a_condition_applies_to_every_call(tracing: Any, make_module: Any, instrumented: Any):
    module = make_module(HOST)
    spec = f'{SPEC}  notified: {{around: "HOST:Hub.notify"}}\n'
    with instrumented(spec, module):
        module.Hub().notify("other")
    assert tracing.names == ["notified"]


def test_either_of_two_conditions_is_enough(tracing: Any, make_module: Any, instrumented: Any):
    module = make_module(HOST)
    spec = """
    hooks: {notified: {call: "HOST:Hub.notify", when: 'kind == "opened" or details'}}
    spans: {notified: {around: notified}}
    """
    with instrumented(spec, module):
        module.Hub().notify("other")
        module.Hub().notify("other", "a detail")
        module.Hub().notify("opened")
    assert tracing.names == ["notified", "notified"]


@pytest.mark.parametrize(
    ("amount", "names"),
    [
        ("1001", ["paid"]),
        ("1000.5", ["paid"]),
        ("1000", []),
        ("float('nan')", []),
        ("True", []),
        ("None", []),
        ("decimal.Decimal(2000)", ["paid"]),
        ("decimal.Decimal(2)", []),
        ("module.Large()", ["paid"]),
    ],
)
def test_a_rule_applies_to_the_numbers_for_which_its_condition_is_true(
    tracing: Any, make_module: Any, instrumented: Any, amount: str, names: list[str]
):
    module = make_module("""
    def pay(amount): return amount
    class Large:
        def __gt__(self, other): return pay(other) == other
    """)
    spec = 'spans: {paid: {around: "HOST:pay", when: amount > 1000}}'
    value = eval(amount, {"module": module, "decimal": decimal})
    with instrumented(spec, module):
        assert module.pay(value) is value
    assert tracing.names == names


def test_a_comparison_with_a_number_counts_only_if_all_hooks_require_it(
    tracing: Any, make_module: Any, instrumented: Any
):
    module = make_module("def pay(amount): return amount")
    spec = """
    hooks: {small: {call: "HOST:pay", when: amount < 10}, large: {call: "HOST:pay", when: amount > 1000 and amount}}
    spans: {small: {around: small}, large: {around: large}, huge: {around: "HOST:pay", when: amount > 5000}}
    """
    with instrumented(spec, module):
        for amount in (5, 500, 2000, 6000):
            module.pay(amount)
    assert sorted(tracing.names) == ["huge", "large", "large", "small"]
