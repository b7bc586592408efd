"""Comments in SQL, whose form is that of OpenTelemetry's other instrumentations of databases."""

from opentelemetry.instrumentation.sqlcommenter_utils import _add_sql_comment


def commented(statement: str, values: dict[str, str]) -> str:
    return _add_sql_comment(statement, **values)
