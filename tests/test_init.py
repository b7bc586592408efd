"""`instrument init`: which callables get a span, which attributes it has, and that the spec works as it is."""

import importlib
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.instrumentation.declarative.cli.main import main
from opentelemetry.instrumentation.declarative.inspection.scaffold import ScaffoldError, scaffold_spec
from opentelemetry.instrumentation.declarative.inspection.scaffold.selection import MOST_SPANS
from opentelemetry.instrumentation.declarative.language.json_schema import schema_path
from opentelemetry.instrumentation.declarative.plan.validation import read_spec

from tests.conftest import Tracing, start_instrumentor
from tests.processes import PACKAGE, PATIENCE, SOURCE, run

ROOT = Path(__file__).parents[1]

CART = """
from __future__ import annotations

import contextlib
import datetime
import enum
import functools
import typing
import uuid
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass

if typing.TYPE_CHECKING:
    from shop.nowhere import Address

print("the shop opens")


class Tier(enum.Enum):
    GOLD = "gold"


@dataclass
class Customer:
    id: uuid.UUID
    name: str
    tier: Tier


class Line:
    def __init__(self, line_id: int, title: str) -> None:
        self.line_id = line_id


class Stored(ABC):
    def save(self, path: str) -> None:
        print("saved", path)

    @abstractmethod
    def load(self) -> None: ...


class Cart(Stored):
    LIMIT = 3
    Inner = Line

    def __init__(self, id: str) -> None:
        self.id: str = id
        self.lines = []

    def add(self, sku: str, amount: int = 1, tier: Tier | None = None, *tags: str, **extra: str) -> int:
        self.lines.append(sku)
        return len(self.lines)

    async def pay(
        self, customer: Customer, api_key: str, max_tokens: int, due: datetime.date | None, to: Address | None = None
    ) -> Customer:
        return customer

    def ask(self, prompt: str, lines: list[Line], on_done: Callable[[], None] | None = None) -> str:
        return prompt.upper()

    def search(self, query, limit=10, options={}, flag=None, _depth=0) -> list[str]:
        return sorted(options)

    def find(self, line: Line | None = None, result: str = "", id: str = "") -> Line | None:
        return line or None

    def each(self) -> Iterator[str]:
        yield from self.lines

    async def stream(self) -> AsyncIterator[str]:
        for line in self.lines:
            yield line

    @typing.overload
    def price(self, of: int) -> int: ...
    @typing.overload
    def price(self, of: str) -> float: ...
    def price(self, of):
        return len(str(of))

    @functools.singledispatchmethod
    def show(self, shown: object) -> str:
        return repr(shown)

    half = functools.partialmethod(add, amount=2)

    @staticmethod
    def parse(text: str) -> Cart:
        return Cart(text)

    @classmethod
    def of(cls, owner: str | None) -> Cart:
        return cls(str(owner))

    @functools.cached_property
    def digest(self) -> bytes:
        return bytes(3)

    def get_token(self) -> str:
        return "t" + self.id

    def null(self, true: bool) -> None:
        self.lines.append(true)

    def load(self) -> None:
        self.lines.clear()

    def get_lines(self) -> list:
        return self.lines

    def later(self) -> None:
        raise NotImplementedError

    @property
    def total(self) -> float:
        return sum(map(len, self.lines))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        yield

    def _private(self) -> None:
        self.lines.clear()


def total(carts: Iterable[Cart], currency: str = "EUR") -> float:
    return sum(cart.total for cart in carts)


def _hidden(): ...
"""

