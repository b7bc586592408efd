"""Records are dataclasses to everybody who uses them."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from opentelemetry.instrumentation.declarative.records import record


def define(define_one: Callable[..., Any]) -> tuple[type, type, type]:
    """The same classes, made by one of the decorators."""

    @define_one(frozen=True)
    class Point:
        x: int
        y: int = 0
        label: str = dataclasses.field(default="", compare=False, metadata={"key": 1})
        count: ClassVar[int] = 5

    @define_one(kw_only=True)
    class Line:
        points: list[Any] = dataclasses.field(default_factory=list)
        width: int

        def __post_init__(self) -> None:
            self.width *= 2

    @define_one(frozen=True, eq=False)
    class Circle(Point):
        radius: int = 1

        def __repr__(self) -> str:
            return "circle"

    return Point, Line, Circle


def behaviour(define_one: Callable[..., Any]) -> dict[str, object]:
    point_type, line_type, circle_type = define(define_one)
    point, line, circle = point_type(1, y=2, label="a"), line_type(width=3), circle_type(1, 2)
    return {
        "values": [vars(each) for each in (point, line, circle)],
        "texts": [repr(each).rpartition("<locals>.")[2] for each in (point, line, circle)],
        "equal": [point == point_type(1, 2), point == point_type(1, 3), line == line_type(width=3), circle == point],
        "identity": circle == circle_type(1, 2),
        "hashes": [hash(point) == hash(point_type(1, 2, "b")), line_type.__hash__],
        "own list": line.points is line_type(width=3).points,
        "class": [point_type.y, hasattr(point_type, "x"), hasattr(line_type, "points"), point_type.count],
        "fields": [(each.name, dict(each.metadata)) for each in dataclasses.fields(circle)],
        "replaced": repr(dataclasses.replace(point, y=7)).rpartition("<locals>.")[2],
        "dict": dataclasses.asdict(point),
        "copied": copy.deepcopy(line) == line,
    }


def test_a_record_behaves_as_a_dataclass():
    assert behaviour(record) == behaviour(dataclasses.dataclass)


@pytest.mark.parametrize(
    ("args", "named", "message"),
    [
        ((), {}, "Point lacks the argument 'x'"),
        ((), {"x": 1, "z": 2}, "Point got unexpected arguments: z"),
        ((1,), {"x": 1}, "Point got unexpected arguments: x"),
        ((1, 2, "a", 4), {}, "Point takes 3 positional arguments but 4 were given"),
    ],
)
def test_a_record_refuses_wrong_arguments(args: tuple[Any, ...], named: dict[str, int], message: str):
    with pytest.raises(TypeError, match=message):
        define(record)[0](*args, **named)


def test_a_record_with_keywords_only_refuses_others():
    with pytest.raises(TypeError, match="Line takes 0 positional arguments but 1 were given"):
        define(record)[1](3)


def test_a_class_that_extends_a_frozen_record_can_have_more_attributes():
    class Named(define(record)[0]):  # type: ignore[misc]
        def __init__(self, name: str) -> None:
            super().__init__(1)
            self.name = name

    assert (Named("a").name, Named("a").x) == ("a", 1)


def test_a_record_keeps_its_own_constructor():
    @record
    class Named:
        name: str

        def __init__(self) -> None:
            self.name = "own"

    assert repr(Named()).endswith("Named(name='own')")


@record(frozen=True)
class Pickled:
    x: int
    y: str = "a"


def test_a_record_can_be_pickled():
    assert pickle.loads(pickle.dumps(Pickled(1))) == Pickled(1)
