"""Reading loads nothing: what an ORM would have to load is missing, and no SQL runs."""

import asyncio
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
from opentelemetry.instrumentation.declarative.diagnostics.problems import Mark
from opentelemetry.instrumentation.declarative.language.values import Target
from opentelemetry.instrumentation.declarative.patching.loader_guards import LOADERS, LoaderGuards
from opentelemetry.instrumentation.declarative.runtime.context.own_reading import REFUSALS, NotLoaded
from opentelemetry.instrumentation.declarative.runtime.values.attribute_values import attribute_value
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from sqlalchemy import event, orm

SHOP = """
from sqlalchemy import ForeignKey, create_engine, event
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import StaticPool

class Base(DeclarativeBase):
    pass

class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    note: Mapped[str] = mapped_column(deferred=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    customer: Mapped[Customer] = relationship()
    lines: Mapped[list["Line"]] = relationship()
    history = relationship("Event", lazy="dynamic")

    @hybrid_property
    def size(self):
        return len(self.lines)

    @property
    def label(self):
        return f"{self.customer.name}: {self.status}"

    def __repr__(self):
        return f"order of {self.customer.name}"

class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))

class Event(Base):
    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))

def place(session, order, commit=True):
    session.add(order)
    session.flush()
    if commit:
        session.commit()
    return order

async def place_later(session, order):
    session.add(order)
    await session.commit()
    return order

def show(order):
    return order
"""
READS = {
    "id": "result.id",
    "status": "result.status",
    "lines": "len(result.lines)",
    "customer": "result.customer.name",
    "note": "result.note",
    "size": "result.size",
    "label": "result.label",
    "text": "str(result)",
    "first": "result.history[0]",
    "whole": "result",
}


def spec_on(function: str) -> str:
    attributes = ", ".join(f"order.{name}: '{text}'" for name, text in READS.items())
    return f"spans: {{read: {{around: 'HOST:{function}', attributes: {{{attributes}}}}}}}"


@pytest.fixture
def shop(make_module: Callable[..., Any]) -> Iterator[Any]:
    module = make_module(SHOP)
    module.engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.StaticPool)
    module.Base.metadata.create_all(module.engine)
    module.statements = []
    event.listen(
        module.engine, "before_cursor_execute", lambda _c, _cur, sql, *_: module.statements.append(sql.split()[0])
    )
    yield module
    module.engine.dispose()
    orm.clear_mappers()


def new_order(shop: Any) -> Any:
    return shop.Order(status="new", note="n", customer=shop.Customer(name="Ann"), lines=[shop.Line(), shop.Line()])


def test_expired_attributes_are_missing_and_no_sql_runs(shop, tracing, instrumented, caplog: pytest.LogCaptureFixture):
    refused = REFUSALS.numbers().get("sqlalchemy", 0)
    with instrumented(spec_on("place"), shop), shop.Session(shop.engine) as session:
        order = shop.place(session, new_order(shop))
        assert set(shop.statements) == {"INSERT"}
        assert not session.in_transaction()
        assert dict(tracing.span.attributes) == {"order.id": 1, "order.whole": f"{shop.__name__}.Order"}
        assert caplog.messages == []
        assert REFUSALS.numbers()["sqlalchemy"] > refused
        # The program itself reads them as before.
        assert (order.status, order.label, order.size, order.note) == ("new", "Ann: new", 2, "n")
    assert shop.statements.count("SELECT") >= 4


KEYS = """
from sqlalchemy import Column, ForeignKey, Integer, String
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()

class Place(Base):
    __tablename__ = "places"
    number = Column("place_no", Integer, primary_key=True)
    land = Column("country_code", String, primary_key=True)
    label = Column(String)

    @property
    def title(self):
        return f"{self.land}-{self.number}"

class Person(Base):
    __tablename__ = "people"
    id = Column(Integer, primary_key=True)
    kind = Column(String)
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "person"}

class Driver(Person):
    __tablename__ = "drivers"
    id = Column(ForeignKey("people.id"), primary_key=True)
    licence = Column(String)
    __mapper_args__ = {"polymorphic_identity": "driver"}

def show(thing):
    return thing
"""
KEYS_SPEC = """
spans:
  show:
    around: HOST:show
    name: "show {thing.number}"
    attributes: {number: thing.number, land: thing.land, label: thing.label, title: thing.title, id: thing.id,
      licence: thing.licence}
"""


