"""Decodes documents to specs, and finds the problems in their structure."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.content_marks import has_content
from opentelemetry.instrumentation.declarative.language.decoder import Decoder, LocatedProblem, TooManyProblemsError
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.node_type import N, Node
from opentelemetry.instrumentation.declarative.language.node_values import decode_node, inner_nodes
from opentelemetry.instrumentation.declarative.language.nodes.callables import Callables
from opentelemetry.instrumentation.declarative.language.nodes.hook import Hook
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec
from opentelemetry.instrumentation.declarative.language.value_types import About, ValueType


def decode(document: Document) -> Spec:
    """Decode a document whose layers are merged and in which ``find_problems`` finds none."""
    spec = decode_root(Spec, document)
    hooks = spec.hooks
    for span in spec.spans.values():
        if span.around and ":" in span.around.value:
            hooks[span.around.value] = _direct_hook(DocumentNode.root(document).at("spans").at(span.name).at("around"))
    for entry in spec.context:
        if ":" in entry.during.value:
            during = DocumentNode.root(document).at("context").at(entry.name).at("during")
            hooks.setdefault(entry.during.value, _direct_hook(during))
    spec = replace(spec, name=spec.spec_name, file=document.file, hooks=hooks)
    return replace(spec, has_content=has_content(spec))


def decode_root(cls: type[N], document: Document) -> N:
    """Decode a document without problems to a node."""
    decoder = Decoder(complete=False, removes=True)
    found = decode_node(cls, DocumentNode.root(document), decoder)
    assert not decoder.problems, decoder.problems
    return found


def find_problems(document: Document, cls: type[Node] = Spec, *, is_merged: bool = False) -> list[LocatedProblem]:
    """The problems in the structure of a document, in the order of the file, up to a few more than MAX_PROBLEMS.

    Expressions, and whether the names in a document exist, are not checked here. ``is_merged``: whether it is all
    layers of a spec. Otherwise, a document that extends others may lack keys, and null removes a value in it.
    """
    extends = "extends" in document.data
    complete, removes = is_merged or not extends, is_merged or extends
    entries = (node for node in inner_nodes(cls.node_type) if node.under != "releases")
    decoder = Decoder(complete=complete, removes=removes, entries=entries, intended=_intended)
    with suppress(TooManyProblemsError):
        decode_node(cls, DocumentNode.root(document), decoder)
    found: dict[tuple[Mark, str, str], LocatedProblem] = {}
    for located in decoder.problems:
        problem = located.problem
        found.setdefault((problem.mark, problem.code, problem.message), located)
    return sorted(found.values(), key=lambda each: (each.problem.mark.line, each.problem.mark.column))


def _intended(value_type: ValueType, node: DocumentNode, about: About) -> tuple[str | None, Any]:
    # Imported here: a process whose specs are valid does not need it.
    from opentelemetry.instrumentation.declarative.language.intended_values import intended_value

    return intended_value(value_type, node, about)


def _direct_hook(call: DocumentNode) -> Hook:
    """The hook of a span or context entry that names a target directly: ``around: module:Class.method``."""
    callables = Callables(mark=call.mark, include=(call.target(),))
    return Hook(name=str(call.value), mark=call.mark, call=callables, direct=True)
