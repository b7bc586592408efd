"""Who may do what, and who did."""

from functools import wraps

from flask import abort, g

LOG: list[str] = []


def login_required(view):
    @wraps(view)
    def checked(*args, **kwargs):
        if getattr(g, "reader", None) is None:
            abort(401)
        return view(*args, **kwargs)

    return checked


def log_request(request, action):
    LOG.append(f"{action} {request.path}")


def log_failure(sender, exception, **extra):
    LOG.append(f"{sender.name} {exception}")
