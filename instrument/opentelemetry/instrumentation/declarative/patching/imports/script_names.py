"""The names of the script, the module ``__main__``: those under which other modules would import it."""

from __future__ import annotations

import os
import sys
from typing import Any

MAIN = "__main__"
#: The name of the script in a process that multiprocessing has spawned.
SPAWNED_MAIN = "__mp_main__"
#: An argument of such a process, and the module that is named in the arguments of one that forks others.
_SPAWNED = ("--multiprocessing-fork", "multiprocessing.forkserver")


#: Programs that run the user's script in a module `__main__` of their own.
_LAUNCHERS = frozenset(
    ["cProfile", "coverage", "debugpy", "kernprof", "pdb", "profile", "pyinstrument", "scalene", "trace", "viztracer"]
)
#: Programs that run the cells of a notebook, or those that are typed in, as the module `__main__`.
_KERNELS = frozenset(["ipykernel", "ipykernel_launcher"])
_SESSIONS = frozenset(["IPython", "ipython", "ipython3"])
#: Those that trace its lines themselves.
_TRACERS = frozenset(["coverage", "debugpy", "pdb", "trace"])


def names_of_script(namespace: dict[str, Any]) -> list[str]:
    """Return the names of a script from its namespace, the most specific one first."""
    name = getattr(namespace.get("__spec__"), "name", None)
    if isinstance(name, str) and name != MAIN:
        return [name, MAIN]
    return [*names_of_file(namespace.get("__file__")), MAIN]


def is_launcher(namespace: dict[str, Any]) -> bool:
    """Whether a script is a program that runs the script of the user, from its namespace."""
    name = getattr(namespace.get("__spec__"), "name", None) or _stem(str(namespace.get("__file__")))
    return name.partition(".")[0] in _LAUNCHERS


def expects_tracer() -> bool:
    """Whether this process is about to run a program that traces the lines of the user's script."""
    return _expected_program() in _TRACERS


def expects_notebook() -> bool:
    """Whether this process is about to run the kernel of a notebook, or an IPython session."""
    program = _expected_program()
    runs_file = any(argument.endswith((".py", ".ipynb")) for argument in sys.argv[1:])
    return program in _KERNELS or (program in _SESSIONS and not runs_file)


def _expected_program() -> str:
    if sys.argv[:1] == ["-m"]:
        return sys.orig_argv[-len(sys.argv)].removeprefix("-m").partition(".")[0]
    return _stem(sys.argv[0]) if sys.argv else ""


def _stem(file: str) -> str:
    return os.path.splitext(os.path.basename(file))[0]


def expected_names() -> list[str]:
    """Return the names of the script that this process is about to run, from its command line."""
    if _expected_program() in _LAUNCHERS:
        following = zip(sys.orig_argv, sys.orig_argv[1:], strict=False)
        files = [name for argument in sys.argv[1:] for name in names_of_file(argument)]
        return [*files, *(argument for option, argument in following if option == "-m"), MAIN]
    if sys.argv[:1] != ["-m"]:
        file = sys.argv[0] if sys.argv else ""
        return [*names_of_file(os.path.join(file, f"{MAIN}.py") if file and os.path.isdir(file) else file), MAIN]
    # Python is still starting up: only its command line contains the argument of -m.
    argument = sys.orig_argv[-len(sys.argv)].removeprefix("-m")
    return [argument, f"{argument}.{MAIN}", MAIN]


def is_spawned() -> bool:
    """Whether multiprocessing has started this process: it runs the script of its parent as `__mp_main__`."""
    return any(mark in argument for argument in sys.orig_argv for mark in _SPAWNED)


def is_script(module: str) -> bool:
    """Whether the script of this process has this name."""
    return module in current_names()


def names_in_definitions(module: str) -> tuple[str, ...]:
    """Return the names that the functions and classes of a module have as `__module__`."""
    return (module, MAIN, SPAWNED_MAIN) if is_script(module) else (module,)


def current_names() -> list[str]:
    """Return the names of the script of this process, also before it runs and after it has ended."""
    namespace = vars(sys.modules[MAIN]) if MAIN in sys.modules else {}
    is_running = "__file__" in namespace or namespace.get("__spec__") is not None
    return names_of_script(namespace) if is_running else expected_names()


def names_of_file(file: object) -> list[str]:
    """The names under which a file can be imported: from its own folder, from the folder above it, and so on."""
    if not isinstance(file, str) or os.path.splitext(file)[1] not in (".py", ".pyw"):
        return []
    *folders, name = os.path.splitext(os.path.abspath(file))[0].split(os.sep)
    names = [name]
    for folder in reversed(folders):
        if not folder.isidentifier():
            break
        names.append(f"{folder}.{names[-1]}")
    return names
