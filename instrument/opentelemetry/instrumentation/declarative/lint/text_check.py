"""Warns about text that is recorded as it is written, although something else was probably intended."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, file_lines, quoted
from opentelemetry.instrumentation.declarative.expressions import Expression, Template
from opentelemetry.instrumentation.declarative.language.document import Document
from opentelemetry.instrumentation.declarative.lint.plan_parts import expressions_in, lint_warning, parts_of
from opentelemetry.instrumentation.declarative.plan.model import Plan

#: Forms of names that are templates in other languages: what is wrong, and what to write instead.
_TEMPLATES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"""^[fF](["'])(.*)\1$"""), "the f and the quotes are part of the name", "write {0} without them"),
    (re.compile(r"""^(["'])(.*)\1$"""), "the quotes are part of the name", "write {0}"),
    (re.compile(r"^(.*\{\{)\s*([\w.]+)\s*\}\}"), "the braces are part of the name", "write {{{0}}} for a value"),
    (re.compile(r"(%)(s|d|r|\(\w+\)s)"), "%{0} is part of the name", "write the value in braces, as in {{order.id}}"),
    (re.compile(r"(#)\{\s*([\w.]+)\s*\}"), "the # is part of the name", "write {{{0}}} for the value"),
)
#: A path from a name that every spec has, and anything that looks like a path in the text of a name.
_PATH = re.compile(r"(self|result|error|last_item)(\.\w+|\[[^\]]+\])+")
_PATH_IN_NAME = re.compile(r"(?<![\w.])(\$?)([a-z_]\w*(?:\.[a-z_]\w*)+)(?![\w.])")
_IN_BRACES = re.compile(r"""(?:[fF]["'])?\{+\s*([A-Za-z_][\w.]*)\s*\}+["']?""")
#: Text in quotes that is added to something else.
_ADDED = re.compile(r"""^(["'])[^"']*\1\s*\+\s*\w""")
_NOTHING = frozenset({"None", "Null", "NULL", "nil", "undefined"})
#: Text that is a word of YAML or Python, and what it is written as.
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("True", "TRUE", "yes", "Yes", "on", "On"), "true"),
    **dict.fromkeys(("False", "FALSE", "no", "No", "off", "Off"), "false"),
}


def text_warnings(document: Document, plan: Plan) -> Iterator[Problem]:
    yield from _references_in_keys(document)
    yield from _words(document)
    yield from _values_before_comments(document)
    paths = _Paths(plan)
    constants = {document.keys.get(path[:-1]) for path in document.marks if path[-1:] == ("const",)}
    yield from paths_in_constants(document, lambda text, _: text in paths)
    for part in parts_of((plan.spans, plan.hook_groups)):
        if isinstance(part, Expression) and part.mark not in constants:
            yield from _text_with_paths(part, paths)
        if isinstance(part, Template):
            yield from _template(part, paths)


def _references_in_keys(document: Document) -> Iterator[Problem]:
    for path, mark in document.keys.items():
        if "${" in str(path[-1]):
            message = (
                f"{quoted(str(path[-1]))} is recorded as it is written: variables are replaced in values, not in keys"
            )
            yield lint_warning(mark, "verbatim-text", message, "write the key out")


def _values_before_comments(document: Document) -> Iterator[Problem]:
    """Text that ends where YAML sees a comment, as in ``pay #{order.id}``."""
    lines: dict[str, list[str]] = {}
    for mark in document.marks.values():
        if mark.quoted or not mark.verbatim or document.text is not None:
            continue
        if mark.file not in lines:
            lines[mark.file] = file_lines(mark.file)
        line = "".join(lines[mark.file][mark.line - 1 : mark.line])
        rest = line[mark.column - 1 + mark.length :]
        if re.match(r"\s+#\{\w", rest):
            message = f'{quoted(rest.strip())} is a comment: "#" after a space starts one'
            text = f"{line[mark.column - 1 :].strip()}".replace("#{", "{")
            yield lint_warning(mark, "verbatim-text", message, f'write "{text}"')


