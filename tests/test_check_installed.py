"""``instrument check`` with installed libraries: made-up ones, and AG2 itself."""

import importlib
import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.language.resources import directory

from .conftest import attributes_by_owner, start_instrumentor
from .processes import PATIENCE, ROOT, SOURCE

SCRIPT = Path(sysconfig.get_path("scripts")) / "instrument"

#: file -> source, of a library; ``spec.yaml`` is checked with it.
Files = dict[str, str]

CART = """
import functools

class Cart:
    size = 3

    def __init__(self): self.lines = []

    def pay(self, amount, *, tip=0): return amount + tip

    @staticmethod
    def of(lines): return Cart()

    @property
    def total(self): return 0

    def fire(self, kind, *args): pass

    async def ship(self, address): return address

def checkout(cart): return cart
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("books", "bookshop"):
            del sys.modules[name]


@pytest.fixture
def check(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Checks a spec with the package ``books`` next to it. Returns location, severity, code and message of problems."""

    def run(spec: str, files: Files | None = None, *options: str, code: int = 1) -> list[str]:
        (here / "books").mkdir(exist_ok=True)
        for name, source in {"__init__.py": "", "cart.py": CART, **(files or {})}.items():
            (here / "books" / name).write_text(source)
        head = "" if "instrument: 2" in spec else "instrument: 2\nname: books\n"
        (here / "spec.yaml").write_text(head + spec)
        assert main(["check", "--format", "json", *options, "spec.yaml"]) == code
        found = json.loads(capsys.readouterr().out)
        return [
            f"{Path(p['file']).name}:{p['line']} {p['severity']} {p['code']} {p['message']} | {p['help']}"
            for p in found
        ]

    return run


Check = Callable[..., list[str]]


def test_names_that_exist_are_not_reported(check: Check):
    spec = """
hooks:
  pay: {call: "books.cart:Cart.pay", when: amount > 0, names: {whole: amount}}
  fire: {call: "books.cart:Cart.fire", unpack: [order]}
spans:
  pay: {around: pay, attributes: {books.amount: whole, books.tip: tip, books.result: result}}
  fire: {at: fire.enter, attributes: {books.order: order}}
  made: {around: "books.cart:Cart.__init__"}
  of: {around: "books.cart:Cart.of"}
  total: {around: "books.cart:Cart.total"}
  ship: {around: "books.cart:Cart.ship"}
  checkout: {around: "books.cart:checkout"}
"""
    assert check(spec, code=0) == []


LAZY = """
def __getattr__(name):
    from books import shelf
    return getattr(shelf, name)
"""
SHELF = """
class Shelf:
    def add(self, book): return book
"""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            "books.cart:Cart.pya",
            'target-missing books.cart.Cart has no pya: hooks on it are inactive | did you mean "pay"?',
        ),
        (
            "books.cart:Crat.pay",
            'target-missing books.cart has no Crat: hooks on it are inactive | did you mean "Cart"?',
        ),
        (
            "books.crat:Cart.pay",
            'target-missing books has no module crat: hooks on it are inactive | did you mean "cart"?',
        ),
        ("books.zzz:Cart.pay", "target-missing books has no module zzz: hooks on it are inactive | None"),
        (
            "bookshop.cart:Cart.pay",
            'target-missing there is no module bookshop: no installed package provides it | did you mean "books"?',
        ),
        (
            "books.cart:Cart",
            "not-callable books.cart:Cart is a class: hook one of its methods | "
            "hook books.cart:Cart.__init__ or books.cart:Cart.pay or books.cart:Cart.of",
        ),
        (
            "books.cart:Cart.size",
            "not-callable books.cart:Cart.size is of type int, which cannot be called | "
            "hook a function, a method or a property: a plain value is read, not called",
        ),
        (
            "datetime:datetime.now",
            "cannot-patch datetime:datetime.now cannot be patched: cannot set 'now' attribute of immutable type "
            "'datetime.datetime' | hook a Python callable that calls it, or the method of what a callable returns: "
            "{value: HOOK.result, method: NAME}",
        ),
        (
            "books.lazy:Shelf.add",
            "target-missing books.lazy has no Shelf: hooks on it are inactive | "
            "books.lazy provides it on demand: name the module that defines it, as in books.shelf:Shelf.add",
        ),
        ("books.lazy:nothing", "target-missing books.lazy has no nothing: hooks on it are inactive | None"),
    ],
)
def test_a_target_that_is_missing_or_cannot_be_patched_is_reported(check: Check, target: str, expected: str):
    files = {"lazy.py": LAZY, "shelf.py": SHELF}
    assert check(f'spans: {{a: {{around: "{target}"}}}}', files) == [f"spec.yaml:3 error {expected}"]


