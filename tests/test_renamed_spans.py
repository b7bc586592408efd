"""Open spans that get another name at a moment."""

from typing import Any

import flask
import pytest
from opentelemetry.trace import use_span

HOST = """
import flask

def current_request():
    return flask.request._get_current_object()

class Server:
    id = 1

    def handle(self, method, path):
        return self.route(path)

    def start(self, method):
        pass

    def route(self, path):
        if path == "/unknown":
            return None
        return "/orders/{id}"

    def finish(self):
        pass
"""


@pytest.fixture
def module(make_module) -> Any:
    return make_module(HOST)


def test_a_span_is_renamed_once_its_route_is_known(module, instrumented, tracing):
    spec = """
    hooks: {handle: {call: "HOST:Server.handle"}, route: {call: "HOST:Server.route"}}
    context: {method: {during: handle, value: method}}
    spans:
      request: {around: handle, key: self.id, name: "{method}"}
    enrich:
      current:
        attribute_groups:
          route: {at: route.return, when: result, name: "{method} {result}", attributes: {http.route: result}}
          without_value: {at: route.return, when: not result, name: "{result}"}
    """
    with instrumented(spec, module):
        module.Server().handle("GET", "/orders/7")
        module.Server().handle("GET", "/unknown")
    assert [(span.name, dict(span.attributes)) for span in tracing.spans] == [
        ("GET /orders/{id}", {"http.route": "/orders/{id}"}),
        ("GET", {}),
    ]


def test_a_span_between_moments_is_renamed_by_its_key(module, instrumented, tracing):
    spec = """
    hooks:
      start: {call: "HOST:Server.start"}
      route: {call: "HOST:Server.route"}
      finish: {call: "HOST:Server.finish"}
    spans:
      request:
        key: self.id
        start: start.enter
        end: finish.return
        attribute_groups:
          route: {at: route.return, name: "request {result}"}
    """
    with instrumented(spec, module):
        server = module.Server()
        server.start("GET")
        server.route("/orders/7")
        server.finish()
    assert tracing.names == ["request /orders/{id}"]


def test_the_span_of_another_instrumentation_is_renamed_by_flask(module, instrumented, tracing):
    spec = """
    hooks: {dispatch: {call: "flask.app:Flask.dispatch_request"}}
    functions: {current_request: "HOST:current_request"}
    spans: {view: {around: dispatch}}
    enrich:
      root:
        attribute_groups:
          route: {at: dispatch.enter, name: "{current_request().method} {current_request().url_rule.rule}"}
    """
    app = flask.Flask("shop")
    app.add_url_rule("/orders/<int:id>", view_func=lambda id: str(id), endpoint="orders")
    with instrumented(spec, module):
        with use_span(tracing.provider.get_tracer("server").start_span("GET"), end_on_exit=True):
            app.test_client().get("/orders/7")
    assert tracing.names == ["view", "GET /orders/<int:id>"]
