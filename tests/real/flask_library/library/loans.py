from flask import Blueprint, g, request
from flask.views import MethodView, View

from library.access import log_request, login_required
from library.books import LENT, lend

pages = Blueprint("loans", __name__)


def load_reader():
    g.reader = request.headers.get("x-reader")


def forget_reader(error):
    g.pop("reader", None)


class Loans(MethodView):
    decorators = (login_required,)

    def __init__(self, store):
        self.store = store

    def get(self):
        return {"lent": self.store}

    def post(self):
        log_request(request, "lend")
        return {"title": lend(request.get_json()["number"], g.reader)}, 201


@pages.delete("/<int:number>")
@login_required
def give_back(number):
    log_request(request, "give back")
    del LENT[number]
    return "", 204


@login_required
@pages.post("/<int:number>/renew")
def renew(number):
    return {"number": number}


class Count(View):
    init_every_request = False

    def dispatch_request(self):
        return str(len(LENT))


pages.add_url_rule("/", view_func=Loans.as_view("loans", LENT))
pages.add_url_rule("/count", view_func=Count.as_view("count"))