def test_names_that_a_callable_does_not_have_are_reported_with_those_that_it_has(check: Check):
    spec = """
hooks: {pay: {call: "books.cart:Cart.pay", unpack: [first]}, ship: {call: "books.cart:Cart.ship"}}
spans:
  pay: {at: pay.enter}
  ship:
    around: ship
    attributes: {books.address: adress.street, books.note: {value: note, content: true}}
"""
    assert check(spec) == [
        "spec.yaml:4 error no-args Cart.pay(self, amount, tip) has no *args to name: "
        'the hook "pay" is left out | remove `unpack`',
        'spec.yaml:9 error unknown-name "adress" is not a parameter of Cart.ship(self, address): '
        'the attribute books.address is left out | did you mean "address"?',
        'spec.yaml:9 error unknown-name "note" is not a parameter of Cart.ship(self, address): '
        "the attribute books.note is left out | there are: self, address; "
        "write '\"note\"' for the text, in an attribute {const: note}",
    ]


FRAMES = """
import inspect, logging, sys, warnings
def older(): warnings.warn("older", DeprecationWarning, stacklevel=2)
def log(text): logging.info(text, stacklevel=2)
def caller(): return sys._getframe(1).f_globals["__name__"]
def indirect(): return caller()
def back(): return inspect.currentframe().f_back
def own_line(): return inspect.currentframe().f_lineno
def names(): return [each.function for each in inspect.stack()]
def stack(): return []
def uses_another(): return stack()
"""


def test_a_function_that_looks_at_the_frame_of_its_caller_is_noted(check: Check):
    names = ["older", "log", "caller", "indirect", "back", "own_line", "names", "stack", "uses_another"]
    spans = [f'  {name}: {{around: "books.frames:{name}"}}' for name in names]
    assert check("\n".join(["spans:", *spans]), {"frames.py": FRAMES}, "--strict", code=0) == [
        f"spec.yaml:{line} note caller-frame books.frames:{name} uses {way}: it finds one frame more, which has its "
        "own file and module | if that makes a difference, hook a function that calls it"
        for line, name, way in (
            (4, "older", "stacklevel"),
            (5, "log", "stacklevel"),
            (6, "caller", "sys._getframe"),
            (7, "indirect", "sys._getframe"),
            (8, "back", "inspect.currentframe"),
            (10, "names", "inspect.stack"),
        )
    ]


@pytest.mark.parametrize(("own", "written"), [("this", "self"), ("cls", "self"), ("self", "this"), ("_self", "cls")])
def test_the_receiver_of_a_method_is_suggested_by_its_own_name(own: str, written: str, check: Check):
    spec = f"spans: {{a: {{around: 'books.other:Other.pay', attributes: {{a: {written}.id}}}}}}"
    (problem,) = check(spec, {"other.py": f"class Other:\n    def pay({own}, order): ...\n"})
    assert problem.endswith(f'| did you mean "{own}"?')


STREAMS = """
import functools
class Lines:
    def __iter__(self): return self
    def __next__(self): raise StopIteration
class AsyncLines:
    def __aiter__(self): return self
    async def __anext__(self): raise StopAsyncIteration
class Connection:
    def __enter__(self): return self
    def __exit__(self, *raised): pass
def read() -> "list[str] | Lines": return Lines()
async def aread() -> AsyncLines: return AsyncLines()
def plain(function): return functools.wraps(function)(lambda: function())
decorated = plain(aread)
def connect() -> Connection: return Connection()
async def aconnect() -> Connection: return Connection()
def generate() -> "Iterator[str]": yield ""
"""


def test_a_stream_that_no_span_covers_is_noted(check: Check):
    names = ["read", "aread", "decorated", "connect", "aconnect", "generate"]
    spans = [f'  {name}: {{around: "books.streams:{name}"}}' for name in names]
    spec = "\n".join(["spans:", *spans])
    assert check(spec, {"streams.py": STREAMS}, "--strict", code=0) == [
        f"spec.yaml:{line} note unfollowed-result books.streams:{name} returns {what}, which is used after "
        f'the call: the span "{name}" ends when the call returns | set follow_result: true to follow it to its end, or '
        "follow_result: false if the span is only about the call"
        for line, name, what in (
            (4, "read", "a stream (Lines)"),
            (5, "aread", "a stream (AsyncLines)"),
            (6, "decorated", "a stream (AsyncLines)"),
            (7, "connect", "a context manager (Connection)"),
        )
    ]
    for flag in ("true", "false"):
        spec = f'spans: {{read: {{around: "books.streams:read", follow_result: {flag}}}}}'
        assert check(spec, {"streams.py": STREAMS}, "--strict", code=0) == []


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import books.nothing_there", "ModuleNotFoundError: No module named 'books.nothing_there'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def pay(:", "SyntaxError: invalid syntax"),
        ("import sys; sys.exit(3)", "it exits the program"),
    ],
)
def test_a_module_that_cannot_be_imported_is_reported_once_and_the_rest_is_checked(check: Check, source: str, why: str):
    spec = 'spans: {a: {around: "books.broken:a"}, b: {around: "books.broken:b"}, c: {around: "books.cart:Cart.c"}}'
    first, second = check(spec, {"broken.py": source})
    assert first.startswith(f"spec.yaml:3 error cannot-import books.broken cannot be imported: {why}")
    assert second.startswith("spec.yaml:3 error target-missing books.cart.Cart has no c")


