"""Hooked callables as libraries and the standard library use them: marks, dispatch, validation, with blocks."""

import asyncio
import contextlib
import copy
import inspect
import pickle
import sys
import typing
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

CALL = 'spans: {call: {around: "HOST:%s", attributes: {%s}}}'


VALIDATED = """
    import pydantic
    class Cart(pydantic.BaseModel):
        lines: int
        note: str = "none"
        _seen: int = pydantic.PrivateAttr(default=0)
        @pydantic.field_validator("lines")
        @classmethod
        def positive(cls, lines):
            if lines < 0: raise ValueError("negative")
            return lines
        @pydantic.model_validator(mode="after")
        def consistent(self): return self
        @pydantic.field_serializer("note")
        def shout(self, note): return note.upper()
        @pydantic.computed_field
        @property
        def double(self) -> int: return self.lines * 2
        def model_post_init(self, context): self._seen = 9
        @classmethod
        def empty(cls): return cls(lines=0)
        def total(self): return self.lines
"""


@pytest.mark.parametrize(
    ("target", "spans"),
    # pydantic's core holds validators and serializers since the class was created.
    [
        *(("positive", 3), ("consistent", 2), ("shout", 2), ("double", 3), ("model_post_init", 2), ("__init__", 2)),
        *(("empty", 1), ("total", 1), ("model_dump", 1), ("model_validate", 2), ("model_dump_json", 1)),
    ],
)
def test_a_pydantic_model_validates_and_prints_as_before(
    target: str, spans: int, make_module, instrumented, tracing, logged
):
    module = make_module(VALIDATED)

    def seen() -> list[Any]:
        cart = module.Cart(lines=2, note="x")
        refused = []
        for wrong in (-1, "many"):
            with pytest.raises(ValueError, match="lines") as caught:
                module.Cart.model_validate({"lines": wrong})
            refused.append([error["type"] for error in caught.value.errors()])  # type: ignore[attr-defined]
        shown = [cart.model_dump(), cart.model_dump_json(), cart.double, cart._seen, module.Cart.model_json_schema()]
        heir = type("Heir", (module.Cart,), {"__module__": module.__name__, "__annotations__": {"more": int}})
        copies = [cart.model_copy(), copy.deepcopy(cart), pickle.loads(pickle.dumps(cart))]
        return [*shown, refused, cart.total(), module.Cart.empty(), copies == [cart] * 3, sorted(heir.model_fields)]

    natively = seen()
    with instrumented(CALL % (f"Cart.{target}", ""), module):
        assert seen() == natively
    assert seen() == natively
    assert (tracing.names, logged()) == (["call"] * spans, [])


@pytest.mark.parametrize("leaves", ["at its end", "early", "raising", "swallowed", "never"])
@pytest.mark.parametrize("kind", ["", "async "])
def test_a_span_may_last_as_long_as_a_with_block(kind: str, leaves: str, make_module, instrumented, tracing, logged):
    way = "a" if kind else ""
    module = make_module(f"""
        class Till:
            {kind}def __{way}enter__(self): return self
            {kind}def __{way}exit__(self, kind, problem, traceback): return isinstance(problem, KeyError)
    """)
    spec = f"""
    hooks:
      opened: {{call: "HOST:Till.__{way}enter__"}}
      closed: {{call: "HOST:Till.__{way}exit__"}}
    spans:
      till:
        start: opened.enter
        end: closed.exit
        key: self
        attributes: {{opened: type_name(self)}}
        status: {{error: problem}}
    """
    failure = ValueError("no")

    def inside() -> str:
        if leaves in ("raising", "swallowed"):
            raise failure if leaves == "raising" else KeyError("caught")
        return "early"

    def block() -> str:
        with module.Till():
            if leaves != "at its end":
                return inside()
        return "at its end"

    async def asynchronous_block() -> str:
        async with module.Till():
            if leaves != "at its end":
                return inside()
        return "at its end"

    def outcome() -> Any:
        try:
            if leaves == "never":
                till = module.Till()
                return asyncio.run(till.__aenter__()) is till if kind else till.__enter__() is till
            return asyncio.run(asynchronous_block()) if kind else block()
        except ValueError as error:
            return error

    natively = outcome()
    with instrumented(spec, module):
        assert outcome() == natively
    assert logged() == []
    failed = leaves in ("raising", "swallowed")
    assert tracing.span.status.status_code is (StatusCode.ERROR if failed else StatusCode.UNSET)
    assert tracing.span.attributes == {"opened": "Till"} | ({"instrument.end": "shutdown"} if leaves == "never" else {})


