"""Compares specs with OpenTelemetry's instrumentations: ``python -m tests.libraries [NAME…]``.

For each library, in an environment of its own:

1. The same program runs under both, and every fact of every span is compared, with the old conventions and with both.
2. The tests of the instrumentation run with the spec in its place. They are fetched from its source distribution. A
   test that also passes without any instrumentation is not counted.
3. The processor time that each adds to the program is measured.

The results are written to ``docs/libraries.md``, which keeps those of libraries that are not named. The exit code is 1
if a fact differs or a test fails without a reason in ``library.yaml``.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tokenize
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.libraries.library import HERE, Library, library_names, read_library
from tests.libraries.report import write_report

ROOT = HERE.parents[1]
ENVIRONMENTS = ROOT / ".venv-libraries"
#: The old and the new conventions of HTTP and databases.
_BOTH_CONVENTIONS = "http/dup,database/dup"
#: What the message of a rule that has failed contains.
_FAILURE = "The program is not affected"
_PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


@dataclass(frozen=True, slots=True)
class Result:
    """What was found of a library."""

    library: Library
    #: The differences that `library.yaml` does not name.
    differences: list[str]
    #: The tests that need an instrumentation, and pass with OpenTelemetry's own, and whether they pass with the spec.
    tests: dict[str, bool]
    cost: float
    yaml_lines: int
    helper_lines: int
    python_lines: int

    @property
    def failures(self) -> list[tuple[str, str | None]]:
        """The tests that fail with the spec, each with the known reason."""
        reasons = self.library.failures.items()
        return [
            (name, next((reason for part, reason in reasons if part in name), None))
            for name, passed in self.tests.items()
            if not passed
        ]

    @property
    def is_as_expected(self) -> bool:
        return not self.differences and all(reason is not None for _, reason in self.failures)


class Environment:
    """The environment of a library, which is made if it does not exist or is older than the description."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.folder = ENVIRONMENTS / library.name
        self.python = self.folder / "bin" / "python"
        self.tests = self.folder / "tests"

    def make(self) -> None:
        ready = self.folder / ".ready"
        if ready.exists() and ready.stat().st_mtime > (self.library.folder / "library.yaml").stat().st_mtime:
            return
        library = self.library
        venv.create(self.folder, with_pip=True, clear=True)
        # The instrumentations and what their tests use are pre-releases.
        tools = ("opentelemetry-test-utils>=0.55b0", "hatchling", *library.test_requires)
        self._pip("install", "-e", f"{ROOT}[sdk,test]", library.instrumentation, *library.requires, *tools)
        version = self._run(
            "-c", f"from importlib.metadata import version; print(version({library.instrumentation!r}))"
        )
        source = f"{library.instrumentation}=={version.stdout.strip()}"
        options = ("--no-deps", "--no-build-isolation", "--no-binary", ":all:", "--dest", str(self.folder))
        self._pip("download", *options, source)
        (archive,) = self.folder.glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(self.folder, filter="data")
        archive.unlink()
        (unpacked,) = self.folder.glob("opentelemetry_instrumentation_*")
        unpacked.rename(self.tests)
        ready.touch()

    def compare(self, *options: str, conventions: str = "") -> dict[str, Any]:
        command = ("-m", "tests.libraries.compare", self.library.name, *options)
        done = self._run(*command, OTEL_SEMCONV_STABILITY_OPT_IN=conventions)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return {**found, "failures": [line for line in done.stderr.splitlines() if _FAILURE in line]}

    def outcomes(self, mode: str) -> dict[str, str]:
        """The outcome of each test of the instrumentation, with a spec, the instrumentation or nothing in its place."""
        file = self.folder / f"{mode}.json"
        file.unlink(missing_ok=True)
        variables = {"MODE": mode, "LIBRARY": self.library.name, "OUTCOMES": str(file)}
        command = [
            str(self.python.with_name("pytest")),
            "-q",
            "-p",
            "tests.libraries.in_place",
            "-p",
            "no:cacheprovider",
        ]
        done = subprocess.run(
            [*command, "--rootdir", str(self.tests), "-c", os.devnull, "tests"],
            cwd=self.tests,
            env=self._environment(**variables),
            capture_output=True,
            text=True,
        )
        if not file.exists() or (mode == "theirs" and done.returncode not in (0, 1)):
            raise SystemExit(f"the tests of {self.library.instrumentation} did not run:\n{done.stdout}{done.stderr}")
        outcomes: dict[str, str] = json.loads(file.read_text("utf-8"))
        return outcomes

    def _pip(self, *arguments: str) -> None:
        subprocess.run([self.python, *_PIP, *arguments], check=True, env=self._environment())

    def _run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self.python, *arguments], cwd=ROOT, env=self._environment(**variables), capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{self.library.name}: {done.stdout}{done.stderr}")
        return done

    def _environment(self, **variables: str) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
        return {**kept, "PYTHONPATH": str(ROOT), **variables}


