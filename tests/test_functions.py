import json
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import parse
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.expressions.number_operators import multiply, remainder
from opentelemetry.instrumentation.declarative.expressions.operators import dot, item, text

from tests.fuzz.targets import NAMESPACE, SOURCE_NAMES


def call(name: str, *arguments: Any) -> Any:
    return FUNCTIONS[name].call(*arguments)


class Impostor:
    """Has the methods of a text without being one."""

    def startswith(self, *_args: Any) -> NoReturn:
        raise AssertionError("the program was called")

    endswith = lower = upper = replace = strip = encode = startswith


class Broken:
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if FUNCTIONS[name].parameters])
def test_a_missing_value_stays_missing(name: str):
    function = FUNCTIONS[name]
    more = {"truncate": (5,)}.get(name, ("x",) * (function.least_arguments - 1))
    assert function.call(None, *more) is (None if function.none_if_none else False)


RESULTS = {"boolean": bool, "int": int, "double": float, "string": str, "string[]": list, "any": object}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_a_function_has_its_value_and_the_type_that_the_function_declares(name: str):
    function = FUNCTIONS[name]
    text, expected = function.example
    expression = parse(text, Mark("f.yaml", 1, 1, len(text)))
    assert name in expression.functions
    if function.varies:
        assert type(function.call(*("http" for _ in function.parameters))) is RESULTS[function.result]
        return
    for source in (expression.direct(SOURCE_NAMES), expression.null_safe(SOURCE_NAMES)):
        value = eval(source, {**NAMESPACE, **function.given})
        assert value == expected
        assert isinstance(value, RESULTS[function.result])


def test_functions_are_listed_in_alphabetical_order():
    assert [*FUNCTIONS] == sorted(FUNCTIONS)


