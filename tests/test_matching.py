"""Hooks on several callables: patterns, filters, limits, and alternatives of which only some exist."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative import DeclarativeInstrumentor

from .conftest import is_patched, start_instrumentor

FILES = {
    "__init__.py": "",
    "base.py": """
from typing import Protocol
class Service:
    def start(self): return "started"
class Pays(Protocol):
    currency: str
    def pay(self, amount): ...
""",
    "marks.py": """
def traced(function): return function
def route(path): return lambda function: function
""",
    "services/__init__.py": "",
    "services/cart.py": """
from __future__ import annotations
from ..base import Service
from ..marks import route, traced
from ..orders import Order
class CartService(Service):
    def add(self, item, count: int = 1): return count
    async def total(self): return 5
    @staticmethod
    def parse(text): return text
    @classmethod
    def make(cls): return cls()
    @property
    def size(self): return 0
    def _inner(self): return self
    def __len__(self): return 3
    class Line:
        def price(self): return 2
    @traced
    def marked(self): return 1
    @route("/show")
    def show(self, order: Order) -> Order | None: return order
class Till:
    currency = "EUR"
    def pay(self, amount): return amount
def helper(order: "Order"): return order
""",
    "services/mail.py": """
class MailService:
    def send(self, to): return to
    def health(self): return True
""",
    "orders.py": """
class Order:
    def ship(self): return self
""",
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a package that has not been imported."""
    name = f"shop_{abs(hash(tmp_path))}"
    for file, text in FILES.items():
        path = tmp_path / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    for module in [each for each in sys.modules if each.split(".")[0] == name]:
        del sys.modules[module]


@pytest.fixture
def start(tracing, spec_file, shop: str) -> Iterator[Callable[[str], Any]]:
    made: list[DeclarativeInstrumentor] = []

    def instrument(spec: str) -> DeclarativeInstrumentor:
        made.append(start_instrumentor(tracing, spec_file(spec, shop)))
        return made[-1]

    yield instrument
    for instrumentor in made:
        instrumentor.uninstrument()


def hooked(instrumentor: Any) -> list[str]:
    """The targets that are wrapped, without the package's name."""
    (installation,) = instrumentor._active._installations
    return sorted(name.partition(".")[2] for name in installation.sources)


def calls(**words: Any) -> str:
    return f"hooks: {{all: {{call: {words!r}}}}}\nspans: {{each: {{around: all, name: '{{hooked.path}}'}}}}\n"


def everything(shop: str) -> None:
    for module in ("services.cart", "services.mail", "orders"):
        importlib.import_module(f"{shop}.{module}")


def test_a_pattern_matches_the_public_methods_and_functions_that_modules_define(start, shop: str):
    instrumentor = start(calls(include="HOST.services.*:*"))
    everything(shop)
    assert hooked(instrumentor) == ["services.cart:helper"]
    instrumentor.uninstrument()
    instrumentor = start(calls(include="HOST.services.*:*.*"))
    assert hooked(instrumentor) == [
        "services.cart:CartService.add",
        "services.cart:CartService.make",
        "services.cart:CartService.marked",
        "services.cart:CartService.parse",
        "services.cart:CartService.show",
        "services.cart:CartService.total",
        "services.cart:Till.pay",
        "services.mail:MailService.health",
        "services.mail:MailService.send",
    ]


@pytest.mark.parametrize(
    ("words", "matched"),
    [
        ({"include": "HOST.services.*:*Service.*", "exclude": ["*:*.health", "*cart:*"]}, ["mail:MailService.send"]),
        ({"include": "HOST.*:*.*.price"}, ["cart:CartService.Line.price"]),
        ({"include": ["HOST.services.cart:*._*"]}, ["cart:CartService.__len__", "cart:CartService._inner"]),
        ({"include": "HOST.*:*.*", "decorated_by": "traced"}, ["cart:CartService.marked"]),
        ({"include": "HOST.*:*.*", "decorated_by": ["nothing", "ro*"]}, ["cart:CartService.show"]),
        ({"include": ["HOST.*:*.*", "HOST.*:*"], "takes": "Order"}, ["cart:CartService.show", "cart:helper"]),
        ({"include": "HOST.*:*.*", "returns": "Order*"}, ["cart:CartService.show"]),
        ({"include": "HOST.services.*:*.*", "subclass_of": "HOST.base:Pays"}, ["cart:Till.pay"]),
        ({"include": "HOST.*:*.p*", "subclass_of": "HOST.base:Service"}, ["cart:CartService.parse"]),
        ({"include": ["HOST.services.mail:A.b", "HOST.services.mail:MailService.send"]}, ["mail:MailService.send"]),
        ({"include": ["HOST.services.cart:CartService.start"]}, ["cart:CartService.start"]),
    ],
)
def test_matches_can_be_narrowed_by_excludes_and_filters(start, shop: str, logged, words, matched: list[str]):
    instrumentor = start(calls(**words))
    everything(shop)
    assert hooked(instrumentor) == [f"services.{each}" for each in matched]
    assert logged() == []


