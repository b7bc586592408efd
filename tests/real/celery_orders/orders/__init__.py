"""A shop that processes its orders with Celery."""

from orders.celery import app

__all__ = ["app"]
