"""Comprehensions, and the functions that read collections."""

from collections import deque
from types import SimpleNamespace as Object
from typing import Any, NoReturn

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.expressions import parse
from opentelemetry.instrumentation.declarative.expressions.conversion import MAX_CHARACTERS
from opentelemetry.instrumentation.declarative.expressions.limits import MAX_ITEMS, MAX_VALUES

from tests.fuzz.targets import NAMESPACE, SOURCE_NAMES

LINES = [Object(name="tea", price=2, gift=False), Object(name="cup", price=5, gift=True), {"name": "pot", "price": 9}]


def values(text: str, **names: Any) -> list[Any]:
    """The values of both forms; an exception instead of a value if one is raised."""
    found: list[Any] = []
    expression = parse(text, Mark("f.yaml", 1, 1, len(text)))
    for source in (expression.direct(SOURCE_NAMES), expression.null_safe(SOURCE_NAMES)):
        try:
            found.append(eval(source, {**NAMESPACE, "lines": LINES[:2], "rate": 2, **names}))
        except Exception as error:
            found.append(type(error))
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[line.name for line in lines]", ["tea", "cup"]),
        ("[line.name for line in lines if line.gift]", ["cup"]),
        ("[line.price * rate for line in lines if line.price < rate + 1]", [4]),
        ("sum(line.price for line in lines)", 7),
        ("max([line.price for line in lines])", 5),
        ("min(line.price for line in lines if line.gift)", 5),
        ("any(line.gift for line in lines)", True),
        ("all(line.gift for line in lines)", False),
        ("join([line.name for line in lines], ', ')", "tea, cup"),
        ("len([line for line in lines if line.name == 'tea'])", 1),
        ("[f'{line.name}: {line.price}' for line in lines][0]", "tea: 2"),
        ("[name for name in [line.name for line in lines]]", ["tea", "cup"]),
        ("[line for line in (1, 2)] + [line for line in (3,)]", [1, 2, 3]),
        ("[line.name for line in lines if line.name in ('tea', 'pot')]", ["tea"]),
        (
            "[{'name': line.name, 'cost': line.price * rate} for line in lines]",
            [{"name": "tea", "cost": 4}, {"name": "cup", "cost": 10}],
        ),
    ],
)
def test_a_comprehension_has_the_value_that_it_has_in_python(text: str, value):
    assert values(text) == [value, value]


@pytest.mark.parametrize("given", [(1, 2), {1: "a", 2: "b"}, {1, 2}, frozenset([1, 2]), deque([1, 2]), range(1, 3)])
def test_collections_of_many_types_can_be_read(given):
    assert values("[x for x in given]", given=given) == [[1, 2], [1, 2]]
    assert values("sum(given)", given=given) == [3, 3]


@pytest.mark.parametrize("given", [{1: "a"}.keys(), {2: 1}.values()])
def test_views_of_mappings_can_be_read(given):
    assert values("[x for x in given]", given=given) == [[1], [1]]


def test_the_methods_of_a_subclass_of_list_are_not_called():
    class Lazy(list[Any]):
        def __iter__(self) -> NoReturn:
            raise AssertionError("the collection was loaded")

        __len__ = __getitem__ = __iter__  # type: ignore[assignment]

    assert values("[x for x in given]", given=Lazy([1])) == [[1], [1]]


@pytest.mark.parametrize("text", ["[x for x in given]", "sum(given)", "any(given)", "join(given, '')", "min(given)"])
def test_an_iterator_is_not_used_up(text: str):
    given = iter([1, 2])
    assert values(text, given=given) == [TypeError, TypeError]
    assert list(given) == [1, 2]


def test_a_missing_collection_gives_a_missing_value():
    assert values("[x.name for x in given]", given=None) == [None, None]
    assert values("sum(x.name for x in given)", given=None) == [None, None]
    assert values("any(x.name for x in given)", given=None) == [False, False]


def test_a_missing_part_of_an_item_is_none_and_left_out_of_sums():
    assert values("[x.gift for x in given]", given=LINES) == [AttributeError, [False, True, None]]
    assert values("sum(x.price for x in given)", given=LINES)[1] == 16


@pytest.mark.parametrize("name", ["text", "item", "dot", "comprehension", "present", "listing", "self", "lambda_"])
def test_an_item_can_have_the_name_of_a_function_that_we_use(name: str):
    text = f"[f'{{{name}.name}}!' for {name} in lines if {name}.gift]"
    assert values(text) == [["cup!"], ["cup!"]]


def test_at_most_a_thousand_items_are_read_and_then_there_is_no_sum_or_length():
    numbers = range(MAX_ITEMS + 1)
    assert [len(found) for found in values("[x for x in given]", given=numbers)] == [MAX_ITEMS, MAX_ITEMS]
    assert values("sum(x for x in given if x < 3)", given=numbers) == [ValueError, ValueError]
    assert values("len([x for x in given])", given=numbers) == [ValueError, ValueError]
    assert values("sum(x for x in given if x < 3)", given=numbers[1:]) == [3, 3]
    assert values("sum(given)", given=range(MAX_VALUES)) == [sum(range(MAX_VALUES))] * 2
    assert values("sum(given)", given=range(MAX_VALUES + 1)) == [ValueError, ValueError]


def test_the_texts_that_a_comprehension_builds_are_bounded():
    (found, _) = values("[f'{x}{long}' for x in given]", given=range(MAX_ITEMS), long="a" * (MAX_CHARACTERS // 4))
    assert sum(map(len, found)) <= MAX_CHARACTERS


def test_an_expression_does_not_read_the_name_of_an_item_from_outside():
    expression = parse("[line.name for line in lines if rate]", Mark("f.yaml", 1, 1, 1))
    assert expression.names == {"lines", "rate"}
    assert not expression.total
    assert not parse("[x for x in a][0].b", Mark("f.yaml", 1, 1, 1)).assignable


HOST = """
def make(prefix):
    def checkout(order, *lines, rate=2):
        return prefix + str(len(lines))
    return checkout

checkout = make("n")

async def pay(lines):
    return lines

def each(lines):
    yield from lines
"""
SPEC = """
spans:
  checkout:
    around: HOST:checkout
    attributes:
      names: "[line.name for line in lines if line.price < order.limit * rate]"
      total: sum(line.price * rate for line in lines)
      late: "[f'{rule.name} {result}' for rule in lines]"
  pay:
    around: HOST:pay
    attributes: {names: "[line.name for line in result]"}
  each:
    around: HOST:each
    attributes: {names: "[line.name for line in lines]"}
"""


def test_a_comprehension_is_recorded_for_every_kind_of_call(recorded, make_module):
    import asyncio

    module = make_module(HOST)
    tea, cup = (Object(name=line.name, price=line.price) for line in LINES[:2])  # type: ignore[attr-defined]
    with recorded(SPEC, module) as trace:
        for lines in ((tea, cup), ({"name": "tea", "price": 2}, cup), (tea, cup)):
            assert module.checkout({"limit": 2}, *lines) == "n2"
        assert asyncio.run(module.pay([tea, cup])) == [tea, cup]
        assert list(module.each([tea])) == [tea]
    found = [dict(span.attributes) for span in trace.spans]
    assert found[:3] == [{"names": ("tea",), "total": 14, "late": ("tea n2", "cup n2")}] * 3
    assert found[3:] == [{"names": ("tea", "cup")}, {"names": ("tea",)}]
