"""Loading what a spec names: the modules of its targets, its functions, and the base classes of its extensions."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import re
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark, Problem, closest, did_you_mean
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.imports.installed_packages import (
    distributions_by_package,
    importable_modules,
)
from opentelemetry.instrumentation.declarative.plan.model import ExtensionPlan


class PatchError(Exception):
    """A target cannot be loaded or patched; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def load_target(target: Target) -> Any:
    """Import the module of a target and return the object it names. Raises PatchError if that is not possible."""
    found: Any = import_module(target.module, target.mark)
    for name in target.path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            message = f"{target} cannot be found: {error}"
            raise PatchError(missing_name(target.mark, message, name, closest(name, dir(found)))) from None
    return found


def load_function(target: Target) -> Callable[..., Any]:
    """Return the function behind a name in a spec's `functions`. Raises PatchError if it cannot be loaded or called."""
    found = load_target(target)
    if callable(found):
        return found  # type: ignore[no-any-return]
    message = f"{target} is of type {type(found).__name__}, which cannot be called"
    raise PatchError(Problem(target.mark, "not-callable", message, "name a function"))


def load_functions(
    functions: Mapping[str, Target], report: Callable[[Problem], object]
) -> dict[str, Callable[..., Any]]:
    """Load the functions of a spec. One that cannot be loaded is reported and replaced with ``return_none``."""
    found: dict[str, Callable[..., Any]] = {}
    for name, target in functions.items():
        try:
            found[name] = load_function(target)
        except PatchError as error:
            report(error.problem)
            found[name] = return_none
    return found


def return_none(*_values: Any) -> None:
    """Replace a function that cannot be loaded: its result is always missing."""


def import_module(module: str, mark: Mark) -> types.ModuleType:
    """Import a module by its name. Raises PatchError if it cannot be imported, whatever the reason."""
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            raise PatchError(missing_module(str(error.name), mark)) from None
        missing = _missing_dependency(error)
        if missing and missing != _top_level(module):
            message = f"{module} requires {missing}, which is not installed: hooks on it are inactive"
            raise PatchError(Problem(mark, "not-installed", message, "install it and check again")) from None
        why = "it exits the program" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"
        message = f"{module} cannot be imported: {why}"
        help = "import it on its own to see where it fails; if it needs another module first, use --import"
        raise PatchError(Problem(mark, "cannot-import", message, help)) from None


def _missing_dependency(error: BaseException) -> str:
    """The top-level package whose absence caused an error; empty if something else did.

    Libraries catch the error of an optional dependency to raise another ImportError, which says how to install it.
    """
    for each in (error, error.__cause__, error.__context__):
        if isinstance(error, ImportError) and isinstance(each, ModuleNotFoundError) and each.name:
            return _top_level(each.name)
    return ""


def _top_level(module: str) -> str:
    return module.partition(".")[0]


def missing_module(module: str, mark: Mark) -> Problem:
    """Return the problem that a module does not exist, whether or not its package does."""
    package_name, _, name = module.rpartition(".")
    package = sys.modules.get(package_name)
    if package is None:
        message = f"there is no module {name or module}: no installed package provides it"
        suggestion = _module_like(name or module)
        help = did_you_mean(suggestion) or "install the package that provides it, or correct the name"
        return Problem(mark, "target-missing", message, help, subject=name or module, suggestion=suggestion)
    if name == "py":
        message = f"{module} is a file: a target names the module"
        return missing_name(mark, message, name, package_name)
    from pkgutil import iter_modules

    siblings = (each.name for each in iter_modules(getattr(package, "__path__", [])))
    message = f"{package_name} has no module {name}{in_release(package)}: hooks on it are inactive"
    return missing_name(mark, message, name, closest(name, siblings))


def _module_like(name: str) -> str | None:
    """The module that was probably intended: of a distribution of this name, or one that can be imported here."""
    provided = distributions_by_package()
    wanted = _plain(name)
    for module, distributions in provided.items():
        if any(_plain(distribution) == wanted for distribution in distributions) and not module.startswith("_"):
            return module
    nearby = [each for each in importable_modules() if not each.startswith("_")]
    return closest(name, [*(each for each in provided if not each.startswith("_")), *nearby])


def distribution_of(name: str) -> str | None:
    """The installed distribution that was probably intended: the one of a module of this name, or a similar one."""
    provided = distributions_by_package()
    if name in provided:
        return provided[name][0]
    return closest(name, {each for distributions in provided.values() for each in distributions})


def _plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def missing_name(mark: Mark, message: str, name: str, suggestion: str | None) -> Problem:
    """Return the problem that a module or class does not have a name."""
    help = did_you_mean(suggestion)
    return Problem(mark, "target-missing", message, help, subject=name, suggestion=suggestion)


def installed_release(module: types.ModuleType) -> str | None:
    """Return the distribution that a module comes from, with its version, as in "ag2 1.2.1"; None if it is unknown."""
    from importlib import metadata

    top = _top_level(module.__name__)
    # Python 3.10 maps only distributions that list their packages; for the others assume one of the same name.
    for name in distributions_by_package().get(top, (top,)):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return f"{name} {metadata.version(name)}"
    return None


def in_release(module: types.ModuleType) -> str:
    """Return the installed release of a module as the end of a statement: " in ag2 1.2.1", or nothing."""
    release = installed_release(module)
    return f" in {release}" if release else ""


def make_extension_class(spec: str, extension: ExtensionPlan) -> type:
    """Create the class of an extension: a subclass of the library's own class that has only our hooks.

    Raises PatchError if the base is not a class that can be subclassed.
    """
    base = load_target(extension.base)
    why = f"it is a {type(base).__name__}"
    if isinstance(base, type):
        try:
            namespace = {
                "__module__": __name__,
                "__doc__": "An extension: passes every call through to its base class.",
            }
            return type(f"{spec}_{extension.name}", (base,), namespace)
        except TypeError as error:
            why = str(error)
    message = f"{extension.base} cannot be subclassed: {why}"
    raise PatchError(Problem(extension.base.mark, "not-a-class", message, "name the class to extend"))


def can_be_imported(module: str) -> bool:
    """Whether a module exists, given that its parent is imported. The parent may have been replaced by a module."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
