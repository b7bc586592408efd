"""Values that are collected over the items of a result."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

HOST = """
class Stream:
    def __init__(self, items): self.items = iter(items)
    def __iter__(self): return self
    def __next__(self): return next(self.items)
class Shop:
    def generate(self, items): yield from items
    def stream(self, items): return iter(map(lambda item: item, items))
    def own(self, items): return Stream(items)
    async def asynchronous(self, items):
        for item in items:
            yield item
    def fail(self, items):
        yield from items
        raise ValueError("broken")
    def plain(self, items): return len(items)
"""
NAMES = ("generate", "stream", "own", "asynchronous", "fail", "plain")
COLLECT = """
    collect:
      text: {join: last_item.text}
      tokens: {sum: last_item.tokens}
      model: {first: last_item.model}
      reason: {last: last_item.reason}
      long: {count: last_item.text and len(last_item.text) > 1}
      numbers: {list: last_item.tokens}
"""
ITEMS = [
    SimpleNamespace(text="Hel", tokens=1, model="m1", reason=None),
    SimpleNamespace(text=None, tokens=None, model="m2", reason=None),
    SimpleNamespace(text="l", tokens=2, model="m2", reason="stop"),
    SimpleNamespace(text="o", tokens=3, model="m2", reason=None),
]
ATTRIBUTES = "{text: text, tokens: tokens, model: model, reason: reason, long: long, numbers: numbers}"
EXPECTED = {"text": "Hello", "tokens": 6, "model": "m1", "reason": "stop", "long": 1, "numbers": (1, 2, 3)}


def spec_of(name: str) -> str:
    return (
        f'hooks:\n  call:\n    call: "HOST:Shop.{name}"\n{COLLECT}\n'
        f"spans: {{{name}: {{around: call, follow_result: true, attributes: {ATTRIBUTES}}}}}\n"
        f"logs: {{done: {{at: call.exit, body: text}}}}\n"
    )


@pytest.mark.parametrize("name", ["generate", "stream", "own", "asynchronous"])
def test_values_are_collected_over_the_items(name: str, make_module, recorded):
    module = make_module(HOST)

    async def consume(items: Any) -> list[Any]:
        return [item async for item in items]

    with recorded(spec_of(name), module) as trace:
        result = getattr(module.Shop(), name)(ITEMS)
        found = asyncio.run(consume(result)) if name == "asynchronous" else [*result]
    assert found == ITEMS
    assert dict(trace.span(name).attributes or {}) == EXPECTED
    assert [log.body for log in trace.logs] == ["Hello"]


def test_what_was_collected_before_an_exception_is_recorded(make_module, recorded):
    module = make_module(HOST)
    with recorded(spec_of("fail"), module) as trace, pytest.raises(ValueError, match="broken"):
        list(module.Shop().fail(ITEMS))
    assert dict(trace.span("fail").attributes or {}) == EXPECTED


def test_without_items_nothing_is_collected(make_module, recorded):
    module = make_module(HOST)
    with recorded(spec_of("plain"), module) as trace:
        assert module.Shop().plain(ITEMS) == 4
    assert dict(trace.span("plain").attributes or {}) == {"long": 0}


def test_each_call_collects_its_own_items(make_module, recorded):
    module = make_module(HOST)
    with recorded(spec_of("generate"), module) as trace:
        first, second = (module.Shop().generate(items) for items in (ITEMS[:1], ITEMS[2:]))
        next(first), next(second), list(first), list(second)
    assert sorted((span.attributes or {})["text"] for span in trace.spans) == ["Hel", "lo"]


def test_a_joined_text_has_a_bound(make_module, recorded):
    module = make_module(HOST)
    items = [SimpleNamespace(text="x" * 30_000, tokens=None, model=None, reason=None)] * 5
    with recorded(spec_of("generate"), module) as trace:
        list(module.Shop().generate(items))
    assert len((trace.span("generate").attributes or {})["text"]) == 100_000


def test_an_item_whose_expression_fails_is_left_out(make_module, recorded):
    module = make_module(HOST)
    with recorded(spec_of("generate"), module, strict=False) as trace:
        assert len([*module.Shop().generate([ITEMS[0], object(), ITEMS[2]])]) == 3
    assert (trace.span("generate").attributes or {})["text"] == "Hell"


def test_the_texts_of_a_stream_of_httpx_are_joined(traced):
    httpx = pytest.importorskip("httpx")
    spec = """
instrument: 2
name: client
hooks:
  lines: {call: "httpx:Response.iter_lines", collect: {text: {join: last_item}, lines: {count: last_item}}}
spans:
  read: {around: lines, attributes: {client.text: text, client.lines: lines}}
"""
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text="data: a\n\ndata: b\n"))
    with traced(spec) as trace, httpx.Client(transport=transport) as client:
        assert [*client.get("http://shop").iter_lines()] == ["data: a", "", "data: b"]
    assert dict(trace.span("read").attributes or {}) == {"client.text": "data: adata: b", "client.lines": 2}
