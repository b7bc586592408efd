"""Warns about text that is recorded as it is written, although something else was probably intended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, quoted
from opentelemetry.instrumentation.declarative.expressions import Template
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.lint.plan_parts import lint_warning, parts_of
from opentelemetry.instrumentation.declarative.plan.model import Plan

#: Forms of names that are templates in other languages: what is wrong, and what to write instead.
_TEMPLATES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"""^[fF](["'])(.*)\1$"""), "the f and the quotes are part of the name", "write {0} without them"),
    (re.compile(r"""^(["'])(.*)\1$"""), "the quotes are part of the name", "write {0}"),
    (re.compile(r"^(.*\{\{)\s*([\w.]+)\s*\}\}"), "the braces are part of the name", "write {{{0}}} for a value"),
    (re.compile(r"(%)(s|d|r|\(\w+\)s)"), "%{0} is part of the name", "write the value in braces, as in {{order.id}}"),
)
#: Text that is a word of YAML or Python, and what it is written as.
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("True", "TRUE", "yes", "Yes", "on", "On"), "true"),
    **dict.fromkeys(("False", "FALSE", "no", "No", "off", "Off"), "false"),
}


def text_warnings(document: Document, plan: Plan) -> Iterator[Problem]:
    yield from _references_in_keys(document)
    yield from _words(document)
    for part in parts_of((plan.spans, plan.hook_groups)):
        if isinstance(part, Template):
            yield from _template(part)


def _references_in_keys(document: Document) -> Iterator[Problem]:
    for path, mark in document.keys.items():
        if "${" in str(path[-1]):
            message = (
                f"{quoted(str(path[-1]))} is recorded as it is written: variables are replaced in values, not in keys"
            )
            yield lint_warning(mark, "verbatim-text", message, "write the key out")


def _words(document: Document) -> Iterator[Problem]:
    """Constants that are text and look like a truth value."""
    for path, mark in document.marks.items():
        is_constant = path[-1:] == ("const",)
        value = document.data if is_constant else None
        for step in path if is_constant else ():
            value = value[step] if isinstance(value, dict) and step in value else None
        if isinstance(value, str) and value in _WORDS and not mark.quoted:
            message = f"{value} is recorded as text, not as a truth value"
            yield lint_warning(
                mark, "verbatim-text", message, f'write {_WORDS[value]}, or "{value}" in quotes for the text'
            )


def _template(template: Template) -> Iterator[Problem]:
    for pattern, why, help in _TEMPLATES:
        found = pattern.search(template.text)
        if found is not None:
            message = f"{why.format(found[2])}: {quoted(template.text)}"
            yield lint_warning(template.mark, "verbatim-text", message, help.format(found[2]))
            return
