"""Expressions: a small, whitelisted part of Python's own grammar that only reads.

An expression is parsed once, checked node by node, and later written back as Python source in two forms with one
meaning: the *fast* form reads plainly (``envelope.sender_id``) and raises where a step is missing; the *careful* form
reads each step so that whatever is missing is ``None``. A wrapper runs the fast form and falls back to the careful one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass

from instrument.functions import FUNCTIONS, MAPPING_NAMES, dot, item, multiply, remainder, text
from instrument.problems import Mark, Problem, closest

#: An expression longer than this is a mistake, and the parser's own recursion is bounded by it.
LONGEST = 2_000

_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_ALLOWED = (
    ast.Expression, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Constant, ast.List, ast.Tuple, ast.Compare,
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.JoinedStr, ast.FormattedValue, ast.Call,
    ast.Load, ast.boolop, ast.unaryop, ast.cmpop, *_BINARY,
)  # fmt: skip
_CONSTANTS = (str, int, float, bool, type(None))

#: How a name is written in the source: a plain name as it is, a function as ``name()``, one of HELPERS as ``.name()``.
Rename = Callable[[str], str]

#: What the written source itself needs.
HELPERS: Mapping[str, Callable[..., object]] = {
    ".dot()": dot,
    ".item()": item,
    ".multiply()": multiply,
    ".remainder()": remainder,
    ".slice()": slice,
    ".text()": text,
}


class ExpressionError(Exception):
    """An expression that cannot be used; carries its problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression: its text, where it stands, the names it reads and the functions it calls."""

    text: str
    mark: Mark
    names: frozenset[str]
    functions: frozenset[str]
    tree: ast.expr
    name_marks: Mapping[str, Mark]

    def fast(self, rename: Rename) -> str:
        """Python source that reads plainly and raises where a step is missing."""
        return ast.unparse(_Fast(rename).visit(deepcopy(self.tree)))

    def careful(self, rename: Rename) -> str:
        """Python source in which whatever is missing on the way is None."""
        return ast.unparse(_Careful(rename).visit(deepcopy(self.tree)))

    def field(self, rename: Rename) -> str:
        """Python source of the field that the expression names, to be assigned to."""
        tree = deepcopy(self.tree)
        assert isinstance(tree, (ast.Attribute, ast.Subscript))
        tree.value = _Fast(rename).visit(tree.value)
        if isinstance(tree, ast.Subscript):
            tree.slice = _Fast(rename).visit(tree.slice)
        return ast.unparse(tree)

    @property
    def total(self) -> bool:
        """Whether the fast form cannot fail but through the host's own ``==`` or ``bool``: it takes no step anywhere."""
        steps = (ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.JoinedStr)
        return not any(
            isinstance(node, steps)
            or (isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not))
            or (isinstance(node, ast.Compare) and not _safe(node))
            for node in ast.walk(self.tree)
        )

    @property
    def assignable(self) -> bool:
        """Whether the expression is a field (``a.b`` or ``a["b"]``) that can be set."""
        return isinstance(self.tree, (ast.Attribute, ast.Subscript)) and not any(
            isinstance(node, (ast.Call, ast.Slice)) for node in ast.walk(self.tree)
        )


def _safe(node: ast.Compare) -> bool:
    """Whether a comparison takes whatever it is given: equality, identity, or `in` a list that stands there."""
    return all(
        isinstance(op, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)) or isinstance(right, (ast.Tuple, ast.List))
        for op, right in zip(node.ops, node.comparators, strict=True)
        if not isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
    ) and not any(isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for op in node.ops)


@dataclass(frozen=True, slots=True)
class Template:
    """A name with expressions in braces; the parts are plain text and expressions in turn."""

    text: str
    mark: Mark
    parts: tuple[str | Expression, ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(part.names for part in self.parts if isinstance(part, Expression)))

    @property
    def constant(self) -> str | None:
        """The name itself where it holds no expression."""
        return None if any(isinstance(part, Expression) for part in self.parts) else "".join(map(str, self.parts))

    @property
    def literal(self) -> str:
        """The name with every expression left out: what remains when none can be read."""
        return " ".join("".join(part for part in self.parts if isinstance(part, str)).split())


