"""What the user has set, and what it means: which specs, what becomes of content, whose providers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.instrumentation.declarative.config import config_file as configuration
from opentelemetry.instrumentation.declarative.config import environment
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import Problem, SpecError, closest, shown
from opentelemetry.instrumentation.declarative.plan.content import NO_CONTENT, Content, content_as

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.language.document import Document


class Option(NamedTuple):
    """One option, in each of its ways: a key of the configuration file and a keyword in Python, and a variable."""

    name: str
    variable: str
    default: str
    meaning: str
    #: What a value means, however it is given; ValueError where it means nothing.
    read: Callable[[Any], Any]
    #: What is then so, and what can be written instead.
    otherwise: str
    mend: str
    #: Whether the variable is OpenTelemetry's own and counts beside a configuration file.
    standard: bool = False


def _switch(value: Any) -> bool:
    word = str(value).strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("0", "false", "no", "off"):
        return False
    raise ValueError(value)


def _content(value: Any) -> Content:
    found = content_as(str(value).strip().lower())
    if found is None:
        raise ValueError(value)
    return found


def _captured(value: Any) -> bool:
    word = str(value).strip().upper()
    if word not in ("NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"):
        raise ValueError(value)
    return word in ("SPAN_ONLY", "SPAN_AND_EVENT")


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):  # separated by commas, as in the environment
        return [file.strip() for file in value.split(",") if file.strip()]
    return [value] if isinstance(value, (os.PathLike, Mapping)) else list(value)


#: Every option but those that are objects of Python, like ``tracer_provider``. docs/configuration.md tells them.
OPTIONS = (
    Option(
        "specs",
        environment.OTEL_PYTHON_DECLARATIVE_SPECS,
        "none",
        "spec files to be added to what ships; a spec may also stand inline, in a configuration file or as a dict",
        _listed,
        "no spec is added",
        "List files, or specs as mappings.",
    ),
    Option(
        "content",
        environment.OTEL_PYTHON_DECLARATIVE_CONTENT,
        "full",
        "how content is recorded where it may be: `full`, `truncate:200` or `sha256`",
        _content,
        "no content is recorded",
        "Use full, truncate:200 or sha256.",
    ),
    Option(
        "capture_message_content",
        environment.CAPTURE_CONTENT,
        "NO_CONTENT",
        "where content may be recorded: `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY` or `SPAN_AND_EVENT`",
        _captured,
        "no content is recorded",
        "Use NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT.",
        standard=True,
    ),
    Option(
        "watch",
        environment.OTEL_PYTHON_DECLARATIVE_WATCH,
        "0",
        "whether a spec that is saved takes effect while the program runs: `1` or `0`",
        _switch,
        "no spec is watched",
        "Use 1 or 0.",
    ),
    Option(
        "report",
        environment.OTEL_PYTHON_DECLARATIVE_REPORT,
        "none",
        "where [what each rule really did](report.md) is written: a file, in JSON if its name says so, or `-`",
        str,
        "nothing is reported",
        "Name a file.",
    ),
    Option(
        "report_signal",
        environment.OTEL_PYTHON_DECLARATIVE_REPORT_SIGNAL,
        "SIGUSR1",
        "the signal on which the report is written as well, or `none`",
        str,
        "no signal is listened to",
        "Name a signal, as SIGUSR2.",
    ),
)
#: What else may be given in Python, and is not ours to use everywhere.
_OBJECTS = ("tracer_provider", "meter_provider", "logger_provider")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of an instrumentor that is at work. A spec is a file or, where it stood inline, its document."""

    specs: tuple[Any, ...]
    content: Content
    tracer_provider: Any = None
    meter_provider: Any = None
    watch: bool = False
    enabled: bool = True
    #: Which of what ships is at work, by name, beside what a listed file extends; None is all of it.
    shipped: tuple[str, ...] | None = None
    #: Whether functions are patched as well where they have been imported by name before.
    copies: bool = False
    #: Where a report of what the rules did is written, None where none is asked for; and on which signal.
    report: str | None = None
    report_signal: str = ""


def settings(
    specs: str | os.PathLike[str] | Iterable[Any] | None = None,
    tracer_provider: Any = None,
    meter_provider: Any = None,
    *,
    configured: Mapping[str, Any] | None = None,
    **options: Any,
) -> Settings:
    """The settings of this process.

    What is given here counts more than what a configuration file says, and that more than the environment, of which our
    own variables are then not read. ``configured``: what OpenTelemetry has read of a configuration file.
    """
    _tell_unknown(options)
    told: Document | None = None
    file = configuration.file()
    try:
        told = configuration.options(configured)
    except SpecError as error:
        _tell(error, "None of the options there counts")
    except Exception:
        logger.exception("the configuration file could not be read. The program runs on.")
    if file is not None:
        _tell_unread()
    elsewhere = file is not None or told is not None
    given = {"specs": specs, **options}
    found = {each.name: _value(each, given.get(each.name), told, elsewhere) for each in OPTIONS}
    if told is not None:
        _tell_unknown_keys(told)
    content = found["content"] if found["capture_message_content"] else None
    return Settings(
        specs=() if found["specs"] is None else tuple(_specs(found["specs"], specs is None, told)),
        content=content or NO_CONTENT,
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        watch=bool(found["watch"]),
        report=found["report"] or None,
        report_signal=found["report_signal"] or "",
        enabled=_enabled(told),
    )


