"""Converts the errors of the JSON Schema validator to problems for the person who edits the file."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, closest, did_you_mean, quoted
from opentelemetry.instrumentation.declarative.language.document import Document, KeyPath
from opentelemetry.instrumentation.declarative.language.json_schema import SchemaError

_MOMENTS = ("enter", "item", "return", "raise", "exit")
_TYPE_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
}
#: Forms of text that have a name in messages although they have no pattern, by their titles in the schema.
_TEXT_FORMS = ("expression", "template", "field")
#: The types of a value that may be anything but null.
_NOT_NULL = {"object", "array", "string", "number", "boolean"}
_QUOTE = 'text that starts with "{" or "[" needs quotes'


class SchemaErrorReader:
    """Converts an error of the validator to problems for the person who edits the file."""

    def __init__(self, document: Document, error: SchemaError, reported: set[KeyPath]) -> None:
        """``reported``: the values of a wrong type, and the keys that are misspelt or misplaced.

        Errors that are consequences of these, in the value or because a key is missing, are not reported as well. The
        keywords of the schema are in such an order that causes come before consequences.
        """
        self.document, self.error, self.reported = document, error, reported
        self.path: KeyPath = tuple(error.absolute_path)
        self.instance: Any = error.instance
        self.wanted: Any = error.validator_value
        self.schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
        self.title = str(self.schema.get("title", "value"))
        self.named = _with_article(self.title)
        self.subject = _subject(self.path)

    def problems(self) -> Iterator[Problem]:
        """No problem if the error is a consequence of another, one, or one for each key."""
        if any(self.path[:length] in self.reported for length in range(1, len(self.path) + 1)):
            return
        match self.error.validator:
            case "additionalProperties":
                yield from self._unknown_keys()
            case "required":
                for key in self.wanted:
                    if key not in self.instance:
                        yield from self._missing(f"{self.named} needs {quoted(key)}", [key])
            case "dependentRequired":
                for key, others in self.wanted.items():
                    for other in others:
                        if key in self.instance and other not in self.instance:
                            message = f"{self.named} with {quoted(key)} needs {quoted(other)}"
                            yield from self._missing(message, [other], key)
            case "anyOf" if all("required" in branch for branch in self.wanted):
                if isinstance(self.instance, dict):
                    keys = [branch["required"][0] for branch in self.wanted]
                    yield from self._missing(f"{self.named} needs {_listed(keys)}", keys)
            case "anyOf" if all("properties" in branch for branch in self.wanted):
                yield from self._conflicts()
            case "anyOf":
                yield from self._branches()
            case "type":
                yield self._wrong_type(_types(self.schema), self.schema)
            case _ if "propertyNames" in self.error.absolute_schema_path:
                message = f"{quoted(str(self.instance))} is not {self.named}"
                help, suggestion = self._help()
                path = (*self.path, self.instance)
                yield self._problem(path, "wrong-value", message, help, key=True, suggestion=suggestion)
            case _:
                help, suggestion = self._help()
                yield self._problem(self.path, "wrong-value", self._wrong_value(), help, suggestion=suggestion)

    def _unknown_keys(self) -> Iterator[Problem]:
        known = self.schema.get("properties", {})
        for key in self.instance:
            if key not in known:
                suggestion = closest(key, known)
                if suggestion and suggestion not in self.instance:
                    self.reported.add((*self.path, suggestion))
                help = did_you_mean(suggestion) or f"its keys are {', '.join(known)}"
                message = f"{quoted(key)} is not a key of {self.named}"
                path = (*self.path, key)
                yield self._problem(path, "unknown-key", message, help, key=True, subject=key, suggestion=suggestion)

    def _missing(self, message: str, keys: list[str], beside: str | None = None) -> Iterator[Problem]:
        if any((*self.path, key) in self.reported for key in (*keys, *([beside] if beside else ()))):
            return
        examples = self.schema.get("properties", {}).get(keys[0], {}).get("examples")
        if examples:
            help = f"for example {keys[0]}: {flow_style(examples[0])}"
        else:
            help = _as_help(self.schema.get("description", ""))
        path = (*self.path, beside) if beside else self.path
        yield self._problem(path, "missing-key", message, help, key=True, subject=keys[0])

    def _conflicts(self) -> Iterator[Problem]:
        """Keys that exclude each other: those that do not belong to the kind that most of the keys belong to.

        Each branch of the schema is a kind, with the keys that it does not have. In a tie the first key decides.
        """
        present = [key for key, value in self.instance.items() if value is not None]
        kinds = [([key for key in present if key in branch["properties"]], branch) for branch in self.wanted]
        excluded, kind = min(kinds, key=lambda each: (len(each[0]), [-present.index(key) for key in each[0]]))
        for key in excluded:
            self.reported.add((*self.path, key))
            message = f"{quoted(key)} is not allowed in {_with_article(kind['title'])}"
            help = _as_help(kind["description"])
            yield self._problem((*self.path, key), "conflict", message, help, key=True, subject=key)

    def _branches(self) -> Iterator[Problem]:
        """The errors of the branch that matches by type; if none does, a problem that names all types."""
        branches: dict[Any, list[SchemaError]] = {}
        for error in self.error.context or ():
            branches.setdefault(error.relative_schema_path[0], []).append(error)
        mismatches = [
            [each for each in errors if each.validator == "type" and not each.relative_path]
            for errors in branches.values()
        ]
        matching = [errors for errors, mismatch in zip(branches.values(), mismatches, strict=True) if not mismatch]
        schemas = [dict(one[0].schema) for one in mismatches if one and isinstance(one[0].schema, dict)]
        text = next((schema for schema in schemas if "string" in _list(schema["type"])), None)
        if matching and not (text and self._is_unquoted_template(min(matching, key=len))):
            for error in min(matching, key=len):
                yield from SchemaErrorReader(self.document, error, self.reported).problems()
        else:
            wanted = list(dict.fromkeys(name for schema in schemas for name in _types(schema)))
            yield self._wrong_type(wanted, text or schemas[0])

    def _is_unquoted_template(self, errors: list[SchemaError]) -> bool:
        """Whether a mapping is only text in braces, like {kind}, without its quotes."""
        entries = self.instance if isinstance(self.instance, dict) else {}
        known = {key for e in errors if isinstance(e.schema, dict) for key in e.schema.get("properties", ())}
        return bool(entries and known) and not known & {*entries} and not any(entries.values())

    def _wrong_type(self, wanted: list[str], schema: dict[str, Any]) -> Problem:
        got, subject = self.instance, self.subject
        self.reported.add(self.path)
        if got is None:
            removes = schema.get("description") if {*_list(schema.get("type"))} == _NOT_NULL else None
            return self._problem(
                self.path, "missing-value", f"{subject} has no value", _as_help(removes or "write one")
            )
        text = "string" in _list(schema.get("type"))
        help = f"for example {flow_style(schema['examples'][0])}" if schema.get("examples") else None
        if isinstance(got, dict | list) and text:
            mark, key = self.document.marks[self.path], self.document.keys.get(self.path)
            help = _QUOTE if key and key.line == mark.line else help  # in brackets: a block starts on its own line
        elif isinstance(got, bool) and text:
            help = f'write "{got}" in quotes for an expression, "{str(got).lower()}" for a word'
        elif isinstance(got, int | float) and text:
            help = f'write it in quotes: "{got}"'
        elif isinstance(got, str) and re.fullmatch(r"-?[0-9]+", got) and "an integer" in wanted:
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
                return f"{self.subject} has an item twice"
            case "pattern":
                return f"{quoted(str(got))} is not {self.named}"
        return f"{self.subject} is not valid"

    def _help(self) -> tuple[str, str | None]:
        """The help for a wrong value and the suggestion in it: the intended value, an example, or a description."""
        got, keyword = str(self.instance), self.error.validator
        suggestion = self._suggestion(got) if keyword in ("enum", "pattern") else None
        if suggestion and suggestion != got and (keyword == "enum" or re.search(self.wanted, suggestion)):
            return f"did you mean {quoted(suggestion)}?", suggestion
        if keyword == "pattern" and self.path[-1:] == ("during",) and "." in got and suggestion is None:
            return "give the callable a name under hooks and use that name", None
        if keyword == "const":
            return f"write {self.wanted}", None
        if self.schema.get("examples") and keyword != "enum":
            return f"for example {flow_style(self.schema['examples'][0])}", None
        return _as_help(str(self.schema.get("description", ""))) or "see the schema", None

    def _suggestion(self, got: str) -> str | None:
        """The value that was probably intended; it need not match the pattern that ``got`` does not match."""
        if self.error.validator == "enum":
            return closest(got, [value for value in self.wanted if value is not None])
        if self.title == "moment":
            hook, _, moment = got.rpartition(".")
            intended = closest(moment, _MOMENTS)
            return f"{hook}.{intended}" if hook and intended else None
        if "target" in self.title and ":" not in got:
            parts = got.split(".")
            first = next((i for i, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
            return ".".join(parts[:first]) + ":" + ".".join(parts[first:])
        if self.title == "module name" and ":" in got:
            return got.partition(":")[0]
        if self.path[-1:] == ("during",) and "." in got:
            hook, _, moment = got.rpartition(".")
            return hook if moment in _MOMENTS else None
        if ":" not in got:
            return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", got).lower()).strip("_")
        return None

    def _problem(
        self,
        path: KeyPath,
        code: str,
        message: str,
        help: str | None,
        *,
        key: bool = False,
        subject: str | None = None,
        suggestion: str | None = None,
    ) -> Problem:
        """The problem at the value of a path, or at its ``key``. A value that is a block is marked by its key too."""
        marks, keys = self.document.marks, self.document.keys
        mark = marks[path]
        if path in keys and (key or (mark.line != keys[path].line and isinstance(self.instance, dict | list))):
            mark = keys[path]
        return Problem(mark, code, message, help or None, subject=subject, suggestion=suggestion)


def _subject(path: KeyPath) -> str:
    """What a message about the value at a path starts with."""
    if not path:
        return "the file"
    if isinstance(path[-1], int):
        owner = next((step for step in reversed(path) if isinstance(step, str)), "the list")
        return f"item {path[-1] + 1} of {quoted(owner)}"
    return quoted(path[-1])


def _types(schema: dict[str, Any]) -> list[str]:
    """The types of a node in words; for text of a certain form, the name of the form."""
    title = str(schema.get("title", ""))
    text = _with_article(title) if "pattern" in schema or title in _TEXT_FORMS else "text"
    return [text if word == "string" else _TYPE_NAMES[word] for word in _list(schema.get("type")) if word != "null"]


def _with_article(title: str) -> str:
    """A title of the schema with the indefinite article."""
    return f"{'an' if re.match('[aeio]|u(?!ni)', title) else 'a'} {title}"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _listed(words: Iterable[str], quote: str = '"') -> str:
    quoted = [f"{quote}{word}{quote}" for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _got(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"the number {value}"


def flow_style(value: Any) -> str:
    """A value in YAML's flow style, good enough for an example."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow_style(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow_style, value)) + "]"
    if isinstance(value, str) and not re.search(r"[\"'{}\[\]#]|: |^[>|&*!%@`-]", value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _as_help(description: str) -> str:
    """The help of a problem from a description in the schema."""
    return (description[:1].lower() + description[1:]).removesuffix(".")