def _text_constants(document: Document) -> Iterator[tuple[str, Mark, Mark | None]]:
    """The constants that are text, with their marks and those of the keys that they are the values of."""
    for path, mark in document.marks.items():
        value = document.value_at(path) if path[-1:] == ("const",) else None
        if isinstance(value, str):
            yield value, mark, document.keys.get(path[:-1])


def _words(document: Document) -> Iterator[Problem]:
    """Constants that are text and look like a truth value."""
    for value, mark, _ in _text_constants(document):
        if value in _WORDS and not mark.quoted:
            message = f"{value} is recorded as text, not as a truth value"
            yield lint_warning(
                mark, "verbatim-text", message, f'write {_WORDS[value]}, or "{value}" in quotes for the text'
            )


def _text_with_paths(expression: Expression, paths: _Paths) -> Iterator[Problem]:
    """Text in an expression that is a path, or has one in braces."""
    text = expression.tree.value if isinstance(expression.tree, ast.Constant) else None
    if not isinstance(text, str) or expression.mark.references:
        return
    if text in paths:
        message = f"{expression.text} is text, not the value of {text}"
        yield lint_warning(expression.mark, "verbatim-text", message, f"write {text} without inner quotes")
    elif re.search(r"\{[A-Za-z_][\w.]*\}", text):
        message, help = f"the braces are part of the text: {expression.text}", f"write f{expression.text} for values"
        yield lint_warning(expression.mark, "verbatim-text", message, help)


class _Paths:
    """The paths that expressions of a spec read. Other text may be the name of an event or a topic."""

    def __init__(self, plan: Plan) -> None:
        trees = (each.tree for each in expressions_in((plan.spans, plan.hook_groups)))
        steps = (ast.Attribute, ast.Subscript)
        self._read = {ast.unparse(node) for tree in trees for node in ast.walk(tree) if isinstance(node, steps)}

    def __contains__(self, text: str) -> bool:
        return text in self._read or bool(_PATH.fullmatch(text))


def paths_in_constants(document: Document, is_path: Callable[[str, Mark | None], bool]) -> Iterator[Problem]:
    """Constants that are a path. ``is_path``: whether a text is one, given the mark of the key that it is under."""
    for value, mark, key in _text_constants(document):
        in_braces = _IN_BRACES.fullmatch(value)
        if in_braces or (not mark.quoted and is_path(value, key)):
            message = f"{quoted(value)} is recorded as text: `const` is a fixed value"
            help = f"write value: {in_braces[1] if in_braces else value} for the value of the expression"
            help += "" if in_braces else ", or put the text in quotes"
            yield lint_warning(mark, "verbatim-text", message, help)
        elif value in _NOTHING and not mark.quoted:
            message = f"{value} is recorded as text"
            yield lint_warning(mark, "verbatim-text", message, "remove the attribute: what is missing is not recorded")


def _template(template: Template, paths: _Paths) -> Iterator[Problem]:
    if template.parts == (template.text,) and "{" in template.text:
        return  # it is not valid, which is reported
    text = " ".join(part for part in template.parts if isinstance(part, str))
    for path in _PATH_IN_NAME.finditer(text):
        if path[1] or path[2] in paths:
            message = f"{path[0]} is part of the name: {quoted(template.text)}"
            yield lint_warning(template.mark, "verbatim-text", message, f"write {{{path[2]}}} for the value")
            return
    if _ADDED.search(template.text):
        message = f"the quotes and the plus sign are part of the name: {quoted(template.text)}"
        yield lint_warning(
            template.mark, "verbatim-text", message, "write a text with values in braces: pay {order.id}"
        )
        return
    for pattern, why, help in _TEMPLATES:
        found = pattern.search(template.text)
        if found is not None:
            message = f"{why.format(found[2])}: {quoted(template.text)}"
            yield lint_warning(template.mark, "verbatim-text", message, help.format(found[2]))
            return