@pytest.mark.parametrize("also", ["", "except ImportError as e: raise ImportError('install it') from e"])
def test_a_module_with_a_missing_dependency_is_a_warning(check: Check, also: str):
    spec = 'spans: {a: {around: "books.wire:send"}, b: {around: "books.cart:Cart.pay"}}'
    source = "from no_such_library.asyncio import connect"
    assert check(spec, {"wire.py": f"try: {source}\n{also}" if also else source}, code=0) == [
        "spec.yaml:3 warning not-installed books.wire requires no_such_library, which is not installed: "
        "hooks on it are inactive | install it and check again"
    ]


def test_an_interrupt_while_a_module_is_imported_ends_the_check(check: Check):
    with pytest.raises(KeyboardInterrupt):
        check('spans: {a: {around: "books.broken:a"}}', {"broken.py": "raise KeyboardInterrupt"})


def test_functions_of_a_spec_have_to_exist_and_to_accept_their_arguments(check: Check):
    spec = """
functions: {gone: "books.cart:checkuot", size: "books.cart:Cart.size", checkout: "books.cart:checkout"}
spans:
  a: {around: "books.cart:Cart.pay", attributes: {a: gone(self), b: size(self), c: "checkout(self, amount)"}}
"""
    assert check(spec) == [
        "spec.yaml:4 error target-missing books.cart:checkuot cannot be found: "
        "module 'books.cart' has no attribute 'checkuot' | did you mean \"checkout\"?",
        "spec.yaml:4 error not-callable books.cart:Cart.size is of type int, which cannot be called | name a function",
        "spec.yaml:6 error wrong-arguments checkout() is called with 2 arguments, but the signature of "
        "books.cart:checkout is (cart): too many positional arguments | pass the arguments that it accepts",
    ]


def test_the_base_of_an_extension_and_its_methods_have_to_exist(check: Check):
    spec = """
hooks:
  made: {call: "books.cart:Cart.__init__"}
  a: {extension: good, method: on_pya}
  b: {extension: gone, method: on_pay}
  c: {extension: odd, method: on_pay}
extensions:
  good: {base: "books.seams:Seam", install: {at: made.return, call: self.add}}
  gone: {base: "books.seams:Saem", install: {at: made.return, call: self.add}}
  odd: {base: "books.seams:seam", install: {at: made.return, call: self.add}}
spans: {a: {around: a}, b: {around: b}, c: {around: c}}
"""
    seams = "class Seam:\n    def on_pay(self, order): pass\nseam = 3\n"
    assert check(spec, {"seams.py": seams}) == [
        "spec.yaml:6 error target-missing books.seams.Seam has no on_pya: hooks on it are inactive | "
        'did you mean "on_pay"?',
        "spec.yaml:11 error target-missing books.seams:Saem cannot be found: "
        "module 'books.seams' has no attribute 'Saem' | did you mean \"Seam\"?",
        "spec.yaml:12 error not-a-class books.seams:seam cannot be subclassed: it is a int | name the class to extend",
    ]


# ── Warnings ──


HEIRS = """
import functools
from books.cart import Cart

def logged(function):
    @functools.wraps(function)
    def inner(*args, **kwargs): return function(*args, **kwargs)
    return inner

class WithSuper(Cart):
    def pay(self, amount, *, tip=0): return super().pay(amount, tip=tip)

class WithBase(Cart):
    def pay(self, amount, *, tip=0): return Cart.pay(self, amount, tip=tip)

class InsideAnother(Cart):
    def pay(self, amount, *, tip=0):
        def later(): return super(InsideAnother, self).pay(amount)
        return later()

class Decorated(Cart):
    @logged
    def pay(self, amount, *, tip=0): return super().pay(amount, tip=tip)

class Without(Cart): pass
"""


