"""``instrument view``: shows recorded spans as a story and as trees, or writes a page."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Iterable, Sequence
from itertools import dropwhile
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.declarative.view.sections import SECTIONS

if TYPE_CHECKING:
    from opentelemetry.instrumentation.declarative.view.formats.reading import Recording
    from opentelemetry.instrumentation.declarative.view.report import Report
    from opentelemetry.instrumentation.declarative.view.selection import Selection

HELP = "show recorded spans: who says what to whom, what fails, and the traces as trees"
DESCRIPTION = (
    "Show recorded spans: failures, open spans and where the time goes, then the story in order of time, and the "
    "traces as trees. "
    "FILE is AG2's spans.jsonl or OTLP in JSON, as the collector's file exporter writes it; - reads standard input. "
    "A COMMAND is run and its spans are shown. With --listen, spans are received over OTLP."
)
#: How many lines of each section are printed to a terminal by default.
_LINES_ON_A_TERMINAL = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "instrument view [OPTION ...] FILE [FILE ...]\n       instrument view [OPTION ...] --listen PORT"
    parser.usage += "\n       instrument view [OPTION ...] -- COMMAND [ARGUMENT ...]"
    parser.add_argument("files", metavar="FILE", nargs="*", help="a file of spans, also compressed with gzip, or -")
    parser.add_argument(
        "--listen",
        metavar="[HOST:]PORT",
        type=_address,
        help="receive spans over OTLP until Ctrl-C, or while COMMAND runs: over HTTP, and over gRPC if grpcio is "
        "installed; port 0 selects a free port",
    )
    parser.add_argument(
        "--html", metavar="PATH", help="write a page that needs no network, and print only what --show names"
    )
    parser.add_argument(
        "--follow", action="store_true", help="show a file or --listen again whenever spans are added, until Ctrl-C"
    )
    shown = parser.add_argument_group("what is printed")
    shown.add_argument(
        "--show", metavar="SECTION,...", type=_sections, help=f"print only these sections: {', '.join(SECTIONS)}"
    )
    shown.add_argument(
        "--lines", metavar="N", type=int, help="print at most N lines of each section; 200 on a terminal"
    )
    shown.add_argument("--attributes", action="store_true", help="show the attributes and events of spans")
    shown.add_argument("--no-fold", action="store_true", help="show similar siblings one by one")
    _add_filters(parser.add_argument_group("filters (a span must match all of them)"))


def _add_filters(filters: argparse._ArgumentGroup) -> None:
    filters.add_argument("--agent", metavar="NAME", help="the spans of an agent, and the messages to and from it")
    filters.add_argument("--channel", metavar="CHANNEL", help="a channel: its id, type or label, as in 'consulting #2'")
    filters.add_argument("--task", metavar="TASK", help="a task: its id or its name")
    filters.add_argument("--trace", metavar="ID", help="a trace, by the first digits of its id")
    filters.add_argument("--errors", action="store_true", help="only spans with an error")
    filters.add_argument(
        "--since",
        metavar="TIME",
        help="spans that end after this time: in ISO 8601, or 1.5s or 10m after the first span",
    )
    filters.add_argument("--until", metavar="TIME", help="spans that start before this time")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} has no port from 0 to 65535")
    return host.strip("[]") or "127.0.0.1", int(port)


def _sections(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no section {unknown[0]!r}. Choose from {', '.join(SECTIONS)}")
    return names


def run(options: argparse.Namespace) -> int:
    from opentelemetry.instrumentation.declarative.view.selection import Selection
    from opentelemetry.instrumentation.declarative.view.sources import SourceError

    listens = options.listen is not None or bool(options.program)
    if listens == bool(options.files):
        return _failed("name a FILE, or receive spans with --listen or -- COMMAND, but not both", 2)
    if options.follow and (len(options.files) > 1 or options.program or options.html or not sys.stdout.isatty()):
        return _failed("--follow needs a terminal, and one FILE or --listen", 2)
    names = ("agent", "channel", "task", "trace", "errors", "since", "until")
    selection = Selection(**{name: getattr(options, name) for name in names})
    # Spans are many objects that stay until the end: looking for garbage among them takes longer than reading them.
    gc.disable()
    try:
        if options.follow:
            _follow(selection, options)
            return 0
        recording, code = _recording(options)
        for problem in recording.problems():
            print(problem, file=sys.stderr)
        _show(recording, selection, options)
    except (SourceError, ValueError) as error:
        return _failed(str(error), 1)
    except KeyboardInterrupt:
        return 130
    finally:
        gc.enable()
    return code


def _recording(options: argparse.Namespace) -> tuple[Recording, int]:
    """What is read or received, and the exit code of the command, if there is one."""
    from opentelemetry.instrumentation.declarative.view import sources

    if options.files:
        return sources.read_files(options.files), 0
    if options.listen is None:
        return sources.record(options.program)
    if options.program:
        return sources.receive_from(options.program, *options.listen)
    return sources.receive(*options.listen), 0


def _follow(selection: Selection, options: argparse.Namespace) -> None:
    """Show a file or an endpoint again whenever spans are added."""
    import shutil

    from opentelemetry.instrumentation.declarative.view.following import FollowedFile, follow
    from opentelemetry.instrumentation.declarative.view.sources import open_endpoint

    gc.enable()  # the report is made again and again
    source = FollowedFile(options.files[0]) if options.files else open_endpoint(*options.listen)
    try:
        follow(source, lambda recording: _report(recording, selection, options), shutil.get_terminal_size)
    finally:
        source.close()


def _report(recording: Recording, selection: Selection, options: argparse.Namespace) -> Report:
    from opentelemetry.instrumentation.declarative.exporters.terminal import Terminal
    from opentelemetry.instrumentation.declarative.exporters.tree_text import TreeText
    from opentelemetry.instrumentation.declarative.view.report import Report

    lines = options.lines if options.lines is not None or not sys.stdout.isatty() else _LINES_ON_A_TERMINAL
    text = TreeText(*Terminal().format)
    return Report(
        recording.spans, selection, text, max_lines=lines, attributes=options.attributes, fold=not options.no_fold
    )


def _show(recording: Recording, selection: Selection, options: argparse.Namespace) -> None:
    report = _report(recording, selection, options)
    if not report.selected:
        raise ValueError("no span matches the filters. Without filters, all spans are shown")
    if options.html is None or options.show:
        _print([""] * bool(options.program))  # after the output of the program
        _print(report.lines(options.show or SECTIONS))
    if options.html is not None:
        _write_page(report, recording, options)


def _write_page(report: Report, recording: Recording, options: argparse.Namespace) -> None:
    from opentelemetry.instrumentation.declarative.view.html import page
    from opentelemetry.instrumentation.declarative.view.page_data import PageData
    from opentelemetry.instrumentation.declarative.view.progress import progress

    spans = report.spans_of_selected_traces()
    with progress() as shown:
        data = PageData(
            report.network, spans, lambda number: shown(lambda: f"writing {number:,} of {len(spans):,} spans")
        ).json([*recording.problems()])
        text = page(data, " ".join(map(_name, [*options.files, *_command(options.program)])) or "Received spans")
    if options.html == "-":
        sys.stdout.write(text)
        return
    try:
        with open(options.html, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        raise ValueError(f"{options.html} cannot be written: {error.strerror}") from None
    _print([f"The page is in {options.html}."] if not options.show else ["", f"The page is in {options.html}."])


def _command(words: Sequence[str]) -> Sequence[str]:
    """A command without the variables that `env` sets for it: they may be secret, and pages are passed on."""
    if words and os.path.basename(words[0]) == "env":
        return [*dropwhile(lambda word: "=" in word, words[1:])]
    return words


def _name(word: str) -> str:
    """A word of the title of a page: of a command, without its folder."""
    return os.path.basename(word) if os.path.isfile(word) and os.access(word, os.X_OK) else word


def _print(lines: Iterable[str]) -> None:
    from opentelemetry.instrumentation.declarative.exporters.terminal import fit_encoding

    for line in lines:
        sys.stdout.write(fit_encoding(f"{line}\n", sys.stdout))


def _failed(reason: str, code: int) -> int:
    print(f"instrument view: {reason}.", file=sys.stderr)
    return code
