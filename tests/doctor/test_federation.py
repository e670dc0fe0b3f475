"""`lichen doctor federation` walks to a peer and names the step that fails."""

import asyncio
import datetime
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lichen.cli import main
from lichen.doctor import Finding, Health
from lichen.doctor.house_rows import lists_of, standings
from lichen.doctor.peer import Ours, walk
from lichen.doctor.reading import reading_house
from lichen.doctor.standing import told_standing
from lichen.doctor.tls import examine_tls
from lichen.federation import Peer, SigningKey
from lichen.kit import system_clock
from lichen.kit.config import Config
from lichen.kit.ground import ground_of
from lichen.store.migrating import migrate
from tests.doctor.neighbours import Neighbour, know, say, testbed
from tests.faults.serving import Place, Serving
from tests.federation.signing import signing_key
from tests.wiring.places import place

pytestmark = pytest.mark.anyio


def about(findings: list[Finding], name: str) -> Finding:
    return next(finding for finding in findings if finding.about == name)


async def walked(config: Config, authority: str, key: SigningKey | None = None) -> list[Finding]:
    ground = ground_of(config)
    try:
        return [one async for one in walk(ground, authority, Ours(key=key))]
    finally:
        await ground.outbound.close()


async def test_a_healthy_peer_is_walked_to_the_end_each_step_with_its_time(tmp_path: Path) -> None:
    async with Neighbour().open() as peer:
        findings = await walked(testbed(tmp_path), peer.authority, signing_key())

    assert [one.about for one in findings] == [
        "name", "TCP", "WebFinger", "host-meta", "our WebFinger", "NodeInfo", "site actor",
        "signed GET", "clock", "inbox"]
    assert {one.about for one in findings if one.health is not Health.WELL} == {"our WebFinger"}
    assert all(one.took_ms is not None for one in findings)
    assert "piefed 1.6.0" in about(findings, "NodeInfo").told
    assert "fep-1a11" in about(findings, "NodeInfo").told
    assert "a second" in about(findings, "inbox").told
    assert "POST /site_inbox" in peer.asked


@pytest.mark.parametrize(("ill", "step", "health", "word"), [
    ({"is_page": True}, "WebFinger", Health.ILL, "/.well-known"),
    ({"away_s": 7_200.0}, "clock", Health.ILL, "time service"),
    ({"away_s": -60.0}, "clock", Health.WORRY, "time service"),
    ({"inbox_status": 502}, "inbox", Health.ILL, "ill"),
    ({"inbox_status": 404}, "inbox", Health.ILL, "No inbox"),
    ({"refuses_signed": True}, "signed GET", Health.ILL, "could not fetch"),
    ({"software": {}}, "NodeInfo", Health.WORRY, ""),
])
async def test_the_step_that_fails_is_named_with_what_to_do(
    tmp_path: Path, ill: dict[str, Any], step: str, health: Health, word: str,
) -> None:
    peer = Neighbour()
    vars(peer).update(ill)
    async with peer.open():
        findings = await walked(testbed(tmp_path), peer.authority, signing_key())

    assert about(findings, step).health is health
    assert word in about(findings, step).advice


async def test_a_peer_that_wants_signatures_is_seen_to_take_ours(tmp_path: Path) -> None:
    peer = Neighbour()
    peer.wants_signed = True
    async with peer.open():
        findings = await walked(testbed(tmp_path), peer.authority, signing_key())

    assert "takes our signature" in about(findings, "signed GET").told


async def test_a_slow_inbox_is_told_as_what_a_serial_sender_reaches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lichen.doctor.asking.INBOX_MS_WORRY", 40.0)
    peer = Neighbour()
    peer.inbox_s = 0.05
    async with peer.open():
        findings = await walked(testbed(tmp_path), peer.authority)

    assert about(findings, "inbox").health is Health.WORRY
    assert "database is far away" in about(findings, "inbox").advice


async def test_a_lemmy_says_how_far_it_is_with_sending_to_us(tmp_path: Path) -> None:
    peer = Neighbour()
    peer.software = {"name": "lemmy", "version": "0.19.12"}
    peer.federated = {"federated_instances": {"linked": [None, {"domain": 7}, {
        "domain": "127.0.0.1:1", "federation_state": {
            "last_successful_id": 40, "fail_count": 3,
            "last_successful_published_time": "2026-11-01T00:00:00Z"}}]}}
    async with peer.open():
        findings = await walked(testbed(tmp_path), peer.authority)

    assert about(findings, "what it says of us").health is Health.ILL
    assert "3 tries failed" in about(findings, "what it says of us").told


