"""Compiles, loads and renders templates, some of which fail."""

import contextlib

import jinja2

LOADER = jinja2.DictLoader({"base.html": "{% block x %}{% endblock %}", "page.html": "{% extends 'base.html' %}"})


TEMPLATE = jinja2.Template("Hello {{ name }}")


def hot() -> None:
    TEMPLATE.render(name="Ann")


def main() -> None:
    environment = jinja2.Environment(loader=LOADER, cache_size=0)
    jinja2.Template("Hello {{ name }}").render(name="Ann")
    environment.get_template("page.html").render()
    "".join(environment.get_template("base.html").generate())
    with contextlib.suppress(ZeroDivisionError):
        jinja2.Template("{{ 1 // 0 }}").render()
    with contextlib.suppress(jinja2.TemplateNotFound):
        environment.get_template("missing.html")
    with contextlib.suppress(jinja2.TemplateSyntaxError):
        environment.from_string("{% if %}")
