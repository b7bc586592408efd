"""The types of single values: text, words, flags, numbers and constants."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import closest, did_you_mean, quoted
from opentelemetry.instrumentation.declarative.language.decoder import Decoder
from opentelemetry.instrumentation.declarative.language.document_node import DocumentNode
from opentelemetry.instrumentation.declarative.language.structure_problems import (
    alternatives,
    as_help,
    flow_style,
    subject_of,
    value_phrase,
    with_article,
)
from opentelemetry.instrumentation.declarative.language.value_types import (
    About,
    JsonSchema,
    ValueType,
    help_for,
    item_schema,
)
from opentelemetry.instrumentation.declarative.language.values import Constant, MarkedFlag
from opentelemetry.instrumentation.declarative.records import record


@record(frozen=True)
class TextType(ValueType):
    """Text, which has to match ``pattern`` if there is one.

    ``decoded``: what it is decoded to. ``suggest`` returns the text that was probably intended, which is only suggested
    if it matches the pattern; without one, ``otherwise`` returns help for a text that does not match. ``is_named``:
    whether messages use the title rather than "text". ``editor``: additional keywords for editors. ``structured``: help
    for a mapping or a list.
    """

    about: About | None = None
    definition: str | None = None
    pattern: str | None = None
    min_length: int = 0
    max_length: int | None = None
    decoded: Callable[[DocumentNode], Any] = DocumentNode.text
    suggest: Callable[[str], str | None] | None = None
    otherwise: Callable[[str], str | None] | None = None
    structured: str | None = None
    is_named: bool = True
    removable: bool = True
    editor: tuple[tuple[str, Any], ...] = ()

    @cached_property
    def _expression(self) -> re.Pattern[str] | None:
        # A dollar sign would also match before a line break at the end.
        return None if self.pattern is None else re.compile(self.pattern.removesuffix("$") + r"\Z")

    @property
    def is_removable(self) -> bool:
        return self.removable

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("string",)

    def accepts(self, value: object) -> bool:
        return isinstance(value, str)

    def matches(self, text: str) -> bool:
        return self._expression is None or bool(self._expression.search(text))

    def type_names(self, about: About) -> list[str]:
        return [with_article((self.about or about).title) if self.is_named else "text"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> Any:
        text = node.value
        if not self.matches(text):
            self.report_mismatch(text, node, decoder, about)
        elif len(text) < self.min_length:
            decoder.report(node, "wrong-value", f"{subject_of(node.path)} is empty", help_for(about))
        elif self.max_length is not None and len(text) > self.max_length:
            message = f"{subject_of(node.path)} has more than {self.max_length} characters"
            decoder.report(node, "wrong-value", message, help_for(about))
        else:
            return self.decoded(node)
        return None

    def number_help(self, value: object) -> str | None:
        suggestion = self.suggest(str(value)) if self.suggest and not isinstance(value, bool | dict | list) else None
        if suggestion is None or not self.matches(suggestion) or self.matches(str(value)):
            return None
        return f'write it in quotes: "{suggestion}"'

    def report_mismatch(
        self, text: str, node: DocumentNode, decoder: Decoder, about: About, *, at_key: bool = False
    ) -> None:
        """Report text that does not match the pattern: a value, or with ``at_key`` the key that it is under."""
        suggestion = self.suggest(text) if self.suggest else None
        if suggestion is not None and (suggestion == text or not self.matches(suggestion)):
            suggestion = None
        help = f"did you mean {quoted(suggestion)}?" if suggestion else None
        if help is None and self.otherwise is not None:
            help = self.otherwise(text)
        message = f"{quoted(text)} is not {with_article((self.about or about).title)}"
        help = help or help_for(about)
        intended = None if at_key else suggestion
        decoder.report(node, "wrong-value", message, help, at_key=at_key, suggestion=suggestion, intended=intended)

    def schema(self) -> JsonSchema:
        bounds = {
            "pattern": self.pattern,
            "minLength": self.min_length or None,
            "maxLength": self.max_length,
        }
        given = {keyword: value for keyword, value in bounds.items() if value is not None}
        return {**dict(self.editor), "type": "string", **given}


#: Words of other tools for severities, instruments and sources.
OTHER_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("critical", "emergency", "alert", "panic"), "fatal"),
    "notice": "info",
    "verbose": "debug",
    **dict.fromkeys(("timer", "summary", "distribution", "timing", "duration"), "histogram"),
    **dict.fromkeys(("count", "sum", "monotonic", "observable_counter", "rate"), "counter"),
    **dict.fromkeys(("observable_gauge", "last_value", "async_gauge"), "gauge"),
    **dict.fromkeys(("updown", "non_monotonic", "observable_up_down_counter"), "up_down_counter"),
    **dict.fromkeys(("root", "null", "no", "new"), "none"),
    **dict.fromkeys(("active", "this", "self"), "current"),
}
#: The most words of a choice that are listed.
_MOST_WORDS = 8
_MOST_EXAMPLES = 3
#: Shorter words begin others by chance.
_SHORTEST_WORD = 4


@record(frozen=True)
class Choice(ValueType):
    """One of several words."""

    words: tuple[str, ...]
    about: About | None = None

    @property
    def is_choice(self) -> bool:
        return True

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("string",)

    def accepts(self, value: object) -> bool:
        return isinstance(value, str)

    def type_names(self, about: About) -> list[str]:
        return [quoted(word) for word in self.words] if len(self.words) < _MOST_WORDS else ["text"]

    def instead_of(self, text: str) -> object:
        """What to write instead of text that is similar to none of the words; None if that is not known."""
        return None

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> str:
        if node.value not in self.words:
            word = node.value.lower()
            beginnings = (each for each in self.words if len(each) >= _SHORTEST_WORD and word.startswith(each))
            other = OTHER_WORDS.get(word)
            similar = closest(node.value, self.words)
            suggestion = other if other in self.words else similar or next(beginnings, None)
            words = alternatives(self.words)
            if len(self.words) > _MOST_WORDS:
                words = f"a word such as {alternatives(self.words[:_MOST_EXAMPLES])}"
            message = f"{subject_of(node.path)} must be {words}, not {value_phrase(node.value)}"
            instead = None if suggestion else self.instead_of(node.value)
            help = f"write {flow_style(instead)}" if instead else did_you_mean(suggestion) or as_help(about.doc)
            intended = suggestion or instead
            decoder.report(node, "wrong-value", message, help, suggestion=suggestion, intended=intended)
        return str(node.value)

    def schema(self) -> JsonSchema:
        return {"type": "string", "enum": list(self.words)}


@record(frozen=True)
class Flag(ValueType):
    """True or false. ``marked``: decoded with its mark, to report a problem that it is part of."""

    about: About | None = None
    marked: bool = False

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("boolean",)

    def accepts(self, value: object) -> bool:
        return isinstance(value, bool)

    def type_names(self, about: About) -> list[str]:
        return ["true or false"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> bool | MarkedFlag:
        return MarkedFlag(node.value, node.mark) if self.marked else node.value

    def schema(self) -> JsonSchema:
        return {"type": "boolean"}


@record(frozen=True)
class Number(ValueType):
    """A number. ``above`` is an exclusive bound."""

    about: About | None = None
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    is_integer: bool = False

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("integer" if self.is_integer else "number",)

    def accepts(self, value: object) -> bool:
        wanted = int if self.is_integer else (int, float)
        return isinstance(value, wanted) and not isinstance(value, bool)

    def type_names(self, about: About) -> list[str]:
        return ["an integer" if self.is_integer else "a number"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> float:
        bounds: list[tuple[float | None, str, Callable[[float, float], bool]]] = [
            (self.minimum, "at least", operator.ge),
            (self.above, "more than", operator.gt),
            (self.maximum, "at most", operator.le),
        ]
        for bound, words, holds in bounds:
            if bound is not None and not holds(node.value, bound):
                message = f"{subject_of(node.path)} must be {words} {bound}, not {node.value}"
                decoder.report(node, "wrong-value", message, help_for(about))
                break
        return node.value  # type: ignore[no-any-return]

    def schema(self) -> JsonSchema:
        bounds = {"minimum": self.minimum, "exclusiveMinimum": self.above, "maximum": self.maximum}
        given = {keyword: value for keyword, value in bounds.items() if value is not None}
        return {"type": "integer" if self.is_integer else "number", **given}


@record(frozen=True)
class Version(ValueType):
    """The version of the language."""

    number: int
    about: About | None = None
    is_removable = False

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("integer",)

    def accepts(self, value: object) -> bool:
        return isinstance(value, int | str) and not isinstance(value, bool)

    def type_names(self, about: About) -> list[str]:
        return ["an integer"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> int:
        if node.value != self.number:
            message = f"{subject_of(node.path)} must be {self.number}, not {value_phrase(node.value)}"
            decoder.report(node, "wrong-value", message, self.help_for(node.value))
        return self.number

    def help_for(self, value: object) -> str:
        if value == self.number - 1:
            return (
                f"version {self.number} has other keys: each key that has changed is reported; then write {self.number}"
            )
        return f"write {self.number}"

    def schema(self) -> JsonSchema:
        return {"type": "integer", "const": self.number}


@record(frozen=True)
class ConstantValue(ValueType):
    """A value that is not an expression: text, a number, true or false, or a list of texts."""

    item: TextType
    about: About | None = None

    @property
    def json_types(self) -> tuple[str, ...]:
        return ("string", "number", "boolean", "array")

    def accepts(self, value: object) -> bool:
        return isinstance(value, str | bool | int | float | list)

    def type_names(self, about: About) -> list[str]:
        return ["text", "a number", "true or false", "a list"]

    def decode(self, node: DocumentNode, decoder: Decoder, about: About) -> Constant:
        if isinstance(node.value, list):
            for item in node.items():
                self.item.read(item, decoder)
        return node.value  # type: ignore[no-any-return]

    def schema(self) -> JsonSchema:
        return {"type": list(self.json_types), "items": item_schema(self.item)}