def test_a_method_that_subclasses_override_is_reported_with_the_subclasses(check: Check):
    own = "".join(f"class Own{n}(Cart):\n    def pay(self, amount): return {n}\n" for n in range(5))
    (line,) = check(
        'spans: {a: {around: "books.cart:Cart.pay"}, b: {around: "books.gifts:checkout"}}',
        {"gifts.py": HEIRS + own + "def checkout(): pass"},
        code=0,
    )
    assert line == (
        "spec.yaml:3 warning shadowed books.cart:Cart.pay is overridden without a super() call in: "
        "books.gifts:Own0, books.gifts:Own1, books.gifts:Own2 and 2 more. Calls of those methods are not seen | "
        "hook books.gifts:Own0.pay too, or all of them with `call: {subclass_of: 'books.cart:Cart', method: pay}`"
    )


def test_subclasses_that_call_the_method_or_are_hooked_themselves_are_not_reported(check: Check):
    own = "class Own(Cart):\n    def pay(self, amount): return 1\n"
    spec = 'spans: {a: {around: "books.cart:Cart.pay"}, b: {around: "books.gifts:Own.pay"}}'
    assert check(spec, {"gifts.py": HEIRS + own}, "--strict", code=0) == []


CIRCULAR = {
    "till.py": "import functools\n@functools.lru_cache\ndef ring(): return 1\nimport books.counter\n",
    "counter.py": "from books.till import ring\ndef serve(): return ring()\n",
}


def test_a_callable_that_is_imported_by_name_before_it_can_be_replaced_is_reported(check: Check):
    (line,) = check('spans: {a: {around: "books.till:ring"}}', CIRCULAR, code=0)
    assert line == (
        "spec.yaml:3 warning copied books.till:ring was imported by name before it could be patched, in: "
        "books.counter. Calls from there are not seen | "
        "start the program under opentelemetry-instrument, or hook books.counter:ring too"
    )


def test_a_function_that_is_imported_by_name_before_its_module_is_complete_is_not_reported(check: Check):
    files = {**CIRCULAR, "till.py": "def ring(): return 1\nimport books.counter\n"}
    assert check('spans: {a: {around: "books.till:ring"}}', files, "--strict", code=0) == []


def test_a_callable_that_is_imported_by_name_afterwards_is_replaced_by_then_and_not_reported(check: Check):
    files = {**CIRCULAR, "till.py": "import functools\n@functools.lru_cache\ndef ring(): return 1\n"}
    spec = 'spans: {a: {around: "books.till:ring"}, b: {around: "books.counter:serve"}}'
    assert check(spec, files, code=0) == []


def test_a_callable_that_is_imported_by_name_too_early_is_reported_for_each_file(
    check: Check, here: Path, capsys: pytest.CaptureFixture[str]
):
    check("spans: {}", CIRCULAR, "--no-import", code=0)
    for name in ("one", "two"):
        spec = f'instrument: 2\nname: {name}\nspans: {{a: {{around: "books.till:ring"}}}}\n'
        (here / f"{name}.yaml").write_text(spec)
    assert main(["check", "one.yaml", "two.yaml"]) == 0
    out = capsys.readouterr().out
    assert re.findall(r"^(\S+): (\S+):", out, re.MULTILINE) == [
        ("one.yaml:3:21", "warning[copied]"),
        ("two.yaml:3:21", "warning[copied]"),
    ]
    assert out.endswith("\n2 warnings\n")


@pytest.mark.parametrize(
    ("code", "holder"),
    [
        ("COMMANDS = {'ring': [ring]}", "books.till.COMMANDS"),
        ("def serve(call=ring): return call()", "books.till.serve"),
        ("def make(call): return lambda: call()\nserve = make(ring)", "books.till.make.<locals>.<lambda>"),
        ("class Desk: serve = staticmethod(ring)", "staticmethod"),
        ("class Desk: serve = ring", "books.till.Desk"),
        ("class Route:\n    def __init__(self, call): self.call = call\nROUTES = [Route(ring)]", "books.till.Route"),
        ("serve = functools.partial(ring)", "functools.partial"),
    ],
)
def test_an_object_that_holds_a_callable_before_it_can_be_replaced_is_reported(code: str, holder: str, check: Check):
    till = f"import functools\n@functools.lru_cache\ndef ring(): return 1\n{code}\n"
    (line,) = check('spans: {a: {around: "books.till:ring"}}', {"till.py": till}, code=0)
    assert line == (
        f"spec.yaml:3 warning held books.till:ring is held from before it could be patched, by: {holder}. "
        "Calls from there are not seen | "
        "call it by its name there, or hook a function that it calls or that calls it"
    )


