"""The forms of attributes: fixed values, conditions, omitted values, moments of their own, and groups."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import SpecError
from opentelemetry.instrumentation.declarative.plan.validation import read_spec
from opentelemetry.trace import StatusCode

HOST = """
calls = []

def is_new():
    calls.append("is_new")
    return True

def is_old():
    raise OSError("no configuration")

class Cart:
    def __init__(self, id=1, lines=(), note=""):
        self.id = id
        self.lines = list(lines)
        self.note = note

    def pay(self, card, amount=0):
        if amount > 100:
            raise ValueError("too much")
        return amount

    def checkout(self, *amounts):
        for amount in amounts:
            self.pay("visa", amount)
        return sum(amounts)
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def attributes_of(span: Any) -> dict[str, Any]:
    return dict(span.attributes)


def test_fixed_values_are_recorded_as_they_are(module, instrumented, tracing):
    spec = """
    spans:
      pay:
        around: HOST:Cart.pay
        attributes:
          text: {const: chat}
          number: {const: 0}
          flag: {const: false}
          texts: {const: [stop, ""]}
          only_large: {const: large, when: amount > 10}
    """
    with instrumented(spec, module):
        module.Cart().pay("visa", 5)
        module.Cart().pay("visa", 50)
    fixed = {"text": "chat", "number": 0, "flag": False, "texts": ("stop", "")}
    assert [attributes_of(span) for span in tracing.spans] == [fixed, {**fixed, "only_large": "large"}]


def test_the_end_of_a_span_an_event_and_a_metric_have_fixed_values(module, instrumented, tracing):
    spec = """
    hooks: {checkout: {call: "HOST:Cart.checkout"}, pay: {call: "HOST:Cart.pay"}}
    spans:
      cart:
        key: self.id
        start: checkout.enter
        end: {at: checkout.exit, attributes: {reason: {const: done}, count: {value: len(amounts), omit: empty}}}
        events:
          paid:
            at: pay.return
            attributes: {kind: {const: payment}}
            attribute_groups: {large: {when: amount > 10, attributes: {size: {const: large}}}}
    metrics:
      paid:
        instrument: counter
        at: pay.return
        attributes: {kind: {const: payment}}
        attribute_groups: {large: {when: amount > 10, attributes: {size: {const: large}}}}
    """
    with instrumented(spec, module):
        module.Cart().checkout(5, 50)
        module.Cart().checkout()
    first, second = tracing.spans
    assert attributes_of(first) == {"reason": "done", "count": 2}
    assert attributes_of(second) == {"reason": "done"}
    assert [dict(event.attributes) for event in first.events] == [
        {"kind": "payment"},
        {"kind": "payment", "size": "large"},
    ]
    assert set(tracing.points("paid")) == {(("kind", "payment"),), (("kind", "payment"), ("size", "large"))}


def test_ends_values_and_bodies_have_all_forms_of_attributes(module, instrumented, tracing):
    spec = """
    hooks: {checkout: {call: "HOST:Cart.checkout"}}
    spans:
      cart:
        key: self.id
        start: checkout.enter
        end:
          at: checkout.exit
          attribute_groups: {several: {when: len(amounts) > 1, attributes: {several: amounts}}}
    metrics:
      items:
        instrument: counter
        at: checkout.return
        values:
          - {value: "1", attribute_groups: {large: {when: result > 10, attributes: {size: {const: large}}}}}
    """
    with instrumented(spec, module):
        module.Cart().checkout(5)
        module.Cart().checkout(5, 50)
    assert [attributes_of(span) for span in tracing.spans] == [{}, {"several": (5, 50)}]
    assert set(tracing.points("items")) == {(), (("size", "large"),)}


