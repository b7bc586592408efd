"""What values of each known type are recorded as: as attributes, in JSON, in names, in metrics and in arithmetic."""

import array
import collections
import dataclasses
import enum
import io
import ipaddress
import math
import pathlib
import re
import types
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, NoReturn

import numpy
import pydantic
import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import parse
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.expressions.known_types import FORMS, KNOWN_TYPES, LAZY_TYPES
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import attribute_value, render_name

from .fuzz.targets import NAMESPACE, SOURCE_NAMES
from .processes import ROOT


class Colour(enum.Enum):
    RED = "red"


class Size(enum.Flag):
    SMALL = 1


class Outer(enum.Enum):
    INNER = Colour.RED


@dataclasses.dataclass
class Address:
    city: str
    code: int = 0
    secret: str = dataclasses.field(default="x", repr=False)
    kind: ClassVar[str] = "address"


@dataclasses.dataclass
class Order:
    id: uuid.UUID
    address: Address | None
    amount: Decimal

    def __str__(self) -> str:
        raise AssertionError("the program was called")

    __repr__ = __str__


class Slotted:
    __slots__ = ("a", "b")
    __dataclass_fields__: ClassVar[dict[str, Any]] = {"a": None, "b": None}


class Customer(pydantic.BaseModel):
    name: str
    amount: Decimal
    password: str = pydantic.Field(default="x", repr=False)
    token: str = pydantic.Field(default="x", exclude=True)


class Money:
    """A number of the program."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __float__(self) -> float:
        return self.cents / 100


class Identifier:
    def __index__(self) -> int:
        return 7


class Symbolic:
    def __float__(self) -> NoReturn:
        raise TypeError("not a number")


class Tensor:
    """Has what a tensor of PyTorch defines."""

    dtype = types.SimpleNamespace()

    def __init__(self, values: Any, device: str = "cpu") -> None:
        self._values = numpy.array(values)
        self.device = types.SimpleNamespace(type=device)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._values.shape

    def tolist(self) -> Any:
        assert self.device.type == "cpu", "the device was waited for"
        return self._values.tolist()

    def __index__(self) -> int:
        raise AssertionError("this is not the way to read a tensor")


class LazyMapping(Mapping[str, int]):
    """Its items come from a database."""

    def __getitem__(self, key: str) -> int:
        raise AssertionError("the program was called")

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("the program was called")

    def __len__(self) -> int:
        return 3


class Working:
    """Does work whatever is asked of it."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"the program was called: {name}")

    def __str__(self) -> NoReturn:
        raise AssertionError("the program was called")

    __repr__ = __len__ = __iter__ = __bool__ = __hash__ = __eq__ = __str__  # type: ignore[assignment]


