"""What is told goes to one stream, as text or JSON, from the level configured."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from lichen.kit import Broken
from lichen.kit.config import Config, Server
from lichen.kit.telling import tell_to


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def told(settings: Server) -> str:
    stream = io.StringIO()
    tell_to(stream, settings)
    log = structlog.get_logger("lichen.test")
    log.debug("whispered", count=1)
    log.warning("said", count=2)
    return stream.getvalue()


def test_machines_get_one_object_a_line() -> None:
    lines = [json.loads(line) for line in told(Server()).splitlines()]

    assert [(line["event"], line["level"], line["count"]) for line in lines] == [
        ("said", "warning", 2)]
    assert lines[0]["timestamp"].endswith("Z")


def test_people_get_text_and_as_much_as_they_want() -> None:
    text = told(Server(log_level="debug", log_format="text"))

    assert text.count("\n") == 2
    assert "whispered" in text and "count=2" in text


def test_a_secret_in_a_message_is_not_shown() -> None:
    config = Config.load(None, {
        "LICHEN_ADMIN_NAME": "ada", "LICHEN_ADMIN_PASSWORD": "hunter2hunter2"})
    for form in ("text", "json"):
        stream = io.StringIO()
        tell_to(stream, Server(log_format=form))  # type: ignore[arg-type]

        structlog.get_logger().info("started", config=config)

        assert "hunter2" not in stream.getvalue()


def test_a_failure_is_told_with_its_traceback_but_without_what_variables_hold() -> None:
    """By default structlog shows the local variables of every frame, passwords among them."""
    for form in ("text", "json"):
        stream = io.StringIO()
        tell_to(stream, Server(log_format=form))  # type: ignore[arg-type]
        password = "hunter2" * 2
        try:
            raise LookupError(f"no such moss, {len(password)}")
        except LookupError:
            structlog.get_logger().exception("failed")

        assert "LookupError" in stream.getvalue()
        assert "hunter2hunter2" not in stream.getvalue()


def test_a_traceback_shows_code_and_types_but_no_text_that_may_quote_people() -> None:
    stream = io.StringIO()
    tell_to(stream, Server())
    quoted = "sword" + "fish"

    try:
        try:
            raise ValueError(quoted)
        except ValueError as error:
            raise Broken("PostgreSQL 22P02") from error
    except Broken as error:
        structlog.get_logger("lichen.test").error("broke", exc_info=error)

    said = json.loads(stream.getvalue())["exception"]
    assert "ValueError" in said and "Broken: PostgreSQL 22P02" in said
    assert "test_telling.py" in said
    assert quoted not in said


def test_a_stream_that_fails_stops_nothing() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    tell_to(Full(), Server())

    structlog.get_logger("lichen.test").error("unheard")
