"""The settings of a process, from all their sources."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.declarative.config import environment
from opentelemetry.instrumentation.declarative.config.config_file import (
    SECTION,
    config_file,
    ignored_variables,
    read_file_options,
)
from opentelemetry.instrumentation.declarative.config.options import OPTIONS, Option, parse_names, parse_switch
from opentelemetry.instrumentation.declarative.config.run_flags import RunFlags, read_run_flags
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.instrumentation.declarative.diagnostics.problems import (
    Problem,
    SpecError,
    closest,
    did_you_mean,
    quoted,
)
from opentelemetry.instrumentation.declarative.diagnostics.reporting import log_spec_error
from opentelemetry.instrumentation.declarative.language.content_policy import NO_CONTENT, ContentPolicy
from opentelemetry.instrumentation.declarative.records import record

if TYPE_CHECKING:
    from typing import TypeAlias

    from opentelemetry.instrumentation.declarative.language.document import Document

    #: A spec that the user lists: its file, the name of a shipped spec, or the document of an inline spec.
    SpecRef: TypeAlias = str | os.PathLike[str] | Document

#: The arguments of ``instrument()`` that are objects and have no other source.
_PROVIDERS = ("tracer_provider", "meter_provider", "logger_provider")


@record(frozen=True)
class Settings:
    """The settings of an instrumentor, or of a block in a test."""

    specs: tuple[SpecRef, ...]
    content: ContentPolicy
    tracer_provider: Any = None
    meter_provider: Any = None
    logger_provider: Any = None
    watch: bool = False
    enabled: bool = True
    #: The names of the shipped specs that are active besides those that a listed spec extends; None for all.
    shipped: tuple[str, ...] | None = None
    #: The names of the shipped specs that are not active.
    disabled: frozenset[str] = frozenset()
    #: Whether references to a function in modules that imported it by name are patched too.
    copies: bool = False
    #: The file for the report; None for no report.
    report: str | None = None
    report_signal: str = ""
    #: Whether telemetry is completed when a signal ends the process.
    flush_on_signal: bool = False
    #: Whether spans that cost less than the SDK's are used where that is possible.
    light_spans: bool = True
    #: Whether the process answers ``instrument status``.
    status: bool = False
    #: After how many seconds an open span gets a pending record; None for never.
    pending_after: float | None = None
    #: Whether to add an exporter that shows the traces as trees.
    tree: bool = False


def read_settings(
    specs: str | os.PathLike[str] | Iterable[Any] | None = None,
    tracer_provider: Any = None,
    meter_provider: Any = None,
    logger_provider: Any = None,
    *,
    configured: Mapping[str, Any] | None = None,
    **options: Any,
) -> Settings:
    """Read the settings of this process, and log what is wrong with them.

    The arguments override the flags of ``instrument run``, which override the configuration file, which overrides the
    environment. The flags for specs add to those of the file or the environment. ``configured``: the options that
    OpenTelemetry has read from a configuration file.
    """
    _warn_of_unknown_arguments(options)
    section: Document | None = None
    try:
        section = read_file_options(configured)
    except SpecError as error:
        log_spec_error(error, "none of the options in the configuration file apply")
    except Exception:
        logger.exception("the configuration file could not be read. The program is not affected.")
    flags = read_run_flags()
    _warn_of_ignored_variables(flags)
    sources = _Sources({"specs": specs, **options}, flags, section)
    values = {option.name: sources.value(option) for option in OPTIONS}
    listed: list[SpecRef] = [] if values["specs"] is None else [*sources.specs(values["specs"])]
    content = values["content"] if values["capture_message_content"] else None
    settings = Settings(
        specs=_without_repetition([*(flags.specs if specs is None else ()), *listed]),
        content=content or NO_CONTENT,
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        logger_provider=logger_provider,
        disabled=frozenset([*(values["disabled_specs"] or ()), *_disabled_instrumentations()]),
        watch=bool(values["watch"]),
        enabled=sources.enabled(),
        report=values["report"] or None,
        report_signal=values["report_signal"] or "",
        flush_on_signal=bool(values["flush_on_signal"]),
        light_spans=bool(values["light_spans"]),
        status=bool(values["status"]),
        pending_after=values["pending_after"],
        tree=flags.tree,
    )
    sources.log_problems()
    return settings


def _disabled_instrumentations() -> list[str]:
    """The names in OpenTelemetry's own variable: a shipped spec is an instrumentation, too."""
    return parse_names(os.environ.get(environment.DISABLED_INSTRUMENTATIONS, ""))


def _without_repetition(listed: list[SpecRef]) -> tuple[SpecRef, ...]:
    """The specs without those that several sources list: each would trace every call again."""
    found: dict[Any, SpecRef] = {}
    for spec in listed:
        found.setdefault(os.path.abspath(spec) if isinstance(spec, (str, os.PathLike)) else id(spec), spec)
    return tuple(found.values())


