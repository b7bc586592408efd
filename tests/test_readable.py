"""The paths that can be read from a value, from annotations, fields and the source of ``__init__``."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.instrumentation.declarative.inspection.readable import callable_types, readable_paths

Paths = dict[str, str]


@pytest.fixture
def paths(package: Callable[[str], str]) -> Callable[..., Paths]:
    """Returns the paths and types that can be read at the function ``read`` of a source, or at a method of a class."""

    def read(source: str, path: str = "read", depth: int = 2, private: bool = False) -> Paths:
        found: Any = importlib.import_module(package(source))
        owner = None
        for step in path.split("."):
            owner, found = (found if isinstance(found, type) else None), vars(found)[step]
        raw = getattr(found, "__func__", None) or getattr(found, "fget", None) or found
        readable = callable_types(raw, owner, found)
        names = {**readable.parameters, "result": readable.result}
        found = [path for name, type_ in names.items() for path in readable_paths(name, type_, depth, private=private)]
        return {path.path: path.type.text + (" again" if path.again else "") for path in found}

    return read


def test_the_fields_of_dataclasses_are_paths_with_their_types(paths: Callable[..., Paths]):
    source = """
from __future__ import annotations
from dataclasses import InitVar, dataclass, field
from typing import Annotated, ClassVar, Final, Literal, NewType, Optional, Union

Id = NewType("Id", str)

@dataclass(slots=True)
class Customer:
    tier: Literal["gold", "tin"] = "tin"
    seed: InitVar[int] = 0
    count: ClassVar[int] = 1
    id: Id = Id("")

@dataclass
class Order:
    customer: Customer
    note: Optional[str]
    price: Union[int, float, None]
    weight: Annotated[float, "kg"]
    tags: list[str] = field(default_factory=list)
    _secret: str = ""

def read(order: Order, other: "Order | None" = None) -> bool: ...
"""
    assert paths(source, depth=2) == {
        "order": "Order",
        "order.customer": "Customer",
        "order.customer.tier": 'Literal["gold", "tin"]',
        "order.customer.count": "int",
        "order.customer.id": "Id",
        "order.note": "str | None",
        "order.price": "int | float | None",
        "order.weight": "float",
        "order.tags": "list[str]",
        "other": "Order | None",
        **{
            f"other.{name}": type_
            for name, type_ in {
                "customer": "Customer",
                "customer.tier": 'Literal["gold", "tin"]',
                "customer.count": "int",
                "customer.id": "Id",
                "note": "str | None",
                "price": "int | float | None",
                "weight": "float",
                "tags": "list[str]",
            }.items()
        },
        "result": "bool",
    }


def test_the_columns_of_sqlalchemy_have_the_types_of_their_values(paths: Callable[..., Paths]):
    source = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
class Base(DeclarativeBase): pass
class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    note: Mapped[str | None]
def read(order: Order): ...
"""
    found = paths(source, depth=1)
    assert (found["order.id"], found["order.note"]) == ("int", "str | None")


def test_the_depth_limits_how_many_names_deep_paths_are_listed(paths: Callable[..., Paths]):
    source = """
class Inner:
    name: str
class Middle:
    inner: Inner
class Outer:
    middle: Middle
def read(it: Outer): ...
"""
    assert [*paths(source, depth=0)] == ["it", "result"]
    assert [*paths(source, depth=1)] == ["it", "it.middle", "result"]
    assert [*paths(source, depth=3)] == ["it", "it.middle", "it.middle.inner", "it.middle.inner.name", "result"]


def test_private_names_are_listed_last_and_only_on_request(paths: Callable[..., Paths]):
    source = """
class It:
    _first: int
    second: int
def read(it: It): ...
"""
    assert [*paths(source)] == ["it", "it.second", "result"]
    assert [*paths(source, private=True)] == ["it", "it.second", "it._first", "result"]


