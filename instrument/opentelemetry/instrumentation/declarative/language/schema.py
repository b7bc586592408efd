"""The JSON Schema of the language, and its errors as problems; the only place that knows jsonschema."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import MOST_PROBLEMS, Mark, Problem, closest, shown
from opentelemetry.instrumentation.declarative.language.document import Document, Path
from opentelemetry.instrumentation.declarative.language.resources import directory

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_MOMENTS = ("enter", "return", "raise", "exit")
_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_QUOTE = 'text that begins with "{" or "[" needs quotes'


def schema_path() -> FilePath:
    """The file of the language's JSON Schema, in a wheel or in a checkout."""
    return directory("schemas") / "spec-1.schema.json"


def check(document: Document) -> list[Problem]:
    """Each way in which a document departs from the schema, in the order of the file, and no more than are told.

    Only the structure is checked: what an expression says, and whether a name leads anywhere, is checked elsewhere.
    """
    found: dict[tuple[Mark, str, str], Problem] = {}
    told: set[Path] = set()
    errors = _validator().iter_errors(document.data)
    for problem in (problem for error in errors for problem in _Reading(document, error, told).problems()):
        found.setdefault((problem.mark, problem.code, problem.message), problem)
        if len(found) > MOST_PROBLEMS:  # the rest is not even looked for
            break
    return sorted(found.values(), key=lambda problem: (problem.mark.line, problem.mark.column))


@cache
def _validator() -> "Validator":
    from jsonschema import Draft202012Validator, exceptions, validators

    extend: Any = validators.extend

    def pattern(validator: Any, text: str, instance: Any, schema: Any) -> Iterator["ValidationError"]:
        # In Python, unlike in JSON Schema, $ also matches before a line break at the end.
        if isinstance(instance, str) and (instance.endswith("\n") or not re.search(text, instance)):
            yield exceptions.ValidationError(f"{instance!r} does not match {text!r}")

    def unique(validator: Any, wanted: bool, instance: Any, schema: Any) -> Iterator["ValidationError"]:
        # The library's own compares each with every other where they cannot be sorted.
        items = instance if wanted and isinstance(instance, list) else []
        if len({json.dumps(item, sort_keys=True) for item in items}) < len(items):
            yield exceptions.ValidationError("something stands there twice")

    def integer(checker: Any, instance: Any) -> bool:
        return isinstance(instance, int) and not isinstance(instance, bool)  # 1.0 is not what was meant by 1

    schema = json.loads(schema_path().read_text(encoding="utf-8"))
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", integer)
    made: Validator = extend(Draft202012Validator, {"pattern": pattern, "uniqueItems": unique}, type_checker=types)(
        schema
    )
    return made


