"""The fuzzer. ``make fuzz`` runs it; ``python -m tests.fuzz TARGET FILE`` runs one input.

It uses Atheris, libFuzzer for Python, which keeps every input that covers new code of the loader or the expressions,
and mutates these further, byte by byte and with the words of the language. The inputs that it keeps, and those that
crash, are in ``.fuzz``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
KEPT = ROOT / ".fuzz"
SHARES = {"spec": 0.4, "layers": 0.2, "expression": 0.3, "template": 0.1}
#: An input that takes more time or memory is a crash.
MAX_SECONDS, MAX_MEGABYTES = 5, 2048
MAX_LENGTH = {"spec": 4096, "layers": 4096, "expression": 512, "template": 512}


def main(arguments: list[str]) -> int:
    """Run the fuzzer. Returns the exit code: 0 if no target crashed."""
    if len(arguments) == 2 and arguments[0] in SHARES:
        from .targets import TARGETS

        TARGETS[arguments[0]](Path(arguments[1]).read_bytes())
        print("clean")
        return 0
    if arguments[:1] == ["--worker"]:
        _work(arguments[1], arguments[2:])
    seconds = int(arguments[0]) if arguments else 60
    clean = [_fuzz(target, max(1, round(seconds * share))) for target, share in SHARES.items()]
    return 0 if all(clean) else 1


def _fuzz(target: str, seconds: int) -> bool:
    """Run a target in its own process for some seconds and print the result. Returns whether it did not crash."""
    words, found = KEPT / "words", KEPT / target
    found.mkdir(parents=True, exist_ok=True)
    known = (HERE / "words.dict").read_text(encoding="utf-8")
    words.write_text(known + "".join(f'"{key}: "\n' for key in _keys()), encoding="utf-8")
    seeds = KEPT / "seeds" / target
    seeds.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(_seeds(target)):
        (seeds / str(number)).write_bytes(seed)
    crash = KEPT / f"{target}-"
    options = [f"-max_total_time={seconds}", f"-timeout={MAX_SECONDS}", f"-rss_limit_mb={MAX_MEGABYTES}"]
    options += [f"-max_len={MAX_LENGTH[target]}", f"-dict={words}", f"-artifact_prefix={crash}", "-print_final_stats=1"]
    command = [sys.executable, "-m", "tests.fuzz", "--worker", target, *options, str(found), str(seeds)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    executions = re.findall(r"number_of_executed_units: ([0-9]+)", run.stderr)
    coverage = re.findall(r"cov: ([0-9]+) ft: ([0-9]+)", run.stderr)
    if not executions and "atheris" in run.stderr and "ModuleNotFoundError" in run.stderr:
        print("Atheris is not installed: pip install -e '.[fuzz]' (Linux on x86-64, Python 3.10 and newer).")
        return False
    branches, features = coverage[-1] if coverage else ("?", "?")
    count, outcome = executions[-1] if executions else "?", "CRASH" if run.returncode else "clean"
    print(
        f"{target}: {count} executions in {seconds} s, {branches} branches, {features} features: {outcome}", flush=True
    )
    if run.returncode == 0:
        return True
    (artifact,) = re.findall(r"Test unit written to (\S+)", run.stderr)[-1:] or ["?"]
    print(run.stderr[-4000:] + run.stdout[-2000:])
    print(f"To reproduce it: {sys.executable} -m tests.fuzz {target} {artifact}")
    print(f"Once it is fixed, copy it to tests/fuzz/corpus/{target}/, which the normal test suite runs.")
    return False


def _work(target: str, options: list[str]) -> None:
    """The process of a target, which ends when its time is over."""
    import atheris

    packages = ["diagnostics", "expressions", "language", "plan"]
    with atheris.instrument_imports(include=[f"opentelemetry.instrumentation.declarative.{one}" for one in packages]):
        from .targets import TARGETS
    atheris.Setup([sys.argv[0], *options], TARGETS[target])
    atheris.Fuzz()


def _keys() -> list[str]:
    """The keys of the language."""
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            found.update(node.get("properties", ()))
            for each in node.values():
                walk(each)
        for each in node if isinstance(node, list) else ():
            walk(each)

    walk(json.loads((ROOT / "schemas" / "spec-2.schema.json").read_text(encoding="utf-8")))
    return sorted(found)


def _seeds(target: str) -> Iterator[bytes]:
    """Existing inputs: regressions, invalid specs, the specs of the documentation, and pieces of the shipped spec."""
    for file in sorted((HERE / "corpus" / target).glob("*")):
        yield file.read_bytes()
    pages = [ROOT / "README.md", ROOT / "docs" / "language.md"]
    blocks = [b for page in pages for b in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.S)]
    invalid = sorted((ROOT / "tests" / "specs" / "invalid").glob("*/*.yaml"))
    whole = [*blocks, *(file.read_bytes().decode("utf-8", "replace") for file in invalid)]
    shipped = (ROOT / "configs" / "ag2.yaml").read_text(encoding="utf-8")
    if target == "spec":
        spans = re.split(r"\n(?=  [a-z_]+:\n)", shipped.partition("\nspans:\n")[2].partition("\nreleases:")[0])
        yield from (f"instrument: 2\nname: a\nspans:\n{span}\n".encode() for span in spans)
        # A spec that extends AG2's takes a hundred times as long as any other.
        yield from (text.encode() for text in whole if len(text) < 4096 and "extends: ag2" not in text)
    elif target == "layers":
        pieces = [text for text in whole if len(text) < 1200 and "ag2" not in text]
        for low, high in pairwise(pieces):
            yield f"instrument: 2\nextends: second.yaml\n{high}\n====\n{low}".encode()
    else:
        found = re.findall(r": +(?:['\"])?([a-z_]+[.(\[][^\n'\"]+)", "\n".join([*whole, shipped]))
        braces = (lambda text: f"a {{{text}}} b") if target == "template" else str
        yield from (braces(text.rstrip("}, ")).encode() for text in dict.fromkeys(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