UTC = timezone.utc
NUMBERS = [
    (numpy.int64(3), 3),
    (numpy.uint8(200), 200),
    (numpy.float32(1.5), 1.5),
    (numpy.float64(2.5), 2.5),
    (numpy.longdouble(0.5), 0.5),
    (numpy.bool_(True), True),
    (numpy.array(4), 4),
    (Tensor(2.5), 2.5),
    (Decimal("2.50"), 2.5),
    (Fraction(1, 4), 0.25),
    (Money(250), 2.5),
    (Identifier(), 7),
    (timedelta(minutes=1, milliseconds=500), 60.5),
    (numpy.timedelta64(1500, "ms"), 1.5),
]
VALUES = [
    *NUMBERS,
    (numpy.str_("a"), "a"),
    (numpy.bytes_(b"a"), "a"),
    (numpy.datetime64("2026-01-02T03:04:05.000000006"), "2026-01-02T03:04:05.000000006"),
    (numpy.uint64(2**64 - 1), str(2**64 - 1)),
    (numpy.complex64(1 + 2j), "(1+2j)"),
    (numpy.array([1, 2]), [1, 2]),
    (numpy.array([1.5, 2]), [1.5, 2.0]),
    (numpy.array([True]), [True]),
    (numpy.array(["a"]), ["a"]),
    (numpy.array([Decimal("1.5")]), [1.5]),
    (numpy.array([[1, 2], [3, 4]]), "[[1, 2], [3, 4]]"),
    (numpy.zeros((2000, 2000)), "numpy.ndarray"),
    (numpy.array(["2026-01-02"], dtype="datetime64[D]"), ["2026-01-02"]),
    ([numpy.int64(1), numpy.int64(2)], [1, 2]),
    ((numpy.int64(1), 2), [1, 2]),
    ({"n": numpy.int64(1), "d": Decimal("0.5")}, '{"n": 1, "d": 0.5}'),
    (Tensor([1, 2], device="cuda"), f"{__name__}.Tensor"),
    ([Decimal("0.5"), Fraction(1, 2)], [0.5, 0.5]),
    ([1, Decimal("0.5")], "[1, 0.5]"),
    (Symbolic(), f"{__name__}.Symbolic"),
    (datetime(2026, 1, 2, 3, 4, 5, 6, UTC), "2026-01-02T03:04:05.000006+00:00"),
    (date(2026, 1, 2), "2026-01-02"),
    (time(3, 4), "03:04:00"),
    ([date(2026, 1, 2)], ["2026-01-02"]),
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (timezone.utc, "UTC"),
    (ipaddress.ip_address("127.0.0.1"), "127.0.0.1"),
    (pathlib.PurePosixPath("/a/b"), "/a/b"),
    (Colour.RED, "red"),
    (Size.SMALL, 1),
    (Outer.INNER, "red"),
    (b"ab", "ab"),
    (bytearray(b"ab"), "ab"),
    (memoryview(b"ab"), "ab"),
    (memoryview(b"abcd")[::2], "ac"),
    ([b"a", b"b"], ["a", "b"]),
    ({"b", "a"}, ["a", "b"]),
    ({3, 1, 2}, [1, 2, 3]),
    ({}.keys(), []),
    ({"a": 1}.items(), '[["a", 1]]'),
    (collections.deque([1, 2]), [1, 2]),
    (collections.OrderedDict(a=1), '{"a": 1}'),
    (collections.ChainMap({"a": 1}), '{"a": 1}'),
    (types.MappingProxyType({"a": 1}), '{"a": 1}'),
    (array.array("i", [1, 2]), [1, 2]),
    (range(3), "range(0, 3)"),
    (re.compile("a+"), "a+"),
    (ValueError("no such order"), "no such order"),
    (Address("Paris"), '{"city": "Paris", "code": 0}'),
    (
        Order(uuid.UUID(int=1), Address("Paris"), Decimal("1.5")),
        '{"id": "00000000-0000-0000-0000-000000000001", "address": {"city": "Paris", "code": 0}, "amount": 1.5}',
    ),
    (Slotted(), "{}"),
    (Customer(name="Ann", amount=Decimal("1.5")), '{"name": "Ann", "amount": 1.5}'),
    (Address, f"{__name__}.Address"),
    (int, "int"),
    (len, "len"),
    (render_name, f"{render_name.__module__}.render_name"),
    (re, "re"),
    (object(), "object"),
    (io.StringIO("secret"), "_io.StringIO"),
    (numpy.dtype("int64"), "int64"),
    (numpy.dtype("datetime64[ns]"), "datetime64[ns]"),
    (numpy.array(["NaT", "2026-01-02"], dtype="datetime64[D]"), '[null, "2026-01-02"]'),
    (numpy.array(["NaT", 5], dtype="timedelta64[s]"), "[null, 5.0]"),
    (numpy.array("2026-01-02", dtype="datetime64[D]"), "2026-01-02"),
    (numpy.array(1500, dtype="timedelta64[ms]"), 1.5),
    (numpy.array("a"), "a"),
    (numpy.array(True), True),
    (numpy.array(b"a"), "a"),
    (Working(), f"{__name__}.Working"),
    ([Working()], [f"{__name__}.Working"]),
    ({"a": Working()}, f'{{"a": "{__name__}.Working"}}'),
    (LazyMapping(), f"{__name__}.LazyMapping"),
    (iter([1]), "list_iterator"),
]