REGISTRY = """
import functools
ROUTES = {}
class App:
    def __init__(self):
        self.routes = []
    def serve(self, call):
        self.routes.append(call)
        @functools.wraps(call)
        def wrapper(*args): return self.run(call, args)
        return wrapper
    def run(self, call, args): return call(*args)
app = App()
def route(call):
    ROUTES[call.__name__] = call
    return call
def log_in(call):
    def wrapper(*args): return call(*args)
    return wrapper
class Retry:
    def __init__(self, call): self.call = call
    def __call__(self, *args): return self.call(*args)
def retried(call):
    retry = Retry(call)
    @functools.wraps(call)
    def wrapper(*args): return retry(*args)
    wrapper.original = call
    return wrapper
"""


@pytest.mark.parametrize("definition", ["async def ring(): return 1", "def ring(): yield 1"])
@pytest.mark.parametrize(
    ("decorators", "holder"),
    [
        ("@functools.lru_cache\n@route", "books.till.ROUTES"),
        ("@retried\n@log_in\n@route", "books.till.ROUTES"),
    ],
)
def test_a_function_below_a_decorator_whose_calls_cannot_be_distinguished_is_reported(
    definition: str, decorators: str, holder: str, check: Check
):
    till = f"{REGISTRY}\n{decorators}\n{definition}\n"
    (line,) = check('spans: {a: {around: "books.till:ring"}}', {"till.py": till}, code=0)
    assert line == (
        f"spec.yaml:3 warning held books.till:ring is a wrapper, and the function itself is held by: {holder}. "
        "Calls from there are not seen | "
        "change the order of the decorators, or hook a function that it calls or that calls it"
    )


@pytest.mark.parametrize(
    "decorators", ["@log_in\n@route", "@functools.lru_cache\n@route", "@retried\n@log_in\n@route", "@app.serve"]
)
def test_a_function_that_is_registered_below_a_decorator_is_not_reported_because_its_calls_are_seen(
    decorators: str, check: Check
):
    till = f"{REGISTRY}\n{decorators}\ndef ring(): return 1\n"
    assert check('spans: {a: {around: "books.till:ring"}}', {"till.py": till}, code=0) == []


@pytest.mark.parametrize(
    "decorators",
    [
        "@route\n@log_in",
        "@retried",
        "@functools.lru_cache",
        "@functools.singledispatch",
        "@contextlib.contextmanager",
        "@pydantic.validate_call",
        "@beartype.beartype",
        "@classmethod\n    @retried",
    ],
)
def test_a_function_that_only_its_wrapper_holds_is_not_reported(decorators: str, check: Check):
    head = f"import beartype, contextlib, pydantic\n{REGISTRY}\n"
    path = "Till.ring" if "classmethod" in decorators else "ring"
    start = "class Till:\n    " if "classmethod" in decorators else ""
    till = f"{head}{start}{decorators}\n{'    ' if start else ''}def ring(book: int): return 1\n"
    assert check(f'spans: {{a: {{around: "books.till:{path}"}}}}', {"till.py": till}, code=0) == []


HELD_BY_NOBODY = """
import functools
@functools.lru_cache
def ring(): return close()
def close(): return 2
CLOSED = [close]
class Desk:
    @staticmethod
    @functools.lru_cache
    def serve(): return ring()
    @functools.lru_cache
    def open(self): return Desk.serve()
Desk().open()
"""


@pytest.mark.parametrize("path", ["ring", "close", "Desk.serve", "Desk.open"])
def test_a_callable_that_is_called_by_its_name_or_patched_in_place_is_not_reported_as_held(path: str, check: Check):
    use = "from books.till import ring\nCOMMANDS = [ring]\n"
    files = {"till.py": HELD_BY_NOBODY, "desk.py": use}
    spec = f'spans: {{b: {{around: "books.desk:Missing.x"}}, a: {{around: "books.till:{path}"}}}}'
    (line,) = check(spec, files, code=1)
    assert "error target-missing" in line


def test_another_name_in_the_class_is_reported(check: Check):
    cached = "    settle = pay = __import__('functools').lru_cache(pay)\n\n    @staticmethod"
    files = {"cart.py": CART.replace("    @staticmethod", cached)}
    (line,) = check('spans: {a: {around: "books.cart:Cart.pay"}}', files, code=0)
    assert line.startswith("spec.yaml:3 warning other-name books.cart:Cart.pay has another name: Cart.settle.")


def test_two_hooked_names_of_one_function_are_a_warning(check: Check):
    files = {"till.py": "def ring(): return 1\nbell = ring\n"}
    (line,) = check('spans: {a: {around: "books.till:ring"}, b: {around: "books.till:bell"}}', files, code=0)
    assert line.startswith("spec.yaml:3 warning same-function books.till:bell is the same function as books.till:ring.")