OF_CART = """\
instrument: 2
name: shop
spans:
  add:
    around: shop.cart:Cart.add
    name: Cart.add
    attributes:
      shop.cart.id: self.id
      shop.cart.sku: sku
      shop.cart.amount: amount
      shop.cart.tier: tier
      shop.cart.tags: len(tags)
      shop.cart.extra: len(extra)
      shop.cart.add.result: result
  pay:
    around: shop.cart:Cart.pay
    name: Cart.pay
    attributes:
      shop.cart.id: self.id
      shop.cart.customer.id: str(customer.id)
      shop.cart.customer.name: customer.name
      shop.cart.max_tokens: max_tokens
      shop.cart.due: str(due)
      shop.cart.pay.result.id: str(result.id)
      shop.cart.pay.result.name: result.name
    # Left out, because the name suggests a secret: api_key.
    # More can be read from: customer (Customer: tier), to (Address | None), result (Customer: tier).
  ask:
    around: shop.cart:Cart.ask
    name: Cart.ask
    attributes:
      shop.cart.id: self.id
      shop.cart.prompt: {value: prompt, content: true}
      shop.cart.lines: len(lines)
      shop.cart.ask.result: {value: result, content: true}
    # More can be read from: on_done (Callable[[], None] | None).
  search:
    around: shop.cart:Cart.search
    name: Cart.search
    attributes:
      shop.cart.id: self.id
      shop.cart.query: {value: query, content: true}
      shop.cart.limit: limit
      shop.cart.options: len(options)
      shop.cart.flag: flag
      shop.cart.search.result: len(result)
  find:
    around: shop.cart:Cart.find
    name: Cart.find
    attributes:
      shop.cart.id: self.id
      shop.cart.line.line_id: line.line_id
      shop.cart.result: result
      shop.cart.find.id: id
    # The return value is left out, because a parameter is named result. An attribute with `at` can read it.
  each:
    around: shop.cart:Cart.each
    name: Cart.each
    attributes:
      shop.cart.id: self.id
      shop.cart.each.items: item_count
  stream:
    around: shop.cart:Cart.stream
    name: Cart.stream
    attributes:
      shop.cart.id: self.id
      shop.cart.stream.items: item_count
  price:
    around: shop.cart:Cart.price
    name: Cart.price
    attributes:
      shop.cart.id: self.id
      shop.cart.of: of
  show:
    around: shop.cart:Cart.show
    name: Cart.show
    attributes:
      shop.cart.id: self.id
      shop.cart.show.result: result
    # More can be read from: shown (object).
  half:
    around: shop.cart:Cart.half
    name: Cart.half
    attributes:
      shop.cart.id: self.id
      shop.cart.sku: sku
      shop.cart.amount: amount
      shop.cart.tier: tier
      shop.cart.extra: len(extra)
      shop.cart.half.result: result
  parse:
    around: shop.cart:Cart.parse
    name: Cart.parse
    attributes:
      shop.cart.text: {value: text, content: true}
      shop.cart.parse.result.id: result.id
    # More can be read from: result (Cart: LIMIT, digest, total, lines).
  of:
    around: shop.cart:Cart.of
    name: Cart.of
    attributes:
      shop.cart.owner: owner
      shop.cart.of.result.id: result.id
    # More can be read from: result (Cart: LIMIT, digest, total, lines).
  digest:
    around: shop.cart:Cart.digest
    name: Cart.digest
    attributes:
      shop.cart.id: self.id
      shop.cart.digest.result: len(result)
  get_token:
    around: shop.cart:Cart.get_token
    name: Cart.get_token
    attributes:
      shop.cart.id: self.id
    # Left out, because the name suggests a secret: result.
  "null":
    around: shop.cart:Cart.null
    name: Cart.null
    attributes:
      shop.cart.id: self.id
      shop.cart.true: "true"
  load:
    around: shop.cart:Cart.load
    name: Cart.load
    attributes:
      shop.cart.id: self.id
  locked:
    around: shop.cart:Cart.locked
    name: Cart.locked
    attributes:
      shop.cart.id: self.id
  save:
    around: shop.cart:Stored.save
    name: Stored.save
    attributes:
      shop.stored.path: path
# Without a span:
# - trivial: Cart.get_lines, Cart.later
# - properties, which may be read often: Cart.total
"""

OF_TOTAL = """\
instrument: 2
name: shop
spans:
  total:
    around: shop.cart:total
    name: cart.total
    attributes:
      shop.cart.currency: currency
      shop.cart.total.result: result
    # More can be read from: carts (Iterable[Cart]).
"""

