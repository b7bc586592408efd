"""Other names of a hooked callable, and modules run under another name: patched or reported."""

import sys
import types
from typing import Any

import pytest

CACHED = "import functools\n@functools.lru_cache\ndef checkout(): return 1"


def test_a_function_imported_by_name_earlier_is_traced_there_too(make_module, instrumented, tracing, logged):
    module = make_module("def checkout(): return 1")
    taker = make_module(f"from {module.__name__} import checkout as pay")
    with instrumented('spans: {checkout: {around: "HOST:checkout"}}', module, taker):
        assert (module.checkout(), taker.pay()) == (1, 1)
    assert (tracing.names, logged()) == (["checkout", "checkout"], [])


def test_a_callable_that_is_replaced_and_was_imported_by_name_earlier_is_reported(
    make_module, instrumented, tracing, logged
):
    module = make_module(CACHED)
    taker = make_module(f"from {module.__name__} import checkout as pay")
    with instrumented('spans: {checkout: {around: "HOST:checkout"}}', module, taker):
        assert (module.checkout(), taker.pay()) == (1, 1)
    assert tracing.names == ["checkout"]
    (message,) = logged()
    assert "was imported by name before it could be patched" in message
    assert taker.__name__ in message


def test_a_name_by_which_a_callable_was_imported_is_not_reported_if_it_is_hooked_too(
    make_module, instrumented, tracing, logged
):
    module = make_module(CACHED)
    taker = make_module(f"from {module.__name__} import checkout")
    hook = f"call: {{include: [{module.__name__}:checkout, {taker.__name__}:checkout]}}"
    spec = f"hooks: {{checkout: {{{hook}}}}}\nspans: {{checkout: {{around: checkout}}}}"
    with instrumented(spec, module, taker):
        assert (module.checkout(), taker.checkout()) == (1, 1)
    assert (tracing.names, logged()) == (["checkout", "checkout"], [])


def test_the_module_that_defines_a_callable_in_c_is_not_reported_as_one_that_imports_it(
    make_module, instrumented, tracing, logged
):
    module = make_module("from _heapq import heappush")
    with instrumented('spans: {push: {around: "HOST:heappush"}}', module):
        module.heappush([], 1)
    assert tracing.names == ["push"]
    (message,) = logged()
    assert "in: heapq" in message and "_heapq" not in message and "or hook heapq:heappush too" in message


class _ClaimsToBeAModule:
    """As a library that cffi loads: without a namespace, but with the class of a module."""

    __slots__ = ()

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        return types.ModuleType


class _Raises:
    @property
    def __class__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("do not touch")


class _OddNamespace(types.ModuleType):
    __dict__ = property(lambda self: 1 / 0)  # type: ignore[assignment]


@pytest.mark.parametrize("make_odd", [_ClaimsToBeAModule, _Raises, lambda: _OddNamespace("odd"), int, lambda: None])
def test_any_object_among_the_imported_modules_is_passed_over(
    make_odd, make_module, instrumented, tracing, logged, monkeypatch: pytest.MonkeyPatch
):
    module = make_module(CACHED)
    monkeypatch.setitem(sys.modules, "odd_for_a_test", make_odd())
    with instrumented('spans: {checkout: {around: "HOST:checkout"}}', module):
        assert module.checkout() == 1
    assert (tracing.names, logged()) == (["checkout"], [])


def test_the_search_for_copies_does_not_load_a_lazy_module(make_module, instrumented, logged):
    module = make_module(CACHED)

    class Lazy(type(sys)):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> Any:
            raise ImportError(f"woken by {name}")

    sys.modules["lazy_for_a_test"] = Lazy("lazy_for_a_test")
    try:
        with instrumented('spans: {checkout: {around: "HOST:checkout"}}', module):
            assert module.checkout() == 1
    finally:
        del sys.modules["lazy_for_a_test"]
    assert logged() == []


def test_an_attribute_provided_by_a_modules_getattr_is_reported_with_the_module_to_name(
    make_module, instrumented, logged
):
    module = make_module("""
        def __getattr__(name):
            if name == "checkout": return lambda: 1
            raise AttributeError(name)
    """)
    with instrumented('spans: {checkout: {around: "HOST:checkout"}}', module):
        assert module.checkout() == 1
    (message,) = logged()
    assert f"{module.__name__} has no checkout" in message
    assert "may provide it on demand, by __getattr__: name the module that defines it" in message


OTHER_NAMES = pytest.mark.parametrize(
    ("source", "target", "other", "call"),
    [
        ("@above\ndef pay(self=None): return 1\nalso = pay", "pay", "also", "also()"),
        (
            "class Cart:\n    @above\n    def pay(self): return 1\n    also = pay",
            "Cart.pay",
            "Cart.also",
            "Cart().also()",
        ),
        (
            "class Base:\n    @above\n    def pay(self): return 1\n    also = pay\nclass Cart(Base): pass",
            "Cart.pay",
            "Cart.also",
            "Cart().also()",
        ),
    ],
)


@OTHER_NAMES
def test_a_call_of_a_function_by_another_of_its_names_is_seen(
    source: str, target: str, other: str, call: str, make_module, instrumented, tracing, logged
):
    module = make_module(source.replace("    @above\n", "").replace("@above\n", ""))
    with instrumented(f'spans: {{pay: {{around: "HOST:{target}"}}}}', module):
        assert eval(call, vars(module)) == 1
    assert (tracing.names, logged()) == (["pay"], [])