# ── Releases ──


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            '{distribution: no-such-books, version: ">=1"}',
            "spec.yaml:3 warning not-installed no-such-books is not installed: the names in this spec were not checked "
            "against it | install it and check again",
        ),
        (
            '{distribution: pyyaml, version: "<2"}',
            "spec.yaml:3 warning out-of-range pyyaml VERSION is installed and this spec is for <2: it traces nothing "
            "in this environment, and its names were not checked | "
            "install a release in the range, or widen the range and check again",
        ),
    ],
)
def test_a_missing_library_or_another_release_is_a_warning_that_says_what_was_not_checked(
    check: Check, target: str, expected: str
):
    spec = f'target: {target}\nspans: {{a: {{around: "books.broken:Cart.pya"}}}}\n'
    (found,) = check(spec, {"broken.py": "1 / 0"}, code=0)
    assert re.sub(r"pyyaml [0-9.]+", "pyyaml VERSION", found) == expected
    assert check(spec, {}, "--strict", code=1) == [found]
    assert "books.broken" not in sys.modules


def test_names_in_other_releases_are_not_looked_up(check: Check):
    spec = """
target: {distribution: pyyaml}
spans: {a: {around: "books.cart:Cart.pay"}}
releases:
  old: {version: "<2", spans: {b: {around: "books.cart:Cart.old"}}}
  new: {version: ">=2", spans: {c: {around: "books.cart:Cart.new"}}}
"""
    (line,) = check(spec)
    assert line.startswith("spec.yaml:8 error target-missing books.cart.Cart has no new: ")


# ── In one run ──


def test_targets_are_looked_up_even_if_the_file_has_other_problems(check: Check):
    spec = """
spans:
  a: {around: "books.cart:Cart.pya", atributes: {}}
  b: {around: "books.cart:Cart.pay", attributes: {b: x ** 2}}
"""
    assert [line.split()[2] for line in check(spec)] == ["target-missing", "unknown-key", "not-allowed"]


def test_a_hook_that_no_rule_uses_is_looked_up_as_well(check: Check):
    lines = check('hooks: {a: {call: "books.cart:Cart.pya"}, b: {call: "books.crat:Cart.pay"}}\nspans: {}\n')
    assert [line.split()[1:3] for line in lines] == [
        ["warning", "idle-hook"],
        ["error", "target-missing"],
        ["warning", "idle-hook"],
        ["error", "target-missing"],
    ]


def test_without_imports_only_the_file_is_checked(check: Check):
    spec = 'spans: {a: {around: "books.broken:Cart.pya", when: "False"}}'
    (line,) = check(spec, {"broken.py": "1 / 0"}, "--no-import", code=0)
    assert line.startswith("spec.yaml:3 warning never-true ")
    assert "books" not in sys.modules


NEEDS_SETUP = {
    "setup.py": "import books; books.is_set_up = True",
    "models.py": "import books\nif not hasattr(books, 'is_set_up'): raise RuntimeError('not ready')\ndef save(): pass",
}


def test_a_module_that_others_need_is_imported_first(check: Check):
    spec = 'spans: {save: {around: "books.models:save"}}'
    (line,) = check(spec, NEEDS_SETUP, code=1)
    assert line == (
        "spec.yaml:3 error cannot-import books.models cannot be imported: RuntimeError: not ready"
        " | import it on its own to see where it fails; if it needs another module first, use --import"
    )
    check(spec, NEEDS_SETUP, "--import", "books.setup", code=0)


@pytest.mark.parametrize("command", [["check", "spec.yaml"], ["explain"], ["init", "books.cart"]], ids=lambda c: c[0])
def test_a_module_to_import_first_that_cannot_be_imported_is_wrong_usage(
    command: list[str], here: Path, capsys: pytest.CaptureFixture[str]
):
    (here / "spec.yaml").write_text("instrument: 2\nname: books\nspans: {}\n")
    name, *arguments = command
    assert main([name, "--import", "books.nowhere", *arguments]) == 2
    assert capsys.readouterr().err == (
        "books.nowhere cannot be imported: ModuleNotFoundError: No module named 'books'."
        " Correct --import or the module.\n"
    )


def test_nothing_stays_patched_and_no_path_stays_behind(check: Check):
    paths, finders = list(sys.path), list(sys.meta_path)
    check('spans: {a: {around: "books.cart:Cart.pay"}, b: {around: "books.cart:checkout"}}', code=0)
    before = attributes_by_owner(sys.modules["books.cart"])
    check('spans: {a: {around: "books.cart:Cart.pay"}, b: {around: "books.cart:checkout"}}', code=0)
    after = attributes_by_owner(sys.modules["books.cart"])
    assert {key for key in before if after[key] is not before[key] and callable(before[key])} == set()
    assert not [
        value for value in after.values() if str(getattr(value, "__module__", None)).startswith("opentelemetry")
    ]
    assert (sys.path, sys.meta_path) == (paths, finders)