@pytest.fixture
def keys(make_module: Callable[..., Any]) -> Iterator[Any]:
    module = make_module(KEYS)
    module.engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.StaticPool)
    module.Base.metadata.create_all(module.engine)
    # SQLAlchemy adds an attribute to its class of columns when the key of a statement is cached for the first time.
    sqlalchemy.select(sqlalchemy.Column("number"))._generate_cache_key()
    yield module
    module.engine.dispose()
    orm.clear_mappers()


def test_the_primary_key_of_an_expired_object_is_read_from_its_identity(
    keys, tracing, instrumented, caplog: pytest.LogCaptureFixture
):
    place, driver = keys.Place(number=5, land="FR", label="x"), keys.Driver(id=7, licence="B")
    with instrumented(KEYS_SPEC, keys), keys.Session(keys.engine) as session:
        session.add_all([place, driver])
        session.commit()
        for thing in (place, driver):
            keys.show(thing)
            state = sqlalchemy.inspect(thing)
            assert not session.in_transaction()
            assert set(state.dict) == {"_sa_instance_state"}
            assert state.expired_attributes >= {column.key for column in state.mapper.column_attrs}
    # Nor is it needed that the object still belongs to a session.
    with instrumented(KEYS_SPEC, keys):
        keys.show(place)
    assert [dict(span.attributes) for span in tracing.spans] == [
        {"number": 5, "land": "FR", "title": "FR-5"},
        {"id": 7},
        {"number": 5, "land": "FR", "title": "FR-5"},
    ]
    assert tracing.names == ["show 5", "show", "show 5"]
    assert caplog.messages == []


def test_the_program_reads_a_primary_key_as_before(keys, tracing, instrumented):
    place = keys.Place(number=5, land="FR")
    with instrumented(KEYS_SPEC, keys), keys.Session(keys.engine) as session:
        session.add(place)
        session.commit()
        keys.show(place)
        assert (place.number, place.land) == (5, "FR")
        assert session.in_transaction()
        session.delete(place)
        session.flush()
        session.expire_all()
        transient = keys.Place(land="DE")
        keys.show(transient)
        assert transient.number is None
    assert dict(tracing.spans[-1].attributes)["land"] == "DE"
    assert "number" not in tracing.spans[-1].attributes


def test_loaded_attributes_are_recorded(shop, tracing, instrumented):
    with instrumented(spec_on("show"), shop), shop.Session(shop.engine) as session:
        order = shop.place(session, new_order(shop), commit=False)
        before = list(shop.statements)
        shop.show(order)
        assert shop.statements == before
        assert dict(tracing.span.attributes) == {
            "order.id": 1,
            "order.status": "new",
            "order.lines": 2,
            "order.customer": "Ann",
            "order.note": "n",
            "order.size": 2,
            "order.label": "Ann: new",
            "order.text": "order of Ann",
            "order.whole": f"{shop.__name__}.Order",
        }


def test_what_is_loaded_of_an_object_is_recorded_and_the_rest_is_missing(shop, tracing, instrumented):
    with shop.Session(shop.engine) as session:
        shop.place(session, new_order(shop))
    with instrumented(spec_on("show"), shop), shop.Session(shop.engine) as session:
        order = session.get(shop.Order, 1)
        before = list(shop.statements)
        shop.show(order)
        assert shop.statements == before
    assert {key: value for key, value in tracing.span.attributes.items() if key != "order.whole"} == {
        "order.id": 1,
        "order.status": "new",
    }


def test_a_detached_object_is_read_without_an_error(shop, tracing, instrumented, caplog: pytest.LogCaptureFixture):
    with shop.Session(shop.engine) as session:
        order = shop.place(session, new_order(shop))
        assert order.status == "new"
    with instrumented(spec_on("show"), shop):
        shop.show(order)
    assert tracing.span.attributes["order.status"] == "new"
    assert "order.lines" not in tracing.span.attributes
    assert caplog.messages == []


def test_a_new_object_is_not_changed_by_reading_it(shop, tracing, instrumented):
    order = shop.Order(status="new")
    before = dict(vars(order))
    with instrumented(spec_on("show"), shop):
        shop.show(order)
    assert {key: value for key, value in vars(order).items() if key != "_sa_instance_state"} == {
        key: value for key, value in before.items() if key != "_sa_instance_state"
    }


def test_pending_changes_are_not_flushed_by_reading(shop, tracing, instrumented):
    with instrumented(spec_on("show"), shop), shop.Session(shop.engine) as session:
        order = shop.place(session, new_order(shop))
        order.status = "changed"
        assert session.dirty
        before = list(shop.statements)
        shop.show(order)
        assert shop.statements == before
        assert session.dirty
    assert tracing.span.attributes["order.status"] == "changed"


