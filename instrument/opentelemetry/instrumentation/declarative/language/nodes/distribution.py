"""The distribution that a spec is for."""

from __future__ import annotations

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, MapOf
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.node_type import Node, node, yaml_key
from opentelemetry.instrumentation.declarative.language.scalar_types import TextType
from opentelemetry.instrumentation.declarative.language.texts import IDENTIFIER, MODULE_NAME, TARGET, VERSION_SPECIFIER
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Entries, Target
from opentelemetry.instrumentation.declarative.records import record


@node(
    "target distribution",
    "The library that the spec is for. Without it the spec is active as soon as its modules are imported,"
    " whatever is installed. By default there is none.",
    {"distribution": "shop", "version": ">=1.2,<2"},
    one_of=("distribution", "modules", "loaders"),
    requires={"version": ("distribution",)},
    help="name the distribution that contains the library with `distribution`",
)
@record(frozen=True, kw_only=True)
class Distribution(Node):
    """The distribution of a library, and a specifier of the supported versions."""

    distribution: str | None = yaml_key(
        TextType(pattern="^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", decoded=DocumentNode.string, removable=False),
        "distribution name",
        "The name of the distribution that contains the library, as `pip` shows it. By default there is none: the spec "
        "is active as soon as its modules are imported, whatever is installed.",
        "shop",
    )
    version: str = yaml_key(
        VERSION_SPECIFIER,
        "version specifier",
        "The supported releases, as a PEP 440 version specifier. By default all releases.",
        ">=1.2,<2",
        absent="",
    )
    modules: Entries[str] = yaml_key(
        MapOf(
            MODULE_NAME,
            MODULE_NAME,
            key_about=About("module name", "The name in this file.", ("shop",)),
            value_about=About("module name", "The name in the library.", ("old_shop",)),
        ),
        "module names",
        "Modules that have another name than in this file. The key is the name in this file, the value is"
        " the name in the library.",
        {"shop": "old_shop"},
        default={},
    )
    loaders: Entries[Target] = yaml_key(
        MapOf(
            IDENTIFIER,
            TARGET,
            value_about=About(
                "loader",
                "The callable, as `module:function` or `module:Class.method`.",
                ("shop.database:Relation.load",),
            ),
        ),
        "loaders",
        "Callables that load data, by a name of your choice. Reading an expression never calls them: a "
        "value that they would load is missing. Name callables that are entered for loading only.",
        {"relations": "shop.database:Relation.load"},
        default={},
    )
    yields_to: tuple[str, ...] = yaml_key(
        ListOf(
            MODULE_NAME,
            item_about=About(
                "module name", "The module or package of an instrumentation.", ("opentelemetry.instrumentation.shop",)
            ),
            is_unique=True,
        ),
        "other instrumentations",
        "Other instrumentations of the library, by module. The spec is not active while one of them is, so that no call"
        " is recorded twice.",
        ["opentelemetry.instrumentation.shop"],
        default=[],
    )
