"""Specs."""

from __future__ import annotations

from dataclasses import replace

from opentelemetry.instrumentation.declarative.language.collection_types import ListOf, MapOf, OneOrMore
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.node_type import node, yaml_key
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.distribution import Distribution
from opentelemetry.instrumentation.declarative.language.nodes.release import Release
from opentelemetry.instrumentation.declarative.language.nodes.rules import Rules
from opentelemetry.instrumentation.declarative.language.nodes.scope import SCOPES, Scope
from opentelemetry.instrumentation.declarative.language.scalar_types import TextType, Version
from opentelemetry.instrumentation.declarative.language.texts import NAME
from opentelemetry.instrumentation.declarative.language.value_types import About
from opentelemetry.instrumentation.declarative.language.values import Entries, Target
from opentelemetry.instrumentation.declarative.records import record

_SPEC_NAME = TextType(
    About("spec name or path", "The name of a shipped spec, or a relative path.", ("ag2", "./shop.yaml")),
    min_length=1,
    decoded=DocumentNode.string,
    is_named=False,
    removable=False,
)


@node(
    "spec",
    "Describes which callables of a Python library are recorded as OpenTelemetry spans. This is version 2"
    " of the language.",
    {
        "instrument": 2,
        "name": "shop",
        "spans": {"checkout": {"around": "shop.cart:Cart.checkout", "attributes": {"shop.total": "result.total"}}},
    },
    {"instrument": 2, "extends": "ag2", "spans": {"envelope": {"attributes": {"app.priority": "envelope.priority"}}}},
    always_required=("instrument",),
    required=("name",),
    requires={"releases": ("target",)},
)
@record(frozen=True, kw_only=True)
class Spec(Rules):
    """A spec with all its layers merged."""

    instrument: int = yaml_key(
        Version(2), "language version", "The version of the language that the spec is written in.", 2
    )
    spec_name: str = yaml_key(
        replace(NAME, decoded=DocumentNode.string, removable=False),
        "spec name",
        "The name of the spec. A spec that extends others may omit it.",
        "shop",
        yaml="name",
    )
    extends: tuple[str, ...] = yaml_key(
        OneOrMore(
            _SPEC_NAME,
            ListOf(
                _SPEC_NAME,
                About(
                    "list of specs", "Several specs. Each is merged onto those before it.", (["ag2", "./shop.yaml"],)
                ),
                is_unique=True,
                min_items=1,
            ),
        ),
        "extended specs",
        "The specs that this one changes: the name of a shipped spec, or the path of a file relative to "
        "this one. Mappings are merged by key, and `null` removes a value. By default no spec is "
        "extended.",
        "ag2",
        ["ag2", "./shop.yaml"],
    )
    target: Distribution | None = yaml_key(
        NodeValue(Distribution),
        "target distribution",
        "The library that the spec is for. Without it the spec is active as soon as its modules are "
        "imported, whatever is installed. By default there is none.",
        {"distribution": "shop", "version": ">=1.2,<2"},
    )
    scopes: tuple[Scope, ...] = yaml_key(SCOPES, yaml="scope")
    releases: Entries[Release] = yaml_key(
        MapOf(NAME, NodeValue(Release)),
        "releases",
        "Differences between releases of the target distribution, by name.",
        {"before_one": {"version": "<1.0", "target": {"modules": {"shop": "old_shop"}}}},
        default={},
    )
    file: str = ""

    #: Whether anything in it is marked as content.
    has_content: bool = False

    @property
    def loaders(self) -> tuple[Target, ...]:
        """The callables of the library that load data."""
        return () if self.target is None else tuple(self.target.loaders.values())

    @property
    def expression_functions(self) -> tuple[str, ...]:
        """The names of the functions that expressions can call."""
        return tuple(name for name, function in self.functions.items() if not function.is_called_with_span)

    @property
    def varying_functions(self) -> frozenset[str]:
        """The names of the functions whose value can differ from call to call."""
        return frozenset(name for name, function in self.functions.items() if function.varies)

    @property
    def function_targets(self) -> dict[str, Target]:
        """The functions that have to be loaded, by name."""
        return {name: function.call for name, function in self.functions.items()}
