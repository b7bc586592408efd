"""Calls to which no rule applies because a parameter has another text: they are passed on after a single comparison."""

from __future__ import annotations

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
