"""``result`` and ``error`` at either end of a call: the one that does not exist is None."""

import contextlib
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.plan.validation import examine

HOST = """
class Cart:
    def pay(self, amount):
        if amount < 0:
            raise ValueError("negative")
        return amount

def refund(amount):
    raise LookupError("lost")
"""


def attributes(trace: Any) -> list[dict[str, Any]]:
    return [dict(span.attributes) for span in trace.spans]


def call(module: Any) -> None:
    cart = module.Cart()
    cart.pay(5)
    with contextlib.suppress(ValueError):
        cart.pay(-1)


@pytest.mark.parametrize(
    ("expression", "returned", "raised"),
    [
        ("error is None", True, False),
        ("error is not None", False, True),
        ("result is None", False, True),
        ("result is not None", True, False),
        ("not error", True, False),
        ("bool(error)", False, True),
        ('is_a(error, "ValueError")', False, True),
        ('"failed" if error else "paid"', "paid", "failed"),
        ('type_name(error) or "none"', "none", "ValueError"),
        ("type_name(error)", None, "ValueError"),
        ("result", 5, None),
        ("result * 2", 10, None),
        ("result > 3", True, None),
        ('f"{error}"', None, "negative"),
        ('f"{result} EUR"', "5 EUR", None),
        ('f"{result} {error}"', None, None),
        ("result or str(error)", 5, "negative"),
        ("amount if error is None else 0", 5, 0),
    ],
)
@pytest.mark.parametrize(
    "spec",
    [
        'spans: {pay: {around: "HOST:Cart.pay", attributes: {found: FOUND}}}',
        'hooks: {pay: {call: "HOST:Cart.pay"}}\nspans: {pay: {at: pay.exit, attributes: {found: FOUND}}}',
        'hooks: {pay: {call: "HOST:Cart.pay"}}\n'
        "spans: {pay: {key: self, start: pay.enter, end: pay.exit, attributes: {found: FOUND}}}",
    ],
    ids=["around", "at exit", "between moments"],
)
def test_an_expression_on_the_outcome_is_evaluated_at_either_end(
    recorded, make_module, spec: str, expression: str, returned, raised
):
    module = make_module(HOST)
    quoted = "'" + expression.replace("'", "''") + "'"
    with recorded(spec.replace("FOUND", quoted), module) as trace:
        call(module)
    expected = [{} if value is None else {"found": value} for value in (returned, raised)]
    assert [{key: value for key, value in each.items() if key == "found"} for each in attributes(trace)] == expected


def test_a_condition_on_the_other_outcome_selects_the_calls_at_exit(recorded, make_module):
    module = make_module(HOST)
    spec = """
        hooks: {pay: {call: "HOST:Cart.pay"}}
        spans:
          paid: {at: pay.exit, when: error is None}
          failed: {at: pay.exit, when: result is None}
    """
    with recorded(spec, module) as trace:
        call(module)
    assert [span.name for span in trace.spans] == ["paid", "failed"]


def test_a_status_can_depend_on_the_other_outcome(recorded, make_module):
    module = make_module(HOST)
    spec = """
        spans:
          pay:
            around: HOST:Cart.pay
            status: [{when: error is None, ok: amount > 0}, {error: 'f"{type_name(error)} in pay"'}]
    """
    with recorded(spec, module) as trace:
        call(module)
    assert [(span.status.status_code.name, span.status.description) for span in trace.spans] == [
        ("OK", None),
        ("ERROR", "ValueError in pay"),
    ]


def test_a_hook_on_several_callables_reads_the_other_outcome(recorded, make_module):
    module = make_module(HOST)
    spec = """
        hooks: {all: {call: {include: ["HOST:Cart.pay", "HOST:refund"]}}}
        spans: {all: {around: all, attributes: {ok: error is None}}}
    """
    with recorded(spec, module) as trace:
        call(module)
        with contextlib.suppress(LookupError):
            module.refund(1)
    assert attributes(trace) == [{"ok": True}, {"ok": False}, {"ok": False}]


SPEC = """
hooks: {pay: {call: "shop:pay"}}
spans: {pay: {at: pay.MOMENT, attributes: {a: FOUND}}}
"""


@pytest.mark.parametrize(
    ("moment", "expression", "accepted"),
    [
        ("return", "error is None", True),
        ("raise", "result is None", True),
        ("exit", "error is None", True),
        ("return", "error.code", False),
        ("raise", "len(result)", False),
        ("enter", "error is None", False),
        ("enter", "result.total", False),
    ],
)
def test_only_what_is_certainly_missing_at_a_moment_is_a_problem(
    spec_file, moment: str, expression: str, accepted: bool
):
    _, problems = examine(spec_file(SPEC.replace("MOMENT", moment).replace("FOUND", expression)))
    assert [problem.code for problem in problems] == ([] if accepted else ["too-early"])
