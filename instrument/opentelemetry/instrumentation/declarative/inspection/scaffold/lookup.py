"""What a target names: its module imported, and the object in it; or what is wrong with the name."""

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

from opentelemetry.instrumentation.declarative.diagnostics.problems import closest, shown

_TARGET = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*)?")


class SketchError(Exception):
    """No spec can be sketched: what is wrong, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """A module, and the object in it that was named; no path where the module itself was."""

    module: types.ModuleType
    path: str
    value: Any

    @property
    def target(self) -> str:
        return f"{self.module.__name__}:{self.path}" if self.path else self.module.__name__


def look_up(target: str) -> Found:
    """What a target names. Raises SketchError where it names nothing."""
    if not _TARGET.fullmatch(target) or ".." in target or target.endswith("."):
        raise SketchError(f"{shown(target)} is no target. Write it as module:Class, module:function or module.")
    name, _, path = target.partition(":")
    module = _imported(name)
    value: Any = module
    steps = path.split(".") if path else []
    for index, step in enumerate(steps):
        value = _inner(value, ".".join([name, *steps[:index]]), step)
        if index == 0:
            module, steps[0] = _home(module, step, value)
    return Found(module, ".".join(steps), value)


def _inner(owner: Any, where: str, name: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        raise SketchError(_missing(owner, where, name)) from None
    except Exception as error:  # a module or a metaclass that makes what it is asked for
        raise SketchError(f"{where}.{name} cannot be had: {type(error).__name__}: {error}. Name another.") from None


def _home(module: types.ModuleType, name: str, value: Any) -> tuple[types.ModuleType, str]:
    """Where a class or function is defined: what is patched there is patched before another module takes it."""
    home = sys.modules.get(getattr(value, "__module__", None) or "")
    path = getattr(value, "__qualname__", "")
    if home is None or home is module or not isinstance(value, (type, types.FunctionType)) or "<" in path:
        return module, name
    return (home, path) if at(home, path) is value else (module, name)


def at(module: types.ModuleType, path: str) -> Any:
    """What stands at a path in a module; None where nothing does."""
    found: Any = module
    for step in path.split("."):
        found = getattr(found, step, None)
    return found


def _imported(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise SketchError(_no_module(name, error.name)) from None
        raise SketchError(_not_imported(name, error)) from None
    except (Exception, SystemExit) as error:
        raise SketchError(_not_imported(name, error)) from None


def _not_imported(name: str, error: BaseException) -> str:
    return (
        f"{name} cannot be imported: {type(error).__name__}: {error}. "
        "Run this where the program runs, in its environment and folder."
    )


def _no_module(name: str, missing: str) -> str:
    """Why there is no such module: `missing` is the first part of its name that is not there."""
    package, _, last = missing.rpartition(".")
    parent = sys.modules.get(package)
    if package and parent is not None:
        if getattr(parent, last, None) is not None:  # a dot where the colon is meant
            return f"there is no module {name}. Did you mean {shown(f'{package}:{name[len(package) + 1 :]}')}?"
        known = [each.name for each in pkgutil.iter_modules(getattr(parent, "__path__", ()))]
    else:
        known = [*(each.name for each in pkgutil.iter_modules([os.getcwd()])), *sys.stdlib_module_names]
    near = closest(last, known)
    if near:
        return f"there is no module {missing}. Did you mean {shown(f'{package}.{near}' if package else near)}?"
    return f"there is no module {missing}. Run this where the program runs, in its environment and folder."


def _missing(owner: Any, where: str, step: str) -> str:
    names = [name for name in dir(owner) if not name.startswith("__")]
    near = closest(step, names)
    if near:
        return f"{where} has no {step}. Did you mean {shown(near)}?"
    public = [name for name in names if not name.startswith("_")]
    inside = getattr(owner, "__module__", None) or getattr(owner, "__name__", "")
    own = [name for name in public if getattr(getattr(owner, name, None), "__module__", None) == inside] or public
    return f"{where} has no {step}. It has: {', '.join(own[:20]) or 'nothing that is public'}."
