"""A FastAPI application under uvicorn: routes, dependencies, background tasks, lifespan, WebSockets, middleware."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.processes import PATIENCE
from tests.real.programs import Client, Program, both_ways, check, needs
from tests.real.runs import Run, assert_traces, assert_unchanged

pytestmark = needs("fastapi", "uvicorn", "websockets")

FOLDER = Path(__file__).parent / "fastapi_shop"
COMMAND = ["-m", "uvicorn", "shop.main:app", "--port", "0"]


def use(program: Program) -> list[Any]:
    from websockets.sync.client import connect

    port = program.port()
    client = Client(port)
    client.send("GET", "/orders")
    client.send("POST", "/orders", {"item": " tea ", "amount": 2}, authorization="Bearer ann")
    client.send("POST", "/orders", {"item": "coffee"}, authorization="Bearer bob")
    client.send("POST", "/orders", {"item": "tea"})
    client.send("GET", "/orders/1")
    client.send("GET", "/orders/77")
    client.send("GET", "/orders", x_key="wrong")
    client.send("GET", "/orders/export")
    client.send("DELETE", "/orders/1")
    client.send("GET", "/status", authorization="Bearer ann")
    client.send("GET", "/hours")
    client.send("GET", "/hours/today")
    client.send("GET", "/sent")
    client.send("GET", "/crash")
    client.send("GET", "/openapi.json")
    with connect(f"ws://127.0.0.1:{port}/stock/tea", open_timeout=PATIENCE) as socket:
        return [*client.answers, [*socket]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    return both_ways(FOLDER, COMMAND, use, tmp_path_factory.mktemp("fastapi"))


@pytest.fixture(scope="module")
def run(runs: tuple[Run, Run]) -> Run:
    return runs[0]


def test_the_application_is_unchanged(runs: tuple[Run, Run]):
    assert_unchanged(*runs)
    assert [answer[2] for answer in runs[0].result[:-1]] == [
        *(200, 201, 409, 401, 200, 404, 403, 200, 204, 200, 200, 200, 200, 500, 200)
    ]


def test_each_request_is_one_trace_and_so_is_the_lifespan(run: Run):
    assert run.roots == [
        "lifespan",
        "GET /orders",
        *["POST /orders"] * 3,
        "GET /orders/1",
        "GET /orders/77",
        "GET /orders",
        "GET /orders/export",
        "DELETE /orders/1",
        "GET /status",
        "GET /hours",
        "GET /hours/today",
        "GET /sent",
        "GET /crash",
        "GET /openapi.json",
        "/stock/tea",
    ]
    assert_traces(
        run,
        """
        lifespan
          shop.title=FastAPI
          open_pool
          close_pool
        """,
    )


def test_dependencies_routers_middleware_and_a_class_as_dependency(run: Run):
    assert_traces(
        run,
        """
        GET /orders (server)
          versioned
            shop.path=/orders
            shop.status=200
            counted
              shop.status=200
              key
                shop.key=none
              read_settings
                shop.file=shop.toml
              pager
                shop.start=0
                shop.size=10
              list
                shop.start=0
                route list_orders
        """,
        """
        GET /orders (server)
          versioned
            shop.path=/orders
            shop.status=403
            counted
              shop.status=403
              key
                shop.key=wrong
                ! HTTPException: 403: wrong key
        """,
    )


def test_a_route_that_is_registered_below_another_decorator(run: Run):
    assert_traces(
        run,
        """
        GET /hours (server)
          versioned
            shop.path=/hours
            shop.status=200
            counted
              shop.status=200
              hours
                shop.day=monday
                shop.hours=monday: 9 to 5
                route read_hours
        """,
        """
        GET /hours/today (server)
          versioned
            shop.path=/hours/today
            shop.status=200
            counted
              shop.status=200
              route read_hours_of_today
                hours
                  shop.day=friday
                  shop.hours=friday: 9 to 5
                  route read_hours
        """,
    )


def test_sub_dependencies_dependencies_that_yield_and_background_tasks(run: Run):
    assert_traces(
        run,
        """
        POST /orders (server)
          versioned
            shop.path=/orders
            shop.status=201
            counted
              shop.status=201
              key
                shop.key=none
              token
              user
                shop.token=ann
                shop.user=user ann
              session
                close
              transaction
              strip
                shop.value=" tea "
              create
                shop.user=user ann
                shop.item=tea
                shop.number=1
                reserve
                  shop.item=tea
                  shop.left=3
                save
                  shop.number=1
              receipt
                shop.number=1
                shop.to=user ann
              warehouse
                shop.number=1
        """,
        """
        POST /orders (server)
          versioned
            shop.path=/orders
            shop.status=409
            counted
              shop.status=409
              key
                shop.key=none
              token
              user
                shop.token=bob
                shop.user=user bob
              session
                ! OutOfStock: coffee is out of stock
                close
              transaction
                ! OutOfStock: coffee is out of stock
                rollback
              strip
                shop.value=coffee
              create
                shop.user=user bob
                shop.item=coffee
                ! OutOfStock: coffee is out of stock
                reserve
                  shop.item=coffee
                  ! OutOfStock: coffee is out of stock
              out_of_stock
                shop.item=coffee
        """,
        """
        POST /orders (server)
          versioned
            shop.path=/orders
            shop.status=401
            counted
              shop.status=401
              key
                shop.key=none
              token
                ! HTTPException: 401: no token
        """,
    )


def test_routes_that_are_added_by_a_decorator_or_a_call_and_one_that_streams(run: Run):
    assert_traces(
        run,
        """
        GET /orders/1 (server)
          versioned
            shop.path=/orders/1
            shop.status=200
            counted
              shop.status=200
              key
                shop.key=none
              limiter
                shop.limit=100
                shop.left=99
              route read_order
                price
                  shop.price=2.5
        """,
        """
        GET /orders/77 (server)
          versioned
            shop.path=/orders/77
            shop.status=404
            counted
              shop.status=404
              key
                shop.key=none
              limiter
                shop.limit=100
                shop.left=98
              route read_order
                ! HTTPException: 404: there is no order 77
        """,
        """
        GET /orders/export (server)
          versioned
            shop.path=/orders/export
            shop.status=200
            counted
              shop.status=200
              key
                shop.key=none
              route export_orders
              export
                shop.limit=3
        """,
        """
        DELETE /orders/1 (server)
          versioned
            shop.path=/orders/1
            shop.status=204
            counted
              shop.status=204
              key
                shop.key=none
              delete
                shop.number=1
        """,
        """
        GET /status (server)
          versioned
            shop.path=/status
            shop.status=200
            counted
              shop.status=200
              token
              user
                shop.token=ann
                shop.user=user ann
              status
                shop.name=shop
                shop.user=user ann
        """,
    )


def test_an_exception_without_a_handler(run: Run):
    assert_traces(
        run,
        """
        GET /crash (server)
          ! ValueError: crash
          versioned
            shop.path=/crash
            ! ValueError: crash
            counted
              ! ValueError: crash
              route crash
                ! ValueError: crash
        """,
    )


def test_a_web_socket(run: Run):
    assert_traces(
        run,
        """
        /stock/tea (server)
          follow
            shop.item=tea
            watch
        """,
    )


@needs("opentelemetry.instrumentation.fastapi")
def test_beside_the_instrumentation_of_opentelemetry(tmp_path: Path):
    run, _ = both_ways(FOLDER, COMMAND, use, tmp_path, spec=FOLDER / "beside.yaml", beside=["fastapi"])
    assert run.below_server_spans == [
        ("GET /orders", ["versioned"]),
        *[("POST /orders", ["versioned"])] * 3,
        *[("GET /orders/{number}", ["versioned"])] * 2,
        ("GET /orders", ["versioned"]),
        ("GET /orders/export", ["versioned"]),
        ("DELETE /orders/{number}", ["versioned"]),
        ("GET /status", ["versioned"]),
        ("GET /hours", ["versioned"]),
        ("GET /hours/today", ["versioned"]),
        ("GET /sent", ["versioned"]),
        ("GET /crash", ["versioned"]),
        ("GET /openapi.json", ["versioned"]),
        ("HTTP /stock/{item}", ["follow"]),
    ]
    items = [span.attributes.get("shop.item") for span in run.server_spans if span.name == "POST /orders"]
    assert items == ["tea", "coffee", None]


def test_check_has_only_notes():
    notes, _, summary = check(FOLDER).rpartition("spec.yaml: ")
    assert summary == "no problems\nexit code 0"
    assert [line.partition("note")[2] for line in notes.splitlines() if "spec.yaml" in line] == [
        "[meets]: the hook routes matches 8 callables in 2 modules: shop.main:read_banner, shop.main:read_hours, "
        "shop.main:read_hours_of_today and 5 more",
        '[ambiguous-name]: "error" is the parameter of out_of_stock(request, error) here, not the call\'s exception',
    ]


def test_check_says_that_a_route_holds_a_function_that_cannot_be_patched_in_place(tmp_path: Path):
    spec = tmp_path / "spec.yaml"
    spec.write_text('instrument: 2\nname: shop\nspans: {banner: {around: "shop.main:get_banner"}}\n')
    report = check(FOLDER, spec)
    assert "warning[held]: shop.main:get_banner is held from before it could be patched, by: fastapi." in report
    assert report.endswith("\n1 warning\nexit code 1")
