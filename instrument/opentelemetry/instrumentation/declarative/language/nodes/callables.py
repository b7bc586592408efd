"""A set of callables."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.node_type import Form, Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import ShortNodeValue
from opentelemetry.instrumentation.declarative.language.scalar_types import Number, TextType
from opentelemetry.instrumentation.declarative.language.spellings import target_of, without_name
from opentelemetry.instrumentation.declarative.language.texts import IDENTIFIER, TARGET
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Target, Text
from opentelemetry.instrumentation.declarative.records import record

_INCLUDE = TextType(
    About(
        "target or pattern",
        "`module:name` or `module:Class.method`, in which `*` matches any characters; before the colon it also matches "
        "dots. The first package is written in full, and `*` does not match an underscore at the start of a name. "
        "`module:outer.<locals>.inner` is a function that another one defines.",
        ("shop.cart:Cart.pay", "shop.services.*:*Service.*"),
    ),
    pattern="^[A-Za-z_]\\w*(\\.[\\w*]+)*:[\\w*]+(\\.(<locals>\\.)?[\\w*]+)*$",
    decoded=DocumentNode.target,
    suggest=target_of,
    otherwise=without_name,
)
_EXCLUDE = TextType(
    About(
        "pattern", "Written like a pattern of `include`, but the first package may contain `*` too.", ("*:*.health",)
    ),
    pattern="^[\\w*]+(\\.[\\w*]+)*:[\\w*]+(\\.(<locals>\\.)?[\\w*]+)*$",
    decoded=DocumentNode.target,
    suggest=target_of,
)
_DECORATOR = TextType(
    About("decorator name", "The decorator as written in the source, without `@` and without arguments.", ("tool",)),
    pattern="^[\\w.*\\[\\], |]+$",
    decoded=DocumentNode.string,
)
_ANNOTATION = TextType(
    About("annotation", "The annotation as written in the source.", ("Order",)),
    pattern="^[\\w.*\\[\\], |]+$",
    decoded=DocumentNode.string,
)


@node(
    "set of callables",
    "The callables that match a pattern of `include` and pass all other filters. A callable that is "
    "written in full may be missing, for example in another release, if at least one of the others "
    "exists. Or a method of a class and of all its subclasses, wherever they are.",
    {"include": "shop.services.*:*Service.*", "exclude": "*:*.health"},
    {"include": ["shop.cart:Cart.pay", "shop.till:Till.settle"]},
    {"subclass_of": "shop.rules:Rule", "method": "check"},
    definition="callables",
    forms=(
        Form(
            "callables by name or pattern",
            "`include` names the callables; `method` belongs to the other form.",
            ("method",),
        ),
        Form(
            "method of all subclasses",
            "`subclass_of` and `method` name a method of a class and of all its subclasses; `include` and the filters "
            "by source belong to the other form.",
            ("include", "decorated_by", "takes", "returns"),
        ),
    ),
    one_of=("include", "method"),
    requires={"method": ("subclass_of",)},
    help="Name the callables with `include`, or a method of all subclasses with `subclass_of` and `method`.",
)
@record(frozen=True, kw_only=True)
class Callables(Node):
    """One callable, or those that match a pattern and pass every filter. An empty filter passes all."""

    include: tuple[Target, ...] = yaml_key(
        OneOrMore(
            _INCLUDE,
            ListOf(
                _INCLUDE,
                About(
                    "list of patterns",
                    "Several patterns. A callable is selected if one of them matches.",
                    (["shop.cart:Cart.pay", "shop.till:Till.settle"],),
                ),
                is_unique=True,
                min_items=1,
            ),
        ),
        "included callables",
        "A pattern or a list of patterns. A callable is selected if one of them matches.",
        "shop.services.*:*Service.*",
        ["shop.cart:Cart.pay", "shop.till:Till.settle"],
    )
    exclude: tuple[Target, ...] = yaml_key(
        OneOrMore(
            _EXCLUDE,
            ListOf(
                _EXCLUDE,
                About(
                    "list of patterns",
                    "Several patterns. A callable is excluded if one of them matches.",
                    (["*:Base*.*", "*:*.health"],),
                ),
                is_unique=True,
                min_items=1,
            ),
        ),
        "excluded callables",
        "A pattern or a list of patterns for callables that are not selected. By default none are excluded.",
        "*:*.health",
        ["*:Base*.*", "*:*.health"],
    )
    subclass_of: Target | None = yaml_key(
        TARGET,
        "base class",
        "Selects only methods of this class and its subclasses. If it is a protocol, selects methods of "
        "all classes that have its members. By default methods of any class and functions are selected.",
        "shop.services.base:Service",
    )
    method: Text | None = yaml_key(
        IDENTIFIER,
        "method",
        "The method that is hooked in the class that `subclass_of` names and in all its subclasses, in any module, "
        "including those that are created later.",
        "check",
    )
    decorated_by: tuple[str, ...] = yaml_key(
        OneOrMore(
            _DECORATOR,
            ListOf(
                _DECORATOR,
                About(
                    "list of decorator names",
                    "Several patterns. A callable is selected if one of them matches.",
                    (["tool", "*.route"],),
                ),
                is_unique=True,
                min_items=1,
            ),
        ),
        "decorators",
        "Selects only callables with one of these decorators, as they are named in the source. `*` "
        "matches any characters. By default decorators do not matter.",
        "tool",
        ["tool", "*.route"],
    )
    takes: tuple[str, ...] = yaml_key(
        OneOrMore(
            _ANNOTATION,
            ListOf(
                _ANNOTATION,
                About(
                    "list of annotations",
                    "Several patterns. A callable is selected if one of them matches.",
                    (["Order", "list[Order]"],),
                ),
                is_unique=True,
                min_items=1,
            ),
        ),
        "parameter annotations",
        "Selects only callables that have a parameter with one of these annotations, as written in the "
        "source. `*` matches any characters. By default annotations do not matter.",
        "Order",
        ["Order", "list[Order]"],
    )
    returns: tuple[str, ...] = yaml_key(
        OneOrMore(
            _ANNOTATION,
            ListOf(
                _ANNOTATION,
                About(
                    "list of annotations",
                    "Several patterns. A callable is selected if one of them matches.",
                    (["Receipt", "Receipt | None"],),
                ),
                is_unique=True,
                min_items=1,
            ),
        ),
        "return annotations",
        "Selects only callables whose return annotation is one of these, as written in the source. `*` "
        "matches any characters. By default annotations do not matter.",
        "Receipt",
        ["Receipt", "Receipt | None"],
    )
    limit: int = yaml_key(
        Number(minimum=1, is_integer=True),
        "limit",
        "The maximum number of callables that the hook patches. Further matches are not patched, which is reported.",
        500,
        default=100,
    )

    @property
    def target(self) -> Target | None:
        """The callable, if there is only one, which is written in full."""
        filters = (self.exclude, self.subclass_of, self.decorated_by, self.takes, self.returns)
        only = self.include[0] if len(self.include) == 1 and not any(filters) else None
        return None if only is None or "*" in str(only) else only

    @property
    def named(self) -> tuple[Target, ...]:
        """The patterns, or the method of the base class."""
        if self.subclass_of is None or self.method is None:
            return self.include
        base = self.subclass_of
        return (Target(base.module, f"{base.path}.{self.method.value}", self.method.mark),)


CALLABLES = ShortNodeValue(
    Callables,
    "include",
    About(
        "callables",
        "The function, method or property that is hooked, a pattern, a list of these, or a mapping with patterns and "
        "filters.",
        (
            "shop.cart:Cart.pay",
            ["shop.cart:Cart.pay", "shop.till:Till.settle"],
            {"include": "shop.services.*:*Service.*", "exclude": "*:*.health"},
        ),
    ),
)