def test_an_attribute_of_a_span_is_set_at_each_item_of_its_own_call(make_module, instrumented, tracing):
    spec = """
    hooks: {read: {call: "HOST:read", follow_result: true}, numbers: {call: "HOST:numbers"}}
    spans:
      read:
        around: read
        attributes: {last: {value: last_item, at: read.item}}
        events: {item: {at: read.item, when: item_count == 1}}
      numbers:
        around: numbers
        attribute_groups: {first: {at: numbers.item, when: item_count == 1, attributes: {first: last_item}}}
    """
    module = make_module("""
    class Lines:
        def __init__(self, *lines):
            self.lines = iter(lines)
        def __iter__(self):
            return self
        def __next__(self):
            return next(self.lines)

    def read(*lines):
        return Lines(*lines)

    def numbers(*items):
        yield from items
    """)
    with instrumented(spec, module):
        first, second = module.read("a", "b"), module.read("c")
        assert ([*second], [*first]) == (["c"], ["a", "b"])
        assert [*module.numbers(3, 4)] == [3, 4]
    assert [attributes_of(span) for span in tracing.spans] == [{"last": "c"}, {"last": "b"}, {"first": 3}]
    assert [len(span.events) for span in tracing.spans] == [1, 1, 0]


@pytest.mark.parametrize("empty", ["", 0, 0.0, False, None, (), [], {}, b""])
def test_an_empty_value_is_omitted_if_the_attribute_says_so(empty, module, instrumented, tracing):
    spec = """
    spans:
      pay:
        around: HOST:Cart.pay
        attributes: {kept: card, omitted: {value: card, omit: empty}}
        attribute_groups: {group: {omit: empty, attributes: {in_group: card, fixed: {const: 0}}}}
    """
    with instrumented(spec, module):
        module.Cart().pay(empty)
        module.Cart().pay("visa")
    first, second = map(attributes_of, tracing.spans)
    assert first.keys() - {"kept"} == {"fixed"}
    assert ("kept" in first) is (empty is not None)
    assert second == {"kept": "visa", "omitted": "visa", "in_group": "visa", "fixed": 0}


def test_a_condition_can_read_the_outcome_of_the_call(module, instrumented, tracing):
    spec = """
    spans:
      pay:
        around: HOST:Cart.pay
        attributes:
          paid: {value: amount, when: error is None}
          refused: {value: amount, when: error is not None}
          card: {value: card, when: result > 10}
    """
    with instrumented(spec, module):
        module.Cart().pay("visa", 5)
        module.Cart().pay("visa", 50)
        with pytest.raises(ValueError, match="too much"):
            module.Cart().pay("visa", 500)
    assert [attributes_of(span) for span in tracing.spans] == [
        {"paid": 5},
        {"paid": 50, "card": "visa"},
        {"refused": 500},
    ]


def test_a_condition_that_cannot_be_read_affects_only_its_attributes(module, instrumented, tracing):
    spec = """
    spans:
      pay:
        around: HOST:Cart.pay
        attributes: {a: amount, b: {value: amount, when: card.kind.name == "visa"}}
        attribute_groups: {group: {when: len(card) > 2, attributes: {c: amount}}}
    """
    with instrumented(spec, module):
        module.Cart().pay(None, 5)
    assert attributes_of(tracing.span) == {"a": 5}


def test_an_attribute_is_set_at_its_moment_on_the_span_around_the_same_call(module, instrumented, tracing, logged):
    spec = """
    hooks: {pay: {call: "HOST:Cart.pay"}}
    spans:
      pay:
        around: pay
        attributes:
          asked: {value: amount, at: pay.enter}
          refused: {value: amount, at: pay.raise}
          paid: {value: result, at: pay.return, omit: empty}
        status: {at: pay.enter, when: amount < 0, error: '"negative"'}
        events: {seen: {at: pay.exit}}
    """
    with instrumented(spec, module):
        for amount in (5, -5, 0):
            module.Cart().pay("visa", amount)
        with pytest.raises(ValueError, match="too much"):
            module.Cart().pay("visa", 500)
    assert [attributes_of(span) for span in tracing.spans] == [
        {"asked": 5, "paid": 5},
        {"asked": -5, "paid": -5},
        {"asked": 0},
        {"asked": 500, "refused": 500},
    ]
    assert [span.status.description for span in tracing.spans] == [None, "negative", None, "ValueError: too much"]
    assert [event.name for span in tracing.spans for event in span.events if event.name == "seen"] == ["seen"] * 4
    assert logged() == []


