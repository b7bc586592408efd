"""``python -m tests.two_processes hub`` and ``python -m tests.two_processes clients PORT``.

The programs are modules that are imported, so that a spec can name their functions.
"""

import asyncio
import importlib
import logging
import sys

from tests.oracle.api import PACKAGE

# A turn fails on purpose, which AG2 would log at length. All other output is compared.
logging.getLogger(PACKAGE).setLevel(logging.CRITICAL + 1)
program, *arguments = sys.argv[1:]
asyncio.run(importlib.import_module(f".{program}", __package__).main(*arguments))