@OTHER_NAMES
@pytest.mark.parametrize("both", [False, True])
def test_another_name_of_a_callable_that_is_replaced_is_reported_unless_it_is_hooked_too(
    both: bool, source: str, target: str, other: str, call: str, make_module, instrumented, tracing,
    logged,
):  # fmt: skip
    module = make_module(f"import functools\nabove = functools.lru_cache\n{source}")
    more = f', other: {{around: "HOST:{other}"}}' if both else ""
    with instrumented(f'spans: {{pay: {{around: "HOST:{target}"}}{more}}}', module):
        assert eval(call, vars(module)) == 1
        assert eval(call.replace("also", "pay"), vars(module)) == 1
    assert tracing.names == (["other", "pay"] if both else ["pay"])
    assert [f"{module.__name__}:{target} has another name: {other}." in each for each in logged()] == (
        [] if both else [True]
    )


def test_functions_held_in_containers_are_traced(make_module, instrumented, tracing, logged):
    module = make_module("def pay(): return 1\nregistry = {'pay': pay}\nclass Shop: pay = staticmethod(pay)")
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        assert (module.registry["pay"](), module.Shop.pay()) == (1, 1)
    assert (tracing.names, logged()) == (["pay", "pay"], [])


SHARED = """
class Base:
    def pay(self): return 1
    @classmethod
    def open(cls): return 2
    @property
    def total(self): return 3
    async def wait(self): return 4
class Web:
    pay = Base.pay
    open = vars(Base)["open"]
    total = Base.total
    wait = Base.wait
class Other(Base):
    pay = Base.pay
def ship(self): return 5
class Van:
    ship = ship
class Local(Van): pass
def made(name):
    def do(self): return name
    return do
class Left: go = made("left")
class Right: go = Left.go
"""


@pytest.mark.parametrize(
    ("target", "seen", "unseen"),
    [
        ("Web.pay", "Web().pay()", "Base().pay(), Other().pay(), Base.pay(Base())"),
        ("Other.pay", "Other().pay()", "Base().pay(), Web().pay()"),
        ("Base.pay", "Base().pay()", ""),
        ("Web.open", "Web.open()", "Base.open(), Other.open()"),
        ("Web.total", "Web().total", "Base().total"),
        ("Web.wait", "Web().wait()", "Base().wait()"),
        ("Van.ship", "Van().ship()", "ship(None), ship(Base())"),
        ("Local.ship", "Local().ship()", "Van().ship()"),
        ("Right.go", "Right().go()", "Left().go()"),
    ],
)
def test_a_function_that_a_class_shares_is_seen_on_its_own_instances_only(
    target: str, seen: str, unseen: str, make_module, instrumented, tracing, logged
):
    module = make_module(SHARED)

    def run(text: str) -> None:
        for result in eval(f"[{text}]", vars(module)):
            if isinstance(result, types.CoroutineType):
                with pytest.raises(StopIteration):
                    result.send(None)

    with instrumented(f'spans: {{call: {{around: "HOST:{target}"}}}}', module):
        run(unseen)
        assert tracing.names == []
        run(seen)
        assert tracing.names == ["call"]
    assert logged() == []


def test_the_place_where_a_function_is_defined_stands_for_all_classes_that_share_it(
    make_module, instrumented, tracing, logged
):
    module = make_module(SHARED + "\nAlias = Base")
    with instrumented('spans: {call: {around: "HOST:Alias.pay"}}', module):
        assert (module.Base().pay(), module.Web().pay(), module.Alias().pay()) == (1, 1, 1)
    assert (tracing.names, logged()) == (["call"] * 3, [])


@pytest.mark.parametrize("name", ["__repr__", "__init__", "__eq__", "__reduce__"])
def test_a_method_that_only_object_defines_is_reported_as_such(name: str, make_module, instrumented, logged):
    module = make_module("class Cart: pass")
    with instrumented(f'spans: {{call: {{around: "HOST:Cart.{name}"}}}}', module):
        pass
    (message,) = logged()
    assert f"has no {name} of its own, only that of object: hooks on it are inactive" in message
    assert f"help: define {name} in the class" in message and "did you mean" not in message


def test_no_name_that_cannot_be_hooked_is_suggested(make_module, instrumented, logged):
    module = make_module("class Cart:\n    weak = 1\n    def pay(self): pass")
    with instrumented('spans: {call: {around: "HOST:Cart.__weakref"}}', module):
        pass
    (message,) = logged()
    assert "did you mean" not in message


def test_a_problem_is_logged_with_the_level_of_its_severity(
    make_module, instrumented, logged, caplog: pytest.LogCaptureFixture
):
    module = make_module(CACHED)
    taker = make_module(f"from {module.__name__} import checkout")
    with instrumented('spans: {a: {around: "HOST:checkout"}, b: {around: "HOST:missing"}}', module, taker):
        pass
    levels = [(code in record.getMessage(), record.levelname) for record in caplog.records for code in ("error[",)]
    assert sorted(levels) == [(False, "WARNING"), (True, "ERROR")]
