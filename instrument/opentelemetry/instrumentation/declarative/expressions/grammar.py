"""What an expression may hold: a whitelist of Python's own grammar, checked node by node."""

from __future__ import annotations

import ast

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, closest
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS

#: An expression nested deeper is a mistake. The written form nests as deep, and Python's own parser has a limit.
DEEPEST = 50

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
    ast.Not,
    ast.UAdd,
    ast.USub,
    ast.cmpop,
    *_BINARY,
)
_CONSTANTS = (str, int, float, bool, type(None))
_TEXTS = (ast.JoinedStr, ast.List, ast.Tuple)
_CALL_INSTEAD = "name a Python function under `functions` and call that"

#: Attributes through which Python shows its own insides: frames, code, what a generator waits for.
_INSIDES = frozenset(
    [f"{kind}_{name}" for kind in ("gi", "cr", "ag") for name in ("frame", "code", "await", "yieldfrom", "origin")]
    + [f"f_{name}" for name in ("back", "builtins", "code", "generator", "globals", "lasti", "locals", "trace")]
    + [f"func_{name}" for name in ("closure", "code", "defaults", "dict", "globals")]
    + [f"tb_{name}" for name in ("frame", "lasti", "lineno", "next")]
    + ["co_code", "co_consts", "co_names", "im_class", "im_func", "im_self"]
)


