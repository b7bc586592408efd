"""The syntax trees of functions and classes, parsed from their source files."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any


def definition_of(defined: Any) -> ast.stmt | None:
    """Return the statement that defines a function or class; None if there is no source, as for generated code."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(defined))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    return body[0] if body else None


def function_definition_of(function: Any) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return the definition of a function; None if there is no source, or it is a lambda."""
    found = definition_of(function)
    return found if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