def test_the_signature_of_a_variadic_function_says_so():
    assert FUNCTIONS["len"].signature("len") == "len(value)"
    assert FUNCTIONS["is_a"].signature("is_a") == "is_a(value, name, ...)"
    assert FUNCTIONS["round"].signature("round") == "round(number[, digits])"


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("bool", ([],), False),
        ("bool", ("no",), True),
        ("ends_with", ("order.paid", ".x", ".paid"), True),
        ("ends_with", ("order", "x"), False),
        ("ends_with", ("order", None, "er"), True),
        ("float", ("2.5",), 2.5),
        ("int", ("42",), 42),
        ("int", (2.9,), 2),
        ("is_a", (KeyError("x"), "LookupError"), True),
        ("is_a", (KeyError("x"), "ValueError", "OSError"), False),
        ("is_a", (None, "NoneType"), True),
        ("len", ("abc",), 3),
        ("like", ("subtask-0f", "subtask-[0-9a-f][0-9a-f]"), True),
        ("like", ("subtask-0f", "subtask-?"), False),
        ("like", ("subtask-0f", None), False),
        ("lower", ("ÄB",), "äb"),
        ("starts_with", ("ag2.task.x", "ag2.channel.", "ag2.task."), True),
        ("starts_with", ("message", "ag2."), False),
        ("starts_with", ("message", None), False),
        ("str", (5,), "5"),
        ("truncate", ("abcdef", 3), "abc"),
        ("truncate", (12345, 2), "12"),
        ("truncate", ("abc", 0), ""),
        ("truncate", ("abc", -1), ""),
        ("truncate", ("abc", None), None),
        ("type_name", (KeyError("x"),), "KeyError"),
        ("upper", ("straße",), "STRASSE"),
        ("strip", ("--a-b--", "-"), "a-b"),
        ("strip", (b" a\n",), "a"),
        ("split", (" a  b ",), ["a", "b"]),
        ("split", (b"a,b", ","), ["a", "b"]),
        ("join", ({"a": 1, "b": 2}, "/"), "a/b"),
        ("join", ([1, None, "x"], "-"), "1-x"),
        ("join", ([], "-"), ""),
        ("join", (["a", "b"], None), None),
        ("round", (2.5,), 2),
        ("round", (1234, -2), 1200),
        ("round", (Decimal("1.25"), 1), 1.2),
        ("round", (timedelta(seconds=1.6),), 2),
        ("round", ("x",), None),
        ("sum", ([1, None, 2.5],), 3.5),
        ("sum", ((),), 0),
        ("sum", ({1, 2},), 3),
        ("min", ([],), None),
        ("min", (3, None), 3),
        ("max", ("a", "b"), "b"),
        ("any", (deque([0, 1]),), True),
        ("any", ([],), False),
        ("all", ([],), True),
        ("all", ({"a": 1}.values(),), True),
        ("keys", (OrderedDict(b=1, a=2),), ["b", "a"]),
        ("match", ("GET /users", r"^\w+ "), "GET "),
        ("match", ("GET /users", "^POST"), None),
        ("match", (b"id=7", "id=([0-9])"), "7"),
        ("match_any", ("/users/7/health", "^/metrics, health$"), True),
        ("match_any", ("/users/7", "^/metrics,health$"), False),
        ("match_any", ("/users/7", ","), False),
        ("match_any", (None, "a"), False),
        ("replace", ("a1b22", "[0-9]+", "#"), "a#b#"),
        ("replace", ("john smith", r"(\w+) (\w+)", r"\2 \1"), "smith john"),
        ("url_host", ("shop.example:8443",), "shop.example"),
        ("url_host", ("postgresql+asyncpg://user:p%40ss@DB.example:5432/shop",), "db.example"),
        ("url_host", ("http://[::1]:80/",), "::1"),
        ("url_host", ("http://[::1",), None),
        ("url_host", ("/orders",), None),
        ("url_host", ("",), None),
        ("url_port", ("http://shop.example:99999/",), None),
        ("url_port", ("ws://shop.example",), 80),
        ("url_port", ("ftp://shop.example",), None),
        ("url_port", ("shop.example:8443",), 8443),
        ("url_scheme", ("/orders",), None),
        ("url_path", ("https://shop.example",), None),
        ("url_query", ("/o?x=1&Signature=s&AWSAccessKeyId=k#f",), "x=1&Signature=REDACTED&AWSAccessKeyId=REDACTED"),
        ("url_without_credentials", ("https://token@shop.example/a#b",), "https://REDACTED@shop.example/a#b"),
        ("url_without_credentials", ("https://a:b@c:d@shop.example",), "https://REDACTED:REDACTED@shop.example"),
        ("url_without_credentials", ("https://shop.example/a?b=c",), "https://shop.example/a?b=c"),
        ("url_without_credentials", ("https://shop.example/a?",), "https://shop.example/a?"),
        ("url_without_credentials", ("/a?page=2&sig=abc#b",), "/a?page=2&sig=REDACTED#b"),
        ("url_without_credentials", ("//ann:secret@shop.example/a",), "//REDACTED:REDACTED@shop.example/a"),
        ("url_without_credentials", ("redis://:secret@cache:6379/0",), "redis://REDACTED:REDACTED@cache:6379/0"),
    ],
)
def test_a_function_returns_its_documented_value(name: str, arguments: tuple[Any, ...], value):
    assert call(name, *arguments) == value


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ends_with", (Impostor(), "x")),
        ("float", ("x",)),
        ("int", ("x",)),
        ("int", (float("inf"),)),
        ("iso", ("yesterday",)),
        ("iso", (1_700_000_000,)),
        ("iso", (Impostor(),)),
        ("len", (5,)),
        ("like", (Impostor(), "*")),
        ("lower", (Impostor(),)),
        ("starts_with", (Impostor(), "x")),
        ("starts_with", ("x", 5)),
        ("str", (Broken(),)),
        ("truncate", ("abc", "2")),
        ("upper", (5,)),
    ],
)
def test_a_wrong_type_is_an_error_without_a_call_of_the_application(name: str, arguments: tuple[Any, ...]):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        call(name, *arguments)


