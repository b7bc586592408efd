"""A library that lends books, with an application factory."""

from flask import Flask, got_request_exception

from library import access, catalog, commands, filters, loans
from library.errors import NotAvailable, not_available


def create_app() -> Flask:
    app = Flask(__name__)
    app.register_blueprint(catalog.pages)
    app.register_blueprint(loans.pages, url_prefix="/loans")
    app.register_error_handler(NotAvailable, not_available)
    app.add_template_filter(filters.shorten)
    app.cli.add_command(commands.reindex)
    app.before_request(loans.load_reader)
    got_request_exception.connect(access.log_failure, app)

    @app.after_request
    def add_version(response):
        response.headers["x-version"] = "1"
        return response

    @app.teardown_request
    def forget_reader(error):
        loans.forget_reader(error)

    @app.context_processor
    def add_name():
        return {"name": name_of_library()}

    return app


def name_of_library() -> str:
    return "town library"