def test_attributes_assigned_in_init_are_found_in_its_source(paths: Callable[..., Paths]):
    source = """
from collections.abc import Callable
DEFAULT = 3.5
class Line:
    price: float
class Clock:
    @classmethod
    def default(cls) -> "Clock": ...
class Registry:
    def __init__(self, clock: Clock | None = None, limit=3):
        self.clock = clock if clock is not None else Clock.default()
        self.other = clock or Clock()
        self.limit = limit
        self.lines: list[Line] = []
        self.by_name: dict[str, Line] = {}
        self.names, self.count = [], 0
        self.later = None
        self.line = None
        self.wait = DEFAULT
        self.same = self.wait
        self.price = self.lines
        self.text = f"{limit}"
        if limit:
            self.line = Line()
            for each in ():
                self.deep = True
        def inner():
            self.not_here = 1
    def read(self): ...
"""
    assert paths(source, "Registry.read") == {
        "self": "Registry",
        "self.clock": "Clock",
        "self.other": "Clock",
        "self.limit": "",
        "self.lines": "list[Line]",
        "self.lines[0].price": "float",
        "self.by_name": "dict[str, Line]",
        'self.by_name["…"].price': "float",
        "self.names": "list",
        "self.count": "int",
        "self.later": "",
        "self.line": "Line | None",
        "self.line.price": "float",
        "self.wait": "float",
        "self.same": "float",
        "self.price": "list[Line]",
        "self.price[0].price": "float",
        "self.text": "str",
        "self.deep": "bool",
        "result": "",
    }


def test_items_of_containers_are_read_in_brackets(paths: Callable[..., Paths]):
    source = """
from collections.abc import Mapping, Sequence
from typing import Dict, List, Tuple
class Line:
    price: float
def read(a: List[Line], b: Tuple[Line, ...], c: Dict[str, List[Line]], d: Sequence[Line] | None,
         e: Mapping[int, Line], f: tuple[int, str], g: set[Line], *args: Line, **kwargs: Line): ...
"""
    assert paths(source) == {
        "a": "list[Line]",
        "a[0].price": "float",
        "b": "tuple[Line, ...]",
        "b[0].price": "float",
        "c": "dict[str, list[Line]]",
        'c["…"][0].price': "float",
        "d": "Sequence[Line] | None",
        "d[0].price": "float",
        "e": "Mapping[int, Line]",
        "e[…].price": "float",
        "f": "tuple[int, str]",
        "g": "set[Line]",
        "args": "tuple[Line, ...]",
        "args[0].price": "float",
        "kwargs": "dict[str, Line]",
        'kwargs["…"].price': "float",
        "result": "",
    }


def test_the_names_of_every_kind_of_record_are_listed(paths: Callable[..., Paths]):
    source = """
import collections, enum, functools
from typing import NamedTuple, TypedDict
class Kind(enum.Enum):
    A = "a"
    B = "b"
class Point(NamedTuple):
    x: int
    y: float
Pair = collections.namedtuple("Pair", "left right")
class Frame(TypedDict, total=False):
    kind: Kind
    size: int
class Slotted:
    __slots__ = ("a", "b")
    def __init__(self, a: int):
        self.a = a
class Lazy:
    level = 3
    @property
    def total(self) -> float: ...
    @functools.cached_property
    def point(self) -> "Point": ...
    @property
    def bare(self): ...
    def method(self) -> int: ...
    @staticmethod
    def static() -> int: ...
def read(kind: Kind, point: Point, pair: Pair, frame: Frame, slotted: Slotted, lazy: Lazy): ...
"""
    assert paths(source, depth=2) == {
        "kind": "Kind",
        "kind.name": "str",
        "kind.value": "str",
        "point": "Point",
        "point.x": "int",
        "point.y": "float",
        "pair": "Pair",
        "pair.left": "",
        "pair.right": "",
        "frame": "Frame",
        "frame.kind": "Kind",
        "frame.kind.name": "str",
        "frame.kind.value": "str",
        "frame.size": "int",
        "slotted": "Slotted",
        "slotted.a": "int",
        "slotted.b": "",
        "lazy": "Lazy",
        "lazy.level": "int",
        "lazy.total": "float",
        "lazy.point": "Point",
        "lazy.point.x": "int",
        "lazy.point.y": "float",
        "lazy.bare": "",
        "result": "",
    }