def test_check_reports_the_same_as_the_log_at_run_time(
    check: Check, here: Path, tracing, logged, monkeypatch: pytest.MonkeyPatch, capsys
):
    spec = """
functions: {gone: "books.cart:checkuot"}
spans:
  a: {around: "books.cart:Cart.pya"}
  b: {around: "books.cart:Cart.pay", attributes: {b: amuont, c: gone(self)}}
  c: {around: "books.cart:Cart"}
  d: {around: "books.till:ring"}
  e: {around: "books.cart:Cart.total", name: "{kind}"}
"""
    check(spec, CIRCULAR)
    capsys.readouterr()
    for name in [name for name in sys.modules if name.partition(".")[0] == "books"]:
        del sys.modules[name]
    assert main(["check", "spec.yaml"]) == 1
    text = capsys.readouterr().out
    for name in [name for name in sys.modules if name.partition(".")[0] == "books"]:
        del sys.modules[name]
    monkeypatch.syspath_prepend(here)
    instrumentor = start_instrumentor(tracing, Path("spec.yaml"))
    try:
        importlib.import_module("books.till")
        importlib.import_module("books.cart")
    finally:
        instrumentor.uninstrument()
    assert len(logged()) == 6
    assert sorted(text.splitlines()) == sorted(
        [*(line for message in logged() for line in message.splitlines()), "5 problems, 1 warning"]
    )


def test_a_spec_with_only_warnings_is_used(instrumented, make_module, tracing):
    module = make_module("def pay(): return 1")
    with instrumented('hooks: {idle: {call: "HOST:pay"}}\nspans: {pay: {around: "HOST:pay", when: "True"}}', module):
        assert module.pay() == 1
    assert tracing.names == ["pay"]


# ── The command ──


