"""Patching in place: a Python function stays the same object, and all its calls are traced."""

import asyncio
import functools
import inspect
import pickle
import subprocess
import sys
import threading
import traceback
import types
import warnings
import weakref
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.runtime.function_code.code_layers import CodeLayer, uninstrumented
from opentelemetry.instrumentation.declarative.wrappers.compilation import CodeLabels, compile_template

SHOP = """
import functools

def pay(order, amount=1, *rest, gift=False, **more):
    return amount

async def ship(order):
    return order

class Till:
    rate = 2

    def price(self, order):
        return order * self.rate

    @classmethod
    def open(cls, name):
        return cls.__name__, name

    @staticmethod
    def add(left, right):
        return left + right

    @property
    def total(self):
        return 7

def counter():
    count = 0
    def add(step):
        nonlocal count
        count += step
        return count
    return add

add = counter()
"""


def _holders(function: Any) -> list[Any]:
    """What programs keep of a function, each as a callable without parameters."""
    dispatch = functools.singledispatch(lambda order: None)
    dispatch.register(str, function)
    return [
        function,
        functools.partial(function, "tea"),
        {"route": function}["route"],
        functools.wraps(function)(lambda *args: function(*args)),
        dispatch,
        types.MethodType(function, "tea"),
    ]


@pytest.mark.parametrize("holder", range(6))
def test_a_call_by_a_holder_from_before_the_function_was_patched_is_traced(
    holder: int, make_module, instrumented, tracing
):
    module = make_module(SHOP)
    held = _holders(module.pay)[holder]
    takes_order = holder not in (1, 5)
    with instrumented('spans: {pay: {around: "HOST:pay", attributes: {order: order}}}', module):
        assert held(*(["tea"] if takes_order else [])) == 1
    assert tracing.span.attributes == {"order": "tea"}
    assert held(*(["tea"] if takes_order else [])) == 1
    assert len(tracing.spans) == 1


def test_a_patched_function_is_the_same_object_with_the_same_attributes(make_module, instrumented):
    module = make_module(SHOP)
    function, registry, reference = module.pay, {module.pay: 1}, weakref.ref(module.pay)
    seen = {name: getattr(function, name) for name in dir(function)}
    before = {**vars(function)}, str(inspect.signature(function)), inspect.getsource(function)
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        assert module.pay is function and registry[module.pay] == 1 and reference() is function
        assert pickle.loads(pickle.dumps(module.pay)) is function
        assert ({**vars(function)}, str(inspect.signature(function)), inspect.getsource(function)) == before
        assert all(getattr(function, name) is seen[name] for name in ("__defaults__", "__kwdefaults__", "__closure__"))
        assert not hasattr(function, "__wrapped__")


@pytest.mark.parametrize("name", ["pay", "Till.price", "Till.open", "Till.total", "ship", "add"])
def test_code_says_that_it_is_where_the_function_is_written(name: str, make_module, instrumented):
    module = make_module(SHOP)

    def code() -> types.CodeType:
        found: Any = module
        for step in name.split("."):
            found = inspect.getattr_static(found, step)
        found = getattr(found, "__func__", None) or getattr(found, "fget", None) or found
        return found.__code__

    def facts(code: types.CodeType) -> list[Any]:
        names = ("co_filename", "co_firstlineno", "co_name", "co_qualname", "co_freevars", "co_argcount")
        names += ("co_posonlyargcount", "co_kwonlyargcount")
        flags = code.co_flags & ~inspect.CO_NESTED & ~0x4000000  # CO_HAS_DOCSTRING
        return [getattr(code, name, None) for name in names] + [flags, code.co_varnames[: code.co_argcount]]

    before, original = facts(code()), code()
    with instrumented(f'spans: {{a: {{around: "HOST:{name}"}}}}', module):
        assert code() is not original
        assert facts(code()) == before
        assert isinstance(hash(code()), int) and code() == code()
        assert {line for _, _, line in code().co_lines() if line} == {original.co_firstlineno}
    assert code() is original