async def test_nothing_is_asked_behind_a_port_that_does_not_open(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        findings = await walked(testbed(tmp_path), f"127.0.0.1:{port}")

    assert [(one.about, one.health) for one in findings] == [
        ("name", Health.WELL), ("TCP", Health.ILL)]
    assert "firewall" in findings[-1].advice


async def test_a_private_address_is_not_called_on_the_internet(tmp_path: Path) -> None:
    async with Neighbour().open() as peer:
        findings = await walked(Config.load(words={"server.data": tmp_path}), peer.authority)

    assert [(one.about, one.health) for one in findings] == [("name", Health.ILL)]
    assert "(private)" in findings[0].told
    assert peer.asked == []


def certificate(folder: Path, name: str, *, days: int) -> ssl.SSLContext:
    """Return what serves with a certificate for a name that ends in some days; it is cert.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
        .public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=100))
        .not_valid_after(now + datetime.timedelta(days=days, minutes=5))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@asynccontextmanager
async def speaking(context: ssl.SSLContext | None) -> AsyncIterator[int]:
    """Listen with TLS, or without, and hang up at once."""
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("name", "days", "trusted", "health", "word"), [
    ("peer.test", 60, True, Health.WELL, "60 days left"),
    ("peer.test", 5, True, Health.WORRY, "renewal"),
    ("peer.test", -3, True, Health.ILL, "expired"),
    ("other.test", 60, True, Health.ILL, "another name"),
    ("peer.test", 60, False, Health.ILL, "Nobody we trust"),
])
async def test_a_certificate_is_judged_by_trust_name_and_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    name: str, days: int, trusted: bool, health: Health, word: str,
) -> None:
    context = certificate(tmp_path, name, days=days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    async with speaking(context) as port:
        (finding,) = [one async for one in examine_tls(
            "peer.test", "127.0.0.1", port, clock=system_clock)]

    assert finding.health is health
    assert word in finding.told + finding.advice


async def test_a_port_that_speaks_no_tls_is_ill() -> None:
    async with speaking(None) as port:
        (finding,) = [one async for one in examine_tls(
            "peer.test", "127.0.0.1", port, clock=system_clock)]

    assert finding.health is Health.ILL
    assert "No TLS" in finding.told


async def test_our_rows_say_how_far_behind_each_is_both_ways(engine: str, tmp_path: Path) -> None:
    with place(engine, tmp_path) as config:
        migrate(config.database.url.reveal(), folder=tmp_path)
        peer = Peer("peer.example", software="lemmy", fail_count=4, last_error="503 busy",
                    last_success_us=1_700_000_000_000_000)
        await know(config, peer, cursor=2, head=5, blocked=("peer.example",), parked=2)
        await say(tmp_path, "outgoing", [{"n": number} for number in range(5)])
        await say(tmp_path, "inbox", [{"peer": "peer.example"}, {"peer": "else.example"}] * 3)

        with reading_house(config) as rows:
            (found,) = standings(rows, tmp_path)
            lists = lists_of(rows)

    assert (found.owed, found.waiting, found.parked, found.fail_count) == (3, 3, 2, 4)
    assert abs(system_clock() - found.owed_since_us) < 60e6
    assert "blocked servers" in lists.refusal_of("peer.example")
    assert lists.refusal_of("other.example") == ""
    out, into = told_standing("peer.example", found, now_us=system_clock())
    assert (out.health, into.health) == (Health.ILL, Health.WORRY)
    assert "503 busy" in out.told and "3 of its activities" in into.told


@pytest.mark.slow
def test_one_lichen_walks_to_another_that_serves(tmp_path: Path) -> None:
    """Two real ones: whoever asks has rows and a key of its own, and says which step fails."""
    there = Place(tmp_path / "there")
    there.folder.mkdir()
    serving = Serving(there, environ={"LICHEN_PUBLIC_URL": there.url})
    try:
        asyncio.run(serving.ready())
        words = ["doctor", "federation", there.url.removeprefix("http://"), "--profile", "testbed",
                 "--data", str(there.data)]
        shown = CliRunner().invoke(main, words, env={"LICHEN_PUBLIC_URL": "http://127.0.0.1:1"})
        machine = CliRunner().invoke(main, [*words, "--json"],
                                     env={"LICHEN_PUBLIC_URL": "http://127.0.0.1:1"})
    finally:
        serving.end()

    assert shown.exit_code == 0, shown.output
    for step in ("name", "TCP", "WebFinger", "NodeInfo", "site actor", "clock", "inbox",
                 "our lists", "both ways"):
        assert f"[  ok ] {step}" in shown.output
    assert "lemmy 0.19" in shown.output
    assert {one["health"] for one in json.loads(machine.output)["findings"]} == {"well", "worry"}


def test_what_is_no_host_is_refused_and_an_ill_way_is_the_exit_code(tmp_path: Path) -> None:
    def run(host: str) -> Any:
        return CliRunner().invoke(main, ["doctor", "federation", host, "--data", str(tmp_path)])

    assert [run(host).exit_code for host in ("http://x", "a b", "x/y", "u@x")] == [1] * 4
    away = run("nowhere.invalid")
    assert away.exit_code == 1
    assert "The first step that fails: name." in away.output