def test_the_fields_of_pydantic_models_are_listed(paths: Callable[..., Paths]):
    pytest.importorskip("pydantic")
    source = """
from __future__ import annotations
from typing import ClassVar, Generic, TypeVar
from pydantic import BaseModel, Field, PrivateAttr, computed_field
T = TypeVar("T")
class Usage(BaseModel):
    tokens: int = Field(alias="t")
class Box(BaseModel, Generic[T]):
    inside: T
class Answer(BaseModel):
    usage: Usage | None
    box: Box[int]
    limit: ClassVar[int] = 3
    _seen: bool = PrivateAttr(False)
    @computed_field
    @property
    def total(self) -> float: ...
def read(answer: Answer): ...
"""
    found = paths(source)
    assert found.pop("answer.limit") == "int"
    assert found == {
        "answer": "Answer",
        "answer.usage": "Usage | None",
        "answer.usage.tokens": "int",
        "answer.box": "Box[int]",
        "answer.box.inside": "int",
        "answer.total": "float",
        "result": "",
    }


def test_the_fields_of_attrs_classes_are_listed(paths: Callable[..., Paths]):
    pytest.importorskip("attr")
    source = """
import attr
@attr.s
class Old:
    a = attr.ib(type=int)
    b = attr.ib(default=None)
@attr.define
class New:
    old: Old
    c: str = "x"
def read(new: New): ...
"""
    found = paths(source)
    assert (found["new.old"], found["new.c"], found["new.old.a"]) == ("Old", "str", "int")
    assert "new.old.b" in found


def test_type_variables_are_replaced_by_type_arguments_also_of_a_base_class(paths: Callable[..., Paths]):
    source = """
from typing import Generic, TypeVar
T = TypeVar("T")
Bound = TypeVar("Bound", bound="Line")
class Line:
    price: float
class Box(Generic[T]):
    inside: T
    all: list[T]
class LineBox(Box[Line]):
    pass
def read(a: Box[Line], b: LineBox, c: Bound): ...
"""
    assert paths(source) == {
        "a": "Box[Line]",
        "a.inside": "Line",
        "a.inside.price": "float",
        "a.all": "list[Line]",
        "a.all[0].price": "float",
        "b": "LineBox",
        "b.inside": "Line",
        "b.inside.price": "float",
        "b.all": "list[Line]",
        "b.all[0].price": "float",
        "c": "Line",
        "c.price": "float",
        "result": "",
    }


def test_a_name_that_cannot_be_found_does_not_affect_the_rest_of_an_annotation(paths: Callable[..., Paths]):
    source = """
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from decimal import Decimal
    from no_such_module import Ghost
class Line:
    ghost: Ghost
    price: Decimal
    either: Ghost | int | None
    many: list[Ghost]
def read(line: Line, ghost: Ghost.Inner[int]) -> list[Line] | Ghost: ...
"""
    import decimal  # noqa: F401  so that it is loaded: nothing is imported for an annotation

    assert paths(source) == {
        "line": "Line",
        "line.ghost": "Ghost",
        "line.price": "Decimal",
        "line.either": "Ghost | int | None",
        "line.many": "list[Ghost]",
        "ghost": "Ghost.Inner",
        "result": "list[Line] | Ghost",
    }


def test_types_that_cannot_be_found_and_descriptors_that_return_themselves_are_written_without_objects_of_ours(
    paths: Callable[..., Paths],
):
    source = """
from __future__ import annotations
from typing import Generic, Type, TypeVar

T = TypeVar("T")

class Setting(Generic[T]):
    def __get__(self, instance: object, owner: type) -> T | Setting[T]: ...

class App:
    debug = Setting[bool]()
    client: type[Client] | None = None
    loader: Type["Loader"]

def read(app: App): ...
"""
    found = paths(source)
    assert {name.removeprefix("app."): text for name, text in found.items() if "." in name} == {
        "client": "type[Client] | None",
        "loader": "Type[Loader]",
        "debug": "",
    }