def test_a_patched_generator_function_can_be_made_a_context_manager(make_module, instrumented, tracing):
    module = make_module("""
        left = []
        def open_till(name):
            try:
                yield name
            except LookupError as error:
                left.append(error)
            finally:
                left.append("closed")
    """)
    with instrumented(CALL % ("open_till", ""), module):
        till = contextlib.contextmanager(module.open_till)
        with till("a") as name:
            assert name == "a"
        for error in (KeyError("caught"), ValueError("no"), StopIteration("odd"), RuntimeError("odd")):
            with contextlib.suppress(ValueError, StopIteration, RuntimeError), till("b"):
                raise error
    assert [type(each).__name__ for each in module.left] == ["str", "KeyError", *["str"] * 4]
    assert [span.status.status_code.name for span in tracing.spans] == ["UNSET", "UNSET", "ERROR", "ERROR", "ERROR"]


def test_the_marks_of_typing_and_abc_are_kept(make_module, instrumented, logged):
    module = make_module("""
        import abc, typing
        T = typing.TypeVar("T")
        @typing.runtime_checkable
        class Payable(typing.Protocol):
            def pay(self) -> int: ...
        class Base(abc.ABC):
            @abc.abstractmethod
            def pay(self): return 1
            @property
            @abc.abstractmethod
            def due(self): return 2
        class Cart(Base):
            def pay(self): return super().pay()
            @property
            def due(self): return super().due
        class Box(typing.Generic[T]):
            @typing.final
            def get(self, item: T) -> T: return item
        @typing.overload
        def price(item: int) -> int: ...
        @typing.overload
        def price(item: str) -> str: ...
        def price(item): return item
    """)

    def seen() -> list[Any]:
        unfinished = type("Unfinished", (module.Base,), {"__module__": module.__name__})
        return [
            inspect.isabstract(module.Base),
            sorted(unfinished.__abstractmethods__),
            [isinstance(each, module.Payable) for each in (module.Cart(), 3)],
            issubclass(module.Cart, module.Payable),
            (module.Cart().pay(), module.Cart().due),
            (module.Box[int]().get(3), module.Box[int].get(module.Box(), 4), module.Box[int].get.__final__)
            if hasattr(module.Box.get, "__final__")
            else module.Box[int]().get(3),
            typing.get_type_hints(module.Box.get),
            len(getattr(typing, "get_overloads", lambda _: [1, 2])(module.price)),
        ]

    natively = seen()
    names = ("Payable.pay", "Base.pay", "Base.due", "Cart.pay", "Cart.due", "Box.get", "price")
    spans = "".join(f'  s{number}: {{around: "HOST:{name}"}}\n' for number, name in enumerate(names))
    with instrumented("spans:\n" + spans, module):
        assert seen() == natively
    assert seen() == natively
    assert logged() == []


@pytest.mark.skipif(sys.version_info < (3, 12), reason="inspect.markcoroutinefunction came with 3.12")
def test_the_mark_of_a_coroutine_function_is_kept(make_module, instrumented, tracing):
    module = make_module("""
        import inspect
        async def slow(): return 1
        def marked(): return slow()
        inspect.markcoroutinefunction(marked)
    """)
    with instrumented(CALL % ("marked", ""), module):
        assert inspect.iscoroutinefunction(module.marked)
        assert asyncio.run(module.marked()) == 1
    assert inspect.iscoroutinefunction(module.marked)
    assert tracing.names == ["call"]


@pytest.mark.parametrize("owner", ["", "Host."])
def test_a_single_dispatch_function_still_registers_and_dispatches(owner: str, make_module, instrumented, tracing):
    method = bool(owner)
    module = make_module("""
        import functools
        class Host:
            @functools.singledispatchmethod
            def price(self, item, extra=1): return "something", extra
        @functools.singledispatch
        def price(item, extra=1): return "something", extra
    """)
    with instrumented(CALL % (f"{owner}price", "item: item, extra: extra"), module):
        dispatcher = module.Host.price if method else module.price
        dispatcher.register(int)(lambda *given, extra=1: ("a number", extra))
        price = module.Host().price if method else module.price
        assert [price(1), price("tea", 3), price(True)] == [("a number", 1), ("something", 3), ("a number", 1)]
    assert [dict(span.attributes) for span in tracing.spans] == [
        {"item": 1, "extra": 1},
        {"item": "tea", "extra": 3},
        {"item": True, "extra": 1},
    ]
    assert (module.Host().price(1) if method else module.price(1)) == ("a number", 1)


def test_an_exception_that_refuses_attributes_can_be_thrown_into_a_generator(make_module, instrumented, tracing):
    module = make_module("def steps():\n    yield 1\n    yield 2\n")

    class Frozen(Exception):
        def __setattr__(self, name: str, value: Any) -> None:
            raise AttributeError(name)

    error = Frozen()
    with instrumented(CALL % ("steps", ""), module):
        running = module.steps()
        assert next(running) == 1
        with pytest.raises(Frozen) as caught:
            running.throw(error)
    assert caught.value is error
    assert tracing.span.status.status_code is StatusCode.ERROR
