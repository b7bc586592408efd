"""Comments in SQL, whose form is that of OpenTelemetry's other instrumentations of databases."""

import sqlalchemy
from opentelemetry.instrumentation.sqlcommenter_utils import _add_sql_comment
from opentelemetry.instrumentation.utils import _get_opentelemetry_values


def commented(statement: str, driver: str, with_driver: bool, with_framework: bool, with_context: bool) -> str:
    values = _get_opentelemetry_values() if with_context else {}
    if with_driver:
        values["db_driver"] = driver
    if with_framework:
        values["db_framework"] = f"sqlalchemy:{sqlalchemy.__version__}"
    return _add_sql_comment(statement, **values)
