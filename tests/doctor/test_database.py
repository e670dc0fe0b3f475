"""`lichen doctor database` measures, says what it costs, and writes nothing."""

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from lichen.cli import main
from lichen.doctor import Finding, Health
from lichen.doctor.costs import costs_of, serial_per_s, told_serial
from lichen.doctor.database import Database, findings_of, measure
from lichen.doctor.reading import reading
from lichen.drill.distance import distant
from lichen.kit import Unavailable, system_clock
from lichen.kit.config import Config
from lichen.store.migrating import migrate
from tests.wiring.places import place

pytestmark = pytest.mark.anyio


def about(findings: list[Finding], name: str) -> Finding:
    return next(finding for finding in findings if finding.about == name)


def test_both_engines_are_measured_and_nothing_is_left(engine: str, tmp_path: Path) -> None:
    with place(engine, tmp_path) as config:
        migrate(config.database.url.reveal(), folder=tmp_path)
        before = sorted(path.name for path in tmp_path.iterdir())

        found = measure(config, clock=system_clock)

        assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert found.engine == engine
    assert 0 < found.round_trip_ms <= found.round_trip_p95_ms
    assert found.durable_ms is not None and found.durable_ms > 0
    assert found.settings["server_version"]
    assert "actor" in {table.name for table in found.tables} or engine == "sqlite"
    told = list(findings_of(found))
    assert [one.about for one in told if one.health is Health.ILL] == []
    assert about(told, "an incoming vote, alone").told.startswith("3 round trips")


async def test_a_database_far_away_is_a_worry_that_names_its_price(tmp_path: Path) -> None:
    with place("postgresql", tmp_path) as config:
        url = config.database.url.reveal()
        parts = urlsplit(url)
        async with distant(parts.hostname or "", parts.port or 5432, delay_ms=5.0) as away:
            far = Config.load(words={"server.data": tmp_path, "database.url":
                                     f"postgresql://postgres@127.0.0.1:{away.port}{parts.path}"})

            found = await asyncio.to_thread(measure, far, clock=system_clock)

    told = list(findings_of(found))
    assert 10 <= found.round_trip_ms < 30
    assert about(told, "round trip").health is Health.WORRY
    assert "closer together" in about(told, "round trip").advice
    assert "serial, RTT-bound: 20 round trips" in about(told, "beside it").told


def test_the_story_is_told_by_its_formula() -> None:
    """20 round trips of 50 ms each are one activity a second; the peer made three."""
    told = told_serial(50.0, peer_per_s=3.0)

    assert serial_per_s(50.0) == pytest.approx(1.0)
    assert told == ("serial, RTT-bound: 20 round trips × 50.0 ms = at most 1.00 activities a "
                    "second, while the peer makes 3.00: it falls behind.")
    assert "keeps up" in told_serial(0.5, peer_per_s=3.0)
    assert {cost.what: cost.waits_ms for cost in costs_of(50.0)}["a vote"] == 100.0


@pytest.mark.parametrize(("setting", "value", "health"), [
    ("fsync", "off", Health.ILL), ("synchronous_commit", "off", Health.WORRY),
    ("autovacuum", "off", Health.WORRY), ("max_connections", "10", Health.WORRY),
])
def test_a_setting_that_loses_something_is_told(setting: str, value: str, health: Health) -> None:
    found = Database("postgresql", 0.2, 0.3, 1.0, 0.0, {setting: value}, [], 0)

    assert about(list(findings_of(found)), setting).health is health


@pytest.mark.parametrize("write", ["CREATE TABLE x (a int)", "INSERT INTO stamp VALUES ('a', 'b')"])
def test_the_doctor_cannot_write_even_if_it_would(engine: str, tmp_path: Path, write: str) -> None:
    with place(engine, tmp_path) as config:
        migrate(config.database.url.reveal(), folder=tmp_path)

        with reading(config.database.url.reveal(), folder=tmp_path) as rows, \
                pytest.raises(Unavailable, match="read"):
            rows.select(write)


def test_the_command_speaks_to_people_and_to_machines(tmp_path: Path) -> None:
    with place("sqlite", tmp_path):
        migrate("", folder=tmp_path)

    words = ["doctor", "database", "--data", str(tmp_path)]
    people, machine = (CliRunner().invoke(main, [*words, *more]) for more in ([], ["--json"]))

    assert (people.exit_code, machine.exit_code) == (0, 0)
    assert "[  ok ] round trip" in people.output
    assert json.loads(machine.output)["figures"]["engine"] == "sqlite"


def test_a_word_of_the_doctor_refuses_options_that_stand_before_it(tmp_path: Path) -> None:
    """They would be read for the plain doctor and be of no use to the word."""
    shown = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path), "database"])

    assert shown.exit_code == 2
    assert "after `database`" in shown.output


def test_a_database_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["doctor", "database", "--data", str(tmp_path)],
                               env={"LICHEN_DATABASE_URL": "postgresql://x@127.0.0.1:1/y"})

    assert shown.exit_code == 1
    assert shown.stderr.startswith("lichen: The database does not answer")
