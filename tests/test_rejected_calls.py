"""Calls to which no rule applies because of the value of a parameter: they are passed on after a single comparison."""

import decimal

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
    tracing, make_module, instrumented, kind: str, names: list[str]
):
    module = make_module(HOST)
    value = eval(kind, {"module": module})
    with instrumented(SPEC, module):
        assert module.Hub().notify(value, "a detail") is value
    assert tracing.names == names


def test_a_hook_without_a_condition_applies_to_every_call(tracing, make_module, instrumented):
    module = make_module(HOST)
    spec = f'{SPEC}  notified: {{around: "HOST:Hub.notify"}}\n'
    with instrumented(spec, module):
        module.Hub().notify("other")
    assert tracing.names == ["notified"]


def test_either_of_two_conditions_is_enough(tracing, make_module, instrumented):
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
    tracing, make_module, instrumented, amount: str, names: list[str]
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


def test_a_comparison_with_a_number_counts_only_if_all_hooks_require_it(tracing, make_module, instrumented):
    module = make_module("def pay(amount): return amount")
    spec = """
    hooks: {small: {call: "HOST:pay", when: amount < 10}, large: {call: "HOST:pay", when: amount > 1000 and amount}}
    spans: {small: {around: small}, large: {around: large}, huge: {around: "HOST:pay", when: amount > 5000}}
    """
    with instrumented(spec, module):
        for amount in (5, 500, 2000, 6000):
            module.pay(amount)
    assert sorted(tracing.names) == ["huge", "large", "large", "small"]


def test_a_call_is_passed_on_if_no_action_of_its_hooks_has_a_condition_that_is_true(tracing, make_module, instrumented):
    module = make_module("""
    def pay(amount, *details):
        if amount == 7: raise ValueError("declined")
        return amount
    def steps(amount): yield from range(amount)
    """)
    spec = """
    hooks: {paid: {call: "HOST:pay", unpack: [note]}}
    spans:
      large: {around: paid, when: amount > 1000, attributes: {note: note}}
      small: {at: paid.enter, when: amount < 10}
      steps: {around: "HOST:steps", when: amount > 2}
    """
    with instrumented(spec, module):
        for amount in (5, 500, 2000):
            assert module.pay(amount, "a note") == amount
        with pytest.raises(ValueError, match="declined"):
            module.pay(7, "a note")
        assert [[*module.steps(amount)] for amount in (2, 3)] == [[0, 1], [0, 1, 2]]
    assert tracing.names == ["small", "large", "small", "steps"]


@pytest.mark.parametrize(
    "rule",
    [
        "spans: {noted: {at: paid.return, when: result > 1000}}",
        "metrics: {paid: {instrument: counter, at: paid.enter}}",
        "spans: {noted: {at: paid.enter, when: amount}}",
    ],
)
def test_a_call_is_not_passed_on_because_of_the_condition_of_one_action_only(
    tracing, make_module, instrumented, rule: str
):
    module = make_module("def pay(amount, *details): return 2000")
    spec = f"hooks: {{paid: {{call: 'HOST:pay'}}}}\n{rule}\n"
    large = "large: {around: paid, when: amount > 1000}"
    spec = spec.replace("spans: {", f"spans: {{{large}, ") if "spans" in rule else f"{spec}spans: {{{large}}}\n"
    with instrumented(spec, module):
        module.pay(5)
    assert tracing.names == (["noted"] if "noted" in rule else [])
    assert bool(tracing.points("paid")) == ("metrics" in rule)


def test_a_name_that_a_hook_defines_is_not_the_parameter(tracing, make_module, instrumented):
    module = make_module("def pay(amount, *details): return amount")
    spec = """
    hooks: {paid: {call: "HOST:pay", names: {amount: 'details[0]'}}}
    spans: {large: {around: paid, when: amount > 1000}}
    """
    with instrumented(spec, module):
        module.pay(5, 2000)
        module.pay(2000, 5)
    assert tracing.names == ["large"]
