"""The help for a name in an expression that the callable does not have: it is misspelt, or is text without quotes."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, closest
from opentelemetry.instrumentation.declarative.expressions import Expression, Template
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.plan.stages import OUTCOME_NAMES

#: Constants of other languages, and of YAML.
_CONSTANTS: Mapping[str, str] = {
    **dict.fromkeys(("null", "nil", "none", "undefined", "NULL", "NaN"), "None"),
    **dict.fromkeys(("true", "yes", "TRUE", "on"), "True"),
    **dict.fromkeys(("false", "no", "FALSE", "off"), "False"),
}
#: What other languages and tools call a value, and its name here.
_OTHER_NAMES: Mapping[str, str] = {
    **dict.fromkeys(
        ("return_value", "retval", "returned", "response", "output", "return_val", "ret", "results"), "result"
    ),
    **dict.fromkeys(("exception", "exc", "exc_value", "err", "ex", "e", "errors"), "error"),
}
#: What the first parameter of a method is called.
_RECEIVERS = ("self", "cls", "this", "_self", "instance", "me", "s")
#: The modules of Python in which environment variables are sought.
_ENVIRONMENT = frozenset({"os", "env", "environ", "process"})
_WORD = re.compile(r"[A-Za-z_]\w*([-/]\w+)*")
_WORDS = re.compile(r"[A-Za-z_]\w*([-/ ]\w+)*")
_COMPARED_IN = (ast.List, ast.Tuple)


def unknown_name(
    name: str,
    mark: Mark,
    where: str,
    effect: str,
    expressions: Iterable[Expression | Template | None],
    existing: Collection[str],
) -> Problem:
    """The problem that the callable ``where`` has no such name. The rest as for ``unknown_name_help``."""
    help, suggestion = unknown_name_help(name, mark, expressions, existing)
    message = f'"{name}" is not a parameter of {where}: {effect}'
    return Problem(mark, "unknown-name", message, help, subject=name, suggestion=suggestion)


def unknown_name_help(
    name: str, mark: Mark, expressions: Iterable[Expression | Template | None], existing: Collection[str]
) -> tuple[str, str | None]:
    """The help for a name that does not exist, and the name that was probably intended instead.

    ``expressions``: those that the name at ``mark`` may be in. ``existing``: the names that can be read there.
    """
    if name in _CONSTANTS:
        return f"write {_CONSTANTS[name]}", None
    if name in _ENVIRONMENT and name not in existing:
        return 'write "${NAME}", in quotes, with the name of the environment variable', None
    receiver = next((each for each in _RECEIVERS if each in existing), None) if name in _RECEIVERS[:3] else None
    intended = _OTHER_NAMES.get(name, receiver)
    if intended in existing or intended in OUTCOME_NAMES:
        return f'did you mean "{intended}"?', intended
    listed = f"there are: {', '.join(existing) or 'none'}"
    expression = _expression_at(mark, expressions)
    tree = None if expression is None else expression.tree
    if name in FUNCTIONS and tree is not None and not _is_called(tree, name):
        return f"write {name}(value) to call the function, or {_as_constant(name)}", None
    if tree is not None and (member := _as_name_of_member(tree, name)) is not None:
        return f"write {member}", None
    suggestion = closest(name, [known for known in existing if known not in OUTCOME_NAMES])
    if suggestion is not None:
        return f'did you mean "{suggestion}"?', suggestion
    if expression is not None and _is_word(expression, existing):
        return f"{listed}; write {_as_constant(expression.text.strip())}", None
    text = None if tree is None else _as_text(tree, name, existing)
    return (f"{listed}; put text in quotes: '{text}'" if text else listed), None


def first_of_texts(
    missing: Iterable[tuple[str, Mark]], expressions: Iterable[Expression | Template | None]
) -> Iterator[tuple[str, Mark]]:
    """The names without those that only follow another one in the same text without quotes, as in `text/plain`."""
    texts: set[int] = set()
    for name, mark in sorted(missing, key=lambda each: (each[1].line, each[1].column)):
        expression = _expression_at(mark, expressions)
        if expression is None or id(expression) not in texts:
            yield name, mark
        if expression is not None and _WORD.fullmatch(expression.text.strip()):
            texts.add(id(expression))


def _as_constant(text: str) -> str:
    """How to write text. Only attributes have constants."""
    return f"'\"{text}\"' for the text, in an attribute {{const: {text}}}"


def _is_word(expression: Expression, existing: Collection[str]) -> bool:
    """Whether an expression looks like text: one word, or several that Python reads as an operation."""
    return bool(_WORDS.fullmatch(expression.text.strip())) and expression.names.isdisjoint(existing)


def _expression_at(mark: Mark, expressions: Iterable[Expression | Template | None]) -> Expression | None:
    for each in expressions:
        for part in each.parts if isinstance(each, Template) else (each,):
            if isinstance(part, Expression) and mark in part.name_marks.values():
                return part
    return None


def _is_called(tree: ast.expr, name: str) -> bool:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(function, ast.Name) and function.id == name for function in calls)


def _as_text(tree: ast.expr, name: str, existing: Collection[str]) -> str | None:
    """The comparison or choice in which a name is probably text without quotes, with the text in quotes."""
    for node in ast.walk(tree):
        operands: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            operands = [each for operand in node.comparators for each in _items(operand)]
        elif isinstance(node, ast.IfExp):
            operands = [node.body, node.orelse]
        elif isinstance(node, ast.BoolOp):
            operands = node.values[1:]
        elif isinstance(node, ast.Subscript):
            operands = [node.slice]
        elif isinstance(node, ast.Call):
            operands = node.args[1:]
        found = next((each for each in operands if isinstance(each, ast.Name) and each.id == name), None)
        if found is not None:
            source = ast.unparse(node)
            quoted = ast.unparse(_Quoted(existing).visit(ast.parse(source, mode="eval").body))
            return quoted.replace("'", '"')
    return None


def _as_name_of_member(tree: ast.expr, name: str) -> str | None:
    """The comparison with a member of an enumeration, as in ``order.state == State.PAID``, with the member's name."""
    for node in ast.walk(tree):
        if not name[:1].isupper() or not isinstance(node, ast.Compare) or len(node.ops) > 1:
            continue
        right = node.comparators[0]
        items = [each for each in _items(right) if isinstance(each, ast.Attribute)]
        members = [each.attr for each in items if isinstance(each.value, ast.Name) and each.value.id == name]
        if members and len(members) == len(_items(right)):
            names: list[ast.expr] = [ast.Constant(each) for each in members]
            compared = ast.Tuple(names, ast.Load()) if isinstance(right, _COMPARED_IN) else names[0]
            op = {ast.Is: ast.Eq(), ast.IsNot: ast.NotEq()}.get(type(node.ops[0]), node.ops[0])
            left = ast.Attribute(node.left, "name", ast.Load())
            return ast.unparse(ast.Compare(left, [op], [compared])).replace("'", '"')
    return None


def _items(operand: ast.expr) -> list[ast.expr]:
    return operand.elts if isinstance(operand, _COMPARED_IN) else [operand]


class _Quoted(ast.NodeTransformer):
    """Replaces the names that do not exist with text."""

    def __init__(self, existing: Collection[str]) -> None:
        self._existing = {*existing, *OUTCOME_NAMES, *FUNCTIONS}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return node if node.id in self._existing else ast.Constant(node.id)