def differences(found: dict[str, Any], known: dict[str, str]) -> Iterator[str]:
    """The facts in which the spans of the spec differ from those of the instrumentation, and rules that failed."""
    yield from found["failures"]
    theirs, ours = found["theirs"], found["ours"]
    if [span["name"] for span in theirs] != [span["name"] for span in ours]:
        yield f"spans: {[span['name'] for span in theirs]} became {[span['name'] for span in ours]}"
        return
    for index, (expected, actual) in enumerate(zip(theirs, ours, strict=True)):
        for key in sorted({*expected, *actual}):
            fact = f"{expected['name']}: {key}"
            if expected.get(key) != actual.get(key) and not any(part in fact for part in known):
                yield f"span {index}, {fact} {expected.get(key)!r} became {actual.get(key)!r}"


def lines_of_python(*files: Path) -> int:
    """The lines with code, without comments and docstrings."""
    count = 0
    for file in files:
        code: set[int] = set()
        previous = tokenize.NEWLINE
        for token in tokenize.generate_tokens(io.StringIO(file.read_text("utf-8")).readline):
            if token.type in (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING):
                continue
            is_docstring = token.type == tokenize.STRING and previous == tokenize.NEWLINE
            if token.type not in (tokenize.NEWLINE, tokenize.ENDMARKER) and not is_docstring:
                code.update(range(token.start[0], token.end[0] + 1))
            previous = token.type
        count += len(code)
    return count


def lines_of_yaml(file: Path) -> int:
    lines = (line.strip() for line in file.read_text("utf-8").splitlines())
    return len([line for line in lines if line and not line.startswith("#")])


def examine(name: str) -> Result:
    library = read_library(name)
    environment = Environment(library)
    environment.make()
    found, of_both = environment.compare("--cost"), environment.compare(conventions=_BOTH_CONVENTIONS)
    theirs, nothing = environment.outcomes("theirs"), environment.outcomes("nothing")
    counted = [test for test, outcome in theirs.items() if outcome == "passed" and nothing.get(test) != "passed"]
    ours = environment.outcomes("ours")
    return Result(
        library,
        [*differences(found, library.differences), *differences(of_both, library.differences)],
        {test: ours.get(test) == "passed" for test in counted},
        found["cost"],
        lines_of_yaml(library.spec),
        lines_of_python(*library.folder.glob("helpers.py")),
        lines_of_python(*(file for part in library.files for file in (environment.tests / "src").glob(part))),
    )


def main() -> int:
    results = []
    for name in sys.argv[1:] or library_names():
        result = examine(name)
        results.append(result)
        passed = sum(result.tests.values())
        print(f"{name}: {passed} of {len(result.tests)} tests, {result.cost:.2f} of the cost per span")
        for difference in result.differences:
            print(f"  {difference}")
        for test, reason in result.failures:
            print(f"  {test}: {reason or 'FAILED'}")
    write_report(results)
    return 0 if all(result.is_as_expected for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
