"""What an expression may hold: a whitelist of Python's own grammar, checked node by node."""

from __future__ import annotations

import ast

from instrument.functions import FUNCTIONS
from instrument.problems import Mark, Problem, closest

_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_ALLOWED = (
    ast.Expression,
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Slice,
    ast.Constant,
    ast.List,
    ast.Tuple,
    ast.Compare,
    ast.BoolOp,
    ast.BinOp,
    ast.UnaryOp,
    ast.IfExp,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.Call,
    ast.Load,
    ast.boolop,
    ast.unaryop,
    ast.cmpop,
    *_BINARY,
)
_CONSTANTS = (str, int, float, bool, type(None))


class Check(ast.NodeVisitor):
    """Walks an expression; collects names, functions and problems."""

    def __init__(self, text: str, mark: Mark, added: set[str]) -> None:
        self.text = text
        self.mark = mark
        self.added = added
        self.names: dict[str, Mark] = {}
        self.called: set[str] = set()
        self.problems: list[Problem] = []

    def visit(self, node: ast.AST) -> None:
        if not isinstance(node, _ALLOWED):
            self._refuse(
                node,
                "not-allowed",
                f"{_word(node)} is not allowed in an expression: expressions only read",
                "name a Python function under `functions` and call that",
            )
            return
        super().visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if _hidden(node.id):
            self._refuse(node, "not-allowed", f'"{node.id}" is not allowed in an expression: it is Python\'s own')
        else:
            self.names.setdefault(node.id, self._mark(node))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if _hidden(node.attr):
            self._refuse(node, "not-allowed", f'".{node.attr}" is not allowed in an expression: it is Python\'s own')
        self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, _CONSTANTS):
            self._refuse(
                node,
                "not-allowed",
                f"a {type(node.value).__name__} literal is not allowed in an expression",
                "write a text, a number, true or false as True or False, or None",
            )

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        if node.conversion != -1 or node.format_spec is not None:
            self._refuse(
                node,
                "not-allowed",
                "a format after `!` or `:` is not allowed in an expression",
                "write the value plainly, as {value}",
            )
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        if not isinstance(node.func, ast.Name):
            self._refuse(
                node,
                "not-allowed",
                "a method cannot be called in an expression: expressions only read",
                "name a Python function under `functions` and call that",
            )
            return
        name = node.func.id
        known = {*FUNCTIONS, *self.added}
        if name not in known:
            near = closest(name, known)
            self._refuse(
                node.func,
                "unknown-function",
                f'there is no function "{name}"',
                f'did you mean "{near}"?' if near else f"there are: {', '.join(sorted(known))}",
            )
        elif node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            self._refuse(node, "wrong-arguments", f"{name}() takes plain values only, no names and no stars")
        elif name in FUNCTIONS and name not in self.added:
            _, least, most = FUNCTIONS[name]
            if len(node.args) < least or (most is not None and len(node.args) > most):
                takes = str(least) if least == most else f"at least {least}" if most is None else f"{least} to {most}"
                self._refuse(node, "wrong-arguments", f"{name}() takes {takes} value(s), not {len(node.args)}")
        self.called.add(name)
        for argument in node.args:
            self.visit(argument)

    def _refuse(self, node: ast.AST, code: str, message: str, mend: str | None = None) -> None:
        self.problems.append(Problem(self._mark(node), code, message, mend))

    def _mark(self, node: ast.AST) -> Mark:
        start = getattr(node, "col_offset", 0)
        end = getattr(node, "end_col_offset", None) or start + 1
        if getattr(node, "lineno", 1) != 1 or not self.text.isascii():
            return self.mark  # Offsets are only those of the file in a text of one plain line.
        return self.mark.at(start, max(end - start, 1))


def _hidden(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


_WORDS: dict[str, str] = {
    "Lambda": "a lambda",
    "ListComp": "a comprehension",
    "SetComp": "a comprehension",
    "DictComp": "a comprehension",
    "GeneratorExp": "a comprehension",
    "Dict": "a dict",
    "Set": "a set",
    "NamedExpr": "an assignment",
    "Await": "await",
    "Yield": "yield",
    "YieldFrom": "yield",
    "Starred": "a star",
    "Pow": "`**`",
    "LShift": "`<<`",
    "RShift": "`>>`",
    "MatMult": "`@`",
}


def _word(node: ast.AST) -> str:
    return _WORDS.get(type(node).__name__, f"`{type(node).__name__}`")