class _Reading:
    """One error of the validator, read for the person who edits the file."""

    def __init__(self, document: Document, error: "ValidationError", told: set[Path]) -> None:
        """`told` has the values of a wrong type and the keys that have been told as misspelt or misplaced: what else
        is wrong because of them (something missing, something within) is not told again. The schema lists its rules so
        that causes come before consequences.
        """
        self.document, self.error, self.told = document, error, told
        self.path: Path = tuple(error.absolute_path)
        self.instance: Any = error.instance
        self.wanted: Any = error.validator_value
        self.schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
        self.title = str(self.schema.get("title", "a value"))
        self.subject = _subject(self.path)

    def problems(self) -> Iterator[Problem]:
        """What there is to tell: nothing, one problem, or one for each key."""
        if any(self.path[:length] in self.told for length in range(1, len(self.path) + 1)):
            return
        match self.error.validator:
            case "additionalProperties":
                yield from self._unknown_keys()
            case "required":
                for key in self.wanted:
                    if key not in self.instance:
                        yield from self._missing(f"{self.title} needs {shown(key)}", [key])
            case "dependentRequired":
                for key, others in self.wanted.items():
                    for other in others:
                        if key in self.instance and other not in self.instance:
                            message = f"{self.title} with {shown(key)} needs {shown(other)}"
                            yield from self._missing(message, [other], key)
            case "anyOf" if all("required" in branch for branch in self.wanted):
                if isinstance(self.instance, dict):
                    keys = [branch["required"][0] for branch in self.wanted]
                    yield from self._missing(f"{self.title} needs {_listed(keys)}", keys)
            case "anyOf" if all("properties" in branch for branch in self.wanted):
                yield from self._conflicts()
            case "anyOf":
                yield from self._branches()
            case "type":
                yield self._wrong_type(_types(self.schema), self.schema)
            case _ if "propertyNames" in self.error.absolute_schema_path:
                message = f"{shown(str(self.instance))} is not {self.title}"
                yield self._problem((*self.path, self.instance), "wrong-value", message, self._meant(), key=True)
            case _:
                yield self._problem(self.path, "wrong-value", self._wrong_value(), self._meant())

    def _unknown_keys(self) -> Iterator[Problem]:
        known = self.schema.get("properties", {})
        for key in self.instance:
            if key not in known:
                meant = closest(key, known)
                if meant and meant not in self.instance:
                    self.told.add((*self.path, meant))
                help = f"did you mean {shown(meant)}?" if meant else f"its keys are {', '.join(known)}"
                message = f"{shown(key)} is not a key of {self.title}"
                yield self._problem((*self.path, key), "unknown-key", message, help, key=True)

    def _missing(self, message: str, keys: list[str], beside: str | None = None) -> Iterator[Problem]:
        if any((*self.path, key) in self.told for key in (*keys, *([beside] if beside else ()))):
            return
        examples = self.schema.get("properties", {}).get(keys[0], {}).get("examples")
        help = f"for example {keys[0]}: {_flow(examples[0])}" if examples else _mend(self.schema.get("description", ""))
        yield self._problem((*self.path, beside) if beside else self.path, "missing-key", message, help, key=True)

    def _conflicts(self) -> Iterator[Problem]:
        """Keys that exclude one another: against the kind that most of them, and the first of them, belong to."""
        present = [key for key, value in self.instance.items() if value is not None]
        kinds = [([key for key in present if key in branch["properties"]], branch) for branch in self.wanted]
        strays, kind = min(kinds, key=lambda each: (len(each[0]), [-present.index(key) for key in each[0]]))
        for key in strays:
            self.told.add((*self.path, key))
            message = f"{shown(key)} cannot stand in {kind['title']}"
            yield self._problem((*self.path, key), "conflict", message, _mend(kind["description"]), key=True)

    def _branches(self) -> Iterator[Problem]:
        """The errors of the branch that fits by type; where none does, what the types could be."""
        branches: dict[Any, list[ValidationError]] = {}
        for error in self.error.context or ():
            branches.setdefault(error.relative_schema_path[0], []).append(error)
        misfits = [[e for e in errors if e.validator == "type" and not e.relative_path] for errors in branches.values()]
        fitting = [errors for errors, wrong in zip(branches.values(), misfits, strict=True) if not wrong]
        schemas = [dict(wrong[0].schema) for wrong in misfits if wrong and isinstance(wrong[0].schema, dict)]
        text = next((schema for schema in schemas if "string" in _list(schema["type"])), None)
        if fitting and not (text and self._is_braces(min(fitting, key=len))):
            for error in min(fitting, key=len):
                yield from _Reading(self.document, error, self.told).problems()
        else:
            wanted = list(dict.fromkeys(word for schema in schemas for word in _types(schema)))
            yield self._wrong_type(wanted, text or schemas[0])

    def _is_braces(self, errors: "list[ValidationError]") -> bool:
        """Whether a mapping is but text in braces, like {kind}, that lacks its quotes."""
        entries = self.instance if isinstance(self.instance, dict) else {}
        known = {key for e in errors if isinstance(e.schema, dict) for key in e.schema.get("properties", ())}
        return bool(entries and known) and not known & {*entries} and not any(entries.values())

    def _wrong_type(self, wanted: list[str], schema: dict[str, Any]) -> Problem:
        got, subject = self.instance, self.subject
        self.told.add(self.path)
        if got is None:
            removes = schema.get("description") if schema.get("title") == "a value" else None
            return self._problem(self.path, "missing-value", f"{subject} has no value", _mend(removes or "write one"))
        text = "string" in _list(schema.get("type"))
        help = f"for example {_flow(schema['examples'][0])}" if schema.get("examples") else None
        if isinstance(got, dict | list) and text:
            mark, key = self.document.marks[self.path], self.document.keys.get(self.path)
            help = _QUOTE if key and key.line == mark.line else help  # brackets: a block begins on a line of its own
        elif isinstance(got, bool) and text:
            help = f'write "{got}" in quotes if an expression is meant, "{str(got).lower()}" if a word is'
        elif isinstance(got, int | float) and text:
            help = f'write it in quotes: "{got}"'
        elif isinstance(got, str) and re.fullmatch(r"-?[0-9]+", got) and "a whole number" in wanted:
            help = f"write {got} without quotes"
        return self._problem(self.path, "wrong-type", f"{subject} must be {_listed(wanted, '')}, not {_got(got)}", help)

    def _wrong_value(self) -> str:
        got, wanted = self.instance, self.wanted
        match self.error.validator:
            case "enum":
                return f"{self.subject} must be {_listed([w for w in wanted if w is not None])}, not {_got(got)}"
            case "const":
                return f"{self.subject} must be {wanted}, not {_got(got)}"
            case "minimum":
                return f"{self.subject} must be at least {wanted}, not {got}"
            case "exclusiveMinimum" | "maximum" as bound:
                word = "at most" if bound == "maximum" else "more than"
                return f"{self.subject} must be {word} {wanted}, not {got}"
            case "maxLength":
                return f"{self.subject} has more than {wanted} characters"
            case "minLength" | "minItems":
                return f"{self.subject} is empty"
            case "uniqueItems":
                return f"{self.subject} names something twice"
            case "pattern":
                return f"{shown(str(got))} is not {self.title}"
        return f"{self.subject} is wrong: {self.error.message}"

    def _meant(self) -> str:
        """The mend of a wrong value: what was probably meant, else an example, else what may stand there."""
        got, guess = str(self.instance), None
        if self.error.validator == "enum":
            guess = closest(got, [w for w in self.wanted if w is not None])
        elif self.error.validator == "pattern" and self.title == "a moment":
            hook, _, moment = got.rpartition(".")
            near = closest(moment, _MOMENTS)
            guess = f"{hook}.{near}" if hook and near else None
        elif self.error.validator == "pattern" and "target" in self.title and ":" not in got:
            parts = got.split(".")
            first = next((i for i, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
            guess = ".".join(parts[:first]) + ":" + ".".join(parts[first:])
        elif self.error.validator == "pattern" and self.title == "a module" and ":" in got:
            guess = got.partition(":")[0]
        elif self.error.validator == "pattern" and self.path[-1:] == ("during",) and "." in got:
            hook, _, moment = got.rpartition(".")
            guess = hook if moment in _MOMENTS else None
            if guess is None:
                return "give the callable a name under hooks and write that name"
        elif self.error.validator == "pattern" and ":" not in got:
            guess = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", got).lower()).strip("_")
        if guess and guess != got and (self.error.validator == "enum" or re.search(self.wanted, guess)):
            return f"did you mean {shown(guess)}?"
        if self.error.validator == "const":
            return f"write {self.wanted}"
        if self.schema.get("examples") and self.error.validator != "enum":
            return f"for example {_flow(self.schema['examples'][0])}"
        return _mend(str(self.schema.get("description", ""))) or "see the schema"

    def _problem(self, path: Path, code: str, message: str, help: str | None, *, key: bool = False) -> Problem:
        marks, keys = self.document.marks, self.document.keys
        mark = marks[path]
        # A person looks at the key where the value is a block under it.
        if path in keys and (key or (mark.line != keys[path].line and isinstance(self.instance, dict | list))):
            mark = keys[path]
        return Problem(mark, code, message, help or None)


def _subject(path: Path) -> str:
    if not path:
        return "the file"
    if isinstance(path[-1], int):
        owner = next((step for step in reversed(path) if isinstance(step, str)), "the list")
        return f"item {path[-1] + 1} of {shown(owner)}"
    return shown(path[-1])


def _types(schema: dict[str, Any]) -> list[str]:
    """The types of a node in words; what is text of a kind goes by the name of the kind."""
    title = str(schema.get("title", ""))
    text = title if title.startswith(("a ", "an ")) and "name or path" not in title else "text"
    return [text if word == "string" else _WORDS[word] for word in _list(schema.get("type")) if word != "null"]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _listed(words: Iterable[str], quote: str = '"') -> str:
    quoted = [f"{quote}{word}{quote}" for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _got(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"the number {value}"


def _flow(value: Any) -> str:
    """A value as YAML writes it on one line, as near as an example needs it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and not re.search(r"[\"'{}\[\]#]|: |^[>|&*!%@`-]", value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _mend(description: str) -> str:
    """A description from the schema as the help of a problem."""
    return (description[:1].lower() + description[1:]).removesuffix(".")
