from flask import jsonify


class NotAvailable(Exception):
    def __init__(self, title: str) -> None:
        super().__init__(f"{title} is lent")
        self.title = title


def not_available(error: NotAvailable):
    return jsonify(title=error.title), 409
