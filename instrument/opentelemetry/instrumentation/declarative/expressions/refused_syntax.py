"""Syntax of Python that an expression cannot have: how it is recognized, and named in problems."""

from __future__ import annotations

import ast

_TEXTS = (ast.JoinedStr, ast.List, ast.Tuple, ast.Dict)
CALL_INSTEAD = "add a Python function under `functions` and call it"

#: Attributes that give access to frames, code, and what a generator waits for.
INTERNAL_ATTRIBUTES = frozenset(
    [f"{kind}_{name}" for kind in ("gi", "cr", "ag") for name in ("frame", "code", "await", "yieldfrom", "origin")]
    + [f"f_{name}" for name in ("back", "builtins", "code", "generator", "globals", "lasti", "locals", "trace")]
    + [f"func_{name}" for name in ("closure", "code", "defaults", "dict", "globals")]
    + [f"tb_{name}" for name in ("frame", "lasti", "lineno", "next")]
    + ["co_code", "co_consts", "co_names", "im_class", "im_func", "im_self"]
)


def is_internal_name(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def as_list(argument: ast.expr) -> ast.expr:
    """An argument without brackets, as in ``sum(line.price for line in lines)``, as a comprehension with brackets."""
    if not isinstance(argument, ast.GeneratorExp):
        return argument
    return ast.copy_location(ast.ListComp(argument.elt, argument.generators), argument)


def refused_comprehension(node: ast.ListComp, *, inner: bool) -> tuple[ast.AST, str, str] | None:
    """The node because of which a comprehension is refused, why, and what to do; None if it is accepted."""
    generator, *more = node.generators
    if inner:
        return node, "a comprehension cannot be in another one: its time would not be bounded", CALL_INSTEAD
    if more:
        return more[0].target, "a comprehension has one `for`: its time would not be bounded", CALL_INSTEAD
    if generator.is_async:
        return node, "`async` is not allowed in an expression: expressions only read", "write it without `async`"
    if not isinstance(generator.target, ast.Name) or is_internal_name(generator.target.id):
        return generator.target, "a comprehension gives each item one name", "write `item[0]` for a part of an item"
    if len(generator.ifs) > 1:
        return generator.ifs[1], "a comprehension has one `if`", "combine the conditions with `and`"
    return None


def content_of_braces(node: ast.AST) -> ast.expr | None:
    """The expression in ``{ … }`` or ``{{ … }}``, as in a template; None if it is something else."""
    inner: ast.AST = node
    while isinstance(inner, ast.Set) and len(inner.elts) == 1:
        inner = inner.elts[0]
    return inner if inner is not node and isinstance(inner, ast.expr) and not isinstance(inner, ast.Set) else None


def instead_of_call(node: ast.Call) -> str:
    """What to write instead of the call of a method that has no counterpart."""
    attribute = f"write {ast.unparse(node.func)} for an attribute, or "
    return CALL_INSTEAD if node.args or node.keywords else attribute + CALL_INSTEAD


def instead_of_syntax(node: ast.AST) -> str:
    """What to write instead of ``await value`` and ``lambda: value``, and of what has no counterpart."""
    if isinstance(node, ast.Await):
        return f"write {ast.unparse(node.value)}"
    is_value = isinstance(node, ast.Lambda) and not node.args.args
    return f"write {ast.unparse(node.body)}" if isinstance(node, ast.Lambda) and is_value else CALL_INSTEAD


def key_in_quotes(key: ast.expr) -> str:
    """How to write a key of a mapping that has no quotes."""
    text = ast.unparse(key)
    return f'{{"{text}": ...}}' if text.isidentifier() else '{"key": ...}'


def is_text(node: ast.expr) -> bool:
    return isinstance(node, _TEXTS) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def is_literal(node: ast.expr) -> bool:
    """Whether a node is a literal value other than None, True and False, or made of such values only."""
    if isinstance(node, ast.Constant):
        return node.value is not None and not isinstance(node.value, bool)
    return isinstance(node, _TEXTS) or not any(isinstance(inner, ast.Name) for inner in ast.walk(node))


def shortened_literal(value: object) -> str:
    literal = "..." if value is ... else repr(value)
    return literal if len(literal) <= 40 else f"{literal[:39]}…"


SIGNS: dict[type[ast.operator], str] = {
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
    "SetComp": "a comprehension in braces",
    "DictComp": "a comprehension in braces",
    "GeneratorExp": "a comprehension without brackets",
    "Set": "a set",
    "NamedExpr": "an assignment",
    "Await": "await",
    "Yield": "yield",
    "YieldFrom": "yield",
    "Starred": "a star",
}


def word(node: ast.AST) -> str:
    if isinstance(node, ast.operator):
        return f"`{SIGNS[type(node)]}`"
    return _WORDS.get(type(node).__name__, f"`{type(node).__name__}`")