def test_the_span_of_a_recursive_call_is_its_own(make_module, instrumented, tracing):
    module = make_module("def fall(n): return fall(n - 1) if n else 0")
    spec = """
    hooks: {fall: {call: "HOST:fall"}}
    spans: {fall: {around: fall, attributes: {n: {value: n, at: [fall.enter, fall.return]}}}}
    """
    with instrumented(spec, module):
        module.fall(2)
    assert [attributes_of(span)["n"] for span in tracing.spans] == [0, 1, 2]


def test_an_attribute_is_set_at_its_moment_on_the_open_span_that_is_found_by_its_key(module, instrumented, tracing):
    spec = """
    hooks: {checkout: {call: "HOST:Cart.checkout"}, pay: {call: "HOST:Cart.pay"}}
    spans:
      checkout:
        around: checkout
        key: self.id
        attributes:
          last: {value: amount, at: pay.enter}
          large: {const: true, at: pay.enter, when: amount > 10}
    """
    with instrumented(spec, module):
        module.Cart(1).checkout(5, 6)
        module.Cart(2).checkout(50, 7)
    assert [attributes_of(span) for span in tracing.spans] == [{"last": 6}, {"last": 7, "large": True}]


GROUPS = """
functions: {is_new: "HOST:is_new"}
spans:
  pay:
    around: HOST:Cart.pay
    attributes: {shared: amount}
    attribute_groups:
      old: {when: '"${CONVENTIONS:-old}" != "new"', attributes: {pay.amount: amount, pay.kind: {const: card}}}
      new: {when: '"${CONVENTIONS:-old}" in ("new", "both")', attributes: {shop.amount: amount}}
      asked: {when: is_new(), attributes: {asked: {const: yes}}}
"""


