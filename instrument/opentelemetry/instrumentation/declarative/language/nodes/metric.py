"""Metrics."""

from __future__ import annotations

from typing import get_args

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.node_type import Form, Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.attribute import ATTRIBUTES, Attribute
from opentelemetry.instrumentation.declarative.language.nodes.attribute_group import ATTRIBUTE_GROUPS, AttributeGroup
from opentelemetry.instrumentation.declarative.language.nodes.moments import MOMENTS
from opentelemetry.instrumentation.declarative.language.scalar_types import Choice, Number, TextType
from opentelemetry.instrumentation.declarative.language.texts import ATTRIBUTE_KEY, EXPRESSION, NAME, PLAIN_TEXT
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Instrument, Moment, Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "value",
    "One of several values that are recorded at a moment, with the attributes that distinguish it from the others.",
    {"value": "result.usage.input", "attributes": {"gen_ai.token.type": {"const": "input"}}},
    definition="metric_value",
    required=("value",),
    help="Write the expression under `value`.",
)
@record(frozen=True, kw_only=True)
class MetricValue(Node):
    """A value that a metric records at its moments. Without a ``value`` it is 1."""

    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true are recorded. It can use the names that are "
        "available at the moment.",
        "result.usage",
        default="True",
        read="moment",
        phrase="the condition of a value",
    )
    value: Text | None = yaml_key(
        EXPRESSION,
        "value",
        "The value that is added or recorded. If it is `None`, nothing is recorded. By default 1, for a "
        "counter or an up_down_counter.",
        "result.amount",
        read="moment",
    )
    attributes: tuple[Attribute, ...] = yaml_key(
        ATTRIBUTES,
        "attributes",
        "The attributes of this value, by key. Each combination of values is a separate time series, so "
        "use attributes with few values.",
        {"shop.currency": "currency"},
        default={},
    )
    attribute_groups: tuple[AttributeGroup, ...] = yaml_key(ATTRIBUTE_GROUPS, default={})


@node(
    "metric",
    "A metric that is recorded for each span of one or more types, or at a moment.",
    {"instrument": "histogram", "unit": "s", "span": "checkout", "span_attributes": ["shop.tier"]},
    {
        "instrument": "counter",
        "at": "pay.return",
        "value": "result.amount",
        "attributes": {"shop.currency": "currency"},
    },
    forms=(
        Form(
            "metric of spans",
            "`span` names the spans and `span_attributes` their attributes; `at`, `when`, `value` and `values` belong "
            "to a metric at a moment.",
            ("at", "when", "value", "values"),
        ),
        Form(
            "metric at a moment",
            "`at` names the moment and `value` the value; `values` belongs to a metric of several values,"
            " `span` and `span_attributes` to a metric of spans.",
            ("span", "span_attributes", "values"),
        ),
        Form(
            "metric of several values",
            "`values` lists the values; `value` belongs to a metric of one value, `span` and "
            "`span_attributes` to a metric of spans.",
            ("value", "span", "span_attributes"),
        ),
    ),
    required=("instrument",),
    one_of=("span", "at"),
    help="Name the instrument with `instrument`, and say with `span` or `at` what is recorded.",
)
@record(frozen=True, kw_only=True)
class Metric(Node):
    """A metric, derived from the spans of a type (``span``) or recorded at moments (``at``)."""

    instrument: Instrument = yaml_key(
        Choice(get_args(Instrument)),
        "instrument",
        "The OpenTelemetry instrument. A counter sums values, an up_down_counter sums values that may be "
        "negative, a histogram records their distribution, and a gauge the last value.",
        "histogram",
    )
    unit: Text | None = yaml_key(
        TextType(min_length=1, is_named=False),
        "unit",
        "The unit, in UCUM notation; countable things are written in braces. By default `s` for the "
        "duration of spans, otherwise `1`.",
        "s",
        "{order}",
    )
    description: str | None = yaml_key(
        PLAIN_TEXT,
        "description",
        "One sentence that describes the metric: the description of its instrument. By default there is none.",
        "The duration of a checkout.",
    )
    boundaries: tuple[float, ...] = yaml_key(
        ListOf(
            Number(About("boundary", "The upper boundary of a bucket, inclusive.", (0.5,))), is_unique=True, min_items=1
        ),
        "boundaries",
        "The upper boundaries of the buckets of a histogram, in ascending order. By default those that "
        "OpenTelemetry's conventions recommend for durations of spans, otherwise those of the SDK.",
        [0.01, 0.1, 1, 10],
    )
    spans: tuple[Text, ...] = yaml_key(
        OneOrMore(
            NAME,
            ListOf(
                NAME,
                About("list of span types", "Several span types.", (["checkout", "refund"],)),
                is_unique=True,
                min_items=1,
            ),
        ),
        "span type",
        "The type of the spans, or a list of types. A histogram records their duration, a counter the number of ended "
        "spans, and an up_down_counter the number of open spans.",
        "checkout",
        ["checkout", "refund"],
        yaml="span",
    )
    span_attributes: tuple[Text, ...] = yaml_key(
        ListOf(
            ATTRIBUTE_KEY,
            item_about=About("attribute key", "The key of an attribute of the span.", ("shop.tier",)),
            is_unique=True,
        ),
        "span attributes",
        "Attributes of the span, by key, that become attributes of the metric. An up_down_counter uses "
        "those that are known when the span starts. `error.type` is the type of the exception that ended "
        "the span.",
        ["shop.tier", "error.type"],
        default=[],
    )
    at: tuple[Moment, ...] = yaml_key(MOMENTS)
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true are recorded. It can use the names that are "
        "available at the moment.",
        "order.total > 0",
        default="True",
        read="moment",
    )
    value: Text | None = yaml_key(
        EXPRESSION,
        "value",
        "The value that is added or recorded. If it is `None`, nothing is recorded. By default 1, for a "
        "counter or an up_down_counter.",
        "result.amount",
        read="moment",
    )
    values: tuple[MetricValue, ...] = yaml_key(
        ListOf(
            NodeValue(MetricValue),
            item_about=About("value", "One item of the list.", ({"value": "result.usage.input"},)),
            min_items=1,
        ),
        "values",
        "Several values that are recorded at one moment, each with the attributes of the metric and its "
        "own. By default there is one value.",
        [
            {"value": "result.usage.input", "attributes": {"gen_ai.token.type": {"const": "input"}}},
            {"value": "result.usage.output", "attributes": {"gen_ai.token.type": {"const": "output"}}},
        ],
    )
    attributes: tuple[Attribute, ...] = yaml_key(
        ATTRIBUTES,
        "attributes",
        "The attributes of the metric, by key. Each combination of values is a separate time series, so "
        "use attributes with few values. In a metric of spans, expressions read `span_type` and the `attributes` of "
        "the span.",
        {"shop.currency": "currency"},
        {"shop.operation": "span_type", "shop.tier": 'attributes["shop.customer.tier"]'},
        default={},
    )
    attribute_groups: tuple[AttributeGroup, ...] = yaml_key(ATTRIBUTE_GROUPS, default={})

    @property
    def recorded_values(self) -> tuple[MetricValue, ...]:
        """The values that are recorded at each moment: those of the list, or the single one."""
        return self.values or (MetricValue(mark=self.mark, value=self.value),)
