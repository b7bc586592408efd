"""A generated wrapper of one callable, and the code that puts it into a function."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.records import record
from opentelemetry.instrumentation.declarative.runtime.guard import Rule
from opentelemetry.instrumentation.declarative.wrappers.compilation import CodeLabels, CodeTemplate
from opentelemetry.instrumentation.declarative.wrappers.expression_scope import HookedCallable


@record(frozen=True)
class Wrapper:
    """The generated code around one callable.

    ``template`` is None if nothing of the plan could be generated. ``foreign``: the callable is not a Python function;
    a wrapt proxy calls the code with (wrapped, instance, args, kwargs). ``left_out``: names that this callable lacks,
    used by a hook on several callables; they are not problems. ``objects`` are those the code uses, by name.
    """

    target: Target
    foreign: bool
    name: str
    #: The first line, with ``{}`` for the name, and the other lines.
    definition: str = ""
    body: str = ""
    template: CodeTemplate | None = None
    objects: Mapping[str, Any] = field(default_factory=dict)
    #: The name of the original among the objects.
    original: str = ""
    problems: tuple[Problem, ...] = ()
    left_out: tuple[Problem, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def source(self) -> str:
        """The generated source, for people."""
        return f"{self.definition.format(self.name)}\n{self.body}" if self.template else ""

    def code_for(self, function: types.FunctionType, original: types.FunctionType) -> types.CodeType:
        """Return the code to put into a function. It calls ``original``, which has the code that was there before."""
        assert self.template is not None
        objects = {**self.objects, self.original: original}
        return self.template.bind(objects, CodeLabels.of(function.__code__), function.__code__)

    def code_around(self, code: types.CodeType) -> types.CodeType:
        """Return the code to put into each function that has a code object: it makes a function from it, and calls it.

        For wrappers that are made ``for_code``.
        """
        assert self.template is not None
        return self.template.bind(self.objects, CodeLabels.of(code, self.target.path), code)

    def for_callable(self, target: Target, name: str, hooked: HookedCallable) -> Wrapper:
        """Return the same wrapper for another callable with the same signature and hooks."""
        objects = {key: hooked if type(value) is HookedCallable else value for key, value in self.objects.items()}
        return replace(self, target=target, name=name, objects=objects)

    def switch_off(self) -> None:
        """Make the code only call the original, where it cannot be taken out of a function any more."""
        for rule in self.rules:
            rule.on = False
