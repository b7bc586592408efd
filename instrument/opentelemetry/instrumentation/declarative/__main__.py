"""``python -m opentelemetry.instrumentation.declarative``: the command ``instrument``."""

import sys

from opentelemetry.instrumentation.declarative.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
