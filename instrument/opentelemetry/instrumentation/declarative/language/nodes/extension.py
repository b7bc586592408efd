"""Extensions: the extension points of the library that a spec uses."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.scalar_types import TextType
from opentelemetry.instrumentation.declarative.language.texts import EXPRESSION, MOMENT, TARGET
from opentelemetry.instrumentation.declarative.language.values import Moment, Target, Text
from opentelemetry.instrumentation.declarative.records import record


@node(
    "installation",
    "How the extension is added to the library: at a moment of a hook, a method of the library is called with it.",
    {"at": "app_created.return", "call": "self.add_middleware", "when": "extension not in self.middleware"},
    required=("at", "call"),
    help="Name the moment with `at`, and the method that is called with the extension with `call`.",
)
@record(frozen=True, kw_only=True)
class ExtensionInstall(Node):
    """How an extension is added to the library."""

    at: Moment = yaml_key(MOMENT, "moment", "When the extension is added.", "app_created.return")
    call: Text = yaml_key(
        TextType(pattern="^[A-Za-z_]\\w*(\\.[A-Za-z_]\\w*)+$"),
        "method path",
        "The method that is called with the extension as its only argument, as a path that starts with a name "
        "available at the moment.",
        "self.add_middleware",
        read="moment",
    )
    when: Text | None = yaml_key(
        EXPRESSION,
        "condition",
        "The extension is only added if this condition is true. The name `extension` refers to the extension itself.",
        "extension not in self.middleware",
        default="True",
        read="moment",
    )


@node(
    "extension",
    "An extension point of the library. The extension is a subclass of the library's extension class that "
    "passes every call on; its methods can be hooked.",
    {"base": "shop.middleware:Middleware", "install": {"at": "app_created.return", "call": "self.add_middleware"}},
    required=("base", "install"),
    help="Name the class to extend with `base`, and say with `install` how the extension is added to the library.",
)
@record(frozen=True, kw_only=True)
class Extension(Node):
    """A pass-through subclass of the library's own extension class, installed by calling a method of the library."""

    base: Target = yaml_key(
        TARGET,
        "base class",
        "The class of the library that the extension is a subclass of.",
        "shop.middleware:Middleware",
    )
    install: ExtensionInstall = yaml_key(NodeValue(ExtensionInstall))