@pytest.mark.parametrize(("value", "recorded"), VALUES, ids=lambda value: type(value).__name__)
def test_a_value_of_a_known_type_is_recorded_and_any_other_is_its_type(value, recorded):
    found = attribute_value(value)
    assert found == recorded
    assert type(found) is type(recorded)
    if isinstance(found, list):
        assert [type(item) for item in found] == [type(item) for item in recorded]


def test_the_missing_values_of_pandas_and_numpy_are_missing():
    for name, base in (("NAType", object), ("NaTType", datetime)):
        for module in (
            "pandas.api.typing",
            "pandas._libs.missing" if base is object else "pandas._libs.tslibs.nattype",
        ):
            kind = type(name, (base,), {"__module__": module})
            assert attribute_value(kind(*(() if base is object else (2026, 1, 1)))) is None
    assert attribute_value(numpy.datetime64("NaT", "s")) is attribute_value(numpy.timedelta64("NaT", "s")) is None


def test_the_default_of_an_argument_that_is_not_given_is_missing():
    module_of = {
        "NotGiven": "openai",
        "Omit": "anthropic._types",
        "UnsetType": "msgspec",
        "UseClientDefault": "httpx._client",
    }
    for name, module in module_of.items():
        value = type(name, (), {"__module__": module})()
        assert attribute_value(value) is None
        assert evaluated("str(a)", a=value) is evaluated("float(a)", a=value) is None
        assert evaluated("bool(a)", a=value) is False
    assert attribute_value(type("UnsetType", (), {"__module__": "shop"})()) == "shop.UnsetType"


def test_a_long_array_is_read_only_as_far_as_it_is_recorded():
    found = attribute_value(numpy.arange(10**6))
    assert found == list(range(1_000))


