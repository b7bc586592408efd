"""A forked child neither ends nor exports its parent's open spans, and ends and exports its own."""

import os
from pathlib import Path
from textwrap import dedent

import pytest

from tests.programs import both_ways, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")

FORK = """
import os, sys
def fork(child):
    pid = os.fork()
    if pid == 0:
        child()
        return
    _, status = os.waitpid(pid, 0)
    print("child", os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize("traced", ["before", "before batched", "after batched"])
@pytest.mark.parametrize(
    ("end", "code", "shut"),
    [("sys.exit(0)", 0, True), ("os._exit(3)", 3, False), ("1 / 0", 1, True)],
    ids=["exit", "os._exit", "exception"],
)
def test_parent_and_forked_child_each_end_their_own_spans_once(
    end: str, code: int, shut: bool, traced: str, tmp_path: Path
):
    source = f"""
    def child():
        shop.end("parent's")  # the child knows nothing of it
        shop.begin("child's")
        shop.begin("left in the child")
        shop.end("child's")
        {end}
    shop.begin("parent's")
    shop.begin("left")
    fork(child)
    shop.end("parent's")
    """
    done = run(tmp_path, FORK + "\n" + dedent(source), traced=traced)
    assert (done.code, done.lines) == (0, [f"child {code}"])
    expected = {"parent's": None, "left": "shutdown"}
    if shut:
        expected |= {"child's": None, "left in the child": "shutdown"}
    elif "batched" not in traced:
        expected |= {"child's": None}
    assert done.ends() == expected
    pids = {span["attributes"]["id"]: span["pid"] for span in done.spans}
    assert pids["left"] == pids["parent's"] != pids.get("child's")


def test_after_a_fork_inside_a_call_its_span_is_ended_by_the_parent_and_current_in_the_child(tmp_path: Path):
    source = """
    def inside():
        for number in shop.each(1):
            fork(lambda: shop.work(id="in the child"))
        return os.getpid()
    parent = os.getpid()
    shop.begin("open")
    if shop.work(inside, id="around") == parent:
        shop.end("open")
    """
    done = both_ways(tmp_path, FORK + dedent(source))
    assert (done.code, done.lines) == (0, ["child 0"])
    assert done.ends("work") == {"around": None, "in the child": None}
    assert done.ends() == {"open": None}
    (each,) = done.named("each")
    spans = {span["attributes"]["id"]: span for span in done.named("work")}
    assert spans["in the child"]["parent"] == each["parent"] == spans["around"]["span"]
    assert spans["in the child"]["pid"] != spans["around"]["pid"] == each["pid"]


def test_a_child_does_not_wait_for_a_lock_held_by_another_thread_at_the_fork(tmp_path: Path):
    source = """
    import threading, warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on Python warns of a fork beside a thread
    held, forked = threading.Event(), threading.Event()
    class Key(str):
        '''Its comparison happens while the table of open spans is locked, and waits there.'''
        def __eq__(self, other):
            if threading.current_thread() is not threading.main_thread():
                held.set()
                forked.wait()
            return str.__eq__(self, other)
        __hash__ = str.__hash__
    shop.begin(Key("a"))
    thread = threading.Thread(target=shop.end, args=("a",))
    thread.start()
    held.wait()
    def child():
        shop.begin("b")
        shop.end("b")
        sys.exit()
    fork(child)
    forked.set()
    thread.join()
    """
    done = run(tmp_path, FORK + dedent(source))
    assert (done.code, done.lines, done.errors) == (0, ["child 0"], "")
    assert done.ends() == {"a": None, "b": None}


POOL = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
def task(id):
    shop.work(id=id)
    shop.begin(("open", id))
    shop.begin(id)
    return shop.end(id)
def main():
    context = multiprocessing.get_context(sys.argv[1] if len(sys.argv) > 1 else METHOD)
    shop.begin("parent")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        print(sorted(pool.map(task, range(2))))
    child = context.Process(target=task, args=(2,))
    child.start()
    child.join()
    print("child", child.exitcode)
if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("traced", ["before", "before batched"])
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_child_of_multiprocessing_exports_its_spans_including_those_left_open(
    method: str, traced: str, tmp_path: Path
):
    """Children started by spawn and forkserver import the program again, whose first lines instrument it."""
    done = run(tmp_path, f"METHOD = {method!r}\n{POOL}", traced=traced)
    assert (done.code, done.lines, done.errors) == (0, ["[0, 1]", "child 0"], "")
    assert done.ends("work") == {0: None, 1: None, 2: None}
    ends = {str(id): end for id, end in _listed(done.named("order")).items()}
    assert ends == {
        "parent": "shutdown",
        **{str(id): None for id in range(3)},
        **{f'["open", {id}]': "shutdown" for id in range(3)},
    }
    pids = {span["attributes"]["id"]: span["pid"] for span in done.named("work")}
    assert pids[0] == pids[1] != pids[2]


def _listed(spans: list[dict[str, object]]) -> dict[object, object]:
    found = {str(span["attributes"]["id"]): span["attributes"].get("instrument.end") for span in spans}  # type: ignore[index]
    assert len(found) == len(spans)
    return found


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_the_spans_of_a_terminated_worker_are_exported(method: str, tmp_path: Path):
    source = f"""
    import multiprocessing, time
    def task(ready):
        shop.work(id=1)
        shop.begin("open")
        ready.set()
        while True: time.sleep(0.05)
    def name(id):
        shop.work(id=f"in pool {{id}}")
        return id
    if __name__ == "__main__":
        context = multiprocessing.get_context("{method}")
        ready = context.Event()
        child = context.Process(target=task, args=(ready,))
        child.start()
        ready.wait()
        child.terminate()
        child.join()
        print(child.exitcode)
        with context.Pool(1) as pool:  # whose end terminates the workers
            print(pool.map(name, [1, 2]))
    """
    done = both_ways(tmp_path, source, traced="before batched")
    assert done.lines == ["-15", "[1, 2]"]
    assert done.ends("work") == {1: None, "in pool 1": None, "in pool 2": None}
    assert done.ends() == {"open": "shutdown"}
