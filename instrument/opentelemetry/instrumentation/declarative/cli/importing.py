"""Imports on behalf of the commands: as in the user's program, and without output of the modules on standard output."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Protocol


class FirstImportError(Exception):
    """A module that the user wants to be imported first cannot be imported."""


class _Arguments(Protocol):
    """A parser or a group of its arguments."""

    def add_argument(
        self, flag: str, /, *, dest: str, action: str, default: list[str], metavar: str, help: str
    ) -> argparse.Action: ...


def add_import_argument(parser: _Arguments) -> None:
    parser.add_argument(
        "--import",
        dest="imports",
        action="append",
        default=[],
        metavar="MODULE",
        help="a module to import first, if others need it, such as the module website.wsgi of a Django site",
    )


@contextlib.contextmanager
def importing(first: Iterable[str] = ()) -> Iterator[None]:
    """A block that imports modules of the user.

    They are found in the current directory too, as under ``python -m``. Their output goes to standard error, even if
    it does not pass through ``sys.stdout``. Their warnings are not shown.

    Args:
        first: modules that are imported before the block. Raises FirstImportError if one cannot be imported.
    """
    with _current_directory_on_path(), _stdout_to_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in first:
            _import(module)
        yield


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except (Exception, SystemExit) as error:
        message = f"{module} cannot be imported: {type(error).__name__}: {error}. Correct --import or the module."
        raise FirstImportError(message) from None


@contextlib.contextmanager
def _current_directory_on_path() -> Iterator[None]:
    here = os.getcwd()
    if getattr(sys.flags, "safe_path", False) or here in sys.path or "" in sys.path:
        yield
        return
    sys.path.insert(0, here)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # an imported module may have removed it
            sys.path.remove(here)


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    _flush()
    try:
        saved = os.dup(1)
    except OSError:  # standard output is closed
        with contextlib.redirect_stdout(sys.stderr):
            yield
        return
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _flush()
        os.dup2(saved, 1)
        os.close(saved)


def _flush() -> None:
    """Flush all streams, so that buffered output goes where it was printed to."""
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        if stream is not None:
            stream.flush()