def test_the_class_of_a_recorded_value_is_not_kept_alive():
    import gc
    import weakref

    kind = type("Temporary", (), {})
    attribute_value(kind())
    reference = weakref.ref(kind)
    del kind
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (Decimal("2.50"), "2.50"),
        (numpy.float32(1.5), "1.5"),
        (datetime(2026, 1, 2), "2026-01-02T00:00:00"),
        (Colour.RED, "red"),
        (b"ab", "ab"),
        ([1, Colour.RED], '[1, "red"]'),
        (Working(), f"{__name__}.Working"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_name_has_the_text_of_a_value(value, part: str):
    assert render_name("order ", value) == f"order {part}"
    assert evaluated('f"order {a}"', a=value) == f"order {part}"


def evaluated(text: str, **values: Any) -> Any:
    """The value of the null-safe form, which a wrapper uses if the direct form raises."""
    expression = parse(text, Mark("f.yaml", 1, 1))
    try:
        return eval(expression.direct(SOURCE_NAMES), {**NAMESPACE, **values})
    except Exception:
        return eval(expression.null_safe(SOURCE_NAMES), {**NAMESPACE, **values})


@pytest.mark.parametrize(
    ("text", "a", "b", "found"),
    [
        ("a + 1", numpy.int64(3), None, 4),
        ("a > 2", numpy.int64(3), None, True),
        ("a > 2", numpy.array([1, 3]), None, [False, True]),
        ("a * 2", numpy.bool_(True), None, 2),
        ("a % 2", numpy.int64(3), None, 1),
        ("-a", numpy.float32(1.5), None, -1.5),
        ("a + b", Decimal("2.5"), 1.5, 4.0),
        ("a - b", 1.5, Decimal("2.5"), -1.0),
        ("a * b", Decimal("2.5"), 2.0, 5.0),
        ("a / b", Decimal("2.5"), 2.0, 1.25),
        ("a // b", Decimal("2.5"), 2.0, 1.0),
        ("a % b", Decimal("2.5"), 2.0, 0.5),
        ("a > b", Decimal("2.5"), 2.0, True),
        ("a - b", datetime(2026, 1, 2), datetime(2026, 1, 1), 86_400.0),
        ("a > 5", timedelta(seconds=6), None, True),
        ("a <= 5", timedelta(seconds=6), None, False),
        ("a + 1", timedelta(seconds=6), None, 7.0),
        ("a * 2", timedelta(seconds=6), None, 12.0),
        ("int(a)", timedelta(seconds=6.5), None, 6),
        ("float(a)", timedelta(seconds=6.5), None, 6.5),
        ("int(a)", Decimal("2.5"), None, 2),
        ("int(a)", numpy.float32(2.5), None, 2),
        ("a > 2", Money(250), None, True),
        ("a + b", Fraction(1, 2), Decimal("0.5"), 1.0),
        ("not a", numpy.bool_(False), None, True),
        ("a == 3", numpy.int64(3), None, True),
        ("len(a)", numpy.array([1, 2]), None, 2),
        ("a[0]", numpy.array([1, 2]), None, 1),
    ],
)
def test_operators_give_numbers_and_booleans(text: str, a, b, found):
    recorded = attribute_value(evaluated(text, a=a, b=b))
    assert recorded == found
    assert type(recorded) is type(found)


DURATIONS = [timedelta(seconds=1.5), numpy.timedelta64(1500, "ms"), numpy.array(1500, dtype="timedelta64[ms]")]


@pytest.mark.parametrize("duration", DURATIONS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a > 5", False),
        ("a < 5", True),
        ("5 > a", True),
        ("a <= 1.5", True),
        ("1 < a < 2", True),
        ("1 < a == 1.5", True),
        ("a == 1500", False),
        ("a == 1.5", True),
        ("a != 1.5", False),
        ("a in (1500, 2)", False),
        ("a in (1.5, 2)", True),
        ("a not in (1.5, 2)", False),
        ("a == 'x'", False),
        ("a + 1", 2.5),
        ("1 + a", 2.5),
        ("a - 1", 0.5),
        ("a * 2", 3.0),
        ("a / 2", 0.75),
        ("a // 1", 1.0),
        ("a % 1", 0.5),
        ("int(a)", 1),
        ("float(a)", 1.5),
        ("bool(a)", True),
    ],
)
def test_a_duration_is_a_number_of_seconds(text: str, found, duration):
    recorded = attribute_value(evaluated(text, a=duration))
    assert recorded == found
    assert type(recorded) is type(found)


def test_durations_and_times_are_compared_with_each_other_in_their_own_units():
    assert evaluated("a > b", a=numpy.timedelta64(1500, "ms"), b=timedelta(seconds=1))
    assert evaluated("a - b > 5", a=numpy.datetime64("2026-01-02"), b=numpy.datetime64("2026-01-01"))
    assert evaluated("a > b", a=numpy.datetime64("2026-01-02"), b=date(2026, 1, 1))
    assert evaluated("a - b", a=datetime(2026, 1, 2), b=timedelta(days=1)) == datetime(2026, 1, 1)


@pytest.mark.parametrize("text", ["a > 5", "a + 1", "5 - a", "int(a)", "float(a)"])
@pytest.mark.parametrize(
    "value",
    [numpy.datetime64("2026-01-02"), numpy.array([1, 2], dtype="timedelta64[ms]")],
    ids=lambda value: type(value).__name__,
)
def test_a_time_that_is_not_a_duration_cannot_be_compared_with_a_number(text: str, value):
    with pytest.raises(TypeError, match="expected a number"):
        evaluated(text, a=value)
    assert evaluated("a == 5", a=value) is False
    assert evaluated("a != 5", a=value) is True
    assert evaluated("a in (5, 6)", a=value) is False


