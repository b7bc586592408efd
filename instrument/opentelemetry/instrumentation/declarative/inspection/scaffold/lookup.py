"""Finds the object that a target names, or explains why there is none."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import re
import sys
import types
from dataclasses import dataclass
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import closest, quoted
from opentelemetry.instrumentation.declarative.patching.lookup.nested_functions import (
    definitions,
    nested_names,
    split_path,
)

_TARGET = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*(\.<locals>\.[\w.]+)*)?")


class ScaffoldError(Exception):
    """No spec can be written for a target. The text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class ScaffoldTarget:
    """An object and its path in a module. The path of the module itself is empty."""

    module: types.ModuleType
    path: str
    value: Any

    @property
    def target(self) -> str:
        return f"{self.module.__name__}:{self.path}" if self.path else self.module.__name__


def look_up(target: str) -> ScaffoldTarget:
    """Import the module of a target and return the object that it names. Raises ScaffoldError if there is none."""
    if target.endswith(".py"):
        path = os.path.relpath(target).removesuffix(".py").replace(os.sep, ".").lstrip(".")
        raise ScaffoldError(f"{target} is a file. Name its module as the program imports it, such as {path}.")
    if not _TARGET.fullmatch(target) or ".." in target or target.endswith("."):
        raise ScaffoldError(f"{quoted(target)} is not a target. Write module:Class, module:function or module.")
    name, _, path = target.partition(":")
    if name == "__main__":
        raise ScaffoldError("__main__ is the script that a process runs. Name its module instead: app for app.py.")
    module = _import(name)
    value: Any = module
    outer, within = split_path(path) or (path, [])
    steps = outer.split(".") if outer else []
    for index, step in enumerate(steps):
        value = _attribute(value, ".".join([name, *steps[:index]]), step)
        if index == 0:
            module, steps[0] = _definition(module, step, value)
    path = ".".join(steps)
    return ScaffoldTarget(module, path, value) if not within else _nested(module, path, value, within)


def _nested(module: types.ModuleType, outer: str, value: Any, within: list[str]) -> ScaffoldTarget:
    """Return a function that another function defines."""
    found = definitions(value, outer, within)
    if not found:
        known = ", ".join(nested_names(value, outer)[:20]) or "no function"
        raise ScaffoldError(f"{module.__name__}:{outer} does not define {'.'.join(within)}. It defines: {known}.")
    return ScaffoldTarget(module, found[0].qualified_name, found[0].sample())


def _attribute(owner: Any, where: str, name: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        raise ScaffoldError(_no_attribute(owner, where, name)) from None
    except Exception as error:  # the `__getattr__` of a module or metaclass
        message = f"{where}.{name} cannot be read: {type(error).__name__}: {error}. Name another object."
        raise ScaffoldError(message) from None


def _definition(module: types.ModuleType, name: str, value: Any) -> tuple[types.ModuleType, str]:
    """Return where a class or function is defined: patched there, it is patched before other modules import it."""
    defining = sys.modules.get(getattr(value, "__module__", None) or "")
    path = getattr(value, "__qualname__", "")
    if defining is None or defining is module or not isinstance(value, (type, types.FunctionType)) or "<" in path:
        return module, name
    return (defining, path) if object_at(defining, path) is value else (module, name)


def object_at(module: types.ModuleType, path: str) -> Any:
    """Return the object at a path in a module; None if there is none."""
    found: Any = module
    for step in path.split("."):
        found = getattr(found, step, None)
    return found


def _import(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise ScaffoldError(_no_module(name, error.name)) from None
        raise ScaffoldError(_import_failed(name, error)) from None
    except (Exception, SystemExit) as error:
        raise ScaffoldError(_import_failed(name, error)) from None


def _import_failed(name: str, error: BaseException) -> str:
    return (
        f"{name} cannot be imported: {type(error).__name__}: {str(error).rstrip('.')}. Run this command in the "
        "environment and the directory of the program. If another module has to be imported first, such as "
        "website.wsgi of a Django site, add --import MODULE."
    )


def _no_module(name: str, missing: str) -> str:
    """Explain that there is no such module. `missing` is the first part of its name that does not exist."""
    package, _, last = missing.rpartition(".")
    parent = sys.modules.get(package)
    if package and parent is not None:
        if getattr(parent, last, None) is not None:  # a dot instead of the colon
            return f"there is no module {name}. Did you mean {quoted(f'{package}:{name[len(package) + 1 :]}')}?"
        known = [each.name for each in pkgutil.iter_modules(getattr(parent, "__path__", ()))]
    else:
        known = [*(each.name for each in pkgutil.iter_modules([os.getcwd()])), *sys.stdlib_module_names]
    similar = closest(last, known)
    if similar:
        return f"there is no module {missing}. Did you mean {quoted(f'{package}.{similar}' if package else similar)}?"
    return f"there is no module {missing}. Run this command in the environment and the directory of the program."


def _no_attribute(owner: Any, where: str, step: str) -> str:
    names = [name for name in dir(owner) if not name.startswith("__")]
    similar = closest(step, names)
    if similar:
        return f"{where} has no {step}. Did you mean {quoted(similar)}?"
    public = [name for name in names if not name.startswith("_")]
    inside = getattr(owner, "__module__", None) or getattr(owner, "__name__", "")
    own = [name for name in public if getattr(getattr(owner, name, None), "__module__", None) == inside] or public
    return f"{where} has no {step}. It has: {', '.join(own[:20]) or 'nothing public'}."
