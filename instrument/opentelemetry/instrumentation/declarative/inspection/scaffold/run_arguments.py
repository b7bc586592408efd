"""The arguments of `instrument run` for a program with a module of the user in it."""

from __future__ import annotations

import ast
import inspect
import os
import types

#: Stands for the program, if the module itself is not one.
PROGRAM = "PROGRAM.py"


def run_arguments(module: types.ModuleType) -> str:
    """Return the arguments that run a module if it is a program, or else a placeholder for the program."""
    if hasattr(module, "__path__"):
        return f"-m {module.__name__}" if _has_main(module) else PROGRAM
    if not _is_program(module):
        return PROGRAM
    name = module.__name__.removesuffix(".__main__")
    file = os.path.relpath(module.__file__ or "")
    return file if file == f"{name}.py" else f"-m {name}"


def _has_main(package: types.ModuleType) -> bool:
    return any(os.path.exists(os.path.join(folder, "__main__.py")) for folder in package.__path__)


def _is_program(module: types.ModuleType) -> bool:
    """Whether a module does something when it is run: it compares its `__name__`, or calls something at its end."""
    try:
        statements = ast.parse(inspect.getsource(module)).body
    except (OSError, TypeError, SyntaxError):
        return False
    has_guard = any(
        isinstance(node, ast.Name) and node.id == "__name__"
        for statement in statements
        if isinstance(statement, ast.If)
        for node in ast.walk(statement.test)
    )
    last = statements[-1] if statements else None
    return has_guard or (isinstance(last, ast.Expr) and isinstance(last.value, ast.Call))