def test_modules_imported_before_and_after_are_matched(tracing, start, shop: str):
    cart = importlib.import_module(f"{shop}.services.cart")
    start(calls(include="HOST.services.*:*Service.*"))
    mail = importlib.import_module(f"{shop}.services.mail")
    cart.CartService().add("tea")
    mail.MailService().send("ann")
    assert tracing.names == ["CartService.add", "MailService.send"]


def test_each_matched_callable_has_the_attributes_its_parameters_provide(tracing, start, shop: str, logged):
    start(
        "spans:\n  each:\n    around: HOST.services.*:*Service.*\n    name: '{hooked.name}'\n"
        "    attributes: {count: count, to: to, result: str(result), code: 'f\"{hooked.module}.{hooked.path}\"',"
        " end: 'f\"{hooked.name}: {result}\"'}\n"
    )
    everything(shop)
    sys.modules[f"{shop}.services.cart"].CartService().add("tea", 2)
    sys.modules[f"{shop}.services.mail"].MailService().send("ann")
    assert [(span.name, dict(span.attributes)) for span in tracing.spans] == [
        ("add", {"count": 2, "result": "2", "code": f"{shop}.services.cart.CartService.add", "end": "add: 2"}),
        ("send", {"to": "ann", "result": "ann", "code": f"{shop}.services.mail.MailService.send", "end": "send: ann"}),
    ]
    assert logged() == []


def test_a_callable_without_the_names_that_the_parent_needs_has_a_span_without_it(tracing, start, shop: str):
    start("spans: {all: {around: 'HOST.services.mail:*.*', name: '{hooked.name}', parent: {traceparent: to}}}\n")
    everything(shop)
    service = sys.modules[f"{shop}.services.mail"].MailService()
    service.send(f"00-{'1' * 32}-{'2' * 16}-01")
    service.health()
    assert [(each.name, each.parent and each.parent.span_id) for each in tracing.spans] == [
        ("send", 0x2222222222222222),
        ("health", None),
    ]


def test_a_callable_hooked_by_name_and_by_a_pattern_has_both_spans_once(tracing, start, shop: str):
    start(
        "hooks: {all: {call: {include: 'HOST.*:*.ship'}}}\n"
        "spans: {all: {around: all}, ship: {around: 'HOST.orders:Order.ship'}}\n"
    )
    importlib.import_module(f"{shop}.orders").Order().ship()
    assert sorted(tracing.names) == ["all", "ship"]


def test_no_more_callables_than_the_limit_are_wrapped_and_that_is_reported_once(start, shop: str, logged):
    instrumentor = start(calls(include="HOST.services.*:*.*", limit=3))
    everything(shop)
    assert len(hooked(instrumentor)) == 3
    (line,) = logged()
    assert "error[too-many-callables]: the hook all matches more than 3 callables: the others are not hooked" in line
    assert "help: narrow the pattern, or raise `limit`" in line


def test_it_is_reported_if_none_of_the_listed_callables_exists(start, shop: str, logged):
    start(calls(include=["HOST.orders:Order.send", "HOST.orders:Order.mail"]))
    importlib.import_module(f"{shop}.orders")
    (line,) = logged()
    assert f"none of {shop}.orders:Order.send, {shop}.orders:Order.mail exists: hooks on them are inactive" in line


