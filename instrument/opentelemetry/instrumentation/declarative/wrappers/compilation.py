"""Compiles generated source to code objects that hold what they use in their constants.

The code of a wrapper is put into a function of the program, which has globals and a closure of its own. The objects
that generated code uses are therefore constants of the code: it needs no globals and no closure, and reading a constant
is the fastest way to read an object.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import types
from collections.abc import Mapping
from typing import Any, NamedTuple

from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.context.own_reading import READING
from opentelemetry.instrumentation.declarative.wrappers.code_locations import on_first_line

#: The name under which every wrapper is compiled; its code gets the name of the function it is for.
_COMPILED_NAME = "wrapper"
#: A generator that `types.coroutine` has made awaitable stays awaitable; and where the documentation is.
_COPIED_FLAGS = inspect.CO_ITERABLE_COROUTINE | getattr(inspect, "CO_HAS_DOCSTRING", 0)
#: Starts the names of our variables, except for those that are looked for in frames, by pytest and by ourselves.
_PREFIX, _KNOWN_BY_NAME = "_instrument_", frozenset({"__tracebackhide__", READING})
#: Starts the texts that stand for objects in compiled code. No source contains it.
_PLACEHOLDER = "\0"


class CodeLabels(NamedTuple):
    """How code describes itself in tracebacks, debuggers and ``inspect``: as that of the function it is put into."""

    filename: str
    first_line: int
    name: str
    qualified_name: str

    @classmethod
    def of(cls, code: types.CodeType, qualified_name: str | None = None) -> CodeLabels:
        """The labels of a code object. Its file and first line are those of its definition."""
        qualified_name = getattr(code, "co_qualname", qualified_name)  # not before Python 3.11
        return cls(code.co_filename, code.co_firstlineno, code.co_name, qualified_name or code.co_name)


@record(frozen=True)
class CodeTemplate:
    """The code of a wrapper with placeholders for the objects it uses, each of which has a name."""

    _code: types.CodeType
    #: The name of the function in the code that is made from the code ``like``. None if there is none.
    _inner: str | None = None

    def bind(self, objects: Mapping[str, Any], labels: CodeLabels, like: types.CodeType) -> types.CodeType:
        """Return the code with objects in place of the placeholders, for a function that has the code ``like``."""
        if len(self._code.co_freevars) != len(like.co_freevars):  # Python would read memory that is not theirs
            raise ValueError(
                f"a wrapper with {len(self._code.co_freevars)} free variables, not {len(like.co_freevars)}"
            )
        values = {f"{_PLACEHOLDER}{name}": _as_constant(value) for name, value in objects.items()}
        values[_PLACEHOLDER] = _documentation(like)
        code = _with_constants(self._code, values, labels)
        if self._inner is not None:
            code = _with_inner_function(code, self._inner, like, labels.qualified_name)
        if sys.version_info >= (3, 11):
            code = code.replace(co_qualname=labels.qualified_name)
        return code.replace(
            co_name=labels.name,
            # The names of variables do not matter to generated code, only their number does.
            co_varnames=_variables_of(code),
            co_freevars=like.co_freevars,
            co_flags=code.co_flags & ~_COPIED_FLAGS | like.co_flags & _COPIED_FLAGS,
        )


def compile_template(
    definition: str, body: str, objects: Mapping[str, Any], free_variables: int, inner: str | None = None
) -> CodeTemplate:
    """Compile a wrapper.

    ``definition`` is its first line with ``{}`` for the name, ``body`` the other lines. The code uses ``objects`` by
    their names, and has as many free variables as the function it is put into, which Python demands. ``inner`` is the
    name of a function that the body defines, which gets the same free variables, and other code later.
    """
    boxed = frozenset(name for name, value in objects.items() if not _is_hashable(value))
    return _compile(f"{definition.format(_COMPILED_NAME)}\n{body}", frozenset(objects), boxed, free_variables, inner)


@functools.lru_cache(maxsize=256)
def _compile(
    source: str, names: frozenset[str], boxed: frozenset[str], free_variables: int, inner: str | None
) -> CodeTemplate:
    # Not as a tree of nodes: these are many objects, and the garbage collector would run again and again.
    definition, *body = _with_placeholders(source, names, boxed).split("\n")
    free = [f"_free_{number:04}" for number in range(free_variables)]
    if free:  # named where it costs nothing: the compiler removes the line, but keeps the free variables
        unused = f"if False: ({', '.join(free)},)"
        body = [line.replace("): ...", f"):\n         {unused}") if _defines(line, inner) else line for line in body]
        body.insert(0, f"    {unused}")
    if inner is not None:  # the code is that of the functions from the start, which have their documentation from it
        body.insert(0, f"    {_literal('')}")
    lines = [definition, *body]
    if free:
        lines = [f"def outer({', '.join(free)}):", *(f" {line}" for line in lines)]
    code = _find_code(compile("\n".join(lines), "<instrument>", "exec"))
    return CodeTemplate(on_first_line(code), inner)


#: The names in source, and what can contain text that looks like one: texts and comments. A name is not the key of an
#: attribute or an argument; objects are never assigned to.
_TOKENS = re.compile(
    r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\#[^\n]*|(?<![\w.])(?P<name>[^\W\d]\w*)(?![\w'"]|\s*=(?!=))"""
)