APP = """
import asyncio
import datetime
import uuid

from shop.cart import Cart, Customer, Tier, total

cart = Cart("c1")
cart.add("tea", 2, Tier.GOLD, "a", "b", wrap="paper")
customer = Customer(uuid.UUID(int=7), "Ada", Tier.GOLD)
asyncio.run(cart.pay(customer, "hush", 5, datetime.date(2026, 11, 23)))
cart.ask("what is there?", [])
cart.digest
print(list(cart.each()), total([cart]))
cart.null(True)
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a library to write specs for, which is the current directory."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("from shop.cart import Cart, total\n")
    (tmp_path / "shop" / "cart.py").write_text(CART)
    (tmp_path / "shop" / "stock.py").write_text("class Item:\n    sku: str\n")
    (tmp_path / "shop" / "broken.py").write_text("raise RuntimeError('no stock')\n")
    (tmp_path / "shop" / "leaving.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "shop" / "desks").mkdir()
    for name in ("__init__", "one", "two", "_own"):
        (tmp_path / "shop" / "desks" / f"{name}.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def body(text: str) -> str:
    """The spec without its header."""
    return text[text.index("instrument: 2") :]


def test_a_class_gets_a_span_for_each_method_that_is_worth_one_with_attributes_from_its_parameters(shop: Path):
    assert body(scaffold_spec("shop.cart:Cart")) == OF_CART


def test_a_function_gets_a_span(shop: Path):
    assert body(scaffold_spec("shop.cart:total")) == OF_TOTAL


def test_a_name_that_a_package_imports_from_its_modules_is_hooked_where_it_is_defined(shop: Path):
    assert body(scaffold_spec("shop:total")) == OF_TOTAL
    assert body(scaffold_spec("shop:Cart")) == OF_CART


def test_a_module_gets_spans_for_the_classes_and_functions_that_it_defines(shop: Path):
    text = scaffold_spec("shop.cart")
    assert "\n  stored_save:\n    around: shop.cart:Stored.save\n" in text
    assert "\n  cart_add:\n    around: shop.cart:Cart.add\n" in text
    assert "\n  total:\n    around: shop.cart:total\n" in text
    assert "_hidden" not in text
    assert "Cart.save" not in text
    assert "# - abstract: hook the implementations: Stored.load\n" in text


FACTORY = """
import functools

class Router:
    def get(self, path): return lambda function: function
    def task(self, function): return Task(function)

class Task:
    def __init__(self, function): self.function = function
    def __call__(self, request): return self.function(request)

class Session:
    def __init__(self, user: str): self.user = user

router = Router()

def cached(function):
    '''Keeps results.'''
    @functools.wraps(function)
    def lookup(*args): return function(*args)
    return lookup

def tool(function):
    function.is_tool = True
    return function

@router.task
def ship(request, address: str):
    return address.upper()

def create_app(base: str):
    @router.get("/")
    def index(session: Session): return base.upper()
    return router
