"""Messages reach the user, once, whatever has been done to logging; and the logger never raises."""

import contextlib
import logging
import warnings
from collections.abc import Iterator

import pytest
from opentelemetry.instrumentation.declarative.diagnostics.log import logger
from opentelemetry.sdk._logs import LoggerProvider

try:
    from opentelemetry.sdk._logs import LoggingHandler
except ImportError:  # a newer SDK, which no longer has it
    LoggingHandler = None  # type: ignore[assignment,misc]


class Recorder(logging.Handler):
    """A handler of the program."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextlib.contextmanager
def bare_logging(*handlers: logging.Handler) -> Iterator[None]:
    """Logging with only these handlers, as in a program: pytest's own are set aside."""
    root = logging.getLogger()
    kept, root.handlers[:] = root.handlers[:], handlers
    try:
        yield
    finally:
        root.handlers[:] = kept
        logger.logger.disabled = False


@pytest.fixture
def opentelemetry_handler() -> logging.Handler:
    if LoggingHandler is None:
        pytest.skip("this SDK has no handler for logging")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # in newer SDKs it belongs to an instrumentation
        return LoggingHandler(logger_provider=LoggerProvider())


def test_without_any_handler_python_writes_a_warning_once(capsys: pytest.CaptureFixture[str]):
    with bare_logging():
        logger.warning("%s has %d problems", "shop.yaml", 2)
        logger.info("not shown")
    assert capsys.readouterr().err == "shop.yaml has 2 problems\n"


def test_beside_the_handler_of_opentelemetry_a_warning_is_written_to_standard_error(
    opentelemetry_handler: logging.Handler, capsys: pytest.CaptureFixture[str]
):
    with bare_logging(opentelemetry_handler):
        logger.warning("%s has %d problems", "shop.yaml", 2)
        logger.info("not shown")
        try:
            raise ValueError("odd")
        except ValueError:
            logger.exception("%s could not be installed", "shop.yaml")
    written = capsys.readouterr().err
    assert written.startswith("shop.yaml has 2 problems\nshop.yaml could not be installed\nTraceback (most recent")
    assert written.endswith("ValueError: odd\n")


def test_a_handler_of_the_application_gets_the_message_alone(
    opentelemetry_handler: logging.Handler, capsys: pytest.CaptureFixture[str]
):
    with bare_logging(opentelemetry_handler, recorder := Recorder()):
        logger.warning("once")
    assert (recorder.messages, capsys.readouterr().err) == (["once"], "")


def test_a_root_logger_with_nothing_but_a_null_handler_hides_no_problem(capsys: pytest.CaptureFixture[str]):
    with bare_logging(logging.NullHandler()):
        logger.warning("shop.yaml has a problem")
    assert capsys.readouterr().err == "shop.yaml has a problem\n"


def test_a_null_handler_of_our_own_logger_silences_it(capsys: pytest.CaptureFixture[str]):
    silence = logging.NullHandler()
    logger.logger.addHandler(silence)
    try:
        with bare_logging():
            logger.warning("not wanted")
    finally:
        logger.logger.removeHandler(silence)
    assert capsys.readouterr().err == ""


def test_a_level_that_the_application_sets_is_respected(
    opentelemetry_handler: logging.Handler, capsys: pytest.CaptureFixture[str]
):
    level = logger.logger.level
    logger.setLevel(logging.ERROR)
    try:
        with bare_logging(opentelemetry_handler):
            logger.warning("not wanted")
    finally:
        logger.setLevel(level)
    assert capsys.readouterr().err == ""


def test_a_configuration_that_disables_all_loggers_hides_no_problem(capsys: pytest.CaptureFixture[str]):
    with bare_logging():
        logger.logger.disabled = True  # as dictConfig does by default to every logger that it does not name
        logger.error("shop.yaml has a problem")
    assert capsys.readouterr().err == "shop.yaml has a problem\n"


def test_a_handler_or_an_argument_that_raises_is_not_noticed():
    class Raising(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise ValueError(record)

    with bare_logging(Raising()):
        logger.warning("first")
    with bare_logging():
        logger.logger.disabled = True
        logger.warning("%d", "not a number")