def missing_values() -> list[Any]:
    class NAType:
        """Has what ``NA`` of pandas has."""

        def __bool__(self) -> NoReturn:
            raise TypeError("boolean value of NA is ambiguous")

        __eq__ = __ne__ = __lt__ = __gt__ = __add__ = lambda self, _other: self  # type: ignore[assignment]

    NAType.__module__, NAType.__qualname__ = "pandas.api.typing", "NAType"
    no_time = [numpy.datetime64("NaT"), numpy.timedelta64("NaT", "s"), numpy.array("NaT", dtype="datetime64[s]")]
    return [None, NAType(), *no_time]


@pytest.mark.parametrize("value", missing_values(), ids=lambda value: type(value).__name__)
def test_a_missing_value_is_not_true_and_without_it_an_operator_has_no_value(value):
    for text, found in {
        "a and 1": None,
        "a or 'none'": "none",
        "not a": True,
        "1 if a else 2": 2,
        "bool(a)": False,
        "a < 5": None,
        "a == 5": False,
        "a != 5": True,
        "a in (1, 2)": False,
        "a + 1": None,
        "-a": None,
        "1 < a < 5": None,
        "str(a)": None,
        "int(a)": None,
        "iso(a)": None,
        "truncate(a, 5)": None,
        "sha256(a)": None,
        "json(a)": None,
    }.items():
        assert evaluated(text, a=value) == found, text
    assert render_name("order ", value) == "order"


@pytest.mark.parametrize("text", ["a > 1", "a < 1", "a == 1", "a in (1, 2)", "1 < a < 2"])
@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("sNaN")], ids=str)
def test_a_decimal_that_is_not_a_number_is_compared_as_a_float_that_is_not_one(text: str, value):
    assert evaluated(text, a=value) is False
    assert evaluated("a != 1", a=value) is True
    assert math.isnan(attribute_value(value))  # type: ignore[arg-type]
    assert render_name("price ", value) == f"price {value}"


def test_conditions_take_booleans_of_numpy_and_missing_values(
    tracing, make_module: Callable[..., Any], instrumented, caplog: pytest.LogCaptureFixture
):
    spec = """
    spans:
      yes: {around: HOST:yes, when: x}
      no: {around: HOST:no, when: not x}
      both: {around: HOST:both, when: x.item > 5, status: {when: x.late, error: '"late"'}}
    """
    module = make_module("def yes(x): pass\ndef no(x): pass\ndef both(x): pass\n")
    true, false, missing = numpy.bool_(True), numpy.bool_(False), numpy.datetime64("NaT")
    with instrumented(spec, module):
        for value in (true, numpy.array(True)):
            module.yes(value)
            module.no(value)
        for value in (false, missing, numpy.array(False)):
            module.yes(value)
            module.no(value)
        for item in (numpy.timedelta64(6, "s"), numpy.timedelta64(1500, "ms"), numpy.timedelta64("NaT", "s"), None):
            module.both(types.SimpleNamespace(item=item, late=missing))
    assert tracing.names == ["yes", "yes", "no", "no", "no", "both"]
    assert tracing.spans[-1].status.is_unset
    assert not caplog.records


@pytest.mark.parametrize("text", ["a - b", "a < b", "a / b", "a + b"])
def test_an_operator_that_has_no_numbers_to_apply_to_is_an_error(text: str):
    for a, b in (("x", 1), (object(), object()), ("x", b"x")):
        with pytest.raises(TypeError):
            evaluated(text, a=a, b=b)


def test_numpy_arrays_are_not_multiplied_to_larger_ones():
    with pytest.raises(TypeError, match="expected a number, not ndarray"):
        evaluated("a * b", a=numpy.zeros((1000, 1)), b=numpy.zeros((1, 1000)))


