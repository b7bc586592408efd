"""Objects that a decorator puts in the place of a function, which they keep: tasks, fixtures, proxies, descriptors."""

from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.patching.lookup.kept_functions import attributes_of
from wrapt import FunctionWrapper

from tests.conftest import start_instrumentor

OBJECTS = """
import functools

created = []

class Task:
    def __init__(self, function): self.function = function
    def __call__(self, *args): return self.function(*args)

class Proxy:
    '''Creates the task when an attribute or a call asks for it, as Celery does.'''
    __slots__ = ("_create",)
    def __init__(self, create): object.__setattr__(self, "_create", create)
    def _task(self):
        created.append(self)
        return self._create()
    def __call__(self, *args): return self._task()(*args)
    def __getattr__(self, name): return getattr(self._task(), name)
    __class__ = property(lambda self: self._task().__class__)
    __dict__ = property(lambda self: self._task().__dict__)

def lazy_task(function):
    known = []
    def create():
        if not known: known.append(Task(function))
        return known[0]
    return Proxy(create)

class Fixture:
    '''Wraps the function, but is not called: a framework takes the function out, as pytest does.'''
    def __init__(self, function):
        self.function = function
        functools.update_wrapper(self, function)
    def __call__(self): raise TypeError("a fixture is not called")
    def value(self): return self.function()

class Attribute:
    '''A descriptor that is not a property, as Django and SQLAlchemy have.'''
    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.getter = function
    def __get__(self, instance, owner): return self.getter(owner if instance is None else instance)

class Cache:
    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function, self.known = function, {}
    def __call__(self, *args):
        if args not in self.known: self.known[args] = self.function(*args)
        return self.known[args]

@lazy_task
def ship(order): return order

class Tool:
    '''Is not callable: an agent calls a method of it.'''
    def __init__(self, function): self.function = function
    def invoke(self, arguments): return self.function(**arguments)

@Fixture
def basket(): return "basket"

@Tool
def weight(order): return len(order)

@Cache
def price(order): return order

class Cart:
    @Attribute
    def total(self): return 3
"""


@pytest.mark.parametrize("path", ["ship", "s*"])
def test_a_proxy_is_not_asked_for_what_it_creates_when_its_function_is_patched(
    path: str, make_module, tracing, tmp_path: Path
):
    module = make_module(OBJECTS)
    held = module.ship
    spec = tmp_path / "spec.yaml"
    around = f'"{module.__name__}:{path}"'
    spec.write_text(f"instrument: 2\nname: a\nspans: {{a: {{around: {around}, attributes: {{order: order}}}}}}")
    instrumentor = start_instrumentor(tracing, spec)
    try:
        assert module.ship is held and module.created == []
        assert module.ship("tea") == "tea"
    finally:
        instrumentor.uninstrument()
    assert dict(tracing.span.attributes) == {"order": "tea"}


def test_an_object_whose_call_does_not_use_its_function_is_not_replaced(make_module, instrumented, tracing):
    module = make_module(OBJECTS)
    held = module.basket
    with instrumented('spans: {a: {around: "HOST:basket", attributes: {result: result}}}', module):
        assert type(module.basket) is module.Fixture and module.basket is held
        assert held.value() == "basket"
    assert dict(tracing.span.attributes) == {"result": "basket"}


@pytest.mark.parametrize("path", ["weight", "w*"])
def test_the_function_of_an_object_that_is_not_callable_is_patched(
    path: str, make_module, instrumented, tracing
) -> None:
    module = make_module(OBJECTS)
    held = module.weight
    with instrumented(f'spans: {{a: {{around: "HOST:{path}", attributes: {{order: order}}}}}}', module):
        assert module.weight is held and held.invoke({"order": "tea"}) == 3
    assert dict(tracing.span.attributes) == {"order": "tea"}


@pytest.mark.parametrize("path", ["settings.read", "settings.*"])
def test_methods_of_a_class_in_whose_place_a_decorator_has_put_an_instance_are_traced(
    path: str, make_module, instrumented, tracing
) -> None:
    module = make_module("""
    def singleton(cls): return cls()

    @singleton
    class settings:
        def read(self): return self

    of_class_without_module = eval("type('A', (), {})()", {"__builtins__": {"type": type}})
    """)
    with instrumented(f'spans: {{a: {{around: "HOST:{path}"}}}}', module):
        assert module.settings.read() is module.settings
    assert tracing.names == ["a"]


@pytest.mark.parametrize("owner", ["instance", "class"])
def test_the_function_of_any_descriptor_is_patched(owner: str, make_module, instrumented, tracing):
    module = make_module(OBJECTS)
    held = vars(module.Cart)["total"]
    with instrumented('spans: {a: {around: "HOST:Cart.total", attributes: {result: result}}}', module):
        assert vars(module.Cart)["total"] is held
        assert (module.Cart() if owner == "instance" else module.Cart).total == 3
    assert dict(tracing.span.attributes) == {"result": 3}
    assert module.Cart().total == 3 and len(tracing.spans) == 1


def test_a_cache_is_seen_also_when_it_answers_itself(make_module, instrumented, tracing):
    module = make_module(OBJECTS)
    with instrumented('spans: {a: {around: "HOST:price"}}', module):
        assert [module.price("tea"), module.price("tea")] == ["tea", "tea"]
    assert len(tracing.spans) == 2


def test_a_pattern_matches_callables_but_not_descriptors(make_module, instrumented, tracing):
    module = make_module(OBJECTS)
    with instrumented('spans: {a: {around: "HOST:*.*"}, b: {around: "HOST:ship"}}', module):
        assert module.Cart().total == 3
    assert tracing.names == []


def test_the_proxy_of_a_callable_in_c_has_no_attributes_of_its_own():
    assert attributes_of(FunctionWrapper(len, lambda wrapped, _instance, args, kwargs: wrapped(*args, **kwargs))) == {}


def test_the_function_of_an_object_that_leads_to_a_large_application_is_patched(
    make_module, instrumented, tracing
) -> None:
    module = make_module("""
    class Application(OSError): pass
    for number in range(200):
        setattr(Application, f"method_{number}", lambda self: None)

    class Task:
        app = Application()
        def __init__(self, function): self.held = [[[[function]]]]
        def __call__(self, order): return self.delay(order)
        def delay(self, order): return self.held[0][0][0][0](order)

    @Task
    def pay(order): return order
    """)
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        assert (module.pay("tea"), module.pay.delay("cup")) == ("tea", "cup")
    assert tracing.names == ["pay", "pay"]
