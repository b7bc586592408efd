from flask import Blueprint, Response, abort, render_template, send_file, stream_with_context

from library.books import TITLES, find, lines

pages = Blueprint("catalog", __name__)


@pages.route("/")
def index():
    return render_template("index.html", titles=sorted(TITLES.values()))


@pages.route("/books/<int:number>")
def show_book(number):
    title = find(number)
    if title is None:
        abort(404, f"there is no book {number}")
    return {"number": number, "title": title}


@pages.get("/books.txt")
def export():
    return Response(stream_with_context(lines(sorted(TITLES.values()))), mimetype="text/plain")


@pages.get("/cover.txt")
def send_cover():
    return send_file("templates/index.html", mimetype="text/plain")


@pages.get("/broken.txt")
def send_broken():
    return Response(broken_lines(), mimetype="text/plain")


def broken_lines():
    yield "one"
    raise ValueError("in the stream")


@pages.errorhandler(404)
def missing(error):
    return {"missing": error.description}, 404


def crash():
    raise ValueError("crash")


pages.add_url_rule("/crash", view_func=crash)


@pages.get("/later")
async def later():
    return await count_books()


async def count_books():
    return {"books": len(TITLES)}
