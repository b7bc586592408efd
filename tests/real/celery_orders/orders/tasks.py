from functools import wraps

from celery import current_task

from orders.celery import app


class PaymentDeclined(Exception):
    pass


@app.task
def total(amounts):
    return sum(amounts)


def positive(function):
    @wraps(function)
    def checked(*args, **kwargs):
        result = function(*args, **kwargs)
        assert result
        return result

    return checked


@app.task(bind=True, max_retries=2)
@positive
def charge(self, amount, order):
    if self.request.retries == 0:
        raise self.retry(exc=ConnectionError("the bank is busy"), countdown=0)
    if amount > 100:
        raise PaymentDeclined(order)
    return authorize(amount)


def authorize(amount):
    return f"authorized {amount}"


@app.task(autoretry_for=(ConnectionError,), default_retry_delay=0, max_retries=3)
def ship(order, *, carrier="post"):
    if current_task.request.retries == 0:
        raise ConnectionError("the carrier is closed")
    return f"shipped {order} by {carrier}"


@app.task(ignore_result=True)
def pack(order):
    return order