@pytest.mark.parametrize("name", ["name", "attributes", "result", "error", "failure", "stop", "recorded", "pay_span"])
def test_no_variable_of_ours_can_be_taken_for_a_parameter(name: str, make_module, instrumented):
    module = make_module("""
def call(handler, **available):
    return handler(**{name: value for name, value in available.items() if name in handler.__code__.co_varnames})
def pay(order): return order
""")
    with instrumented('spans: {pay: {around: "HOST:pay", attributes: {order: order, paid: result}}}', module):
        assert module.call(module.pay, **{"order": 3, name: 4}) == 3


def test_a_function_can_be_made_of_the_code_of_a_patched_one(make_module, instrumented, tracing):
    module = make_module(SHOP)
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
        bare = types.FunctionType(module.pay.__code__, {})
        assert bare("tea", 3, gift=True) == 3
    assert tracing.names == ["pay"]


def test_a_traceback_has_one_more_entry_with_the_line_of_the_definition(make_module, instrumented):
    module = make_module("\ndef fail(order):\n    raise ValueError(order)\n")
    with instrumented('spans: {fail: {around: "HOST:fail"}}', module), pytest.raises(ValueError, match="tea") as caught:
        module.fail("tea")
    entries = traceback.extract_tb(caught.value.__traceback__)[1:]
    assert [(entry.filename, entry.lineno, entry.name) for entry in entries] == [
        (f"<{module.__name__}>", 2, "fail"),
        (f"<{module.__name__}>", 3, "fail"),
    ]
    text = "".join(traceback.format_exception(caught.value))
    assert "def fail(order):" in text and "^" not in text.split("def fail(order):")[1].split("File")[0]


FRAMES = """
import sys

def outer(step):
    def inner(number):
        return step + number + len(frames()) * 0
    return inner

def frames():
    frame, found = sys._getframe(), []
    while frame is not None:
        found.append(sorted(frame.f_locals))
        frame = frame.f_back
    return found

inner = outer(2)
"""


def test_the_frames_of_a_patched_closure_can_be_inspected(make_module, instrumented):
    module = make_module(FRAMES)
    with instrumented('spans: {inner: {around: "HOST:inner"}, frames: {around: "HOST:frames"}}', module):
        assert (module.inner(3), module.inner.__code__.co_freevars) == (5, ("step",))


def test_code_with_other_free_variables_than_those_of_its_function_is_refused():
    def function() -> None: ...

    template = compile_template("def {}():", "    pass", {}, 1)
    with pytest.raises(ValueError, match="free variables"):
        template.bind({}, CodeLabels.of(function.__code__), function.__code__)


def test_the_frame_of_a_patched_function_belongs_to_its_module(make_module, instrumented):
    module = make_module("import sys, warnings\ndef who(): return sys._getframe(1)\ndef warn(): warnings.warn('old')\n")
    with instrumented('spans: {a: {around: "HOST:who"}, b: {around: "HOST:warn"}}', module):
        frame = module.who()
        assert frame.f_globals is vars(module) and frame.f_code.co_filename == f"<{module.__name__}>"
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            module.warn()
    assert caught[0].lineno == 3


INHERITED = """
class Till:
    def pay(self): return ["Till.pay"]
    @classmethod
    def open(cls): return ["Till.open"]
    @property
    def total(self): return ["Till.total"]
    async def ship(self): return ["Till.ship"]
    def lines(self): yield "Till.lines"

class Web(Till): pass

class Voucher(Till):
    def pay(self): return ["Voucher.pay", *super().pay()]
    @classmethod
    def open(cls): return ["Voucher.open", *super().open()]
    @property
    def total(self): return ["Voucher.total", *super().total]
    async def ship(self): return ["Voucher.ship", *await super().ship()]
    def lines(self):
        yield "Voucher.lines"
        yield from super().lines()

class WebVoucher(Web, Voucher): pass
"""


def _call(owner: Any, name: str) -> Any:
    result = getattr(owner if name == "open" else owner(), name)
    result = result() if callable(result) else result
    return asyncio.run(result) if inspect.iscoroutine(result) else list(result)