def parse(text: str, mark: Mark, functions: Collection[str] = ()) -> Expression:
    """Read and check an expression. ``functions``: the names of those the spec adds.

    Raises ExpressionError with every problem found.
    """
    stripped = text.strip()
    if len(text) > LONGEST:
        raise ExpressionError([Problem(mark, "expression-too-long", f"this expression has {len(text)} characters: "
                               f"{LONGEST} are allowed", "name a Python function under `functions` instead")])  # fmt: skip
    if not stripped:
        raise ExpressionError([Problem(mark, "empty-expression", "this expression is empty", "write what is to be read")])
    try:
        tree = ast.parse(stripped, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError([_syntax_problem(stripped, mark, error)]) from None
    check = _Check(stripped, mark.at(len(text) - len(text.lstrip()), 1) if stripped != text else mark, set(functions))
    try:
        check.visit(tree)
    except RecursionError:
        check.problems.append(Problem(mark, "expression-too-long", "this expression is nested too deeply"))
    if check.problems:
        raise ExpressionError(check.problems)
    return Expression(text, mark, frozenset(check.names), frozenset(check.called), tree.body, check.names)


def parse_template(text: str, mark: Mark, functions: Collection[str] = ()) -> Template:
    """Read a name template: text with expressions in braces, ``{{`` and ``}}`` for the braces themselves."""
    parts: list[str | Expression] = []
    problems: list[Problem] = []
    literal: list[str] = []
    position = 0
    while position < len(text):
        char = text[position]
        if text[position : position + 2] in ("{{", "}}"):
            literal.append(char)
            position += 2
        elif char == "{":
            end = _closing_brace(text, position)
            if end is None:
                problems.append(
                    Problem(mark.at(position, 1), "template-brace", 'this "{" is never closed', "close it with }, or write {{ for a brace")
                )
                break
            if literal:
                parts.append("".join(literal))
                literal = []
            inner = text[position + 1 : end]
            try:
                parts.append(parse(inner, mark.at(position + 1, len(inner)), functions))
            except ExpressionError as error:
                problems.extend(error.problems)
            position = end + 1
        elif char == "}":
            problems.append(Problem(mark.at(position, 1), "template-brace", 'this "}" opens nowhere', "write }} for a brace"))
            position += 1
        else:
            literal.append(char)
            position += 1
    if literal:
        parts.append("".join(literal))
    if problems:
        raise ExpressionError(problems)
    return Template(text, mark, tuple(parts))


def _closing_brace(text: str, start: int) -> int | None:
    """Where the brace that opens at ``start`` closes; braces inside quotes do not count."""
    quote = ""
    depth = 0
    for position in range(start, len(text)):
        char = text[position]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return position
    return None


def _syntax_problem(text: str, mark: Mark, error: BaseException) -> Problem:
    where = mark
    if isinstance(error, SyntaxError) and error.offset:
        where = mark.at(min(max(error.offset - 1, 0), max(len(text) - 1, 0)), 1)
    why = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
    return Problem(where, "expression-syntax", f'"{_short(text)}" is not an expression: {why}')


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."


class _Check(ast.NodeVisitor):
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
            self._refuse(node, "not-allowed", f"{_word(node)} is not allowed in an expression: expressions only read",
                         "name a Python function under `functions` and call that")  # fmt: skip
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
            self._refuse(node, "not-allowed", f"a {type(node.value).__name__} literal is not allowed in an expression",
                         "write a text, a number, true or false as True or False, or None")  # fmt: skip

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        if node.conversion != -1 or node.format_spec is not None:
            self._refuse(node, "not-allowed", "a format after `!` or `:` is not allowed in an expression",
                         "write the value plainly, as {value}")  # fmt: skip
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        if not isinstance(node.func, ast.Name):
            self._refuse(node, "not-allowed", "a method cannot be called in an expression: expressions only read",
                         "name a Python function under `functions` and call that")  # fmt: skip
            return
        name = node.func.id
        known = {*FUNCTIONS, *self.added}
        if name not in known:
            near = closest(name, known)
            self._refuse(node.func, "unknown-function", f'there is no function "{name}"',
                         f'did you mean "{near}"?' if near else f"there are: {', '.join(sorted(known))}")  # fmt: skip
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


def _call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(arguments), [])


class _Fast(ast.NodeTransformer):
    """Renames names and functions, and replaces what plain Python would do too much with: `*`, `%`, f-strings."""

    def __init__(self, rename: Rename) -> None:
        self.rename = rename

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.rename(node.id), ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        return _call(self.rename(f"{node.func.id}()"), *(self.visit(argument) for argument in node.args))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        value = self.visit(node.value)
        if node.attr in MAPPING_NAMES:
            return _call(self.rename(".dot()"), value, ast.Constant(node.attr))
        return ast.Attribute(value, node.attr, ast.Load())

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        if isinstance(node.op, (ast.Mult, ast.Mod)):
            return _call(self.rename(".multiply()" if isinstance(node.op, ast.Mult) else ".remainder()"), left, right)
        return ast.BinOp(left, node.op, right)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        return _call(self.rename(".text()"), *(self.visit(part) for part in parts))


class _Careful(_Fast):
    """As fast, but every step is taken with `dot` and `item`."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return _call(self.rename(".dot()"), self.visit(node.value), ast.Constant(node.attr))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.slice, ast.Slice):
            bounds = (node.slice.lower, node.slice.upper, node.slice.step)
            key: ast.expr = _call(self.rename(".slice()"), *(self.visit(bound) if bound else ast.Constant(None) for bound in bounds))
        else:
            key = self.visit(node.slice)
        return _call(self.rename(".item()"), self.visit(node.value), key)