"""


def test_tasks_and_handlers_that_a_function_registers_get_a_span_and_decorators_get_none(make_module):
    module = make_module(FACTORY)
    name = module.__name__
    text = body(scaffold_spec(f"{name}:Router", name))
    assert re.findall(r"around: [^:]*:(.*)\n    name: (.*)", text) == [
        ("Router.get", "Router.get"),
        ("Router.task", "Router.task"),
        ("Task.__call__", "Task.__call__"),
        ("ship", f"{name}.ship"),
        ("create_app", f"{name}.create_app"),
        ("create_app.<locals>.index", f"{name}.index"),
    ]
    assert "# More can be read from: session.\n" in text
    assert f"    attributes:\n      {name}.address: address\n    # More can be read from: request.\n" in text
    assert "# - decorators: hook the functions that they decorate: cached, tool\n" in text


@pytest.mark.parametrize("method", ["total", "get_lines", "_private", "locked"])
def test_a_method_named_in_the_target_gets_a_span_whatever_it_is(method: str, shop: Path):
    assert f"    around: shop.cart:Cart.{method}\n" in scaffold_spec(f"shop.cart:Cart.{method}")


def test_the_header_says_how_to_check_the_spec_run_with_it_and_extend_it(shop: Path):
    header, _, _ = scaffold_spec("shop.cart:Cart", file="specs/mine.yaml").partition("instrument: 2\n")
    first, *lines = header.splitlines()
    assert first == f"# yaml-language-server: $schema={schema_path().as_posix()}"
    assert "#   check it:             instrument check specs/mine.yaml" in lines
    assert "#   run with it:          instrument run --tree --specs specs/mine.yaml PROGRAM.py" in lines
    assert "#   see what can be read: instrument explain --specs specs/mine.yaml shop.cart:Cart.add" in lines
    assert max(map(len, lines)) <= 110


def test_the_commands_in_the_header_import_first_what_had_to_be_imported_first(shop: Path):
    text = scaffold_spec("shop.cart:Cart", file="mine.yaml", imports=["shop.wsgi", "shop.setup"])
    assert "instrument check --import shop.wsgi --import shop.setup mine.yaml\n" in text
    assert "instrument explain --import shop.wsgi --import shop.setup --specs mine.yaml shop.cart:Cart.add\n" in text


WORK = "def work(n): return n\n"


@pytest.mark.parametrize(
    ("file", "module", "text", "command"),
    [
        ("app_to_run.py", "app_to_run", WORK + "if __name__ == '__main__': work(1)\n", "app_to_run.py"),
        ("app_to_run.py", "app_to_run", WORK + "work(1)\n", "app_to_run.py"),
        ("app_to_run.py", "app_to_run", WORK, "PROGRAM.py"),
        ("jobs_to_run/job.py", "jobs_to_run.job", WORK + "work(1)\n", "-m jobs_to_run.job"),
        ("jobs_to_run/__main__.py", "jobs_to_run.__main__", WORK + "work(1)\n", "-m jobs_to_run"),
    ],
)
def test_the_header_names_a_command_that_runs_the_module_or_a_placeholder(
    file: str, module: str, text: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        assert f"instrument run --tree --specs spec.yaml {command}\n" in scaffold_spec(module, file="spec.yaml")
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] in ("app_to_run", "jobs_to_run")]:
            del sys.modules[name]


def test_the_script_is_not_a_module_that_a_spec_can_be_written_for():
    with pytest.raises(ScaffoldError, match=r"Name its module instead: app for app\.py"):
        scaffold_spec("__main__")


def test_a_schema_below_the_directory_of_the_file_is_a_relative_path(shop: Path, monkeypatch: pytest.MonkeyPatch):
    inside = shop / ".venv" / "spec-2.schema.json"
    monkeypatch.setattr(f"{PACKAGE}.inspection.scaffold.spec_text.schema_path", lambda: inside)
    assert scaffold_spec("shop.cart:Cart").startswith("# yaml-language-server: $schema=.venv/spec-2.schema.json\n")


def test_if_there_are_too_many_callables_the_largest_get_a_span_and_the_others_are_named(make_module):
    small = "".join(f"def small_{n}(x): return str(x)\n" for n in range(MOST_SPANS))
    module = make_module(small + "def large(x):\n    for y in x:\n        print(y, y)\n    return len(x)\n")
    text = scaffold_spec(module.__name__)
    assert text.count("    around:") == MOST_SPANS
    assert f"around: {module.__name__}:large\n" in text
    assert f"# - not among the {MOST_SPANS} largest: small_{MOST_SPANS - 1}\n" in text


RECORDS = """
import dataclasses
import typing
import pydantic

class Model(pydantic.BaseModel):
    uid: str
    total: float
    @pydantic.field_validator("uid")
    @classmethod
    def known(cls, uid):
        return str(uid)
    def work(self, other: "Model", at: "Point", who: "Who") -> "Point":
        return sorted(at)

class Point(typing.NamedTuple):
    name: str
    x: float

class Who(typing.TypedDict):
    who_id: int

Amount = typing.NewType("Amount", int)
Kind = typing.Literal["a", "b"]

def use(
    amount: Amount,
    kind: Kind,
    both: int | str,
    mixed: "int | Model",
    words: typing.Annotated[list[str], 1],
    anything: typing.Any,
    flag: typing.Any = True,
    model: typing.Optional[Model] = None,
    *,
    point: Point,
    who: Who,
    steps: typing.Iterator[int],
) -> typing.Any:
    return str(amount)
