"""`lichen doctor foreign` examines a Lemmy and a PieFed from outside, and changes nothing there."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from click.testing import CliRunner

from lichen.cli import main
from lichen.doctor import Finding, Health
from lichen.doctor.foreign import examine_database, examine_foreign
from lichen.doctor.lemmy import states_in
from lichen.drill.distance import distant
from lichen.kit import Refused, system_clock
from lichen.kit.ground import ground_of
from tests.doctor.forums import PIEFED, database, lemmy
from tests.doctor.neighbours import Neighbour, testbed

pytestmark = pytest.mark.anyio


def about(findings: list[Finding], name: str) -> Finding:
    return next(finding for finding in findings if finding.about == name)


def examined(url: str, *, trips: int = 0) -> list[Finding]:
    return list(examine_database(url, clock=system_clock, trips=trips))


def state(domain: str, last_id: int, at: str, fails: int = 0) -> dict[str, Any]:
    return {"domain": domain, "federation_state": {
        "last_successful_id": last_id, "last_successful_published_time": at, "fail_count": fails}}


async def test_a_lemmy_tells_over_http_how_far_behind_each_server_is(tmp_path: Path) -> None:
    forum = Neighbour()
    forum.software = {"name": "lemmy", "version": "0.19.12"}
    forum.federated = {"federated_instances": {"linked": [
        state("near.example", 900, "2026-11-20T00:00:00Z"),
        state("far.example", 100, "2026-11-17T00:00:00Z"),
        state("dead.example", 5, "2026-01-01T00:00:00Z", fails=40)]}}
    async with forum.open():
        ground = ground_of(testbed(tmp_path))
        found = [one async for one in examine_foreign(ground, "http", forum.authority)]
        await ground.outbound.close()

    assert about(found, "NodeInfo").told == "lemmy 0.19.12"
    assert about(found, "to far.example").health is Health.ILL
    assert "800 activities behind, 259200 s" in about(found, "to far.example").told
    assert "3: 1 behind, 1 down (dead.example)" in about(found, "servers it sends to").told


@pytest.mark.parametrize("is_new", [False, True], ids=["0.19", "1.0"])
def test_a_lemmys_database_tells_the_lag_of_each_server(is_new: bool) -> None:
    with database(lemmy(is_new=is_new)) as url:
        found = examined(url)

    assert "900 activities behind" in about(found, "to far.example").told
    assert about(found, "to far.example").health is Health.ILL  # the oldest is two days old
    assert "concurrent_sends_per_instance" in about(found, "to far.example").advice
    assert "3: 1 behind, 1 down (dead.example)" in about(found, "servers it sends to").told
    assert about(found, "what comes in").health is Health.WELL
    assert "big.example 0.03" in about(found, "what comes in").told


async def test_a_serial_receiver_far_from_its_database_is_diagnosed_in_words() -> None:
    """The story: idle machines, a database a ping away, and a peer that makes more than it takes."""
    with database(lemmy(received=7_200)) as url:  # two a second in the last hour
        parts = urlsplit(url)
        async with distant(parts.hostname or "", parts.port or 5432, delay_ms=5.0) as away:
            found = await asyncio.to_thread(
                examined, f"postgresql://postgres@127.0.0.1:{away.port}{parts.path}", trips=40)

    told = about(found, "what comes in")
    assert told.health is Health.ILL
    assert "2.00 activities a second" in told.told
    assert "serial, RTT-bound: 40 round trips × 1" in told.told
    assert "all it can" in told.told
    assert "next to the forum" in told.advice


def test_a_piefeds_database_tells_what_waits_and_who_is_not_reached() -> None:
    with database(PIEFED) as url:
        found = examined(url)

    assert about(found, "to far.example").health is Health.WORRY
    assert "70 activities wait" in about(found, "to far.example").told
    assert "1, of which 1 are given up (down.example)" in about(found, "servers not reached").told
    assert "10% failed" in about(found, "what comes in").told


def test_a_piefed_that_logs_nothing_is_told_its_formula() -> None:
    with database(PIEFED.replace("generate_series(1, 100)", "generate_series(1, 0)")) as url:
        found = examined(url)

    assert "serial, RTT-bound: 45 round trips" in about(found, "rate").told


def test_another_database_is_refused_by_what_it_lacks() -> None:
    with database("CREATE TABLE post (id int)") as url, pytest.raises(Refused, match="send_queue"):
        examined(url)


def test_a_foreign_database_is_left_as_it_was() -> None:
    with database(lemmy()) as url:
        def rows() -> Any:
            with psycopg.connect(url) as connection:
                return connection.execute(
                    "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables "
                    "ORDER BY relname").fetchall()

        before = rows()
        examined(url)
        assert rows() == before


def test_what_a_strange_server_says_is_left_out() -> None:
    strange: list[Any] = [
        {}, {"federated_instances": 5}, {"federated_instances": {"linked": "x"}},
        {"federated_instances": {"linked": [None, 5, {"domain": 3}, {"domain": "a"},
                                            {"domain": "a", "federation_state": []}]}}]

    assert [list(states_in(one)) for one in strange] == [[]] * 4
    (one,) = states_in({"federated_instances": {"linked": [{"domain": "a", "federation_state": {
        "last_successful_id": "x", "fail_count": True, "last_successful_published_time": 9}}]}})
    assert (one.last_id, one.fail_count, one.last_us) == (0, 0, 0)


def test_a_server_that_is_away_is_one_ill_line(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, [
        "doctor", "foreign", "https://nowhere.invalid", "--data", str(tmp_path)])

    assert shown.exit_code == 1
    assert "[ ILL ] NodeInfo" in shown.output
    assert "lichen doctor federation nowhere.invalid" in shown.output