def test_asynchronous_sessions_are_read_without_sql_and_without_errors(
    shop, tracing, instrumented, caplog: pytest.LogCaptureFixture
):
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    async def main() -> None:
        engine = create_async_engine("sqlite+aiosqlite://", poolclass=sqlalchemy.pool.StaticPool)
        event.listen(
            engine.sync_engine, "before_cursor_execute", lambda _c, _k, sql, *_: shop.statements.append(sql.split()[0])
        )
        async with engine.begin() as connection:
            await connection.run_sync(shop.Base.metadata.create_all)
        shop.statements.clear()
        async with AsyncSession(engine) as session:
            order = await shop.place_later(session, new_order(shop))
            assert set(shop.statements) == {"INSERT"}
            assert not session.in_transaction()
            await session.refresh(order)
            assert order.status == "new"
        await engine.dispose()

    with instrumented(spec_on("place_later"), shop):
        asyncio.run(main())
    assert dict(tracing.span.attributes) == {"order.id": 1, "order.whole": f"{shop.__name__}.Order"}
    assert caplog.messages == []


class Storing(SpanExporter):
    """Stores spans in a database, with the library that is guarded."""

    def __init__(self, shop: Any) -> None:
        self.shop = shop
        self.found: list[str] = []

    def export(self, spans: Any) -> SpanExportResult:
        with self.shop.Session(self.shop.engine) as session:
            customer = self.shop.Customer(name=spans[0].name)
            session.add(customer)
            session.commit()
            self.found.append(customer.name)
        return SpanExportResult.SUCCESS


def test_an_exporter_may_load_what_it_likes(shop, tracing, instrumented):
    exporter = Storing(shop)
    tracing.provider.add_span_processor(SimpleSpanProcessor(exporter))
    with instrumented(spec_on("show"), shop):
        shop.show(new_order(shop))
    assert exporter.found == ["read"]


def test_guards_are_removed_exactly(shop, tracing, instrumented):
    owners = [
        (owner, dict(vars(owner)))
        for loader in LOADERS
        if (owner := getattr(sys.modules.get(loader.module), loader.path.split(".")[0], None)) is not None
    ]
    assert len(owners) >= 3
    with instrumented(spec_on("show"), shop):
        assert any(dict(vars(owner)) != before for owner, before in owners)
    for owner, before in owners:
        assert dict(vars(owner)) == before


def loader(target: str) -> Target:
    module, _, path = target.partition(":")
    return Target(module, path, Mark("shop.yaml", 3, 5))


TABLE = """
class Base:
    def inherited(self):
        return 1

class Table(Base):
    def load(self):
        return 5
    @property
    def lazy(self):
        return 6
    @classmethod
    def of_class(cls):
        return cls.__name__
    @staticmethod
    def free():
        return 7
    @property
    def rows(self):
        return self.load()
    @property
    def all(self):
        return [self.load(), self.of_class(), self.free(), self.inherited()]
    def show(self):
        return self
"""


def test_a_guard_that_another_tool_has_wrapped_stays_and_passes_on(make_module: Callable[..., Any]):
    module = make_module(TABLE)
    guards = LoaderGuards([loader(f"{module.__name__}:Table.load")])
    guards.install()
    guards.install()
    ours = module.Table.load
    module.Table.load = lambda self: ours(self) + 1
    theirs = module.Table.load
    guards.remove()
    assert module.Table.load is theirs
    assert module.Table().load() == 6


def test_a_loader_that_a_release_lacks_is_ignored_in_our_table(caplog: pytest.LogCaptureFixture):
    guards = LoaderGuards([loader("json:Decoder.load")])
    guards.install()
    guards.remove()
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("load", "rows"),
        ("lazy", "lazy"),
        ("of_class", "all"),
        ("free", "all"),
        ("inherited", "all"),
    ],
)
def test_a_spec_can_name_the_loaders_of_another_library(
    path: str, name: str, make_module: Callable[..., Any], tracing, instrumented
):
    module = make_module(TABLE)
    spec = f"""
    target: {{loaders: {{rows: "HOST:Table.{path}"}}}}
    spans: {{show: {{around: "HOST:Table.show", attributes: {{x: self.{name}, y: 1 if self.{name} else 2}}}}}}
    """
    table = module.Table()
    with instrumented(spec, module):
        table.show()
        assert table.all == [5, "Table", 7, 1]
        assert table.lazy == 6
    assert dict(tracing.span.attributes) == {"y": 2}