@pytest.mark.parametrize("name", ["pay", "open", "total", "ship", "lines"])
def test_a_hook_on_an_inherited_method_does_not_change_which_method_is_called(
    name: str, make_module, instrumented, tracing
):
    module = make_module(INHERITED)
    with instrumented(f'spans: {{a: {{around: "HOST:Web.{name}"}}}}', module):
        assert name not in vars(module.Web)
        assert _call(module.WebVoucher, name) == [f"Voucher.{name}", f"Till.{name}"]
        assert len(tracing.spans) == 1
        _call(module.Web, name)
        assert len(tracing.spans) == 2
        _call(module.Till, name)
        _call(module.Voucher, name)
    assert len(tracing.spans) == 2, "the receiver of these calls does not inherit the method through the hooked class"


BUILTIN = """
class Web(dict): pass

class Voucher(dict):
    def get(self, key, default=None): return ["Voucher.get", super().get(key, default)]
    @classmethod
    def fromkeys(cls, keys): return ["Voucher.fromkeys", sorted(super().fromkeys(keys))]

class WebVoucher(Web, Voucher): pass
"""


def test_a_hook_on_an_inherited_method_of_a_builtin_class_does_not_change_which_method_is_called(
    make_module, instrumented, tracing
):
    module = make_module(BUILTIN)
    with instrumented('spans: {a: {around: "HOST:Web.get"}, b: {around: "HOST:Web.fromkeys"}}', module):
        assert module.WebVoucher(tea=1).get("tea") == ["Voucher.get", 1]
        assert module.Web(tea=1).get("tea") == module.Web.get(module.Web(tea=1), "tea") == 1
        assert module.WebVoucher.fromkeys(["tea"]) == ["Voucher.fromkeys", ["tea"]]
        assert module.Web.fromkeys(["tea"]) == {"tea": None} and type(module.Web.fromkeys([])) is module.Web
        assert module.Web.get.__name__ == "get" and module.Web.get.__doc__ == dict.get.__doc__
        assert module.Voucher(tea=2).get("tea") == ["Voucher.get", 2]
    assert tracing.names == ["a", "a", "a", "b", "b", "b"]


def test_the_hook_of_an_inherited_method_asks_no_metaclass_of_the_application(make_module, instrumented, tracing):
    module = make_module("""
        class Meta(type):
            def __instancecheck__(cls, instance): raise AssertionError
            def __subclasscheck__(cls, subclass): raise AssertionError
        class Base:
            def pay(self): return 1
        class Web(Base, metaclass=Meta): pass
    """)
    with instrumented('spans: {pay: {around: "HOST:Web.pay"}}', module):
        assert module.Web().pay() == 1 and module.Base().pay() == 1
    assert tracing.names == ["pay"]


COMPILED = """
    first = 'rule rule', "it's rule: \\" rule"  # the rule's 'comment
    second = rule.rule(rule=rule, other=-rule_2[0]), rule == rule
    def inner():
        return rule.rule(rule=2)
    return first, second, inner()
"""


def test_the_names_of_objects_are_replaced_in_code_only():
    class Rule:
        def rule(self, **values: Any) -> dict[str, Any]:
            return values

    objects = {"rule": Rule(), "rule_2": [1]}

    def function() -> None: ...

    code = compile_template("def {}():", COMPILED, objects, 0).bind(
        objects, CodeLabels.of(function.__code__), function.__code__
    )
    first, second, inner = types.FunctionType(code, {})()
    assert first == ("rule rule", "it's rule: \" rule")
    assert second == ({"rule": objects["rule"], "other": -1}, True) and inner == {"rule": 2}
    assert code.co_names == ("rule", "value")


def test_generated_code_is_on_the_line_of_the_definition():
    def function() -> None: ...

    code = compile_template("def {}():", COMPILED, {"rule": 1, "rule_2": 2}, 0).bind(
        {"rule": 1, "rule_2": 2}, CodeLabels.of(function.__code__), function.__code__
    )
    codes = [code, *(each for each in code.co_consts if isinstance(each, types.CodeType))]
    assert len(codes) == 2
    for each in codes:
        assert {line for _, _, line in each.co_lines()} <= {function.__code__.co_firstlineno, None}
        if hasattr(each, "co_positions"):  # not before Python 3.11
            assert {position[2:] for position in each.co_positions()} == {(None, None)}


def _adding(text: str, function: types.FunctionType, original: types.FunctionType) -> types.CodeType:
    objects = {"text": text, "original": original}
    template = compile_template("def {}(amount):", "    return [text, *original(amount)]\n", objects, 0)
    return template.bind(objects, CodeLabels.of(function.__code__), function.__code__)


