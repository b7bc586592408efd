"""Taps: the extension points of the library that a spec uses."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.instrumentation.declarative.language.node_type import Node, NodeValue, node, yaml_key
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, MOMENT, TARGET
from opentelemetry.instrumentation.declarative.language.value_types import TextType
from opentelemetry.instrumentation.declarative.language.values import Moment, Target, Text


@node(
    "plug",
    "How the tap is added to the library: at a moment of a hook, a method of the library is called with the tap.",
    {"at": "app_created.return", "call": "self.add_middleware", "when": "tap not in self.middleware"},
    required=("at", "call"),
    help="Name the moment with `at`, and the method that is called with the tap with `call`.",
)
@dataclass(frozen=True, kw_only=True)
class Plug(Node):
    """How a tap is added to the library."""

    at: Moment = yaml_key(
        MOMENT,
        "moment",
        "When the tap is added.",
        "app_created.return",
    )
    call: Text = yaml_key(
        TextType(pattern="^[A-Za-z_]\\w*(\\.[A-Za-z_]\\w*)+$"),
        "method path",
        "The method that is called with the tap as its only argument, as a path that starts with a name "
        "available at the moment.",
        "self.add_middleware",
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "The tap is only added if this condition is true. The name `tap` refers to the tap itself.",
        "tap not in self.middleware",
        default="True",
    )


@node(
    "tap",
    "An extension point of the library. The tap is a subclass of the library's extension class that "
    "passes every call on; its methods can be hooked.",
    {"base": "shop.middleware:Middleware", "plug": {"at": "app_created.return", "call": "self.add_middleware"}},
    required=("base", "plug"),
    help="Name the class to extend with `base`, and say with `plug` how the tap is added to the library.",
)
@dataclass(frozen=True, kw_only=True)
class Tap(Node):
    """A pass-through subclass of the library's own extension class, installed by calling a method of the library."""

    base: Target = yaml_key(
        TARGET,
        "base class",
        "The class of the library that the tap is a subclass of.",
        "shop.middleware:Middleware",
    )
    plug: Plug = yaml_key(
        NodeValue(Plug),
    )
