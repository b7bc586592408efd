"""Python functions that are called with a span at a moment."""

import asyncio
import logging
import sqlite3.dbapi2
from typing import Any

import pytest

HOST = """
import asyncio
import sys

calls = []

def note(span, *values):
    calls.append((span.name, values))
    span.set_attribute("noted", len(values))

def fail(span):
    calls.append("fail")
    raise ValueError("no")

def leave(span):
    sys.exit(1)

async def later(span):
    raise AssertionError

async def wait(span, *values):
    await asyncio.sleep(0)
    note(span, *values)

async def fail_later(span):
    await asyncio.sleep(0)
    sys.exit(1)

async def wait_forever(span):
    calls.append("waiting")
    await asyncio.Event().wait()

class Cart:
    id = 1

    def pay(self, card):
        if card is None:
            raise LookupError("no card")
        return {"receipt": 7}

    def ship(self, order_id):
        return self.pay("visa")

    async def refund(self, card):
        if card is None:
            raise LookupError("no card")
        return 7

    def start_refund(self, card):
        return self.refund(card)
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def test_a_function_is_called_with_the_span_of_a_call_and_its_arguments(module, instrumented, tracing):
    spec = """
    hooks: {pay: {call: "HOST:Cart.pay"}}
    spans: {pay: {around: pay}, ship: {around: "HOST:Cart.ship"}}
    functions:
      note: {call: "HOST:note", at: pay.exit, when: card != "free", arguments: [card, result.receipt]}
      note_outer: {call: "HOST:note", at: pay.enter, of: parent}
    """
    with instrumented(spec, module):
        module.Cart().ship(1)
        with pytest.raises(LookupError):
            module.Cart().pay(None)
        module.Cart().pay("free")
    assert module.calls == [("ship", ()), ("pay", ("visa", 7)), ("pay", (None, None))]
    assert [span.attributes.get("noted") for span in tracing.spans] == [2, 0, 2, None]


def test_a_function_is_called_with_the_open_span_that_has_a_key(module, instrumented, tracing):
    spec = """
    hooks: {pay: {call: "HOST:Cart.pay"}, ship: {call: "HOST:Cart.ship"}}
    spans: {cart: {key: self.id, start: ship.enter, end: ship.exit}}
    functions:
      note: {call: "HOST:note", at: pay.return, of: {span: cart}, arguments: [card]}
      note_other: {call: "HOST:note", at: pay.return, of: {span: cart, key: '"other"'}}
    """
    with instrumented(spec, module):
        module.Cart().ship(1)
    assert module.calls == [("cart", ("visa",))]


def test_a_function_that_fails_is_reported_once_and_does_not_affect_the_call(
    module, instrumented, tracing, caplog: pytest.LogCaptureFixture
):
    spec = """
    spans: {pay: {around: pay}}
    hooks: {pay: {call: "HOST:Cart.pay"}}
    functions:
      fail: {call: "HOST:fail", at: pay.enter}
      leave: {call: "HOST:leave", at: pay.enter}
      later: {call: "HOST:later", at: pay.enter}
      note: {call: "HOST:note", at: pay.enter}
    """
    with instrumented(spec, module), caplog.at_level(logging.WARNING):
        assert [module.Cart().pay("visa") for _ in range(3)] == [{"receipt": 7}] * 3
    assert module.calls.count("fail") == 3
    failures = [text for record in caplog.records if " failed: " in (text := record.getMessage())]
    errors = [text.split(" failed: ")[1].split(":")[0] for text in failures]
    assert errors == ["ValueError", "RuntimeError", "TypeError"]
    assert [span.attributes["noted"] for span in tracing.spans] == [0, 0, 0]


def test_a_coroutine_function_is_awaited_in_a_call_of_a_coroutine_function(module, instrumented, tracing):
    spec = """
    hooks: {refund: {call: "HOST:Cart.refund"}}
    spans: {refund: {around: refund}}
    functions:
      before: {call: "HOST:wait", at: refund.enter, arguments: [card]}
      after: {call: "HOST:wait", at: refund.exit, arguments: [result, error is None]}
      note: {call: "HOST:note", at: refund.exit}
      fail_later: {call: "HOST:fail_later", at: refund.exit}
    """
    with instrumented(spec, module):
        assert asyncio.run(module.Cart().refund("visa")) == 7
        with pytest.raises(LookupError):
            asyncio.run(module.Cart().refund(None))
    values = [("visa",), (7, True), (), (None,), (None, False), ()]
    assert module.calls == [("refund", each) for each in values]
    assert len(tracing.spans) == 2


def test_a_task_can_be_cancelled_while_it_awaits_a_function(module, instrumented, tracing):
    async def cancel() -> None:
        task = asyncio.create_task(module.Cart().refund("visa"))
        while not module.calls:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    spec = """
    hooks: {refund: {call: "HOST:Cart.refund"}}
    spans: {refund: {around: refund}}
    functions: {wait_forever: {call: "HOST:wait_forever", at: refund.enter}}
    """
    with instrumented(spec, module):
        asyncio.run(cancel())
    assert tracing.names == ["refund"]


@pytest.mark.parametrize(
    "hook", ["{call: 'HOST:Cart.start_refund'}", "{call: 'HOST:Cart.refund', follow_result: true}"]
)
def test_a_coroutine_function_is_not_awaited_at_the_end_of_a_result_that_is_followed(
    hook: str, module, instrumented, tracing, logged
):
    spec = f"""
    hooks: {{refund: {hook}}}
    spans: {{refund: {{around: refund}}}}
    functions: {{wait: {{call: "HOST:wait", at: refund.return}}}}
    """
    with instrumented(spec, module):
        cart = module.Cart()
        assert asyncio.run(cart.start_refund("visa") if "start_refund" in hook else cart.refund("visa")) == 7
    (line,) = logged()
    assert "is awaited only in a call of a coroutine function" in line
    assert len(tracing.spans) == 1


def test_a_function_is_not_called_with_a_span_that_is_not_recorded(module, instrumented, tracing):
    spec = """
    hooks: {pay: {call: "HOST:Cart.pay"}}
    spans: {pay: {around: pay, sample: {ratio: 0}}}
    functions: {note: {call: "HOST:note", at: [pay.enter, pay.return]}}
    """
    with instrumented(spec, module):
        module.Cart().pay("visa")
    assert module.calls == []


def test_no_rule_applies_to_what_a_function_calls(module, instrumented, tracing):
    spec = """
    hooks: {pay: {call: "HOST:Cart.pay"}, note: {call: "HOST:note"}}
    spans: {pay: {around: pay}, note: {around: note}}
    functions: {note: {call: "HOST:note", at: pay.enter}}
    """
    with instrumented(spec, module):
        module.Cart().pay("visa")
    assert tracing.names == ["pay"]


def explain_plan(span: Any, connection: sqlite3.Connection, statement: str) -> None:
    """Record how a database executes a statement, which only its driver can say."""
    plan = connection.execute(f"explain query plan {statement}").fetchall()
    span.set_attribute("db.query.plan", [row[-1] for row in plan])


def test_the_plan_of_a_query_is_recorded_by_a_function(module, instrumented, tracing):
    spec = f"""
    hooks:
      connect: {{call: "sqlite3.dbapi2:connect"}}
      execute: {{value: connect.result, method: execute, unpack: [statement]}}
    spans: {{query: {{around: execute, kind: client, attributes: {{db.query.text: statement}}}}}}
    functions:
      explain_plan: {{call: "{__name__}:explain_plan", at: execute.return, arguments: [self, statement]}}
    """
    with instrumented(spec, module):
        connection = sqlite3.dbapi2.connect(":memory:")
        connection.execute("select 1")
    connection.close()
    assert dict(tracing.span.attributes) == {"db.query.text": "select 1", "db.query.plan": ("SCAN CONSTANT ROW",)}
