"""Hooks on values: what a call returns or is given, such as objects of C types and callbacks."""

import asyncio
import functools
import gc
import pickle
import sqlite3
import weakref
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main

DATABASE = """
hooks:
  connect: {call: "HOST:connect"}
  cursor: {value: connect.result, method: cursor}
  execute: {value: [cursor.result, connect.result], method: execute, unpack: [statement]}
spans:
  query: {around: execute, name: "{split(statement)[0]}", attributes: {db.query.text: statement}}
"""


@pytest.fixture
def database(make_module) -> Any:
    return make_module("import sqlite3\ndef connect(): return sqlite3.connect(':memory:')")


def test_methods_of_an_object_that_a_call_returns_are_traced(database, instrumented, tracing):
    with instrumented(DATABASE, database):
        connection = database.connect()
        cursor = connection.cursor()
        cursor.execute("create table a (b)")
        connection.execute("insert into a values (?)", (1,))
        assert cursor.execute("select b from a").fetchall() == [(1,)]
        with pytest.raises(sqlite3.OperationalError):
            cursor.execute("drop table c")
    assert [span.attributes["db.query.text"] for span in tracing.spans] == [
        "create table a (b)",
        "insert into a values (?)",
        "select b from a",
        "drop table c",
    ]
    assert tracing.spans[-1].events[0].attributes["exception.type"] == "sqlite3.OperationalError"
    cursor.execute("select 1")
    connection.close()
    assert len(tracing.spans) == 4


def test_a_hook_can_be_on_several_methods_of_an_object(
    database, instrumented, tracing, spec_file, capsys: pytest.CaptureFixture[str]
):
    spec = """
    hooks:
      connect: {call: "HOST:connect"}
      execute: {value: connect.result, method: [execute, executemany], unpack: [statement]}
    spans:
      query: {around: execute, name: "{hooked.name}", attributes: {db.query.text: statement}}
    """
    with instrumented(spec, database):
        connection = database.connect()
        connection.execute("create table a (b)")
        connection.executemany("insert into a values (?)", [(1,), (2,)])
        connection.close()
    assert [(span.name, span.attributes["db.query.text"]) for span in tracing.spans] == [
        ("execute", "create table a (b)"),
        ("executemany", "insert into a values (?)"),
    ]
    capsys.readouterr()
    file = spec_file(spec.replace("HOST", database.__name__))
    assert main(["explain", "query", "--specs", str(file)]) == 0
    shown = capsys.readouterr().out
    assert all(f"around {database.__name__}:connect().{name}" in shown for name in ("execute ", "executemany "))


def test_an_object_whose_methods_are_hooked_behaves_like_itself(database, instrumented):
    with instrumented(DATABASE, database):
        connection = database.connect()
        assert isinstance(connection, sqlite3.Connection)
        assert connection.total_changes == 0
        connection.row_factory = sqlite3.Row
        with connection as entered:
            assert entered is connection
        cursor = connection.cursor()
        assert cursor.connection is connection
        assert cursor.execute("select 1 as a union select 2 order by a") is cursor
        cursor.execute("create table t (c)")
        assert cursor.executemany("insert into t values (?)", [(1,)]) is cursor
        assert [row["a"] for row in cursor.execute("select 1 as a union select 2 order by a")] == [1, 2]
        assert {connection: 1}[connection] == 1
        assert connection == connection
        assert dir(connection) == dir(sqlite3.Connection)
        with pytest.raises(TypeError, match="cannot pickle"):
            pickle.dumps(connection)
        with pytest.raises(AttributeError, match="has no attribute"):
            connection.missing  # noqa: B018
        connection.commit()
        copy = database.connect()
        connection.backup(copy)
        copy.close()
        connection.close()
        reference = weakref.ref(connection)
        del connection, entered, cursor
        gc.collect()
        assert reference() is None


def test_the_proxy_of_an_object_is_not_of_its_exact_type(database, instrumented):
    with instrumented(DATABASE, database):
        connection = database.connect()
        assert type(connection) is not sqlite3.Connection
        with pytest.raises(TypeError):
            sqlite3.Cursor(connection)
        connection.close()


CALLBACKS = """
hooks:
  subscribe: {call: "HOST:subscribe"}
  callback: {value: subscribe.callback}
spans:
  event: {around: callback, name: "{hooked}", attributes: {shop.order: order}}
"""


@pytest.fixture
def bus(make_module) -> Any:
    return make_module(
        """
        subscribers = []
        def subscribe(callback=None): subscribers.append(callback)
        def publish(*args): return [each(*args) for each in subscribers]
        """
    )


class Shop:
    def on_order(self, order: str) -> str:
        return f"method {order}"

    def __call__(self, order: str) -> str:
        return f"object {order}"


def plain(order: str) -> str:
    return f"function {order}"


