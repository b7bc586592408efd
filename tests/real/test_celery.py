"""A program that processes orders with Celery: eagerly, and in a worker with each of its pools."""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.processes import PATIENCE, ended
from tests.real.command_lines import CommandLine, sorted_tree, tree_of
from tests.real.programs import check, needs

pytestmark = [
    needs("celery"),
    pytest.mark.skipif(sys.platform == "win32", reason="Celery has no worker there that forks"),
]

#: Each attempt is a span of its own. `Retry` is how Celery says so, and no error according to the spec.
TASKS = """\
    charge orders.order=o-1 orders.attempt=0
    charge orders.order=o-1 orders.attempt=1 orders.answer=authorized 42
      authorize
    charge orders.order=o-2 orders.attempt=0
    charge orders.order=o-2 orders.attempt=1 ! PaymentDeclined: o-2
    counted
      stock orders.article=chair
    mail orders.to=Ann orders.task=invoices.mail
    pack
    render
    report orders.day=monday
      render
    ship orders.order=o-3 orders.carrier=bike
    ship orders.order=o-3 orders.carrier=bike ! ConnectionError: the carrier is closed
    total orders.amounts=[1, 2] orders.total=3
    total orders.amounts=[1, 2] orders.total=3
    total orders.amounts=[1] orders.total=1
    total orders.amounts=[20, 22] orders.total=42
    total orders.amounts=[2] orders.total=2
    total orders.amounts=[5, 6] orders.total=11
    write orders.order=o-4
    write orders.order=o-5
    write orders.order=o-6
"""
#: What receivers of signals do, in the process of the worker.
SIGNALS = """\
    on_failure
      note orders.note=failure orders.tasks.charge o-2
    on_retry
      note orders.note=retry orders.tasks.charge
    on_retry
      note orders.note=retry orders.tasks.charge
    on_start
      note orders.note=start orders.tasks.charge
    on_start
      note orders.note=start orders.tasks.charge
    on_start
      note orders.note=start orders.tasks.charge
    on_start
      note orders.note=start orders.tasks.charge
"""


class Work(NamedTuple):
    """What a client and a worker have printed, with their exit codes, and their spans."""

    client: Any
    worker: Any
    tree: str


@pytest.fixture
def program(tmp_path: Path) -> CommandLine:
    return CommandLine("celery_orders", tmp_path)


def test_the_spec_has_no_problem(program: CommandLine):
    assert check(program.folder, SCRATCH=str(program.scratch)).endswith("exit code 0")


def test_tasks_that_are_called_eagerly_are_traced(program: CommandLine):
    run = program.run("python", "place_orders.py", "--eager")
    assert run.tree(ordered=False) == sorted_tree(TASKS)


POOLS = ("solo", "prefork", "threads")


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Work]:
    """What workers do with each pool, and without instrumentation. All at once, as they mostly wait."""
    programs = {pool: CommandLine("celery_orders", tmp_path_factory.mktemp(pool)) for pool in POOLS}
    with ThreadPoolExecutor() as threads:
        untraced = CommandLine("celery_orders", tmp_path_factory.mktemp("untraced"))
        plain = threads.submit(work, untraced, "prefork", traced=False)
        done = {pool: threads.submit(work, program, pool) for pool, program in programs.items()}
    return {"": plain.result(), **{pool: each.result() for pool, each in done.items()}}


def work(program: CommandLine, pool: str, *, traced: bool = True) -> Work:
    command = ["celery", "-A", "orders", "--quiet", "worker", "--pool", pool, "-c", "2", "--loglevel", "CRITICAL"]
    quiet = ["--without-heartbeat", "--without-gossip", "--without-mingle"]
    with (
        ended(program.start([*command, *quiet], traced=traced)) as worker,
        ended(program.start(["python", "place_orders.py"], traced=traced)) as client,
    ):
        results = client.communicate(timeout=PATIENCE)
        worker.send_signal(signal.SIGTERM)
        output = worker.communicate(timeout=PATIENCE)
    return Work((results, client.returncode), (output, worker.returncode), tree_of(program.spans(), ordered=False))


@pytest.mark.parametrize("pool", POOLS)
def test_tasks_of_a_worker_are_traced_with_each_pool(pool: str, workers: dict[str, Work]):
    assert (workers[pool].client, workers[pool].worker) == (workers[""].client, workers[""].worker)
    assert workers[pool].worker[1] == 0
    assert workers[pool].tree == sorted_tree(TASKS + SIGNALS)