def _value(option: Option, given: Any, told: Document | None, elsewhere: bool) -> Any:
    """What an option is set to; None where it has no meaning, which is said."""
    if given is not None:
        try:
            return option.read(given)
        except (ValueError, TypeError):
            logger.warning("%s=%r has no meaning: %s. %s", option.name, given, option.otherwise, option.mend)
            return None
    if told is not None and told.data.get(option.name) is not None:
        value = told.data[option.name]
        try:
            return option.read(value)
        except (ValueError, TypeError):
            message = f"{shown(str(value))} has no meaning for {shown(option.name)}: {option.otherwise}"
            _tell_problem(told, Problem(told.marks[(option.name,)], "wrong-value", message, option.mend))
            return None
    text = "" if elsewhere and not option.standard else os.environ.get(option.variable, "").strip()
    try:
        return option.read(text or ("" if option.default == "none" else option.default))
    except ValueError:
        value = text.upper() if option.standard else text
        logger.warning("%s=%s has no meaning: %s. %s", option.variable, value, option.otherwise, option.mend)
        return None


def _specs(listed: list[Any], from_file: bool, told: Document | None) -> Iterable[Any]:
    """Each spec that is listed, where it stands inline as the document that it is."""
    for number, spec in enumerate(listed):
        if isinstance(spec, (str, os.PathLike)) or _is_read(spec):
            yield spec
        elif isinstance(spec, Mapping):
            way = ("specs", number) if told is not None and isinstance(told.data.get("specs"), list) else ("specs",)
            try:
                yield told.at(way) if told is not None and from_file else _inline(spec, f"specs[{number}]")
            except SpecError as error:
                _tell(error)
        elif told is not None and from_file:
            message = f"{shown(str(spec))} is no spec"
            _tell_problem(
                told, Problem(told.marks["specs", number], "wrong-value", message, "write a path, or a mapping")
            )
        else:
            logger.warning("specs[%d]=%r is no spec: it is left out. Give a path, or a spec as a dict.", number, spec)


def _is_read(spec: Any) -> bool:
    """Whether this is an inline spec out of other settings."""
    source = sys.modules.get("opentelemetry.instrumentation.declarative.language.document")
    return source is not None and isinstance(spec, source.Document)


def _inline(spec: Mapping[str, Any], name: str) -> Document:
    from opentelemetry.instrumentation.declarative.language.document import inline

    return inline(spec, name)


def _enabled(told: Document | None) -> bool:
    value = told.data.get("enabled") if told is not None else None
    try:
        return value is None or _switch(value)
    except ValueError:
        assert told is not None
        message = f"{shown(str(value))} has no meaning: it stays enabled"
        _tell_problem(told, Problem(told.marks[("enabled",)], "wrong-value", message, "write true or false"))
        return True


def _tell_unknown(options: Mapping[str, Any]) -> None:
    known = [*(option.name for option in OPTIONS), *_OBJECTS]
    for name in options:
        if name not in known:
            near = closest(name, known)
            mend = f"Did you mean {near}?" if near else f"There are: {', '.join(known)}."
            logger.warning("%s is not an option of instrument(): it is left out. %s", name, mend)


def _tell_unknown_keys(told: Document) -> None:
    known = ["enabled", *(option.name for option in OPTIONS)]
    for name in told.data:
        if name not in known:
            near = closest(name, known)
            mend = f'did you mean "{near}"?' if near else f"its options are {', '.join(known)}"
            message = f'{shown(name)} is not an option of the instrumentor "declarative"'
            _tell_problem(told, Problem(told.keys[(name,)], "unknown-key", message, mend))


def _tell_unread() -> None:
    ours = {option.variable: option.name for option in OPTIONS if not option.standard}
    for variable in configuration.unread([*ours]):
        logger.warning(
            "%s is not read, because %s is set. Write %s: ${%s} under %s there.",
            variable,
            environment.CONFIG_FILE,
            ours[variable],
            variable,
            ": ".join(configuration.WAY),
        )


def _tell_problem(told: Document, problem: Problem) -> None:
    _tell(SpecError([problem], {} if told.text is None else {told.file: told.text}))


def _tell(error: SpecError, otherwise: str = "The other options count") -> None:
    logger.error("%s\n%s; the program runs on.", error, otherwise)