def depth(tree: ast.AST) -> int:
    """How deep a tree is nested."""
    deepest = 0
    waiting = [(tree, 1)]
    while waiting:
        node, level = waiting.pop()
        deepest = max(deepest, level)
        waiting.extend((child, level + 1) for child in ast.iter_child_nodes(node))
    return deepest


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
        if isinstance(node, _ALLOWED):
            super().visit(node)
        else:
            self._refuse(node, f"{_word(node)} is not allowed in an expression: expressions only read", _CALL_INSTEAD)

    def visit_Name(self, node: ast.Name) -> None:
        if _hidden(node.id):
            self._refuse(
                node,
                f'"{node.id}" is not allowed in an expression: it is Python\'s own',
                "name what the library itself offers",
            )
        else:
            self.names.setdefault(node.id, self._mark(node))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if _hidden(node.attr) or node.attr in _INSIDES:
            end = self._column(node.end_col_offset)
            self.problems.append(
                Problem(
                    self._placed(node, end - len(node.attr), end),
                    "not-allowed",
                    f'".{node.attr}" is not allowed in an expression: it is Python\'s own',
                    "for the name of a value's type there is type_name(value)"
                    if node.attr in ("__class__", "__name__", "__qualname__")
                    else "name what the library itself offers",
                )
            )
        self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.slice, ast.Tuple):
            for each in node.slice.elts:
                if isinstance(each, ast.Slice):
                    self._refuse(each, "a slice stands alone in its brackets", "write value[first:last]")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, _CONSTANTS):
            self._refuse(
                node,
                f"the literal {_shown(node.value)} is not allowed in an expression",
                "write a text, a number, True, False or None",
            )

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Invert):
            self._refuse(node, "`~` is not allowed in an expression: expressions only read", _CALL_INSTEAD)
        self.visit(node.operand)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not isinstance(node.op, _BINARY):
            self._refuse_operator(
                node, f"{_word(node.op)} is not allowed in an expression: expressions only read", _CALL_INSTEAD
            )
        elif isinstance(node.op, ast.Mult) and (_is_text(node.left) or _is_text(node.right)):
            self._refuse_operator(node, "`*` multiplies numbers: a text or a list is not repeated", "write it out")
        elif isinstance(node.op, ast.Mod) and _is_text(node.left):
            self._refuse_operator(
                node, "`%` divides numbers: a text is not formatted by it", 'write f"{value}" with the value in braces'
            )
        self.visit(node.left)
        self.visit(node.right)

    def visit_Compare(self, node: ast.Compare) -> None:
        for op, left, right in zip(node.ops, (node.left, *node.comparators), node.comparators, strict=False):
            if isinstance(op, (ast.Is, ast.IsNot)) and (_is_written_out(left) or _is_written_out(right)):
                sign = "==" if isinstance(op, ast.Is) else "!="
                message = "`is` compares with None, True or False, not with a value that is written out"
                self._refuse(right if _is_written_out(right) else left, message, f"write `{sign}`")
        self.generic_visit(node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        if node.conversion != -1 or node.format_spec is not None:
            self._refuse(
                node.value,
                "a format after `!`, `:` or `=` is not allowed in an expression",
                "write the value plainly, as {value}",
            )
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            self._check_function(node.func.id, node)
        elif isinstance(node.func, ast.Attribute):
            name = node.func.attr
            self._refuse(
                node,
                f'the method "{name}" cannot be called in an expression: expressions only read',
                _INSTEAD_OF_METHODS.get(name, _CALL_INSTEAD),
            )
            self.visit(node.func)
        else:
            self._refuse(node, "only a function can be called in an expression: expressions only read", _CALL_INSTEAD)
            self.visit(node.func)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.visit(argument.value if isinstance(argument, ast.Starred) else argument)

    def _check_function(self, name: str, node: ast.Call) -> None:
        known = {*FUNCTIONS, *self.added}
        self.called.add(name)
        if name not in known:
            suggestion = closest(name, known)
            help = _INSTEAD_OF_FUNCTIONS.get(name) or (
                f'did you mean "{suggestion}"?' if suggestion else f"there are: {', '.join(sorted(known))}"
            )
            message = f'there is no function "{name}"'
            self.problems.append(
                Problem(
                    self._mark(node.func),
                    "unknown-function",
                    message,
                    help,
                    subject=name,
                    suggestion=None if name in _INSTEAD_OF_FUNCTIONS else suggestion,
                )
            )
        elif node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            message = f"{name}() takes plain values only: no names and no stars"
            self._refuse(node, message, f"write {name}(value)", "wrong-arguments")
        elif name in FUNCTIONS and name not in self.added:
            _, least, most = FUNCTIONS[name]
            if len(node.args) < least or (most is not None and len(node.args) > most):
                takes = str(least) if least == most else f"at least {least}" if most is None else f"{least} to {most}"
                values = "value" if takes == "1" else "values"
                self._refuse(
                    node,
                    f"{name}() takes {takes} {values}, not {len(node.args)}",
                    f"write {name}({', '.join(['value', 'other'][:least])})",
                    "wrong-arguments",
                )

    def _refuse_operator(self, node: ast.BinOp, message: str, mend: str) -> None:
        """Refuse a binary operator where it stands: the tree does not know, so it is looked for between its sides."""
        sign = _SIGNS[type(node.op)]
        after = self._column(node.left.end_col_offset)
        column = self.text.find(sign, after)
        mark = self._mark(node) if column < 0 else self._placed(node, column, column + len(sign))
        self.problems.append(Problem(mark, "not-allowed", message, mend))

    def _refuse(self, node: ast.AST, message: str, mend: str, code: str = "not-allowed") -> None:
        self.problems.append(Problem(self._mark(node), code, message, mend))

    def _mark(self, node: ast.AST) -> Mark:
        start = self._column(getattr(node, "col_offset", 0))
        end = self._column(getattr(node, "end_col_offset", None))
        return self._placed(node, start, end)

    def _placed(self, node: ast.AST, start: int, end: int) -> Mark:
        if "\n" in self.text or "\r" in self.text:
            return self.mark  # Its lines are not those of the file.
        return self.mark.at(start, max(end - start, 1))

    def _column(self, offset: int | None) -> int:
        """An offset of the tree, which counts UTF-8 bytes, in characters."""
        return len(self.text.encode("utf-8", "replace")[: offset or 0].decode("utf-8", "ignore"))


def _hidden(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, _TEXTS) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_written_out(node: ast.expr) -> bool:
    """Whether a value stands there whole, other than None, True and False."""
    if isinstance(node, ast.Constant):
        return node.value is not None and not isinstance(node.value, bool)
    return isinstance(node, _TEXTS) or not any(isinstance(inner, ast.Name) for inner in ast.walk(node))


def _shown(value: object) -> str:
    shown = "..." if value is ... else repr(value)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


_SIGNS: dict[type[ast.operator], str] = {
    ast.Mult: "*",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
}

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
}


def _word(node: ast.AST) -> str:
    if isinstance(node, ast.operator):
        return f"`{_SIGNS[type(node)]}`"
    return _WORDS.get(type(node).__name__, f"`{type(node).__name__}`")


#: What to write instead of the methods and builtins that come to mind first.
_INSTEAD_OF_METHODS = {
    "endswith": "write ends_with(text, ending)",
    "format": 'write f"{value}" with the value in braces',
    "get": "write value.key or value[key]: what is missing is None",
    "isoformat": "write str(value)",
    "lower": "write lower(text)",
    "startswith": "write starts_with(text, beginning)",
    "upper": "write upper(text)",
}
_INSTEAD_OF_FUNCTIONS = {
    "getattr": "write value.name: what is missing is None",
    "hasattr": "write value.name is not None",
    "isinstance": 'write is_a(value, "Name")',
    "repr": "write str(value)",
    "type": "write type_name(value)",
}