def test_a_base_class_imported_after_its_subclasses_is_waited_for(start, shop: str):
    """A protocol is often imported late, or only for type checking."""
    instrumentor = start(calls(include="HOST.services.*:*.*", subclass_of="HOST.base:Pays"))
    path = Path(sys.path[0]) / shop / "services" / "late.py"
    path.write_text("class Card:\n    currency = 'EUR'\n    def pay(self, amount): return amount\n")
    importlib.import_module(f"{shop}.services.late")
    assert hooked(instrumentor) == []
    importlib.import_module(f"{shop}.base")
    assert hooked(instrumentor) == ["services.late:Card.pay"]


def test_removing_the_patches_of_a_pattern_restores_every_object(start, shop: str):
    everything(shop)
    classes = [sys.modules[f"{shop}.services.cart"].CartService, sys.modules[f"{shop}.services.mail"].MailService]
    before = [dict(vars(each)) for each in classes]
    finders = list(sys.meta_path)
    instrumentor = start(calls(include="HOST.*:*.*"))
    assert is_patched(classes[0].add)
    instrumentor.uninstrument()
    assert [dict(vars(each)) for each in classes] == before
    assert sys.meta_path == finders
    importlib.import_module(f"{shop}.base")
    assert not is_patched(sys.modules[f"{shop}.base"].Service.start)


def test_a_reloaded_module_is_matched_again(tracing, start, shop: str):
    start(calls(include="HOST.*:*.ship"))
    orders = importlib.import_module(f"{shop}.orders")
    importlib.reload(orders)
    orders.Order().ship()
    assert tracing.names == ["Order.ship"]


def test_a_pattern_matches_functions_that_cython_has_compiled(start, shop: str, tmp_path: Path):
    # Each compiled module can have a type of its own with this name.
    (tmp_path / shop / "compiled.py").write_text("""
class cython_function_or_method:
    def __init__(self, path, module=__name__):
        self.__module__, self.__qualname__, self.__name__ = module, path, path
    def __call__(self, order): return order
pay = other_name = cython_function_or_method("pay")
imported = cython_function_or_method("imported", "shop.elsewhere")
class Till:
    close = cython_function_or_method("Till.close")
    open = staticmethod(cython_function_or_method("Till.open"))
""")
    instrumentor = start(calls(include=["HOST.compiled:*", "HOST.compiled:*.*"]))
    importlib.import_module(f"{shop}.compiled")
    assert hooked(instrumentor) == ["compiled:Till.close", "compiled:Till.open", "compiled:pay"]


def test_a_pattern_does_not_load_a_lazy_module_and_matches_it_once_loaded(tracing, start, shop: str):
    lazy = []
    for module in ("orders", "services.mail"):
        if module == "services.mail":
            start(calls(include="HOST.*:*.*"))
        importlib.import_module(shop)
        importlib.import_module(f"{shop}.services")
        name = f"{shop}.{module}"
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        spec.loader = importlib.util.LazyLoader(spec.loader)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
        lazy.append(sys.modules[name])
    assert all("Order" not in object.__getattribute__(each, "__dict__") for each in lazy)
    assert all("MailService" not in object.__getattribute__(each, "__dict__") for each in lazy)
    lazy[0].Order().ship()
    lazy[1].MailService().send("ann")
    assert tracing.names == ["Order.ship", "MailService.send"]


def test_a_pattern_leaves_out_functions_that_find_their_caller_by_its_frame(
    make_module, instrumented, tracing, logged
) -> None:
    module = make_module("""
    import pickle, sys, warnings

    def make(name):
        return type(name, (), {"__module__": sys._getframe(1).f_globals["__name__"]})
    def old():
        warnings.warn("use make", DeprecationWarning, stacklevel=2)
    """)
    with instrumented('spans: {all: {around: "HOST:*", name: "{hooked.name}"}}', module):
        assert module.make("Order").__module__ == __name__
        with pytest.warns(DeprecationWarning, match="make"):
            module.old()
    assert tracing.names == ["old"]
    (message,) = logged()
    assert f"leaves out {module.__name__}:make: it uses sys._getframe" in message
    named = 'hooks: {all: {call: {include: ["HOST:o*", "HOST:make"]}}}'
    with instrumented(f"{named}\nspans: {{all: {{around: all}}}}", module):
        module.make("Order")
    assert tracing.names == ["old", "all"]