def test_a_condition_on_what_is_not_loaded_is_not_true_and_not_a_failure(
    make_module: Callable[..., Any], tracing, instrumented, caplog: pytest.LogCaptureFixture
):
    module = make_module(TABLE + "    def __bool__(self):\n        return self.load() > 0\n")
    spec = """
    target: {loaders: {rows: "HOST:Table.load"}}
    spans: {show: {around: "HOST:Table.show", when: self}, other: {around: "HOST:Table.show", when: not self.rows}}
    """
    with instrumented(spec, module):
        module.Table().show()
    assert tracing.names == ["other"]
    assert caplog.messages == []


def test_a_field_that_a_rule_sets_may_load_its_old_value(
    make_module: Callable[..., Any], tracing, instrumented, caplog: pytest.LogCaptureFixture
):
    module = make_module(
        TABLE + "    def __setattr__(self, name, value):\n        vars(self)[name] = (self.load(), value)\n"
    )
    spec = """
    target: {loaders: {rows: "HOST:Table.load"}}
    hooks: {show: {call: "HOST:Table.show"}}
    spans: {set: {around: "HOST:Table.__setattr__"}}
    inject: {state: {at: show.enter, field: self.state, value: '"new"'}}
    """
    table = module.Table()
    with instrumented(spec, module):
        table.show()
    assert table.state == (5, "new")
    assert tracing.names == []
    assert caplog.messages == []


def test_other_loaders_can_be_guarded_instead(make_module: Callable[..., Any]):
    module = make_module(TABLE)
    before = dict(vars(module.Table))
    guards = LoaderGuards([loader(f"{module.__name__}:Table.load")])
    guards.install()
    guards.change([loader(f"{module.__name__}:Table.free")])
    assert vars(module.Table)["load"] is before["load"]
    assert vars(module.Table)["free"] is not before["free"]
    guards.remove()
    assert dict(vars(module.Table)) == before


def test_a_loader_that_does_not_exist_is_reported_with_its_line(
    make_module: Callable[..., Any], tracing, instrumented, caplog: pytest.LogCaptureFixture
):
    module = make_module(TABLE)
    spec = """
    target: {loaders: {rows: "HOST:Table.laod"}}
    spans: {show: {around: "HOST:Table.show"}}
    """
    with instrumented(spec, module):
        module.Table().show()
    (text,) = caplog.messages
    assert "spec.yaml:3:26" in text
    assert "has no laod" in text
    assert 'did you mean "load"?' in text


def test_check_reports_a_loader_that_does_not_exist(make_module: Callable[..., Any], spec_file: Callable[..., Any]):
    from opentelemetry.instrumentation.declarative.cli.main import main

    module = make_module(TABLE)
    path = spec_file('loaders: {a: "HOST:Table.load", b: "HOST:Table.laod"}', module)
    assert main(["check", str(path)]) == 1


# ── Django ──

DJANGO = """
import django
from django.conf import settings
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[], DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True, USE_I18N=False,
)
django.setup()
from django.db import connection, models
from django.utils.functional import SimpleLazyObject, lazystr
from django.utils.translation import gettext_lazy

class Customer(models.Model):
    name = models.CharField(max_length=10)
    class Meta:
        app_label = "shop"

class Order(models.Model):
    status = models.CharField(max_length=10)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    class Meta:
        app_label = "shop"
    @property
    def label(self):
        return f"{self.customer.name}: {self.status}"
    @property
    def count(self):
        return Order.objects.filter(status=self.status).count()
    def __str__(self):
        return f"order of {self.customer.name}"

class Invoice(models.Model):
    order = models.OneToOneField(Order, on_delete=models.CASCADE)
    class Meta:
        app_label = "shop"

def show(order, things=None, user=None):
    return order
"""
DJANGO_SPEC = """
spans:
  show:
    around: HOST:show
    attributes:
      id: order.id
      status: order.status
      customer: order.customer.name
      label: order.label
      count: order.count
      text: str(order)
      invoice: order.invoice.id
      things: things
      size: len(things)
      first: things[0].id
      any: 1 if bool(things) else 0
      all: str(things)
      json: json(things)
      user: user
      user_id: user.id
"""


