"""Checks the syntax tree of an expression node by node against a whitelist of Python's grammar."""

from __future__ import annotations

import ast

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, closest, quoted
from opentelemetry.instrumentation.declarative.expressions.function import Function
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.expressions.other_spellings import (
    formatted_text,
    instead_of_function,
    instead_of_method,
    instead_of_operator,
)
from opentelemetry.instrumentation.declarative.expressions.pattern_problems import pattern_problems
from opentelemetry.instrumentation.declarative.expressions.refused_syntax import (
    CALL_INSTEAD,
    INTERNAL_ATTRIBUTES,
    SIGNS,
    as_list,
    content_of_braces,
    instead_of_call,
    instead_of_syntax,
    is_internal_name,
    is_literal,
    is_text,
    key_in_quotes,
    refused_comprehension,
    shortened_literal,
    word,
)

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
    ast.Dict,
    ast.Compare,
    ast.BoolOp,
    ast.BinOp,
    ast.UnaryOp,
    ast.IfExp,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.Call,
    ast.ListComp,
    ast.Load,
    ast.boolop,
    ast.Not,
    ast.UAdd,
    ast.USub,
    ast.cmpop,
    *_BINARY,
)
_CONSTANTS = (str, bytes, int, float, bool, type(None))
_COMPREHENSIONS = (ast.SetComp, ast.DictComp, ast.GeneratorExp)
_IN_BRACKETS = "write [item.name for item in items]"
_INTERNAL = "is not allowed in an expression: it is internal to Python"
_USE_PUBLIC = "use a public name of the library"


