"""All benchmarks in one table: ``make bench``. Exits with 1 if a row exceeds its target without an explanation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import results
from tests.bench.results import Result


def spans(options: argparse.Namespace) -> Iterator[Result]:
    from tests.bench.spans import rows

    return rows(options.rounds)


def ag2(options: argparse.Namespace) -> Iterator[Result]:
    from tests.bench.post_envelope import rows

    return rows(options.rounds)


def start(options: argparse.Namespace) -> Iterator[Result]:
    from tests.bench.startup import rows

    return rows(options.rounds)


def growth(options: argparse.Namespace) -> Iterator[Result]:
    from tests.bench.growth import rows

    return rows(full=options.full)


def peers(options: argparse.Namespace) -> Iterator[Result]:
    from tests.bench.peers import rows

    return rows(options.rounds)


BENCHMARKS: dict[str, Callable[[argparse.Namespace], Iterator[Result]]] = {
    "spans": spans,
    "ag2": ag2,
    "start": start,
    "growth": growth,
    "peers": peers,
}
#: The peers are installed from the package index, which takes minutes.
DEFAULT = ("spans", "ag2", "start", "growth")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=12, help="how often each variant is measured (default: 12)")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="run only this benchmark")
    parser.add_argument("--full", action="store_true", help="10,000 rules and 1,000,000 envelopes, which takes an hour")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--plots", type=Path, help="write plots to this folder; needs matplotlib")
    options = parser.parse_args()
    about, found = results.machine(), []
    results.print_head(about)
    for name in options.only or DEFAULT:
        for row in BENCHMARKS[name](options):
            if not found or found[-1].section != row.section:
                print(f"\n{row.section}")
            print(row.line(), flush=True)
            found.append(row)
    if options.json:
        results.write_json(found, about, options.json)
    if options.plots:
        try:
            results.write_plots(found, options.plots)
        except ImportError as missing:
            print(f"no plots: {missing}")
    failed = [row for row in found if row.fails]
    for row in failed:
        print(f"{row.section}: {row.name} exceeds its target, and docs/cost.md does not explain this value")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