@pytest.mark.parametrize("removed", ["first", "second"])
def test_layers_in_one_function_are_removed_in_any_order(removed: str):
    def pay(amount: int) -> list[Any]:
        return [amount]

    code = pay.__code__
    first, second = (CodeLayer(pay, functools.partial(_adding, name)) for name in ("first", "second"))
    assert pay(1) == ["second", "first", 1] and uninstrumented(pay).__code__ is code
    one, other = (first, second) if removed == "first" else (second, first)
    assert one.remove()
    assert pay(1) == ["second" if removed == "first" else "first", 1]
    assert other.replace(functools.partial(_adding, "new")) and pay(1) == ["new", 1]
    assert other.remove()
    assert pay.__code__ is code and uninstrumented(pay) is pay


def test_a_layer_below_the_code_of_another_tool_stays_there_and_only_calls_the_original(
    make_module, instrumented, tracing
):
    module = make_module("def pay(amount): return [amount]")
    code = module.pay.__code__
    with instrumented('spans: {pay: {around: "HOST:pay"}}', module) as instrumentor:
        ours = module.pay.__code__
        below = types.FunctionType(ours, vars(module))
        module.pay.__code__ = _adding("tool", module.pay, below)
        assert module.pay(1) == ["tool", 1] and tracing.names == ["pay"]
        instrumentor.uninstrument()
        assert module.pay(2) == ["tool", 2] and tracing.names == ["pay"]
        module.pay.__code__ = ours  # the other tool restores what it found
        assert module.pay(3) == [3] and tracing.names == ["pay"]
        module.pay.__code__ = code


def test_a_spec_that_is_installed_again_below_and_above_another_tools_code_is_in_effect_once(
    make_module, instrumented, tracing, tmp_path: Path
):
    module = make_module("def pay(amount): return [amount]")
    code = module.pay.__code__
    with instrumented('spans: {old: {around: "HOST:pay"}}', module) as instrumentor:
        module.pay.__code__ = _adding("tool", module.pay, types.FunctionType(module.pay.__code__, vars(module)))
        instrumentor.uninstrument()
        spec = tmp_path / "new.yaml"
        spec.write_text(f"instrument: 2\nname: shop\nspans: {{new: {{around: '{module.__name__}:pay'}}}}\n")
        instrumentor.instrument(tracer_provider=tracing.provider, meter_provider=tracing.meters, specs=[spec])
        assert module.pay(1) == ["tool", 1]
        assert tracing.names == ["new"]
        instrumentor.uninstrument()
        assert module.pay(1) == ["tool", 1] and tracing.names == ["new"]
        module.pay.__code__ = code


OBJECTS = """
import functools

class Command:
    def __init__(self, callback): self.callback = callback
    def __call__(self, *args): return self.invoke(*args)
    def invoke(self, *args): return self.callback(*args)

class Task:  # keeps the function in a class of its own, as Celery does
    def __call__(self, *args): return type(self).run(*args)

def task(function):
    return type("task", (Task,), {"run": staticmethod(function)})()

class Slotted:
    __slots__ = ("function",)
    def __init__(self, function): self.function = function
    def __call__(self, *args): return self.function(*args)

class Memo:
    def __init__(self, function):
        self.function, self.known = function, {}
        functools.update_wrapper(self, function)
    def __call__(self, *args):
        if args not in self.known: self.known[args] = self.function(*args)
        return self.known[args]

@Command
def command(order): return order

@task
def ship(order): return order

@Slotted
def slotted(order): return order

@Memo
def cached(order): return order
"""


@pytest.mark.parametrize("name", ["command", "ship", "slotted", "cached"])
def test_every_call_of_an_object_that_a_decorator_has_made_of_a_function_is_seen(
    name: str, make_module, instrumented, tracing
):
    module = make_module(OBJECTS)
    with instrumented(f'spans: {{a: {{around: "HOST:{name}"}}}}', module):
        function = getattr(module, name)
        assert [function("tea"), function("tea")] == ["tea", "tea"]
    assert len(tracing.spans) == 2