@pytest.fixture(scope="module")
def django_shop() -> Iterator[Any]:
    module = types.ModuleType("django_shop")
    sys.modules["django_shop"] = module
    exec(DJANGO, module.__dict__)
    with module.connection.schema_editor() as editor:
        for model in (module.Customer, module.Order, module.Invoice):
            editor.create_model(model)
    customer = module.Customer.objects.create(name="Ann")
    module.Order.objects.create(status="new", customer=customer)
    yield module
    module.connection.close()
    del sys.modules["django_shop"]


class Queries:
    """The SQL that runs in a block."""

    def __init__(self, shop: Any) -> None:
        self.connection = shop.connection
        self.found: list[str] = []

    def __enter__(self) -> list[str]:
        self._wrapper = self.connection.execute_wrapper(self._note)
        self._wrapper.__enter__()
        return self.found

    def __exit__(self, *error: Any) -> None:
        self._wrapper.__exit__(*error)

    def _note(self, execute: Any, sql: str, *arguments: Any) -> Any:
        self.found.append(sql)
        return execute(sql, *arguments)


def shown(django_shop: Any, tracing: Any, instrumented: Any, *arguments: Any) -> dict[str, Any]:
    with instrumented(DJANGO_SPEC, django_shop), Queries(django_shop) as queries:
        django_shop.show(*arguments)
    assert queries == []
    return dict(tracing.span.attributes)


def test_relations_that_are_not_fetched_are_missing(
    django_shop, tracing, instrumented, caplog: pytest.LogCaptureFixture
):
    order = django_shop.Order.objects.get()
    assert shown(django_shop, tracing, instrumented, order) == {"id": 1, "status": "new", "any": 0}
    assert caplog.messages == []
    assert order.customer.name == "Ann"


def test_relations_that_are_fetched_are_recorded(django_shop, tracing, instrumented):
    order = django_shop.Order.objects.select_related("customer").get()
    assert shown(django_shop, tracing, instrumented, order) == {
        "id": 1,
        "status": "new",
        "customer": "Ann",
        "label": "Ann: new",
        "text": "order of Ann",
        "any": 0,
    }


def test_deferred_fields_are_missing(django_shop, tracing, instrumented):
    order = django_shop.Order.objects.defer("status").get()
    assert shown(django_shop, tracing, instrumented, order) == {"id": 1, "any": 0}
    assert order.status == "new"


def test_a_query_set_is_not_evaluated(django_shop, tracing, instrumented, caplog: pytest.LogCaptureFixture):
    things = django_shop.Order.objects.all()
    assert shown(django_shop, tracing, instrumented, None, things) == {}
    assert things._result_cache is None
    assert caplog.messages == []


def test_a_query_set_that_is_evaluated_is_read(django_shop, tracing, instrumented):
    things = django_shop.Order.objects.select_related("customer").all()
    assert len(things) == 1
    found = shown(django_shop, tracing, instrumented, None, things)
    assert found == {
        "things": "django.db.models.query.QuerySet",
        "size": 1,
        "first": 1,
        "any": 1,
        "all": "<QuerySet [<Order: order of Ann>]>",
        "json": '"django.db.models.query.QuerySet"',
    }


def test_a_lazy_object_is_not_made(django_shop, tracing, instrumented, caplog: pytest.LogCaptureFixture):
    made = []

    def make() -> Any:
        made.append(1)
        return django_shop.Customer.objects.get()

    user = django_shop.SimpleLazyObject(make)
    assert shown(django_shop, tracing, instrumented, None, None, user) == {"any": 0}
    assert made == []
    assert caplog.messages == []
    assert user.name == "Ann"


def test_a_lazy_object_that_is_made_is_read(django_shop, tracing, instrumented):
    user = django_shop.SimpleLazyObject(lambda: django_shop.Customer.objects.get())
    assert user.name == "Ann"
    found = shown(django_shop, tracing, instrumented, None, None, user)
    assert found == {
        "any": 0,
        "user": "django_shop.Customer",
        "user_id": 1,
    }


def test_lazy_texts_are_missing_unless_the_spec_asks_for_their_text(django_shop):
    for lazy in (django_shop.lazystr("x"), django_shop.gettext_lazy("x")):
        assert attribute_value(lazy) is None
        assert attribute_value([lazy]) == "[null]"
        assert str(lazy) == "x"
    assert attribute_value(django_shop.SimpleLazyObject(lambda: 5)) is None
    made = django_shop.SimpleLazyObject(lambda: 5)
    assert made + 0 == 5
    assert attribute_value(made) == 5


def test_a_value_that_is_not_loaded_is_an_attribute_error():
    assert issubclass(NotLoaded, AttributeError)
