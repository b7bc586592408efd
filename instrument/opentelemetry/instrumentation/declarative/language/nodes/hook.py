"""Hooks: named callables of the library."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.node_type import Form, Node, NodeValue, node, yaml_key
from opentelemetry.instrumentation.declarative.language.nodes.callables import Callables
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FLAG, IDENTIFIER, NAME, TARGET
from opentelemetry.instrumentation.declarative.language.value_types import About, ListOf, MapOf
from opentelemetry.instrumentation.declarative.language.values import Entries, Target, Text


@node(
    "hook",
    "A named callable of the library, a set of callables, or a method of a tap.",
    {"call": "shop.cart:Cart.pay"},
    {"calls": {"include": "shop.services.*:*Service.*"}},
    {"tap": "middleware", "method": "on_order"},
    forms=(
        Form(
            "hook on a callable",
            "`call` names one callable; `calls` belongs to a hook on several callables, `tap` and "
            "`method` to a hook on a tap.",
            ("calls", "tap", "method"),
        ),
        Form(
            "hook on several callables",
            "`calls` selects the callables; `call` belongs to a hook on one callable, `tap` and `method` "
            "to a hook on a tap.",
            ("call", "tap", "method"),
        ),
        Form(
            "hook on a tap",
            "`tap` and `method` name the method; `call` and `calls` belong to hooks on callables.",
            ("call", "calls"),
        ),
    ),
    one_of=("call", "calls", "tap"),
    requires={"tap": ("method",)},
    help="Use `call` for a hook on one callable, `calls` for several, or `tap` and `method` for a method of a tap.",
)
@dataclass(frozen=True, kw_only=True)
class Hook(Node):
    """A named callable of the library, several callables, or a method of a tap, with a condition and extra names."""

    target: Target | None = yaml_key(
        TARGET,
        "callable",
        "The function, method or property that is hooked.",
        "shop.cart:Cart.pay",
        yaml="call",
    )
    calls: Callables | None = yaml_key(
        NodeValue(Callables),
    )
    tap: Text | None = yaml_key(
        NAME,
        "tap",
        "The tap that defines the method.",
        "middleware",
    )
    method: Text | None = yaml_key(
        IDENTIFIER,
        "method of the tap",
        "The method of the tap's class that is hooked.",
        "on_order",
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true belong to the hook. It is evaluated before the call "
        "and can use the parameters of the callable.",
        'kind == "order"',
        default="True",
    )
    args: tuple[Text, ...] = yaml_key(
        ListOf(IDENTIFIER, item_about=About("name", "The name of one value.", ("order_id",)), is_unique=True),
        "names for *args",
        "Names for the positional values that the callable takes as `*args`, in order.",
        ["order_id", "amount"],
        default=[],
    )
    follow_result: bool | None = yaml_key(
        FLAG,
        "follow the result",
        "Whether a call lasts until the result has finished: a stream has been read, a block left, a "
        "future has its value. By default only results are followed that are of no use otherwise, such as"
        " a coroutine or a generator.",
        True,
    )
    names: Entries[Text] = yaml_key(
        MapOf(
            IDENTIFIER,
            EXPRESSION,
            value_about=About("value", "The value of the name, evaluated before the call.", ("order.customer",)),
        ),
        "names",
        "Names for expressions. They are evaluated before the call and are available at every moment of the same call.",
        {"customer": "order.customer"},
        default={},
    )
    #: Whether it is not an entry of ``hooks`` but the target that a span is around, which is also its name.
    direct: bool = False