"""


def test_records_of_every_kind_are_recorded_by_their_identifying_fields(make_module):
    module = make_module(RECORDS)
    name = module.__name__
    *lines, comment, rest = body(scaffold_spec(f"{name}:use")).splitlines()[7:]
    assert lines == [
        f"      {name}.amount: amount",
        f"      {name}.kind: kind",
        f"      {name}.both: both",
        f"      {name}.words: len(words)",
        f"      {name}.flag: flag",
        f"      {name}.model.uid: model.uid",
        f"      {name}.point.name: point.name",
        f"      {name}.who.who_id: who.who_id",
    ]
    assert comment + rest.removeprefix("    #") == (
        "    # More can be read from: mixed (int | Model), anything (Any), model (Optional[Model]: total), point "
        "(Point: x), steps (Iterator[int]), result (Any)."
    )
    text = body(scaffold_spec(f"{name}:Model"))
    assert f"{name}.model.uid: self.uid\n" in text
    assert f"{name}.model.work.result.name: result.name\n" in text
    assert "# - used by pydantic when the class is created: Model.known\n" in text


NOT_POSSIBLE = {
    "shop.crat:Cart": 'there is no module shop.crat. Did you mean "shop.cart"?',
    "shpo": 'there is no module shpo. Did you mean "shop"?',
    "shop.cart.Cart": 'there is no module shop.cart.Cart. Did you mean "shop.cart:Cart"?',
    "shop.cart:Carrt": 'shop.cart has no Carrt. Did you mean "Cart"?',
    "shop.cart:Cart.chekout": "shop.cart.Cart has no chekout. It has: Inner, add, ask, ",
    "shop.cart:Cart.LIMIT": "shop.cart:Cart.LIMIT cannot have a span: it is of type int, which is not callable.",
    "shop.cart:Tier": "shop.cart:Tier defines no public method. Name one of its base classes, or a single method.",
    "shop": "shop defines no public class or function. Its names come from shop.cart: name that instead.",
    "shop.desks": "shop.desks defines no public class or function. Name some of its modules: shop.desks.one shop",
    "shop.stock": "shop.stock defines no public function, and its classes no public method. Name another module.",
    "shop/cart.py": "shop/cart.py is a file. Name its module as the program imports it, such as shop.cart.",
    "shop.broken": "shop.broken cannot be imported: RuntimeError: no stock. Run this command in the environment",
    "shop.leaving": "shop.leaving cannot be imported: SystemExit: 3. Run this command in the environment",
    "shop cart": '"shop cart" is not a target. Write module:Class, module:function or module.',
    "shop:": '"shop:" is not a target.',
    "sqlite3:Connection": "sqlite3:Connection cannot have spans: it is written in C",
    "builtins:dict.get": "builtins:dict.get cannot have a span: it is written in C.",
}


@pytest.mark.parametrize("target", NOT_POSSIBLE)
def test_a_target_that_cannot_have_a_spec_is_an_error_that_says_what_to_do(target: str, shop: Path):
    with pytest.raises(ScaffoldError) as caught:
        scaffold_spec(target)
    assert str(caught.value).startswith(NOT_POSSIBLE[target])
    assert str(caught.value).count(". ") >= 1


def test_the_command_prints_the_spec_and_nothing_that_the_module_prints(shop: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["init", "shop.cart:Cart"]) == 0
    captured = capsys.readouterr()
    assert captured.out == scaffold_spec("shop.cart:Cart")
    assert captured.err == "the shop opens\n"


def test_the_command_finds_modules_in_the_current_directory(shop: Path):
    command = [
        sys.executable,
        "-c",
        f"import sys; from {PACKAGE}.cli.main import main; sys.path.remove(''); sys.exit(main())",
    ]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [*command, "init", "shop:total"], cwd=shop, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, body(done.stdout)) == (0, OF_TOTAL)


def test_the_command_writes_a_file_and_overwrites_one_only_with_force(shop: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["init", "shop.cart:total", "-o", "mine.yaml"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("mine.yaml was written. Its first lines say how to run it.\n")
    text = Path("mine.yaml").read_text()
    assert text == scaffold_spec("shop.cart:total", file="mine.yaml")
    Path("mine.yaml").write_text("mine\n")
    assert main(["init", "shop.cart:total", "-o", "mine.yaml"]) == 2
    assert "mine.yaml already exists: it is not overwritten." in capsys.readouterr().err
    assert Path("mine.yaml").read_text() == "mine\n"
    assert main(["init", "shop.cart:total", "-o", "mine.yaml", "--force"]) == 0
    assert Path("mine.yaml").read_text() == text


def test_a_file_that_cannot_be_written_and_a_wrong_name_have_their_own_exit_codes(
    shop: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["init", "shop.cart:total", "-o", "nowhere/mine.yaml"]) == 2
    assert "nowhere/mine.yaml cannot be written: no such file or directory." in capsys.readouterr().err
    assert main(["init", "shop.cart:Carrt", "-o", "mine.yaml"]) == 1
    assert capsys.readouterr().err == 'shop.cart has no Carrt. Did you mean "Cart"?\n'
    assert not Path("mine.yaml").exists()


def test_the_spec_records_useful_spans_without_changes(shop: Path):
    Path("shop.yaml").write_text(scaffold_spec("shop.cart"))
    Path("app.py").write_text(APP)
    ended = run(shop / "app.py", OTEL_PYTHON_DECLARATIVE_SPECS="shop.yaml")
    assert (ended.code, ended.errors) == (0, "")
    assert ended.lines == ["the shop opens", "['tea'] 3"]
    spans = {span["name"]: span["attributes"] for span in ended.spans}
    assert spans["Cart.add"] == {
        "shop.cart.id": "c1",
        "shop.cart.sku": "tea",
        "shop.cart.amount": 2,
        "shop.cart.tier": "gold",
        "shop.cart.tags": 2,
        "shop.cart.extra": 1,
        "shop.cart.add.result": 1,
    }
    assert spans["Cart.pay"] == {
        "shop.cart.id": "c1",
        "shop.cart.customer.id": "00000000-0000-0000-0000-000000000007",
        "shop.cart.customer.name": "Ada",
        "shop.cart.max_tokens": 5,
        "shop.cart.due": "2026-11-23",
        "shop.cart.pay.result.id": "00000000-0000-0000-0000-000000000007",
        "shop.cart.pay.result.name": "Ada",
    }
    assert spans["Cart.ask"] == {"shop.cart.id": "c1", "shop.cart.lines": 0}
    assert spans["Cart.null"] == {"shop.cart.id": "c1", "shop.cart.true": True}
    assert {"Cart.digest", "Cart.each", "cart.total"} <= {*spans}


def test_the_page_on_first_specs_shows_what_the_command_writes(shop: Path):
    page = (ROOT / "docs" / "init.md").read_text(encoding="utf-8")
    (module,) = re.findall(r"```python\n(.*?)```", page, re.S)
    (spec,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    (head,) = re.findall(r"```text\n(.*?)⋮\n```", page, re.S)
    Path("shop/__init__.py").write_text("")
    Path("shop/cart.py").write_text(module)
    text = scaffold_spec("shop.cart:Cart", file="shop.yaml")
    assert body(text) == spec
    assert text.partition("\n")[2].startswith(head)


def test_the_spec_of_the_hub_of_ag2_records_spans_of_a_real_network(tmp_path: Path):
    pytest.importorskip("ag2")
    spec = tmp_path / "hub.yaml"
    spec.write_text(scaffold_spec("ag2.network.hub.core:Hub"))
    assert main(["check", str(spec)]) == 0
    ended = run(ROOT / "docs" / "demo" / "network.py", OTEL_PYTHON_DECLARATIVE_SPECS=str(spec))
    assert (ended.code, ended.errors) == (0, "")
    own = [span for span in ended.spans if span["name"].startswith("Hub.")]
    assert {"Hub.open", "Hub.register", "Hub.create_channel", "Hub.post_envelope"} <= {span["name"] for span in own}
    registered = [span["attributes"] for span in own if span["name"] == "Hub.register_identity"]
    assert {each["ag2.hub.passport.name"] for each in registered} >= {"coordinator", "researcher"}


ANYTHING = [
    "argparse:ArgumentParser",
    "ast:NodeVisitor",
    "asyncio.queues:Queue",
    "collections:Counter",
    "concurrent.futures:ThreadPoolExecutor",
    "configparser:ConfigParser",
    "csv:Sniffer",
    "calendar",
    "email.message:Message",
    "fractions:Fraction",
    "html.parser:HTMLParser",
    "http.client:HTTPConnection",
    "http.client:HTTPSConnection",
    "ipaddress:IPv4Network",
    "json:JSONEncoder",
    "logging:Logger",
    "pathlib:Path",
    "queue:PriorityQueue",
    "shutil",
    "smtplib:SMTP",
    "statistics",
    "string:Template",
    "tempfile:SpooledTemporaryFile",
    "textwrap",
    "time:sleep",
    "unittest.mock:Mock",
    "zipfile:ZipFile",
    "opentelemetry.sdk.trace:Span",
    "ag2:Agent",
    "ag2.network.hub.core",
    "ag2.network.hub.core:Hub",
    "ag2.network:AgentClient",
    "ag2.task:Task",
    "pydantic:BaseModel",
]


@pytest.mark.parametrize("target", ANYTHING)
def test_the_spec_of_any_library_has_no_problems_neither_when_read_nor_when_installed(
    target: str, tracing: Tracing, tmp_path: Path, logged: Callable[[], list[str]]
):
    if target.startswith("ag2"):
        pytest.importorskip("ag2")
    spec = tmp_path / "spec.yaml"
    text = scaffold_spec(target)
    spec.write_text(text)
    read_spec(spec)
    importlib.import_module(target.partition(":")[0])
    instrumentor = start_instrumentor(tracing, spec)
    try:
        problems = [line for line in logged() if "error[" in line or "cannot be patched" in line]
    finally:
        instrumentor.uninstrument()
    assert problems == []
    assert 1 <= text.count("    around: ") <= MOST_SPANS


def test_an_attribute_that_raises_when_it_is_read_is_an_error(make_module):
    module: types.ModuleType = make_module(
        """
        class Odd(type):
            @property
            def thing(cls): raise RuntimeError("not now")
        class A(metaclass=Odd): ...
        """
    )
    with pytest.raises(ScaffoldError, match=r"thing cannot be read: RuntimeError: not now\. Name another object\."):
        scaffold_spec(f"{module.__name__}:A.thing")


SECRETS = """
class SecretStr(str): pass

