"""The option ``--explain CODE``: what a code means, as the page on it says."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any


class Explain(argparse.Action):
    """Prints the page of a code and ends, as ``--help`` does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        from opentelemetry.instrumentation.declarative.lint.problem_codes import explain_code

        try:
            text = explain_code(str(values))
        except LookupError as error:
            parser.error(str(error.args[0]))
        print(text, end="")
        parser.exit()
