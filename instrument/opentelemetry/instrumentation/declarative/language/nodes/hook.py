"""Hooks: named callables of the library."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, MapOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.node_type import Form, Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.callables import CALLABLES, Callables
from opentelemetry.instrumentation.declarative.language.nodes.collection import Collection
from opentelemetry.instrumentation.declarative.language.scalar_types import TextType
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, FLAG, IDENTIFIER, NAME
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Entries, Target, Text
from opentelemetry.instrumentation.declarative.records import record

_VALUE = TextType(
    About(
        "value of a call",
        "The name of a hook, a dot, and `result` or the name of a parameter.",
        ("connect.result", "subscribe.callback"),
    ),
    pattern=r"^[a-z][a-z0-9_]*\.[A-Za-z_]\w*$",
)


@node(
    "hook",
    "A named callable of the library, a set of callables, a method of an extension, or what a call returns or is "
    "given.",
    {"call": "shop.cart:Cart.pay"},
    {"call": {"include": "shop.services.*:*Service.*"}},
    {"extension": "middleware", "method": "on_order"},
    {"value": "connect.result", "method": "execute"},
    {"value": "subscribe.callback"},
    forms=(
        Form(
            "hook on a callable",
            "`call` names the callables; `extension`, `value` and `method` belong to other forms of hook.",
            ("extension", "value", "method"),
        ),
        Form(
            "hook on an extension",
            "`extension` and `method` name the method; `call` and `value` belong to other forms of hook.",
            ("call", "value"),
        ),
        Form(
            "hook on a value",
            "`value` names the result or a parameter of another hook, and `method` its method; `call` and `extension` "
            "belong to other forms of hook.",
            ("call", "extension"),
        ),
    ),
    one_of=("call", "extension", "value"),
    requires={"extension": ("method",)},
    help="Use `call` for a hook on callables, `extension` and `method` for a method of an extension, or `value` for "
    "what another call returns or is given.",
)
@record(frozen=True, kw_only=True)
class Hook(Node):
    """Callables under a name, with a condition and names for values.

    They are callables of the library, a method of an extension, or values of other hooks or their methods.
    """

    call: Callables | None = yaml_key(CALLABLES)
    extension: Text | None = yaml_key(NAME, "extension", "The extension that defines the method.", "middleware")
    values: tuple[Text, ...] = yaml_key(
        OneOrMore(
            _VALUE,
            ListOf(
                _VALUE,
                About("list of values", "Several values. Each of them is hooked.", (["cursor.result", "find.result"],)),
                is_unique=True,
                min_items=1,
            ),
        ),
        "value",
        "The result or a parameter of another hook. Without `method`, the hook is on calls of this value, such as a "
        "callback, or on a coroutine; with `method`, on calls of its method, through a proxy of the object.",
        "connect.result",
        ["cursor.result", "find.result"],
        yaml="value",
    )
    methods: tuple[Text, ...] = yaml_key(
        OneOrMore(
            IDENTIFIER,
            ListOf(
                IDENTIFIER,
                About("list of methods", "Several methods. Each of them is hooked.", (["execute", "executemany"],)),
                is_unique=True,
                min_items=1,
            ),
        ),
        "method",
        "The method, or methods, that are hooked: of the extension's class, or of the object that `value` names.",
        "on_order",
        ["execute", "executemany"],
        yaml="method",
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "Only calls for which this condition is true belong to the hook. It is evaluated before the call "
        "and can use the parameters of the callable.",
        'kind == "order"',
        default="True",
        read="call",
    )
    unpack: tuple[Text, ...] = yaml_key(
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
        read="call",
    )
    each: Entries[Text] = yaml_key(
        MapOf(
            IDENTIFIER, EXPRESSION, value_about=About("list", "The list of which the name is one item.", ("result",))
        ),
        "item of a list",
        "A name for one item of a list: everything at the moments of the hook happens once for each item, such as each "
        "message of a batch. Of several lists, each can be that of an item of the one before. By default it happens "
        "once.",
        {"message": "result"},
        {"messages": "values(result)", "message": "messages"},
        read="rule",
    )
    collect: Entries[Collection] = yaml_key(
        MapOf(IDENTIFIER, NodeValue(Collection)),
        "collections",
        "Values that are collected over the items of the result, by the name that expressions at the end of the call "
        "use.",
        {"text": {"join": "last_item.delta.content"}, "tokens": {"sum": "last_item.usage.tokens"}},
        default={},
    )
    #: Whether it is not an entry of ``hooks`` but the target that a span is around, which is also its name.
    direct: bool = False

    @property
    def target(self) -> Target | None:
        """The callable, if there is only one."""
        return self.call.target if self.call else None

    @property
    def calls(self) -> Callables | None:
        """The callables, if they are only known once modules are imported."""
        return self.call if self.call and self.call.target is None else None