class Mailer:
    def login(self, user: str, password: str, accesstoken=None, pin: int = 0, token_count: int = 0):
        for each in user: print(each)
    def auth(self, mechanism, authobject, verbose: bool = False):
        for each in mechanism: print(each)
    def send(self, s, data: bytes, host="localhost"):
        for each in data: print(each)
    def docmd(self, cmd, args="", key: SecretStr = ""):
        for each in args: print(each)
    def read_all(self, folder: str) -> bytes:
        for each in folder: print(each)
"""


def test_secrets_are_left_out_and_payloads_are_marked_as_content(make_module):
    module = make_module(SECRETS)
    lines = [line.strip() for line in scaffold_spec(f"{module.__name__}:Mailer").splitlines()]
    left_out = [line for line in lines if "suggests a secret" in line]
    assert left_out == [
        f"# Left out, because the name suggests a secret: {names}."
        for names in ("password, accesstoken, pin", "mechanism, authobject", "key")
    ]
    read = {line.partition(": ")[2] for line in lines if line.startswith(f"{module.__name__}.mailer.")}
    assert read >= {"user", "token_count", "verbose", "host", "folder"}
    assert {line for line in read if "content: true" in line} >= {
        f"{{value: {name}, content: true}}" for name in ("s", "cmd", "args")
    }
    assert "data" not in read


CREDENTIALS = """
class Shop:
    def connect(self, dsn, connection_string: str, database_url: str, retries: int = 3):
        for each in range(retries): print(each)
    def login(self, user: str, code: str) -> str:
        for each in user: print(each)
    def pay(self, card_number: int, iban: str, count: int = 1) -> int:
        for each in iban: print(each)
    def fetch(self, url: str, rawdata, phone: str, proxy=None):
        for each in url: print(each)
"""


def test_credentials_in_values_and_results_are_left_out_or_redacted(make_module):
    module = make_module(CREDENTIALS)
    text = scaffold_spec(f"{module.__name__}:Shop")
    left_out = [line.partition("secret: ")[2] for line in text.splitlines() if "suggests a secret" in line]
    assert left_out == ["dsn, connection_string.", "code, result.", "card_number, iban."]
    read = {line.partition(": ")[2] for line in text.splitlines() if f" {module.__name__}.shop." in line}
    assert read == {
        "url_without_credentials(database_url)",
        "retries",
        "user",
        "count",
        "result",
        "url_without_credentials(url)",
        "url_without_credentials(proxy)",
        "{value: rawdata, content: true}",
        "{value: phone, content: true}",
    }