def command(here: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHON"))}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=here,
        env={**kept, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


LOUD = """
import atexit, logging, os, subprocess, sys, warnings
print("printed")
sys.__stdout__.write("written past the stream\\n")
os.write(1, b"written past Python\\n")
subprocess.run([sys.executable, "-c", "print('by another process')"])
logging.basicConfig(); logging.warning("logged")
warnings.warn("not yours")
def pay(): return 1
"""


@pytest.mark.parametrize("form", ["json", "github", "text"])
def test_the_output_of_a_library_during_its_import_is_not_part_of_the_output(here: Path, form: str):
    (here / "loud.py").write_text(LOUD)
    (here / "my.yaml").write_text('instrument: 2\nname: my\nspans: {a: {around: "loud:pya"}}\n')
    run = command(here, "check", "--format", form, "my.yaml")
    assert run.returncode == 1
    message = "loud has no pya: hooks on it are inactive"
    if form == "json":
        (problem,) = json.loads(run.stdout)
        assert (problem["message"], problem["severity"]) == (message, "error")
    elif form == "github":
        place = "file=my.yaml,line=3,col=21,title=target-missing"
        assert run.stdout == f'::error {place}::{message} (did you mean "pay"?)\n'
    else:
        assert run.stdout.startswith(f"my.yaml:3:21: error[target-missing]: {message}\n")
        assert run.stdout.endswith("\n1 problem\n")
    for output in ("printed", "written past the stream", "written past Python", "by another process", "logged"):
        assert output in run.stderr
    assert "not yours" not in run.stderr


def test_the_command_finds_modules_in_the_current_directory(here: Path):
    (here / "mine.py").write_text("def pay(amount): return 1\n")
    (here / "my.yaml").write_text('instrument: 2\nname: my\nspans: {a: {around: "mine:pay"}}\n')
    checked = command(here, "check", "my.yaml")
    assert (checked.returncode, checked.stdout) == (0, "my.yaml: no problems\n")
    explained = command(here, "explain", "--source", "--specs", "my.yaml", "mine:pay")
    assert explained.returncode == 0
    assert "def pay(amount):" in explained.stdout


def test_warnings_are_reported_as_warnings_in_every_format(here: Path, capsys: pytest.CaptureFixture[str]):
    spec = 'instrument: 2\nname: my\nspans: {a: {around: "books:pay", when: "False"}}\n'
    (here / "my.yaml").write_text(spec)
    for options, code in (((), 0), (("--strict",), 1)):
        assert main(["check", "--no-import", *options, "my.yaml"]) == code
        assert capsys.readouterr().out == (
            'my.yaml:3:40: warning[never-true]: "False" is never true: the span "a" never takes effect\n'
            '  3 | spans: {a: {around: "books:pay", when: "False"}}\n'
            "    |                                        ^^^^^^^\n"
            "  help: remove it, or correct the condition\n"
            "1 warning\n"
        )
    assert main(["check", "--no-import", "--format", "github", "my.yaml"]) == 0
    assert capsys.readouterr().out.startswith("::warning file=my.yaml,line=3,col=40,title=never-true::")
    assert main(["check", "--no-import", "--format", "json", "my.yaml"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["severity"] == "warning"


# ── AG2 ──


def test_shipped_specs_and_those_of_the_demo_have_no_problems_with_the_installed_libraries(
    capsys: pytest.CaptureFixture[str],
):
    pytest.importorskip("ag2")
    pytest.importorskip("websockets")
    files = [*directory("configs").glob("*.yaml"), *(ROOT / "docs" / "demo").glob("*.yaml")]
    assert len(files) >= 4
    assert main(["check", *map(str, sorted(files))]) == 0
    # Other libraries and optional dependencies of AG2 may be missing.
    warnings = [line for line in capsys.readouterr().out.splitlines() if " warning[" in line]
    assert not [line for line in warnings if "warning[not-installed]" not in line]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            'hooks: {dispatch: {call: "ag2.network.hub.core:Hub._despatch"}}',
            "spec.yaml:3 error target-missing ag2.network.hub.core.Hub has no _despatch in ag2 VERSION: "
            'hooks on it are inactive | did you mean "_dispatch"?',
        ),
        (
            "spans: {envelope: {attributes: {app.priority: envelop.priority}}}",
            'spec.yaml:3 error unknown-name "envelop" is not a parameter of Hub._wal_append(self, envelope): '
            'the attribute app.priority is left out | did you mean "envelope"?',
        ),
        (
            "hooks: {inbox_pressure: {unpack: [agent_id, pending]}}",
            'spec.yaml:2 error unknown-name "cap" is not a parameter of Hub._fan_out(self, method_name, args): '
            "the attribute ag2.inbox.cap is left out (in ag2.yaml:N, as changed by this file) | HELP",
        ),
        (
            "spans: {envelope: {key: envelop.envelope_id}}",
            'spec.yaml:3 error unknown-name "envelop" is not a parameter of Hub._wal_append(self, envelope): '
            'the span "envelope" is left out | did you mean "envelope"?',
        ),
        (
            'target: {version: "<1"}',
            "spec.yaml:3 warning out-of-range ag2 VERSION is installed and this spec is for <1: it traces nothing in "
            "this environment, and its names were not checked | "
            "install a release in the range, or widen the range and check again",
        ),
    ],
)
def test_a_change_to_a_shipped_spec_is_checked_with_it_and_reported_at_its_line(
    check: Check, change: str, expected: str
):
    pytest.importorskip("ag2")
    found = check(f"instrument: 2\nextends: ag2\n{change}\n", code=0 if " warning " in expected else 1)
    shown = re.sub(r"ag2 [0-9.]+[0-9]", "ag2 VERSION", "\n".join(found))
    shown = re.sub(r"ag2\.yaml:[0-9]+", "ag2.yaml:N", shown)
    shown = re.sub(r"there are: .*", "HELP", shown)
    assert expected in shown.splitlines(), shown
    assert all(line.startswith("spec.yaml:") for line in found)


@pytest.mark.parametrize("name", ["pay", "p*"])
def test_the_script_cannot_be_checked_and_the_help_names_what_can(name: str, here: Path, capsys):
    (here / "spec.yaml").write_text(f"instrument: 2\nname: shop\nspans: {{pay: {{around: '__main__:{name}'}}}}\n")
    assert main(["check", "spec.yaml"]) == 0
    printed = capsys.readouterr()
    assert "warning[cannot-import]: __main__ is the script" in printed.out + printed.err
    assert "app:checkout is also traced if app.py is the script" in printed.out + printed.err


PROVIDED = """
import functools

def with_session(function):
    @functools.wraps(function)
    def wrapper(*args, attempts=1, **kwargs):
        return function("a session", *args, **kwargs)
    return wrapper

@with_session
def pay(session, order, *, gift=False, **more): return order
"""


def test_a_parameter_that_a_decorator_provides_is_a_warning_where_it_is_read(check: Check):
    spec = 'spans: {a: {around: "books.till:pay", attributes: {a: order, b: session.id, c: gift, d: more.x}}}'
    (line,) = check(spec, {"till.py": PROVIDED}, code=0)
    assert line.startswith('spec.yaml:3 warning provided-name "session" never has a value: a decorator provides it for')
    hooks = 'hooks: {pay: {call: "books.till:pay", names: {session: order}}}'
    spans = "spans: {a: {around: pay, attributes: {a: session}}}"
    assert check(f"{hooks}\n{spans}", {"till.py": PROVIDED}, "--strict", code=0) == []