@pytest.mark.parametrize(
    ("conventions", "recorded"),
    [
        ("old", {"pay.amount": 5, "pay.kind": "card"}),
        ("new", {"shop.amount": 5}),
        ("both", {"pay.amount": 5, "pay.kind": "card", "shop.amount": 5}),
    ],
)
def test_groups_record_old_and_new_conventions_as_the_environment_says(
    conventions: str, recorded: dict[str, Any], module, instrumented, tracing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CONVENTIONS", conventions)
    with instrumented(GROUPS, module):
        module.Cart().pay("visa", 5)
    assert attributes_of(tracing.span) == {"shared": 5, "asked": "yes", **recorded}


def test_a_condition_without_names_is_decided_once_and_not_at_each_call(module, instrumented, tracing):
    with instrumented(GROUPS, module):
        for amount in range(5):
            module.Cart().pay("visa", amount)
    assert len(tracing.spans) == 5
    assert module.calls == ["is_new"]


def test_the_part_of_a_condition_without_names_is_decided_once(module, instrumented, tracing):
    spec = """
    functions: {is_new: "HOST:is_new"}
    spans: {pay: {around: HOST:Cart.pay, attributes: {large: {value: amount, when: is_new() and amount > 2}}}}
    """
    with instrumented(spec, module):
        for amount in range(5):
            module.Cart().pay("visa", amount)
    assert [attributes_of(span) for span in tracing.spans] == [{}, {}, {}, {"large": 3}, {"large": 4}]
    assert module.calls == ["is_new"]


def test_a_condition_that_fails_when_it_is_decided_is_reported_and_not_true(module, instrumented, tracing, logged):
    spec = GROUPS.replace('is_new: "HOST:is_new"', 'is_new: "HOST:is_old"')
    with instrumented(spec, module):
        assert module.Cart().pay("visa", 5) == 5
    assert "asked" not in attributes_of(tracing.span)
    assert len(logged()) == 1
    assert "OSError: no configuration" in logged()[0]


def test_a_condition_that_reads_the_clock_is_evaluated_at_each_call(module, instrumented, tracing):
    spec = """
    spans: {pay: {around: HOST:Cart.pay, attributes: {late: {const: true, when: now() > 0}}}}
    """
    with instrumented(spec, module):
        module.Cart().pay("visa")
    assert attributes_of(tracing.span) == {"late": True}


def test_a_constant_condition_of_a_span_or_a_hook_is_decided_once(
    module, instrumented, tracing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STAGE", "test")
    spec = """
    hooks: {checkout: {call: "HOST:Cart.checkout", when: '"${STAGE}" == "production"'}}
    spans:
      checkout: {around: checkout}
      pay: {around: "HOST:Cart.pay", when: '"${STAGE}" == "test"'}
      payment: {around: "HOST:Cart.pay", when: '"${STAGE}" == "production"'}
    """
    with instrumented(spec, module):
        module.Cart().checkout(1)
    assert tracing.names == ["pay"]


_RULES_THAT_NEVER_APPLY = {
    "span": "spans: {pay: {around: pay, NEVER, attributes: {card: card}}}",
    "hook": "spans: {pay: {at: never.return, attributes: {card: card}}}",
    "metric": "metrics: {pay: {instrument: counter, at: pay.exit, NEVER}}",
    "log record": "logs: {pay: {at: pay.exit, NEVER, body: card}}",
    "context value": "context: {card: {during: pay, NEVER, value: card}}",
    "function": "functions: {note: {call: 'HOST:is_old', at: pay.exit, NEVER}}",
    "mapping": 'enrich: {current: {attributes: {"card.*": {at: pay.exit, value: card, only: "${SHOP_STAGE}"}}}}',
}


@pytest.mark.parametrize("rule", _RULES_THAT_NEVER_APPLY.values(), ids=_RULES_THAT_NEVER_APPLY)
def test_a_callable_whose_rules_never_apply_in_this_process_is_not_patched(
    rule: str, module, instrumented, tracing, monkeypatch: pytest.MonkeyPatch
):
    hooks = """hooks: {pay: {call: "HOST:Cart.pay"}, never: {call: "HOST:Cart.pay", NEVER, names: {id: self.id}}}"""
    never = """when: '"${SHOP_STAGE}" == "production"'"""
    original = module.Cart.pay.__code__
    monkeypatch.delenv("SHOP_STAGE", raising=False)
    with instrumented(f"{hooks}\n{rule}".replace("NEVER", never), module):
        assert module.Cart.pay.__code__ is original


def test_a_condition_of_a_function_that_varies_is_decided_at_each_call(module, instrumented, tracing):
    spec = """
    functions: {is_new: {call: "HOST:is_new", varies: true}, unused: "HOST:is_old"}
    names: {new: is_new()}
    spans:
      pay:
        around: HOST:Cart.pay
        attribute_groups: {new: {when: new, attributes: {card: card}}}
    """
    with instrumented(spec, module):
        for _ in range(3):
            module.Cart().pay("visa")
    assert [attributes_of(span) for span in tracing.spans] == [{"card": "visa"}] * 3
    assert module.calls == ["is_new"] * 3


def test_of_attributes_with_the_same_key_the_most_specific_one_is_recorded(module, instrumented, tracing):
    spec = """
    spans:
      pay:
        around: HOST:Cart.pay
        attributes: {size: {const: normal}, kind: card, plain: {const: own}}
        attribute_groups:
          always: {attributes: {kind: {const: group}, plain: {const: group}}}
          large: {when: amount > 10, attributes: {size: {const: large}}}
          huge: {when: amount > 50, attributes: {size: {const: huge}}}
    """
    with instrumented(spec, module):
        for amount in (5, 20, 70):
            module.Cart().pay("visa", amount)
    assert [attributes_of(span)["size"] for span in tracing.spans] == ["normal", "large", "huge"]
    assert {(span.attributes["kind"], span.attributes["plain"]) for span in tracing.spans} == {("visa", "own")}


def test_statuses_at_a_moment_are_set_on_the_span_of_the_call(module, instrumented, tracing):
    spec = """
    hooks: {pay: {call: "HOST:Cart.pay"}}
    enrich:
      current:
        status:
          - {at: pay.return, when: result > 10, ok: "True"}
          - {at: pay.return, error: '"small"'}
      root: {status: {at: pay.raise, error: str(error)}}
    """
    tracer = tracing.provider.get_tracer("by hand")
    with instrumented(spec, module):
        for amount in (5, 50):
            with tracer.start_as_current_span("request"):
                module.Cart().pay("visa", amount)
        with tracer.start_as_current_span("root"), tracer.start_as_current_span("inner"):
            with pytest.raises(ValueError, match="too much"):
                module.Cart().pay("visa", 500)
    assert [(span.name, span.status.status_code, span.status.description) for span in tracing.spans] == [
        ("request", StatusCode.ERROR, "small"),
        ("request", StatusCode.OK, None),
        ("inner", StatusCode.UNSET, None),
        ("root", StatusCode.ERROR, "too much"),
    ]


# ── Overlays ──

SENT = """
instrument: 2
name: client
spans:
  request:
    around: httpx:Client.send
    kind: client
    attributes:
      app.kind: {const: request}
      app.host: request.url.host
    attribute_groups:
      old_conventions: {attributes: {http.method: request.method, http.status_code: result.status_code}}
      new_conventions:
        attributes: {http.request.method: request.method, http.response.status_code: result.status_code}
      redirect: {when: result.status_code == 302, omit: empty, attributes: {app.to: 'result.headers["location"]'}}
"""
OLD = {"http.method": "GET", "http.status_code": 302}
NEW = {"http.request.method": "GET", "http.response.status_code": 302}
WITHOUT_KIND = {"app.host": "shop.example", "app.to": "/login"}
OWN = {"app.kind": "request", **WITHOUT_KIND}


@pytest.mark.parametrize(
    ("overlay", "recorded"),
    [
        ("{}", {**OWN, **OLD, **NEW}),
        ("{attribute_groups: {old_conventions: null}}", {**OWN, **NEW}),
        ("{attribute_groups: {new_conventions: {when: 'False'}}}", {**OWN, **OLD}),
        (
            "{attribute_groups: {old_conventions: {attributes: {http.method: null}}, new_conventions: null}}",
            {**OWN, "http.status_code": 302},
        ),
        (
            "{attributes: {http.method: {const: get}, app.kind: null}}",
            {**WITHOUT_KIND, **OLD, **NEW, "http.method": "get"},
        ),
        ("{attributes: {app.host: {when: request.method == 'POST'}}}", None),
        (
            "{attributes: {app.host: {value: request.url.host, when: request.method == 'POST'}}}",
            {"app.kind": "request", "app.to": "/login", **OLD, **NEW},
        ),
    ],
)
def test_an_overlay_changes_and_removes_attributes_and_groups_of_a_real_library(
    overlay: str, recorded: dict[str, Any] | None, tmp_path: Path, traced
):
    (tmp_path / "client.yaml").write_text(SENT)
    (tmp_path / "my.yaml").write_text(f"instrument: 2\nextends: ./client.yaml\nspans:\n  request: {overlay}\n")
    if recorded is None:
        with pytest.raises(SpecError, match='needs "value" or "const"'):
            read_spec(tmp_path / "my.yaml")
        return
    transport = httpx.MockTransport(lambda _: httpx.Response(302, headers={"location": "/login"}))
    with traced(tmp_path / "my.yaml") as trace, httpx.Client(transport=transport) as client:
        client.get("https://shop.example/cart")
    (span,) = trace.spans
    assert attributes_of(span) == recorded