class _Sources:
    """Where an option can come from. ``section`` is that of the configuration file; None if there is none."""

    def __init__(self, arguments: Mapping[str, Any], flags: RunFlags, section: Document | None) -> None:
        self._arguments = arguments
        self._flags = flags
        self._section = section
        self._has_file = section is not None or config_file() is not None
        self._problems: list[Problem] = []

    def value(self, option: Option) -> Any:
        """The value of an option; None if it is invalid, which is logged."""
        argument = self._arguments.get(option.name)
        if argument is not None:
            return _parsed(option, argument, f"{option.name}={argument!r}")
        is_flag = option.name == "report" and self._flags.report
        if self._section is not None and self._section.data.get(option.name) is not None and not is_flag:
            value = self._section.data[option.name]
            try:
                return option.parse(value)
            except (ValueError, TypeError):
                self._problem((option.name,), value, option.consequence, option.help)
                return None
        applies = option.is_standard or is_flag or not self._has_file
        text = os.environ.get(option.variable, "").strip() if applies else ""
        shown = text.upper() if option.is_standard else text
        return _parsed(
            option, text or ("" if option.default == "none" else option.default), f"{option.variable}={shown}"
        )

    def specs(self, listed: list[Any]) -> Iterator[SpecRef]:
        """The specs that are listed, except those that are invalid, which is logged."""
        section = self._section if self._arguments.get("specs") is None else None
        for number, spec in enumerate(listed):
            if isinstance(spec, (str, os.PathLike)) or _is_document(spec):
                yield spec
            elif isinstance(spec, Mapping):
                if section is not None:
                    yield section.at(("specs", number) if isinstance(section.data["specs"], list) else ("specs",))
                    continue
                from opentelemetry.instrumentation.declarative.language.document import inline_document

                try:
                    yield inline_document(spec, f"specs[{number}]")
                except SpecError as error:
                    log_spec_error(error, "this spec is left out")
            elif section is not None:
                message = f"{quoted(str(spec))} is not a spec"
                mark = section.marks["specs", number]
                self._problems.append(Problem(mark, "wrong-value", message, "write a path or a mapping"))
            else:
                logger.warning(
                    "specs[%d]=%r is not a spec: it is left out. Pass a path, or a spec as a dict.", number, spec
                )

    def enabled(self) -> bool:
        value = self._section.data.get("enabled") if self._section is not None else None
        if value is None:
            return True
        try:
            return parse_switch(value)
        except ValueError:
            self._problem(("enabled",), value, "the instrumentor stays enabled", "write true or false")
            return True

    def log_problems(self) -> None:
        """Log the problems of the configuration file."""
        section = self._section
        if section is None:
            return
        known = ["enabled", *(option.name for option in OPTIONS)]
        for name in section.data:
            if name not in known:
                message = f'{quoted(name)} is not an option of the instrumentor "declarative"'
                suggestion = closest(name, known)
                help = did_you_mean(suggestion) or f"the options are {', '.join(known)}"
                self._problems.append(Problem(section.keys[(name,)], "unknown-key", message, help))
        if self._problems:
            sources = {} if section.text is None else {section.file: section.text}
            log_spec_error(SpecError(self._problems, sources), "the other options apply")

    def _problem(self, path: tuple[str], value: Any, consequence: str, help: str) -> None:
        assert self._section is not None
        message = f"{quoted(str(value))} is not a valid value of {quoted(path[-1])}: {consequence}"
        self._problems.append(Problem(self._section.marks[path], "wrong-value", message, help))


def _parsed(option: Option, value: Any, shown: str) -> Any:
    """The value of an option; None if it is invalid, which is logged with ``shown``."""
    try:
        return option.parse(value)
    except (ValueError, TypeError):
        help = option.help[0].upper() + option.help[1:]
        logger.warning("%s is not a valid setting: %s. %s.", shown, option.consequence, help)
        return None


def _is_document(spec: Any) -> bool:
    """Whether this is the document of an inline spec, from other settings. Imports nothing."""
    document = sys.modules.get("opentelemetry.instrumentation.declarative.language.document")
    return document is not None and isinstance(spec, document.Document)


def _warn_of_unknown_arguments(options: Mapping[str, Any]) -> None:
    known = [*(option.name for option in OPTIONS), *_PROVIDERS]
    for name in options:
        if name not in known:
            suggestion = closest(name, known)
            help = f"Did you mean {suggestion}?" if suggestion else f"The options are {', '.join(known)}."
            logger.warning("%s is not an option of instrument(): it is ignored. %s", name, help)


def _warn_of_ignored_variables(flags: RunFlags) -> None:
    options = {option.variable: option.name for option in OPTIONS if not option.is_standard}
    if flags.report:
        del options[environment.OTEL_PYTHON_DECLARATIVE_REPORT]
    for variable in ignored_variables(options):
        logger.warning(
            "%s is ignored because %s is set. Write %s: ${%s} under %s in that file.",
            variable,
            environment.CONFIG_FILE,
            options[variable],
            variable,
            ": ".join(SECTION),
        )
