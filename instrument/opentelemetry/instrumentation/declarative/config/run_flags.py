"""Passes the flags of ``instrument run`` on to the process that it becomes, and to the processes that this one starts.

A variable of their own is needed: the other variables are ignored if there is a configuration file, and that file may
refer to them.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from opentelemetry.instrumentation.declarative.config import environment
from opentelemetry.instrumentation.declarative.diagnostics.log import logger


class RunFlags(NamedTuple):
    """The flags of ``instrument run``, which override the configuration file and the environment."""

    #: Spec files to add.
    specs: tuple[str, ...] = ()
    #: Whether the variable OTEL_PYTHON_DECLARATIVE_REPORT overrides the configuration file.
    report: bool = False
    #: Whether to show the traces as trees although a configuration file configures the exporters.
    tree: bool = False
    #: The process that the command becomes, as opposed to those that this one starts.
    process: int = 0


def read_run_flags() -> RunFlags:
    """The flags of the ``instrument run`` that started this process; none if there was no such command."""
    text = os.environ.get(environment.RUN_FLAGS)
    if not text:
        return RunFlags()
    import json

    try:
        flags = RunFlags(**json.loads(text))
        return RunFlags(tuple(map(str, flags.specs)), bool(flags.report), bool(flags.tree), int(flags.process))
    except (ValueError, TypeError, RecursionError):
        logger.warning(
            "%s is ignored: its value is invalid. Only `instrument run` should set it.", environment.RUN_FLAGS
        )
        return RunFlags()


def pass_on(flags: RunFlags) -> None:
    """Add the flags to those with which this process was started itself."""
    import json

    inherited = read_run_flags()
    report, tree = flags.report or inherited.report, flags.tree or inherited.tree
    flags = RunFlags((*flags.specs, *inherited.specs), report, tree)
    if flags != RunFlags():
        os.environ[environment.RUN_FLAGS] = json.dumps(flags._replace(process=os.getpid())._asdict())
