"""Names that a module provides on demand, by ``__getattr__``: a check loads them, to say where they are defined."""

from __future__ import annotations

import sys
from dataclasses import replace

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.lookup.missing_names import missing_attribute


def with_definition(target: Target, problem: Problem) -> Problem:
    """Return the problem that a module lacks a name with the module that defines it, if it can be loaded."""
    module, name = sys.modules.get(target.module), target.path.partition(".")[0]
    if problem.subject != name or module is None or "__getattr__" not in vars(module):
        return problem
    try:
        getattr(module, name)
    except AttributeError:
        return replace(problem, help=None)
    except Exception:  # the code of the library
        return problem
    return missing_attribute(target, module, module, [], name)