@pytest.mark.parametrize(
    ("callback", "result"),
    [
        (plain, "function a"),
        (lambda order: f"lambda {order}", "lambda a"),
        (Shop().on_order, "method a"),
        (Shop(), "object a"),
        (functools.partial(lambda shop, order: f"{shop} {order}", "partial"), "partial a"),
    ],
)
def test_the_calls_of_a_callback_are_traced_whatever_it_is(callback, result: str, bus, instrumented, tracing):
    with instrumented(CALLBACKS, bus):
        bus.subscribe(callback)
        assert bus.publish("a") == [result]
        assert bus.subscribers == [callback]
        assert hash(bus.subscribers[0]) == hash(callback)
    assert tracing.span.attributes["shop.order"] == "a"
    assert bus.publish("a") == [result]
    assert len(tracing.spans) == 1


def test_a_callback_without_a_named_parameter_is_traced_without_its_attribute(bus, instrumented, tracing):
    with instrumented(CALLBACKS, bus):
        bus.subscribe(len)
        bus.subscribe(None)
        assert bus.subscribers.pop() is None
        assert bus.publish("abc") == [3]
    assert not tracing.span.attributes


def _returning(value: Any) -> Any:
    return lambda order: value


def test_callbacks_that_are_created_for_each_call_are_traced_and_not_kept_alive(bus, instrumented, tracing):
    class Order(str):
        pass

    with instrumented(CALLBACKS, bus):
        for number in range(3):
            captured = Order(number)
            bus.subscribe(functools.partial(lambda shop, order: shop, captured))
            bus.subscribe(_returning(captured))
        reference = weakref.ref(captured)
        assert bus.publish("a") == ["0", "0", "1", "1", "2", "2"]
        bus.subscribers.clear()
        del captured
        gc.collect()
        assert reference() is None
    assert [span.attributes["shop.order"] for span in tracing.spans] == ["a"] * 6


def test_callbacks_of_asyncio_are_traced(instrumented, tracing):
    spec = """
    hooks:
      later: {call: "asyncio.base_events:BaseEventLoop.call_later"}
      callback: {value: later.callback}
    spans:
      timer: {around: callback, name: "{hooked.name}"}
    """

    async def main() -> int:
        future = asyncio.get_running_loop().create_future()

        def fire(value: int) -> None:
            future.set_result(value)

        asyncio.get_running_loop().call_later(0, fire, 7)
        cancelled = asyncio.get_running_loop().call_later(0.001, fire, 8)
        cancelled.cancel()
        return await future

    with instrumented(spec, asyncio.base_events):
        assert asyncio.run(main()) == 7
    assert tracing.names == ["fire"]


def test_a_coroutine_function_that_is_passed_is_traced_until_its_end(make_module, instrumented, tracing):
    host = make_module("async def run(handler, value): return await handler(value)")
    spec = """
    hooks: {run: {call: "HOST:run"}, handler: {value: run.handler}}
    spans: {handled: {around: handler, attributes: {shop.total: result}}}
    """

    async def handler(value: int) -> int:
        await asyncio.sleep(0)
        return value + 1

    with instrumented(spec, host):
        assert asyncio.run(host.run(handler, 1)) == 2
    assert tracing.span.attributes["shop.total"] == 2


def test_a_function_that_a_call_returns_is_traced(make_module, instrumented, tracing):
    host = make_module(
        """
        def decorated(function):
            def wrapper(*args): return function(*args)
            return wrapper
        """
    )
    spec = """
    hooks: {decorated: {call: "HOST:decorated"}, wrapper: {value: decorated.result}}
    spans: {called: {around: wrapper}}
    """
    with instrumented(spec, host):
        wrapper = host.decorated(len)
        assert wrapper("abc") == 3
        assert wrapper.__name__ == "wrapper"
    assert tracing.names == ["called"]


def test_an_argument_of_a_callable_in_c_is_hooked(make_module, instrumented, tracing):
    host = make_module("from bisect import insort")
    spec = """
    hooks: {insort: {call: "HOST:insort"}, key: {value: insort.key}}
    spans: {key: {around: key, attributes: {shop.item: item}}}
    """
    with instrumented(spec, host):
        numbers = [1, 3]
        host.insort(numbers, 2, key=lambda item: item)
        host.insort(numbers, 4)
    assert numbers == [1, 2, 3, 4]
    assert {span.attributes["shop.item"] for span in tracing.spans} >= {1, 2}


def test_a_value_that_cannot_be_hooked_is_reported_once(make_module, instrumented, tracing, logged):
    host = make_module("def connect(value): return value")
    spec = """
    hooks: {connect: {call: "HOST:connect"}, read: {value: connect.result, method: read}, call: {value: connect.value}}
    spans: {read: {around: read}, called: {around: call}}
    """
    with instrumented(spec, host):
        assert host.connect(3) == 3
        assert host.connect(4) == 4
        assert host.connect(str) is str
    text = "\n".join(logged())
    assert text.count("connect.result, a int, has no method read: the hook read is not on it") == 1
    assert (
        text.count("connect.value, a int, can be neither called nor awaited as a coroutine: the hook call is not on it")
        == 1
    )
    assert "is a class, whose calls are not hooked" in text