def test_an_annotation_that_the_library_replaces_is_read_from_the_source(paths: Callable[..., Paths]):
    source = """
class Meta(type):
    def __or__(cls, other):
        return ("condition", cls, other)
class Event(metaclass=Meta):
    name: str
class Turn:
    event: Event | None
    again: "Event | None"
def read(turn: Turn, event: Event | None) -> Event | None: ...
"""
    found = paths(source)
    assert {found[name] for name in ("turn.event", "turn.again", "event", "result")} == {"Event | None"}
    assert found["turn.event.name"] == found["event.name"] == "str"


def test_a_recursive_type_is_listed_once(paths: Callable[..., Paths]):
    source = """
class Node:
    parent: "Node | None"
    children: "list[Node]"
    name: str
def read(node: Node): ...
"""
    assert paths(source, depth=4) == {
        "node": "Node",
        "node.parent": "Node | None again",
        "node.children": "list[Node]",
        "node.name": "str",
        "result": "",
    }


def test_classes_whose_inits_read_each_other_do_not_recurse_without_end(paths: Callable[..., Paths]):
    source = """
class A:
    def __init__(self, b: "B"):
        self.x = b.y
class B:
    def __init__(self, a: A):
        self.y = a.x
def read(a: A): ...
"""
    assert paths(source) == {"a": "A", "a.x": "", "result": ""}


def test_the_names_of_all_alternatives_of_a_union_are_listed(paths: Callable[..., Paths]):
    source = """
class A:
    size: int
    a: int
class B:
    size: str
    b: int
def read(it: A | B): ...
"""
    assert paths(source) == {
        "it": "A | B",
        "it.size": "int | str",
        "it.a": "int",
        "it.b": "int",
        "result": "",
    }


@pytest.mark.parametrize(
    ("definition", "result"),
    [
        ("async def read() -> int: ...", "int"),
        ("async def read() -> AsyncIterator[int]:\n    yield 1", "None"),
        ("def read() -> Generator[int, None, str]:\n    yield 1", "str"),
        ("def read() -> Iterator[int]:\n    yield 1", ""),
        ("def read() -> None: ...", "None"),
        ("@contextmanager\ndef read() -> Iterator[int]:\n    yield 1", ""),
        ("@plain\nasync def read() -> int: ...", "int"),
        ("def read() -> Awaitable[int]: ...", "int"),
        ("def read() -> Future[int]: ...", "int"),
        ("def read() -> Iterator[int]: ...", ""),
        ("def read() -> AbstractContextManager[int]: ...", ""),
        ("def read() -> list[int]: ...", "list[int]"),
    ],
)
def test_the_result_is_that_of_the_kind_of_callable(definition: str, result: str, paths: Callable[..., Paths]):
    source = (
        "import functools\nfrom asyncio import Future\nfrom collections.abc import *\n"
        "from contextlib import AbstractContextManager, contextmanager\n"
        "def plain(function):\n    return functools.wraps(function)(lambda *args: function(*args))\n"
    )
    assert paths(source + definition)["result"] == result


def test_self_has_the_type_of_the_class_that_the_method_is_looked_up_on(paths: Callable[..., Paths]):
    source = """
from typing import Any
class It:
    name: str
    def plain(self): ...
    @classmethod
    def klass(cls): ...
    @staticmethod
    def static(first): ...
    @property
    def prop(self) -> int: ...
"""
    assert paths(source, "It.plain")["self.name"] == "str"
    assert paths(source, "It.klass") == {"cls": "type[It]", "result": ""}
    assert paths(source, "It.static") == {"first": "", "result": ""}
    assert paths(source, "It.prop")["result"] == "int"


def test_the_signature_of_the_wrapped_function_is_used_for_a_decorated_one(paths: Callable[..., Paths]):
    source = """
import functools
class Line:
    price: float
def retried(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner
@retried
def read(line: Line) -> Line: ...
"""
    assert paths(source) == {"line": "Line", "line.price": "float", "result": "Line", "result.price": "float"}