@pytest.mark.parametrize(
    ("written", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00z", 0),
        ("1970-01-01T00:00:00", 0),
        ("1970-01-01", 0),
        (" 1970-01-01T00:00:01+00:00 ", 1_000_000_000),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1969-12-31T19:00:00-05:00", 0),
        ("1969-12-31T23:59:59.999999Z", -1_000),
        ("1900-01-01T00:00:00Z", -2_208_988_800_000_000_000),
        ("2026-11-22T10:00:00.1Z", 1_795_341_600_100_000_000),
        ("2026-11-22T10:00:00.123456Z", 1_795_341_600_123_456_000),
        ("2026-11-22T10:00:00.123456789Z", 1_795_341_600_123_456_789),
        ("2026-11-22T10:00:00.1234567891+00:00", 1_795_341_600_123_456_789),
        ("2026-11-22T10:00:00,5", 1_795_341_600_500_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999_000),
        (datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 0),
        (datetime(1970, 1, 1, 0, 0, 0, 7), 7_000),
        ("", None),
        (None, None),
    ],
)
def test_iso_returns_exact_nanoseconds(written, nanoseconds: int | None):
    assert call("iso", written) == nanoseconds


@given(st.datetimes(timezones=st.timezones() | st.just(timezone.utc)))
def test_iso_loses_no_microsecond_of_any_time(moment: datetime):
    try:
        passed = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    except OverflowError:
        return
    exact = passed // timedelta(microseconds=1) * 1_000
    assert call("iso", moment) == exact
    if moment.utcoffset() and moment.utcoffset().microseconds == 0:  # type: ignore[union-attr]
        assert call("iso", moment.isoformat()) == exact


@pytest.mark.parametrize("value", ["", "abc", 5, b"x", "\ud800", [1, 2], "😀"])
def test_sha256_is_sixty_four_hexadecimal_digits_and_always_the_same(value):
    found = call("sha256", value)
    assert len(found) == 64
    assert int(found, 16) >= 0
    assert call("sha256", value) == found


def test_sha256_of_a_text_is_that_of_its_utf_8():
    assert call("sha256", "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"a": [1, 2.5, True, None]}, '{"a": [1, 2.5, true, null]}'),
        ("text", '"text"'),
        ({1: "a", (2, 3): "b"}, '{"1": "a", "[2, 3]": "b"}'),
        ([float("nan"), float("inf")], '["nan", "inf"]'),
        (timedelta(seconds=1), "1.0"),
        ("äöü", '"äöü"'),
        ("\ud800", '"?"'),
        ([Broken()], f'["{__name__}.Broken"]'),
        (2**70, '"1180591620717411303424"'),
    ],
)
def test_json_converts_any_value(value, written: str):
    assert call("json", value) == written
    json.loads(written, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def test_a_function_does_not_change_its_arguments():
    value = {"a": [1, {"b": 2}]}
    for name in ("json", "str", "len", "sha256", "type_name", "bool"):
        call(name, value)
    assert value == {"a": [1, {"b": 2}]}


def test_a_dot_reads_the_key_of_a_mapping_before_the_methods_of_dict():
    assert dot({"items": 1}, "items") == 1
    assert dot({}, "items") is None
    assert dot({"other": 2}, "other") == 2
    assert dot(None, "x") is None


def test_a_dot_reads_the_attribute_of_a_mapping_that_has_one():
    class Headers(dict[str, str]):
        raw = "raw"

    assert dot(Headers(raw="key"), "raw") == "raw"


@pytest.mark.parametrize("value", [{}, [], "abc", None, 5, object()])
def test_a_missing_item_is_none(value):
    assert item(value, "key") is None
    assert item(value, []) is None


def test_an_item_of_any_mapping_is_read_with_its_own_method():
    class Headers(Mapping[str, str]):
        def __getitem__(self, key: str) -> str:
            return {"trace": "t-1"}[key.lower()]

        def __iter__(self) -> NoReturn:
            raise AssertionError("the mapping was iterated")

        def __len__(self) -> int:
            return 1

    assert item(Headers(), "Trace") == "t-1"
    assert item(Headers(), "other") is None


def test_arithmetic_accepts_numbers_of_every_kind():
    from decimal import Decimal
    from fractions import Fraction

    assert multiply(Decimal("1.5"), 2) == Decimal("3.0")
    assert remainder(Fraction(7, 2), 2) == Fraction(3, 2)
    for bad in ("a", [0], b"x", (1,)):
        with pytest.raises(TypeError):
            multiply(bad, 3)
        with pytest.raises(TypeError):
            remainder(bad, 3)


def test_the_parts_of_an_f_string_are_joined_as_texts():
    assert text("a", 1, None, ["b"]) == 'a1None["b"]'