def test_an_object_that_keeps_its_function_is_not_replaced(make_module, instrumented, tracing):
    module = make_module(OBJECTS)
    held, task = module.command, module.ship
    with instrumented('spans: {a: {around: "HOST:command"}, b: {around: "HOST:ship"}}', module):
        assert module.command is held and module.ship is task
        assert held.invoke("tea") == "tea" and type(task).run("tea") == "tea"
    assert tracing.names == ["a", "b"]


def test_a_pattern_matches_objects_that_keep_their_functions(make_module, instrumented, tracing):
    module = make_module(OBJECTS)
    with instrumented('spans: {a: {around: "HOST:*", name: "{hooked.name}"}}', module):
        assert module.command("tea") == module.ship("tea") == module.slotted("tea") == module.cached("tea") == "tea"
    assert tracing.names == ["command", "ship", "slotted", "cached"]


def test_two_hooked_names_of_one_function_are_reported(make_module, instrumented, logged):
    module = make_module("def pay(): return 1\nsettle = pay\n")
    with instrumented('spans: {a: {around: "HOST:pay"}, b: {around: "HOST:settle"}}', module):
        assert module.pay() == 1
    (message,) = logged()
    assert "warning[same-function]" in message and f"is the same function as {module.__name__}:pay" in message


def test_a_pattern_that_matches_two_names_of_one_function_hooks_it_once(make_module, instrumented, tracing, logged):
    module = make_module("class Till:\n    def pay(self): return 1\n    settle = pay\n")
    with instrumented('spans: {a: {around: "HOST:Till.*", name: "{hooked.name}"}}', module):
        assert module.Till().pay() + module.Till().settle() == 2
    assert tracing.names == ["pay", "pay"] and logged() == []


def test_functions_of_one_definition_are_patched_each_on_its_own(make_module, instrumented, tracing):
    module = make_module("def make(n):\n    def f(): return n\n    return f\none, two = make(1), make(2)\n")
    with instrumented('spans: {a: {around: "HOST:one"}}', module):
        assert (module.one(), module.two(), module.make(3)()) == (1, 2, 3)
    assert tracing.names == ["a"]


def test_callables_with_the_same_signature_have_spans_of_their_own(make_module, instrumented, tracing):
    module = make_module("\n".join(f"def f{n}(order): return {n}" for n in range(50)))
    spec = 'spans: {a: {around: "HOST:f*", name: "{hooked.name}", attributes: {order: order.id, me: hooked.path}}}'
    with instrumented(spec, module):
        for n in range(50):
            assert getattr(module, f"f{n}")("tea") == n
    assert tracing.names == [f"f{n}" for n in range(50)]
    assert [span.attributes["me"] for span in tracing.spans] == tracing.names


@pytest.mark.parametrize("pickler", ["cloudpickle", "dill"])
def test_a_function_pickled_by_value_is_pickled_without_our_code(pickler: str, make_module, instrumented):
    library = pytest.importorskip(pickler)
    module = make_module(SHOP)
    by_value: dict[str, Any] = {"recurse": True} if pickler == "dill" else {}
    with instrumented('spans: {a: {around: "HOST:add"}, b: {around: "HOST:Till.price"}}', module):
        data = library.dumps(module.add, **by_value)
        assert module.add(2) == 2
    assert b"opentelemetry" not in data
    script = "import pickle, sys; print(pickle.load(sys.stdin.buffer)(5))"
    read = subprocess.run([sys.executable, "-c", script], input=data, capture_output=True, check=True)
    assert read.stdout.split() == [b"5"]


COMPILER = """
def get_function_object(obj): return getattr(obj, "__numba__", obj)
def compiled(function): return get_function_object(function).__code__
"""