class GrammarChecker(ast.NodeVisitor):
    """Visits the nodes of an expression and collects its names, the functions that it calls, and problems."""

    def __init__(self, text: str, mark: Mark, added: set[str]) -> None:
        self.text = text
        self.mark = mark
        self.added = added
        self.names: dict[str, Mark] = {}
        self.called: set[str] = set()
        self.problems: list[Problem] = []
        #: The name that the comprehension being visited gives to each item.
        self._item: str | None = None
        self._items: dict[str, Mark] = {}

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, _ALLOWED):
            super().visit(node)
        elif (braces := content_of_braces(node)) is not None:
            help = f"write {ast.unparse(braces)} without braces"
            self._refuse(node, "braces are not allowed in an expression: they belong to names", help)
            self.visit(braces)
        else:
            help = _IN_BRACKETS if isinstance(node, _COMPREHENSIONS) else instead_of_syntax(node)
            self._refuse(node, f"{word(node)} is not allowed in an expression: expressions only read", help)

    def visit_Expression(self, node: ast.Expression) -> None:
        if self._is_text_with_values(node.body):
            help = f"write 'f\"{self.text}\"'"
            self._refuse(node.body, "braces are not allowed in an expression: they belong to text", help)
            return
        self.visit(node.body)
        for name in self._items.keys() & self.names:
            message = f'"{name}" has two meanings: the item of a comprehension, and a name outside of it'
            self.problems.append(
                Problem(self._items[name], "not-allowed", message, "give the item a name that nothing else has")
            )

    def _is_text_with_values(self, body: ast.expr) -> bool:
        """Whether it is text with values in braces that lacks its quotes: ``{order.id}-{order.state}``."""
        is_text = isinstance(body, ast.BinOp) and '"' not in self.text and "'" not in self.text
        return is_text and any(content_of_braces(inner) is not None for inner in ast.walk(body))

    def visit_ListComp(self, node: ast.ListComp) -> None:
        generator = node.generators[0]
        target = generator.target
        refusal = refused_comprehension(node, inner=self._item is not None)
        if refusal is not None:
            where, message, help = refusal
            self._refuse(where, message, help)
        self.visit(generator.iter)
        if refusal is None and isinstance(target, ast.Name):
            self._items.setdefault(target.id, self._mark(target))
            self._item = target.id
            for each in (node.elt, *generator.ifs):
                self.visit(each)
            self._item = None

    def visit_Dict(self, node: ast.Dict) -> None:
        seen: set[str] = set()
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                self._refuse(value, "`**` is not allowed in a mapping", 'write each entry, as in {"id": order.id}')
            elif not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                self._refuse(key, "a key of a mapping is text in quotes", f"write {key_in_quotes(key)}")
            elif key.value in seen:
                self._refuse(key, f"{quoted(key.value)} is a key of the mapping twice", "remove one of the entries")
            else:
                seen.add(key.value)
            self.visit(value)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id == self._item:
            return
        if is_internal_name(node.id):
            self._refuse(node, f'"{node.id}" {_INTERNAL}', _USE_PUBLIC)
        else:
            self.names.setdefault(node.id, self._mark(node))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if is_internal_name(node.attr) or node.attr in INTERNAL_ATTRIBUTES:
            end = self._column(node.end_col_offset)
            mark = self._mark_between(end - len(node.attr), end)
            name, is_type = node.attr, node.attr in ("__class__", "__name__", "__qualname__")
            while isinstance(node.value, ast.Attribute) and is_internal_name(node.value.attr):
                node = node.value  # one problem for .__class__.__name__
            value = node.value
            if is_type and isinstance(value, ast.Call) and ast.unparse(value.func) == "type" and value.args:
                value = value.args[0]  # and for type(value).__name__
            help = f"write type_name({ast.unparse(value)})" if is_type else _USE_PUBLIC
            self.problems.append(Problem(mark, "not-allowed", f'".{name}" {_INTERNAL}', help))
            self.visit(value)
            return
        self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.slice, ast.Tuple):
            for each in node.slice.elts:
                if isinstance(each, ast.Slice):
                    self._refuse(each, "a slice must be the only index in its brackets", "write value[first:last]")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, _CONSTANTS):
            self._refuse(
                node,
                f"the literal {shortened_literal(node.value)} is not allowed in an expression",
                "write text or bytes in quotes, a number, True, False or None",
            )

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Invert):
            self._refuse(node, "`~` is not allowed in an expression: expressions only read", CALL_INSTEAD)
        self.visit(node.operand)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not isinstance(node.op, _BINARY):
            help = instead_of_operator(node) or CALL_INSTEAD
            self._refuse_operator(node, f"{word(node.op)} is not allowed in an expression: expressions only read", help)
        elif isinstance(node.op, ast.Mult) and (is_text(node.left) or is_text(node.right)):
            self._refuse_operator(node, "`*` multiplies numbers: it does not repeat text or lists", "write it out")
        elif isinstance(node.op, ast.Mod) and is_text(node.left):
            self._refuse_operator(
                node,
                "`%` is the remainder of a division: it does not format text",
                formatted_text(node.left, node.right),
            )
        self.visit(node.left)
        self.visit(node.right)

    def visit_Compare(self, node: ast.Compare) -> None:
        for op, left, right in zip(node.ops, (node.left, *node.comparators), node.comparators, strict=False):
            if isinstance(op, (ast.Is, ast.IsNot)) and (is_literal(left) or is_literal(right)):
                sign = "==" if isinstance(op, ast.Is) else "!="
                message = "`is` compares with None, True or False, not with other literals"
                self._refuse(right if is_literal(right) else left, message, f"write `{sign}`")
        self.generic_visit(node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        if node.conversion != -1 or node.format_spec is not None:
            self._refuse(
                node.value,
                "a format after `!`, `:` or `=` is not allowed in an expression",
                f"write {{{ast.unparse(node.value)}}} without a format",
            )
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        node.args = [as_list(argument) for argument in node.args]
        if isinstance(node.func, ast.Name):
            self._check_function(node.func.id, node)
        elif isinstance(node.func, ast.Attribute):
            name = node.func.attr
            self._refuse(
                node,
                f'the method "{name}" cannot be called in an expression: expressions only read',
                instead_of_method(node, node.func) or instead_of_call(node),
            )
            self._visit_receiver(node.func)
        else:
            self._refuse(node, "only functions can be called in an expression: expressions only read", CALL_INSTEAD)
            self.visit(node.func)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.visit(argument.value if isinstance(argument, ast.Starred) else argument)

    def _visit_receiver(self, method: ast.Attribute) -> None:
        """Check what a method is called on. Methods that are called one after the other are one problem."""
        receiver = method.value
        if isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Attribute):
            self._visit_receiver(receiver.func)
            for argument in receiver.args:
                self.visit(argument)
        else:
            self.visit(method.value if is_internal_name(method.attr) else method)

    def _check_function(self, name: str, node: ast.Call) -> None:
        known = {*FUNCTIONS, *self.added}
        self.called.add(name)
        if name not in known:
            suggestion = closest(name, known)
            instead = instead_of_function(node, name)
            help = instead or (
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
                    suggestion=None if instead else suggestion,
                )
            )
        elif node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            message = f"{name}() takes arguments by position only, without `*`"
            self._refuse(node, message, f"write {name}(value)", "wrong-arguments")
        elif name in FUNCTIONS and name not in self.added:
            self._check_arguments(name, FUNCTIONS[name], node)

    def _check_arguments(self, name: str, function: Function, node: ast.Call) -> None:
        given, least, most = len(node.args), function.least_arguments, function.max_arguments
        if given < least or (most is not None and given > most):
            number = f"at least {least}" if most is None else str(least) if least == most else f"{least} to {most}"
            message = f"{name}() takes {number} argument{'' if number == '1' else 's'}, not {given}"
            self._refuse(node, message, f"write {function.signature(name)}", "wrong-arguments")
        elif function.pattern is not None:
            self.problems += pattern_problems(name, function, node, self._mark)

    def _refuse_operator(self, node: ast.BinOp, message: str, help: str) -> None:
        """Refuse a binary operator at its own position, which is not in the tree: it is after the left operand."""
        sign = SIGNS[type(node.op)]
        after = self._column(node.left.end_col_offset)
        column = self.text.find(sign, after)
        mark = self._mark(node) if column < 0 else self._mark_between(column, column + len(sign))
        self.problems.append(Problem(mark, "not-allowed", message, help))

    def _refuse(self, node: ast.AST, message: str, help: str, code: str = "not-allowed") -> None:
        self.problems.append(Problem(self._mark(node), code, message, help))

    def _mark(self, node: ast.AST) -> Mark:
        start = self._column(getattr(node, "col_offset", 0))
        end = self._column(getattr(node, "end_col_offset", None))
        return self._mark_between(start, end)

    def _mark_between(self, start: int, end: int) -> Mark:
        if "\n" in self.text or "\r" in self.text:
            return self.mark  # the lines of the text are not those of the file
        return self.mark.at(start, max(end - start, 1))

    def _column(self, offset: int | None) -> int:
        """Convert an offset of the tree from bytes of UTF-8 to characters."""
        return len(self.text.encode("utf-8", "replace")[: offset or 0].decode("utf-8", "ignore"))