def _with_placeholders(source: str, names: frozenset[str], boxed: frozenset[str]) -> str:
    """The source with texts in place of the names of objects."""

    def replaced(token: re.Match[str]) -> str:
        name = token["name"]
        if name not in names:
            return token[0]
        # The compiler removes the condition. Without it, it would warn that a text is called, and fold operations on
        # two texts, before the texts are replaced with objects.
        return f"({_literal(name)}{'.value' if name in boxed else ''} if True else None)"

    return _TOKENS.sub(replaced, source)


def _literal(name: str) -> str:
    return repr(f"{_PLACEHOLDER}{name}")


def _defines(line: str, inner: str | None) -> bool:
    return inner is not None and line.startswith(f"    def {inner}(")


def _find_code(code: types.CodeType) -> types.CodeType:
    if code.co_name == _COMPILED_NAME:
        return code
    return _find_code(next(constant for constant in code.co_consts if isinstance(constant, types.CodeType)))


def _with_constants(code: types.CodeType, values: Mapping[str, Any], labels: CodeLabels) -> types.CodeType:
    constants = []
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            constant = _with_constants(constant, values, labels)
        elif isinstance(constant, str) and constant.startswith(_PLACEHOLDER):
            constant = values[constant]
        constants.append(constant)
    return code.replace(co_consts=tuple(constants), co_filename=labels.filename, co_firstlineno=labels.first_line)


def _variables_of(code: types.CodeType) -> tuple[str, ...]:
    """The names of the parameters, and of our variables with a prefix.

    Programs that ask whether a function has a parameter look at all names, as in ``"error" in code.co_varnames``.
    """
    parameters = code.co_argcount + code.co_kwonlyargcount
    parameters += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    names = code.co_varnames
    return names[:parameters] + tuple(
        name if name in _KNOWN_BY_NAME else f"{_PREFIX}{name}" for name in names[parameters:]
    )


def _documentation(code: types.CodeType) -> str | None:
    """The documentation of the functions that are made from a code object: its first constant."""
    has_one = code.co_flags & getattr(inspect, "CO_HAS_DOCSTRING", -1)  # not before Python 3.13
    first = code.co_consts[0] if has_one and code.co_consts else None
    return first if isinstance(first, str) else None


def _with_inner_function(code: types.CodeType, name: str, inner: types.CodeType, qualified: str) -> types.CodeType:
    """Return the code with other code for the function of this name that it makes."""
    constants = [
        inner
        if isinstance(constant, types.CodeType) and constant.co_name == name
        else qualified  # a constant of its own until Python 3.10
        if isinstance(constant, str) and constant.endswith(f".<locals>.{name}")
        else constant
        for constant in code.co_consts
    ]
    return code.replace(co_consts=tuple(constants))


class _Box:
    """Holds an object that is not hashable: code is hashed with its constants, by profilers and debuggers."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _as_constant(value: Any) -> Any:
    return value if _is_hashable(value) else _Box(value)


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
