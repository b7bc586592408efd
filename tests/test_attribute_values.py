import enum
import json
import logging
from collections import OrderedDict, UserDict, namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn
from unittest.mock import Mock
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.diagnostics.rule_id import RuleId
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.runtime.null_safe import NameSlot, NullSafeReader
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import (
    attribute_value,
    clean_attributes,
    render_name,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider


class Kind(str, enum.Enum):
    OPEN = "open"


class Level(enum.IntEnum):
    HIGH = 3


class Plain(enum.Enum):
    PAIR = (1, 2)
    WORD = "word"


class Loud(str):
    def __str__(self) -> str:
        return "LOUD"

    def isascii(self) -> bool:
        raise ValueError


class Count(int):
    def __int__(self) -> NoReturn:
        raise ValueError

    __le__ = __ge__ = __str__ = __int__  # type: ignore[assignment]


class Raising:
    """Raises on every operation."""

    def __str__(self) -> NoReturn:
        raise KeyError("no")

    __repr__ = __iter__ = __len__ = __bool__ = __hash__ = __eq__ = __str__  # type: ignore[assignment]


class NoText:
    def __str__(self) -> Any:
        return 5


class NoMessage(Exception):
    def __str__(self) -> NoReturn:
        raise KeyError("no")


class EvilList(list[Any]):
    def __iter__(self) -> NoReturn:
        raise ValueError("not now")


class EvilDict(dict[str, Any]):
    def items(self) -> NoReturn:
        raise ValueError("not now")


class Endless(UserDict[int, int]):
    """Reports a short length and never stops iterating."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(10**12))

    def __getitem__(self, key: int) -> int:
        return key

    def __len__(self) -> int:
        return 1


@dataclass
class Point:
    x: int


Pair = namedtuple("Pair", "a b")

CYCLE: list[Any] = []
CYCLE += [CYCLE] * 1000
LOOP: dict[str, Any] = {}
LOOP["self"] = LOOP


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        ("text", "text"),
        ("", ""),
        (True, True),
        (3, 3),
        (2.5, 2.5),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, "9223372036854775808"),
        (-(2**63) - 1, "-9223372036854775809"),
        ("a\ud800b", "a?b"),
        ("😀ä", "😀ä"),
        (Kind.OPEN, "open"),
        (Level.HIGH, 3),
        (Plain.WORD, "word"),
        (Plain.PAIR, [1, 2]),
        ([Kind.OPEN, Plain.WORD], ["open", "word"]),
        (Loud("quiet"), "quiet"),
        (Count(7), 7),
        ([], []),
        ([1, 2], [1, 2]),
        (("a", "b"), ["a", "b"]),
        (frozenset({5}), [5]),
        (Pair(1, 2), [1, 2]),
        ([1, 2.5], "[1, 2.5]"),
        ([1, True], "[1, true]"),
        (["a", None], '["a", null]'),
        ([[1], [2]], "[[1], [2]]"),
        ({"a": {"b": [1]}}, '{"a": {"b": [1]}}'),
        (OrderedDict(a=Kind.OPEN), '{"a": "open"}'),
        (UserDict(a=1), '{"a": 1}'),
        ({(1, 2): Point(3)}, '{"[1, 2]": {"x": 3}}'),
        ({"a": float("nan")}, '{"a": "nan"}'),
        (b"abc\xff", "abc\N{REPLACEMENT CHARACTER}"),
        (Point(1), '{"x": 1}'),
        (Decimal("1.50"), 1.5),
        (datetime(2026, 1, 2), "2026-01-02T00:00:00"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (Raising(), f"{__name__}.Raising"),
        (NoText(), f"{__name__}.NoText"),
        (NoText, f"{__name__}.NoText"),
        (NoMessage(), "<NoMessage that cannot be shown>"),
        (EvilList([1]), [1]),
        (EvilDict(a=1), '{"a": 1}'),
        ([1, Raising()], f'[1, "{__name__}.Raising"]'),
        (10**5000, "<int that cannot be shown>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_becomes_one_that_opentelemetry_accepts(value, shown):
    found = attribute_value(value)
    assert found == shown
    assert type(found) is type(shown)


def test_a_boolean_is_not_a_number():
    assert attribute_value(True) is True
    assert attribute_value([True, False]) == [True, False]
    assert all(type(item) is bool for item in attribute_value([True, False]))  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", [str, int, float, bool, list, dict])
def test_a_value_that_only_claims_to_be_of_a_type_is_recorded_as_text(kind: type):
    assert isinstance(attribute_value(Mock(spec=kind)), str)


def test_a_long_list_is_truncated():
    assert attribute_value(range(5)) == "range(0, 5)"
    assert len(attribute_value(list(range(10**6)))) == 1_000  # type: ignore[arg-type]
    mixed = json.loads(attribute_value(["a", *range(10**6)]))  # type: ignore[arg-type]
    assert (len(mixed), mixed[-1]) == (1_001, "…")


def test_a_long_text_is_not_truncated():
    assert attribute_value("x" * 10**7) == "x" * 10**7


@pytest.mark.parametrize("value", [CYCLE, LOOP, [LOOP, 1], Endless()], ids=["list", "dict", "both", "endless"])
def test_an_infinite_value_is_truncated(value):
    assert len(attribute_value(value)) < 200_000  # type: ignore[arg-type]


def test_attributes_that_are_none_are_omitted():
    assert clean_attributes({"a": None, "b": 0, "c": "", "d": [], "e": False}) == {"b": 0, "c": "", "d": (), "e": False}


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("chat ", "model"), "chat model"),
        (("chat ", None), "chat"),
        (("chat ", None, " of ", "x"), "chat of x"),
        (("a\n b",), "a b"),
        ((Kind.OPEN, 5), "open5"),
        (("x ", "\ud800"), "x ?"),
        (("x ", NoMessage()), "x <NoMessage that cannot be shown>"),
        ((), ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_name_is_joined_from_the_parts_that_exist(parts: tuple[Any, ...], name: str):
    assert render_name(*parts) == name


def test_null_safe_reading_of_a_name_omits_parts_that_raise_and_reports_it_once(caplog: pytest.LogCaptureFixture):
    mark = Mark("f.yaml", 3, 1)
    rule = Rule(RuleId("span", "a", mark, "start"))
    read = NullSafeReader(rule, ["value"], [NameSlot(["x ", ("value / 0", mark), " y ", ("value + 1", mark)])], {})
    assert [read(1), read(2)] == ["x y 2", "x y 3"]
    assert caplog.messages == [
        "f.yaml:3:1: span a starts failed: ZeroDivisionError: division by zero. "
        "The program is not affected; further failures of this rule are not logged."
    ]


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**70), max_value=2**70),
    st.floats(),
    ANY_TEXT,
    st.binary(max_size=20),
    st.sampled_from([Kind.OPEN, Level.HIGH, Plain.PAIR, Loud("x"), Decimal(1), object, Point(1)]),
    # Created only when they are drawn, because Hypothesis prints what it chooses from.
    st.sampled_from([Raising, NoText, Endless]).map(lambda kind: kind()),
    st.sampled_from(["count", "loop", "list", "dict", "mock"]).map(
        lambda name: {
            "count": Count(7),
            "loop": LOOP,
            "list": EvilList([1]),
            "dict": EvilDict(a=1),
            "mock": Mock(spec=int),
        }[name]
    ),
)
KEYS = st.one_of(ANY_TEXT, st.integers(), st.none(), st.tuples(st.integers(), ANY_TEXT))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.lists(inner, max_size=3).map(lambda items: Pair(items, Mock(spec=list))),
        st.sets(st.integers() | ANY_TEXT, max_size=4),
    ),
)


TRACER = TracerProvider(shutdown_on_exit=False).get_tracer("test")


class _RecordingHandler(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@settings(max_examples=500)
@given(st.dictionaries(st.sampled_from(["a", "b"]), VALUES, min_size=1), VALUES)
def test_the_sdk_accepts_any_value_without_a_warning_and_can_export_it(attributes: dict[str, Any], part):
    handler = _RecordingHandler()
    logger = logging.getLogger("opentelemetry")
    logger.addHandler(handler)
    try:
        cleaned = clean_attributes(attributes)
        span = (
            TracerProvider(shutdown_on_exit=False)
            .get_tracer("test")
            .start_span(render_name("x", part), attributes=cleaned)
        )
        span.add_event("event", cleaned)
        span.end()
    finally:
        logger.removeHandler(handler)
    assert handler.records == []
    assert isinstance(span, ReadableSpan)
    assert span.attributes is not None
    assert set(span.attributes) == {key for key, value in attributes.items() if value is not None}
    json.dumps([span.name, dict(span.attributes)], ensure_ascii=False).encode("utf-8")
    for value in span.attributes.values():
        for scalar in value if isinstance(value, tuple) else (value,):
            assert type(scalar) in (str, int, float, bool)
            assert type(scalar) is not int or -(2**63) <= scalar < 2**63
