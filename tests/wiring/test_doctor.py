"""The doctor measures, says in plain words what it costs, and what to do."""

import socket
import sqlite3
from pathlib import Path

import pytest

from lichen.doctor import ROUND_TRIPS, Finding, Health, examine, told_distance
from lichen.kit import system_clock
from lichen.kit.config import Config
from lichen.store.opening import FILE_NAME
from tests.wiring.places import core, place

pytestmark = pytest.mark.anyio


def about(findings: list[Finding], name: str) -> Finding:
    return next(finding for finding in findings if finding.about == name)


def config_of(folder: Path, **variables: str) -> Config:
    return Config.load(None, variables, words={
        "server.data": folder, "server.port": free_port(), "server.metrics_port": 0, "server.stream_port": 0})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_empty_place_is_examined_without_leaving_a_trace(tmp_path: Path) -> None:
    folder = tmp_path / "new"

    findings = examine(config_of(folder), clock=system_clock)

    assert [finding.about for finding in findings if finding.health is Health.ILL] == []
    assert "safe on disk" in about(findings, "disk speed").told
    assert not folder.exists()
    folder.mkdir(mode=0o700)
    examine(config_of(folder), clock=system_clock)
    assert list(folder.iterdir()) == []


async def test_a_running_house_is_examined_beside_it(engine: str, tmp_path: Path) -> None:
    with place(engine, tmp_path / "house") as config:
        async with core(config) as serving:
            await serving.note("one")
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                words = {"server.port": taken.getsockname()[1], "server.data": config.server.data,
                         "database.url": config.database.url.reveal()}

                findings = examine(Config.load(words=words), clock=system_clock)

    assert "running" in about(findings, "port").told
    assert engine in about(findings, "database").told
    assert [finding.about for finding in findings if finding.health is Health.ILL] == []
    if engine == "postgresql":
        assert "round trip" in about(findings, "database distance").told


def test_the_distance_of_a_database_is_told_as_what_it_costs() -> None:
    near, far = told_distance(0.2), told_distance(50.0)

    assert near.health is Health.WELL and not near.advice
    assert far.health is Health.WORRY and far.advice
    assert all(what in far.told for what, _ in ROUND_TRIPS)
    assert "150.0 ms" in far.told  # a list of posts: three round trips


def test_a_port_that_another_program_has_is_ill(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", config.server.port))
        taken.listen()

        finding = about(examine(config, clock=system_clock), "port")

    assert finding.health is Health.ILL
    assert "--port" in finding.advice


def test_a_folder_that_others_may_read_is_a_worry(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    finding = about(examine(config_of(tmp_path), clock=system_clock), "folder")

    assert finding.health is Health.WORRY
    assert "chmod 700" in finding.advice


def test_tables_of_a_newer_release_are_ill(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("CREATE TABLE alembic_version (version_num)")
    connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    connection.commit()
    connection.close()

    finding = about(examine(config_of(tmp_path), clock=system_clock), "database")

    assert finding.health is Health.ILL
    assert "9999" in finding.told


def test_a_database_that_does_not_answer_is_ill_and_the_rest_is_examined(tmp_path: Path) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/x"

    findings = examine(config_of(tmp_path, LICHEN_DATABASE_URL=url), clock=system_clock)

    assert about(findings, "database").health is Health.ILL
    assert about(findings, "open files").told


async def test_a_clock_behind_the_log_is_ill(tmp_path: Path) -> None:
    with place("sqlite", tmp_path / "house") as config:
        async with core(config) as serving:
            await serving.note("one")

        findings = examine(config, clock=lambda: system_clock() - 3_600_000_000)

    assert about(findings, "clock").health is Health.ILL


def test_a_name_without_an_address_is_ill(tmp_path: Path) -> None:
    config = config_of(tmp_path, LICHEN_PUBLIC_URL="https://forum.invalid")

    finding = about(examine(config, clock=system_clock), "name")

    assert finding.health is Health.ILL
    assert "record" in finding.advice
