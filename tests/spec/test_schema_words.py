"""Every key of the language is required or documents its default, for the reference and for editors."""

import re
from collections.abc import Iterator

from opentelemetry.instrumentation.declarative.language.json_schema import types_below
from opentelemetry.instrumentation.declarative.language.node_type import Key, NodeType
from opentelemetry.instrumentation.declarative.language.node_values import NodeValue
from opentelemetry.instrumentation.declarative.language.nodes.spec import Spec

NODES = [each.node_type for each in types_below(NodeValue(Spec)) if isinstance(each, NodeValue)]


def keys() -> Iterator[tuple[NodeType, Key]]:
    for node in NODES:
        for key in node.keys.values():
            yield node, key


def is_required(node: NodeType, key: Key) -> bool:
    """Whether a key is required, alone, as one of several or beside another one."""
    beside = {name for names in node.requires.values() for name in names}
    return key.name in {*node.required, *node.always_required, *node.one_of, *beside}


def test_the_keys_of_the_language_are_found():
    found = {(node.about.title, key.name) for node, key in keys()}
    assert len(found) >= 100
    assert ("span", "around") in found
    assert ("extension", "install") in found


def test_every_optional_key_documents_its_default():
    undocumented = [
        (node.about.title, key.name)
        for node, key in keys()
        if not (key.has_default or "by default" in key.about.doc.lower() or is_required(node, key))
    ]
    assert undocumented == [], "these need a `default` or a sentence with “By default”"


def test_no_default_is_documented_twice():
    both = [(n.about.title, k.name) for n, k in keys() if k.has_default and "by default" in k.about.doc.lower()]
    assert both == []


def test_every_description_consists_of_sentences():
    described = [*(key.about for _, key in keys()), *(node.about for node in NODES)]
    assert [about.doc for about in described if not about.doc.endswith(".")] == []


def test_every_title_is_a_noun_phrase_without_an_article():
    """Problems add the indefinite article: a title may be part of a sentence."""
    titles = [*(key.about.title for _, key in keys()), *(node.about.title for node in NODES)]
    assert [title for title in titles if re.match("(a|an|the|what|how|which|whether|when|where) ", title)] == []
    assert [title for title in titles if len(title.split()) > 5] == []


def test_every_key_has_an_example():
    assert [(node.about.title, key.name) for node, key in keys() if not key.about.examples] == []