@pytest.mark.parametrize(("name", "messages"), [("pay", 1), ("ship", 0), ("kept", 0)])
def test_a_function_that_numba_compiles_has_its_own_code_and_is_reported_once(
    name: str, messages: int, make_module, instrumented, logged
):
    numba = make_module(COMPILER, "numba.core.bytecode")
    module = make_module("""
class Dispatcher:
    def __init__(self, function): self.function = function
    def __call__(self, order): return order
Dispatcher.__module__ = "numba.core.registry"
def pay(order): return order
def ship(order): return order
@Dispatcher
def kept(order): return order
""")
    function = getattr(module, name, None)
    function = getattr(function, "function", function)
    code = function.__code__
    with instrumented('spans: {pay: {around: "HOST:pay"}, kept: {around: "HOST:kept"}}', module):
        assert numba.compiled(function) is numba.compiled(function) is code
        assert module.pay(3) == module.kept(3) == 3
    reports = [message for message in logged() if f"{module.__name__}:{name} is compiled by numba" in message]
    assert len(reports) == len(logged()) == messages
    assert numba.compiled(module.pay) is module.pay.__code__


def test_a_function_is_patched_and_undone_while_other_threads_call_it(make_module, instrumented):
    module = make_module("def pay(order): return order")
    stop, wrong = threading.Event(), []

    def call() -> None:
        while not stop.is_set():
            if module.pay("tea") != "tea":
                wrong.append(1)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        with instrumented('spans: {pay: {around: "HOST:pay"}}', module):
            pass
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


HELD = """
import functools

@functools.lru_cache
def settings(): return 1

def depends(on=settings): return on()

REGISTRY = [settings]
"""


def test_the_process_reports_what_holds_a_callable_that_is_replaced(make_module, instrumented, tracing, logged):
    module = make_module(HELD)
    with instrumented('spans: {settings: {around: "HOST:settings"}}', module):
        assert module.settings() == module.depends() == 1
    assert tracing.names == ["settings"]
    (message,) = logged()
    assert "warning[held]" in message and f"{module.__name__}.depends" in message


HELD_BY_FEW = """
import functools

@functools.lru_cache
def held(): return 1

@functools.lru_cache
def free(): return 2

class Shop:
    @functools.lru_cache
    def total(self): return 3
    @functools.lru_cache
    def rest(self): return 4

REGISTRY = {"held": held, "total": Shop.total}
"""


@pytest.mark.parametrize("pattern", ["HOST:*, HOST:Shop.*", "HOST:held, HOST:free, HOST:Shop.total, HOST:Shop.rest"])
def test_the_process_reports_what_holds_a_callable_that_a_pattern_matches(
    pattern: str, make_module, instrumented, tracing, logged
):
    module = make_module(HELD_BY_FEW)
    calls = ", ".join(f'"{each}"' for each in pattern.split(", "))
    with instrumented(f"hooks: {{each: {{call: {{include: [{calls}]}}}}}}\nspans: {{each: {{around: each}}}}", module):
        assert (module.held(), module.free(), module.Shop().total(), module.Shop().rest()) == (1, 2, 3, 4)
    messages = [message for message in logged() if "warning[held]" in message]
    assert sorted(message.split(" is held ")[0].rpartition(":")[2] for message in messages) == ["Shop.total", "held"]
    assert all(f"{module.__name__}.REGISTRY" in message for message in messages)


def test_a_callable_that_is_replaced_is_recorded_as_the_original(make_module, instrumented, tracing):
    module = make_module(
        "import functools\nfrom math import sqrt\n@functools.lru_cache\ndef cached(x): return x\ndef show(f): pass\n"
        "class Rows(list): pass\n"
    )
    spec = """
    spans:
      sqrt: {around: "HOST:sqrt"}
      cached: {around: "HOST:cached"}
      append: {around: "HOST:Rows.append"}
      show: {around: "HOST:show", attributes: {f: f, type: type_name(f), is: 'is_a(f, "_lru_cache_wrapper")'}}
    """
    values = [module.sqrt, module.cached]
    with instrumented(spec, module):
        for original, now in zip(values, [module.sqrt, module.cached], strict=True):
            assert original is not now
            module.show(original)
            module.show(now)
        module.show(module.Rows.append)
        module.show(module.Rows().append)
    found = [dict(span.attributes) for span in tracing.spans]
    expected = [
        {"f": "math.sqrt", "type": "builtin_function_or_method", "is": False},
        {"f": "functools._lru_cache_wrapper", "type": "_lru_cache_wrapper", "is": True},
    ]
    assert found[:4] == [expected[0], expected[0], expected[1], expected[1]]
    assert [attributes["type"] for attributes in found[4:]] == ["method_descriptor", "builtin_function_or_method"]
