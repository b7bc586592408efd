"""The option ``--explain CODE``: prints the page of a problem code."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any


class ExplainCodeAction(argparse.Action):
    """Prints the page of a problem code and exits, as ``--help`` does."""

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
