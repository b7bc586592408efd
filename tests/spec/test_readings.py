"""Each key with an expression declares when it is read. The planner, the checks and the reference follow it."""

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, MapOf, OneOf
from opentelemetry.instrumentation.declarative.language.node_type import READ
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue, ShortNodeValue
from opentelemetry.instrumentation.declarative.language.nodes.context_source import CONTEXT
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FIELD, TEMPLATE
from opentelemetry.instrumentation.declarative.language.value_types import ValueType

from tests.spec.test_schema_words import keys


def holds_an_expression(value_type: ValueType) -> bool:
    """Whether a value is an expression or several, and not a node, whose keys are read themselves."""
    if value_type in (EXPRESSION, FIELD, TEMPLATE, CONTEXT):
        return True
    if isinstance(value_type, NodeValue | ShortNodeValue):
        return False
    return isinstance(value_type, ListOf | MapOf | OneOf) and any(map(holds_an_expression, value_type.inner_types()))


def test_each_key_with_an_expression_declares_when_it_is_read():
    undeclared = [
        (node.about.title, key.name) for node, key in keys() if holds_an_expression(key.type) and key.read is None
    ]
    assert undeclared == [], "these need `read=` in their `yaml_key`"


def test_each_key_that_is_read_has_a_phrase_and_says_what_follows_without_a_value():
    read = [key for _, key in keys() if key.read is not None]
    assert {key.read for key in read} == {*READ}
    assert [
        key.name for key in read if not (key.phrase.startswith(("the ", "a ")) and key.missing.startswith("is "))
    ] == []
