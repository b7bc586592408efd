"""The targets of the fuzzer: each takes bytes, and fails if something happens that must not."""

from __future__ import annotations

import contextlib
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import MAX_PROBLEMS, Mark, Problem, SpecError
from opentelemetry.instrumentation.declarative.expressions import (
    Expression,
    ExpressionError,
    PlainNames,
    Template,
    parse,
    parse_template,
)
from opentelemetry.instrumentation.declarative.expressions.functions import FUNCTIONS
from opentelemetry.instrumentation.declarative.language.content_policy import parse_content_policy
from opentelemetry.instrumentation.declarative.language.releases import no_release
from opentelemetry.instrumentation.declarative.lint.static_check import static_warnings
from opentelemetry.instrumentation.declarative.plan.content import apply_content_policy
from opentelemetry.instrumentation.declarative.plan.validation import plan_of, read_spec
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import attribute_value

from .hostile import world

#: Separates the files of an input. The first is read and can extend the others.
BETWEEN = b"\n====\n"
FILES = ("first.yaml", "second.yaml", "third.yaml")

_BREAK = re.compile("\r\n|\r|\n")
_WORLD = world()


def spec(data: bytes) -> None:
    """A file that is read as a spec."""
    _read({FILES[0]: data})


def layers(data: bytes) -> None:
    """Several files that can extend each other."""
    _read(dict(zip(FILES, data.split(BETWEEN, len(FILES) - 1), strict=False)))


def expression(data: bytes) -> None:
    """An expression that is parsed and evaluated on hostile objects, in both forms."""
    text = data.decode("utf-8", "surrogateescape")
    with _refused(text):
        found = parse(text, mark(text))
        _read_both(found)
        for policy in ("truncate:5", "sha256"):
            content = parse_content_policy(policy)
            assert content is not None
            wrapped = apply_content_policy(content, found)
            assert wrapped is not None
            _read_both(wrapped)


def template(data: bytes) -> None:
    """A name with expressions in braces."""
    text = data.decode("utf-8", "surrogateescape")
    with _refused(text):
        found: Template = parse_template(text, mark(text))
        for part in found.parts:
            if isinstance(part, Expression):
                _read_both(part)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (spec, layers, expression, template)
}


def _read(files: Mapping[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        try:
            found = read_spec(Path(folder) / FILES[0])
        except SpecError as error:
            _check(error)
        else:
            for problem in static_warnings(found):
                assert problem.severity == "warning"
                _check_inside(problem)
            if found.extends_shipped is None:
                plan_of(found.merged_onto(None, no_release))


def _memory() -> str | None:
    """A folder in memory, if there is one."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


def _check(error: SpecError) -> None:
    assert 0 < len(error.problems) <= MAX_PROBLEMS + 1
    assert len(str(error)) < 1_000_000
    for problem in error.problems:
        _check_inside(problem)


def _check_inside(problem: Problem) -> None:
    mark = problem.mark
    lines = _BREAK.split(Path(mark.file).read_bytes().decode("utf-8-sig", "replace"))
    assert 1 <= mark.line <= len(lines), problem
    width = len(lines[mark.line - 1])
    assert 1 <= mark.column <= width + 1, problem
    assert mark.column + mark.length <= max(width, mark.column) + 1, problem


@contextlib.contextmanager
def _refused(text: str) -> Iterator[None]:
    """Check that the problems of a refused text are inside the text."""
    try:
        yield
    except ExpressionError as error:
        _check_refusal(error, text)


def _check_refusal(error: ExpressionError, text: str) -> None:
    assert error.problems
    for problem in error.problems:
        assert problem.mark.line == 1
        assert 1 <= problem.mark.column <= max(len(text), 1) + 1, problem
        assert problem.render(text)


def mark(text: str) -> Mark:
    return Mark("f.yaml", 1, 1, max(len(text), 1))


SOURCE_NAMES = PlainNames()
NAMESPACE: Mapping[str, Any] = {
    "__builtins__": {},
    **SOURCE_NAMES.namespace({name: function.call for name, function in FUNCTIONS.items()}),
}


def _read_both(found: Expression) -> None:
    """Both forms have the same value, and neither needs a builtin of Python."""
    available = {name: _WORLD.get(name) for name in found.names}
    try:
        direct = eval(found.direct(SOURCE_NAMES), {**NAMESPACE, **available})
    except NameError:
        raise
    except Exception:
        with contextlib.suppress(Exception):
            eval(found.null_safe(SOURCE_NAMES), {**NAMESPACE, **available})
        return
    null_safe = eval(found.null_safe(SOURCE_NAMES), {**NAMESPACE, **available})
    assert _same(attribute_value(direct), attribute_value(null_safe)), found.text
    recorded = attribute_value(direct)
    assert recorded is None or len(str(recorded)) < 100_000_000


def _same(one: Any, other: Any) -> bool:
    return one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other))
