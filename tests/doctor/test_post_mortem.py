"""`lichen drill post-mortem` plays the story and names its cause; nothing is left over."""

import tempfile
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from lichen.cli import main
from lichen.drill.peer import Sent, send_serially
from lichen.drill.post_mortem import Outcome
from lichen.drill.report import is_named, lines_of
from tests.doctor.forums import database

pytestmark = pytest.mark.anyio


def becomes_alone(connection: psycopg.Connection[tuple[int]]) -> bool:
    """Say whether nobody else is connected to the database; who hung up may take a moment to go."""
    for _ in range(200):
        (others,) = connection.execute(
            "SELECT count(*), pg_sleep(0.05) FROM pg_stat_activity "
            "WHERE datname = current_database()").fetchone()[:1]
        if others == 1:
            return True
        connection.execute("SELECT pg_stat_clear_snapshot()")
        connection.commit()
    return False


@pytest.mark.slow
def test_the_story_is_played_and_its_cause_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20 round trips of 50 ms take one a second, the peer makes three; Lichen keeps up.

    The round trip was once measured before the play: on a machine that was busy during it, what the
    activities took was no longer explained by it, and no cause was found.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with database("") as url:
        shown = CliRunner().invoke(
            main, ["drill", "post-mortem", "--database", url, "--seconds", "3"])
        with psycopg.connect(url) as connection:
            tables = connection.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
            is_alone = becomes_alone(connection)

    assert shown.exit_code == 0, shown.output
    assert "Cause: the distance to the database." in shown.output
    assert "serial, RTT-bound: 20 round trips × " in shown.output
    assert "while the peer makes 3.00: it falls behind." in shown.output
    assert "0 not applied" in shown.output and "it keeps up." in shown.output
    assert tables == (0,)
    assert is_alone
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_holds_something_is_not_touched() -> None:
    with database("CREATE TABLE mine (a int)") as url:
        shown = CliRunner().invoke(main, ["drill", "post-mortem", "--database", url])
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM mine").fetchone() == (0,)

    assert shown.exit_code == 1
    assert "empty database" in shown.stderr


def test_another_cause_is_not_named_as_this_one() -> None:
    """A forum that is slow for itself lags too; moving its database would mend nothing."""
    slow = Sent(60, 20, [1_000.0] * 20)
    near = Outcome(0.0, 0.2, slow, 20, Sent(60, 60, [2.0]), 0.1, 0)

    assert "Cause: not found." in lines_of(near)
    assert not is_named(near)
    assert is_named(near._replace(round_trip_ms=50.0))


async def test_a_serial_peer_falls_behind_by_what_it_cannot_send() -> None:
    async def fast(_: int) -> None:
        """Answer at once."""

    sent = await send_serially(fast, per_s=10.0, for_s=0.5)

    assert sent.made >= 5
    assert sent.behind <= 1