@pytest.mark.parametrize(
    ("name", "arguments", "found"),
    [
        ("str", (b"ab",), "ab"),
        ("str", (Decimal("2.50"),), "2.50"),
        ("lower", (b"AB",), "ab"),
        ("starts_with", (b"abc", "ab"), True),
        ("like", (b"abc", "a*"), True),
        ("truncate", (b"abc", 2), "ab"),
        ("truncate", (Working(), 100), f"{__name__}.Working"),
        ("sha256", (b"\xff",), "a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89"),
        ("iso", (date(1970, 1, 2),), 86_400_000_000_000),
        ("iso", (numpy.datetime64("1970-01-01T00:00:00.000000007"),), 7),
        ("iso", (b"1970-01-01T00:00:01Z",), 1_000_000_000),
        ("sum", (numpy.arange(2000),), 1_999_000),
        ("max", (numpy.array([2.5, 7]),), 7.0),
        ("min", (numpy.array([1500, "NaT"], dtype="timedelta64[ms]"),), 1.5),
    ],
)
def test_functions_take_values_of_known_types(name: str, arguments: tuple[Any, ...], found):
    assert FUNCTIONS[name].call(*arguments) == found


@pytest.mark.parametrize(
    "value", [numpy.zeros((2, 2)), numpy.float64(1), numpy.zeros(10_001), Tensor([1], device="cuda")]
)
def test_the_sum_of_an_array_is_that_of_one_dimension_in_main_memory(value):
    with pytest.raises((TypeError, ValueError)):
        FUNCTIONS["sum"].call(value)


def test_json_reads_any_mapping_because_the_spec_says_so():
    class Headers(Mapping[str, str]):
        def __getitem__(self, key: str) -> str:
            return key.upper()

        def __iter__(self) -> Iterator[str]:
            return iter("ab")

        def __len__(self) -> int:
            return 2

    assert FUNCTIONS["json"].call(Headers()) == '{"a": "A", "b": "B"}'


SPEC = """
spans:
  count:
    around: HOST:count
    name: "count {money}"
    attributes: {shop.items: items, shop.weight: weight, shop.ok: ok, shop.shape: shape, shop.rows: rows,
      shop.money: money, shop.total: money * weight, shop.sum: items + 1, shop.many: items > 2, shop.object: thing}
hooks:
  count: {call: "HOST:count"}
metrics:
  shop.revenue: {instrument: counter, at: count.return, value: money}
"""


def test_a_call_with_numpy_and_decimal_is_recorded_as_numbers(tracing, make_module: Callable[..., Any], instrumented):
    module = make_module("def count(items, weight, ok, shape, rows, money, thing):\n    return items\n")
    with instrumented(SPEC, module):
        module.count(
            numpy.int64(3),
            numpy.float32(1.5),
            numpy.bool_(True),
            numpy.array([1, 2]),
            [numpy.int64(1), numpy.int64(2)],
            Decimal("2.50"),
            Working(),
        )
    assert tracing.span.name == "count 2.50"
    assert tracing.points("shop.revenue")[()].value == 2.5
    expected = {
        "shop.items": 3,
        "shop.weight": 1.5,
        "shop.ok": True,
        "shop.shape": (1, 2),
        "shop.rows": (1, 2),
        "shop.money": 2.5,
        "shop.total": 3.75,
        "shop.sum": 4,
        "shop.many": True,
        "shop.object": f"{__name__}.Working",
    }
    found = dict(tracing.span.attributes)
    assert found == expected
    assert {key: type(value) for key, value in found.items()} == {key: type(value) for key, value in expected.items()}


def test_the_documented_table_is_the_one_that_is_used():
    text = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    for title, recorded_as in (*((row.title, row.recorded_as) for row in (*KNOWN_TYPES, *LAZY_TYPES)), *FORMS):
        assert f"| {title} | {recorded_as} |" in text
