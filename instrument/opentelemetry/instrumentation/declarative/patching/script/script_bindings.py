"""At which line of a script each of its names has its final value, from the source or, without it, from the code."""

from __future__ import annotations

import ast
import dis
import tokenize
import types
from collections.abc import Iterator
from dataclasses import field
from typing import Any

from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True)
class Bindings:
    """The names that a script binds, each with the line after which it has its final value."""

    lines: dict[str, int] = field(default_factory=dict)
    #: The names of its functions and classes; `*` if it imports names with a star.
    definitions: set[str] = field(default_factory=set)

    def add(self, name: str, line: int, *, is_definition: bool) -> None:
        self.lines[name] = max(line, self.lines.get(name, 0))
        if is_definition:
            self.definitions.add(name)

    @property
    def last_definition(self) -> int:
        return max((self.lines[name] for name in self.definitions), default=0)


def read_bindings(code: types.CodeType, loader: object, name: object) -> Bindings:
    """Read the bindings of a script from its code, and its source if there is one."""
    source = _source(code, loader, name)
    if source is not None:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            pass
        else:
            found = Bindings()
            _add_bindings(tree.body, None, found)
            return found
    return _bindings_of_code(code)


def _source(code: types.CodeType, loader: Any, name: object) -> str | bytes | None:
    try:
        with tokenize.open(code.co_filename) as file:
            return file.read()
    except (OSError, SyntaxError, ValueError):
        pass
    try:
        source = loader.get_source(name)
    except Exception:  # it has no such method, or any other reason of its own
        return None
    return source if isinstance(source, str) else None


def _bindings_of_code(code: types.CodeType) -> Bindings:
    found, line = Bindings(), 0
    starts = dict(dis.findlinestarts(code))
    for instruction in dis.get_instructions(code):
        line = starts.get(instruction.offset) or line
        if instruction.opname in ("STORE_NAME", "STORE_GLOBAL"):
            found.add(instruction.argval, line, is_definition=True)
    return found


def _add_bindings(statements: list[ast.stmt], loop_end: int | None, found: Bindings) -> None:
    """Add the names that statements bind. In a loop, they have their final values after the outermost loop."""
    for statement in statements:
        end = loop_end or statement.end_lineno or statement.lineno
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(statement.name, end, is_definition=True)
            continue
        makes_function = _makes_function(statement, found.definitions)
        for name, line in _names_bound(statement, end):
            found.add(name, loop_end or line, is_definition=makes_function or name == "*")
        inner = end if isinstance(statement, ast.For | ast.AsyncFor | ast.While) else loop_end
        for block in _blocks(statement):
            _add_bindings(block, inner, found)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks of statements in a compound statement."""
    for part in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(part, name, None)
            if isinstance(block, list):
                yield block


def _names_bound(statement: ast.stmt, end: int) -> Iterator[tuple[str, int]]:
    """The names that a statement binds itself, without the blocks in it, each with a line where it is bound."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0], end
    is_compound = any(True for _ in _blocks(statement))
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            is_line = is_compound and not isinstance(statement, ast.For | ast.AsyncFor)
            yield node.id, (node.end_lineno or end) if is_line else end
        waiting += [
            child
            for child in ast.iter_child_nodes(node)
            if not isinstance(child, ast.Lambda | ast.stmt | ast.excepthandler | ast.match_case)
        ]


def _makes_function(statement: ast.stmt, definitions: set[str]) -> bool:
    """Whether a statement is an assignment of a lambda, or of what a call makes of a function: `pay = traced(pay)`."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return False
    value = statement.value
    if isinstance(value, ast.Call):
        return any(isinstance(each, ast.Name) and each.id in definitions for each in value.args)
    return isinstance(value, ast.Lambda)
