import asyncio
import contextlib
import copy
import gc
import os
import pickle
import sched
import signal
import threading
import time
import weakref
from importlib import metadata
from unittest import mock

from jobs import handlers, models, plugins


def with_registries():
    print(handlers.EXPORTERS["csv"]([1, 2]), asyncio.run(handlers.EXPORTERS["json"]([1])))
    print(handlers.show("a"), handlers.show(1), handlers.show([1]), handlers.show.dispatch(int) is handlers.show_number)
    print(handlers.slow(2), handlers.slow(2), handlers.key_of_all(), handlers.slow.cache_info())
    print(handlers.count(2), handlers.count(3))
    print([cls().run() for cls in handlers.FOUND.values()], sorted(["B", "a"], key=handlers.key_of))
    (entry_point,) = metadata.EntryPoints([metadata.EntryPoint("load", "jobs.handlers:load", "jobs")])
    print(entry_point.load()())
    print(pickle.loads(pickle.dumps(handlers.to_csv)) is handlers.to_csv)
    print(copy.deepcopy(handlers.key_of) is handlers.key_of)


def with_schedulers():
    timer = threading.Timer(0.01, handlers.run_later, ["timer"])
    timer.start()
    timer.join()
    scheduler = sched.scheduler(time.monotonic, time.sleep)
    scheduler.enter(0, 1, handlers.run_later, ("sched",))
    scheduler.run()
    from apscheduler.schedulers.background import BackgroundScheduler

    done = threading.Event()
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_listener(lambda event: done.set(), 1 << 12)
    scheduler.add_job(handlers.run_later, args=["apscheduler"])
    scheduler.start()
    done.wait(100)
    scheduler.shutdown()


def with_signals():
    os.kill(os.getpid(), signal.SIGUSR1)
    print(signal.getsignal(signal.SIGUSR1) is handlers.on_signal)


def with_cleanups():
    with contextlib.ExitStack() as stack:
        stack.callback(handlers.release, "stack")
    thing = handlers.Counter()
    weakref.finalize(thing, handlers.release, "finalizer")
    method = weakref.WeakMethod(handlers.count.__call__)
    print(method() == handlers.count.__call__, weakref.ref(handlers.release)() is handlers.release)
    del thing
    gc.collect()


def with_models():
    print(models.Order(2), models.Price(1.5))
    for make in (lambda: models.Price(1, "X"), lambda: models.User(name="root")):
        try:
            make()
        except ValueError as error:
            print(type(error).__name__)
    user = models.User(name=" ann", mail="a@b")
    print(user.model_dump(), models.User.model_validate_json('{"name": "bob"}'))
    print(models.Color(7), models.Color.RED.hex, models.Order.__eq__(models.Order(1), models.Order(1)))


def with_mock():
    original = handlers.load
    with mock.patch("jobs.handlers.load", return_value="mocked") as patched:
        print(handlers.load(), patched.call_count)
    with mock.patch.object(handlers.Plugin, "base", lambda self: f"patched {self is not None}"):
        print(plugins.Json().run())
    with mock.patch("jobs.handlers.load", wraps=original):
        print(handlers.load())
    print(handlers.load is original, handlers.load(), plugins.Json().run())


def main():
    for part in (with_registries, with_schedulers, with_signals, with_cleanups, with_models, with_mock):
        part()
