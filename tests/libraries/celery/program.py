"""Sends tasks through a broker in memory to a worker in a thread. Some of them fail or are sent again."""

import threading
import time
from typing import Any

from celery import Celery
from celery.exceptions import Ignore
from opentelemetry import trace

app = Celery("shop", broker="memory://", backend="cache+memory://")
app.conf.update(worker_hijack_root_logger=False, worker_redirect_stdouts=False)


class SoldOut(Exception):
    pass


@app.task(name="shop.sell")
def sell(item: str) -> str:
    with trace.get_tracer("shop").start_as_current_span("own span of the program"):
        return item


@app.task(name="shop.pay", bind=True, max_retries=1, default_retry_delay=0)
def pay(self: Any) -> str:
    if self.request.retries:
        return "paid"
    raise self.retry(exc=OSError("the terminal is busy"))


@app.task(name="shop.refuse")
def refuse() -> None:
    raise ValueError("no tea left")


@app.task(name="shop.reserve", throws=(SoldOut,))
def reserve() -> None:
    raise SoldOut("sold out")


@app.task(name="shop.skip")
def skip() -> None:
    raise Ignore


@app.task(name="shop.brew")
def brew() -> None:
    pass


@app.task(name="shop.order")
def order() -> str:
    sell.apply_async(("cup",), task_id="2")
    return "ordered"


def wait(result: Any) -> None:
    for _ in range(1000):
        if result.ready():
            result.forget()
            return
        time.sleep(0.01)


def main() -> None:
    # The worker is one thread: it has ended a task before it starts the next one.
    worker = app.Worker(pool="solo", concurrency=1, hostname="worker@shop", without_heartbeat=True, without_mingle=True)
    thread = threading.Thread(target=worker.start, daemon=True)
    thread.start()
    with trace.get_tracer("shop").start_as_current_span("shop"):
        wait(sell.apply_async(("tea",), task_id="1"))
        wait(order.apply_async(task_id="3"))
        wait(pay.apply_async(task_id="4", priority=3, reply_to="till"))
        wait(sell.apply_async(("tea",), task_id="5", time_limit=60, expires="2099-01-01T00:00:00+00:00"))
        wait(refuse.apply_async(task_id="6"))
        wait(reserve.apply_async(task_id="7"))
        skip.apply_async(task_id="8")
        wait(app.send_task("shop.sell", ("pot",), task_id="9"))
        sell.apply(("tea",), task_id="10")
        refuse.apply(task_id="11")
    worker.stop()
    thread.join(10)


def hot() -> None:
    brew.apply(task_id="1")
