"""The bundle tells a stranger enough, and no secret, no name, no address, no word of people."""

import json
import sqlite3
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from lichen.cli import main
from lichen.doctor.redaction import Redaction
from lichen.federation import Peer
from lichen.store.migrating import migrate
from tests.doctor.neighbours import know, say
from tests.wiring.places import place

pytestmark = pytest.mark.anyio
MARK = "zqx"


def unpacked(path: Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        return {one.name.rpartition("/")[2]: archive.extractfile(one).read().decode()
                for one in archive.getmembers()}


def run(folder: Path, target: Path, *more: str, **variables: str):
    return CliRunner().invoke(main, ["doctor", "bundle", "--data", str(folder), "--output",
                                     str(target), *more], env=variables)


async def test_marked_secrets_put_everywhere_stand_nowhere(engine: str, tmp_path: Path) -> None:
    folder, target = tmp_path / "data", tmp_path / "bundle.tar.gz"
    folder.mkdir(mode=0o700)
    told = tmp_path / "told"
    told.write_text(
        f"2026-11-25T08:00:00Z [info] serving address=http://lichen.example\n"
        f"set_up link=https://lichen.example/setup/{MARK}token\n"
        f"mail to {MARK}@example.org from 203.0.113.9 and 2001:db8::7 by postgresql://a:{MARK}pw@h/x\n"
        f"jwt eyJhbGciOi.{MARK}.{MARK} hash $argon2id${MARK} failed for {MARK}smtp\n")
    with place(engine, folder) as config:
        url = config.database.url.reveal()
        migrate(url, folder=folder)
        await know(config, Peer("peer.example", software="lemmy", last_error=f"503 {MARK}@x.org"),
                   cursor=1, head=3, parked=2)
        await say(folder, "inbox", [{"peer": "peer.example", "activity": {"content": MARK}}])
        await say(folder, "outgoing", [{"activity": {"content": MARK}}] * 3)
        shown = run(
            folder, target, "--log", str(told), LICHEN_DATABASE_URL=url,
            LICHEN_ADMIN_NAME=f"{MARK}admin", LICHEN_ADMIN_PASSWORD=f"{MARK}password",
            LICHEN_MAIL_PASSWORD=f"{MARK}smtp", LICHEN_MAIL_USER=f"{MARK}user",
            LICHEN_MAIL_SENDER=f"{MARK}@lichen.example", LICHEN_MEDIA_S3_SECRET=f"{MARK}s3",
            LICHEN_PUBLIC_URL="http://lichen.example")

    assert shown.exit_code == 0, shown.output
    assert target.stat().st_mode & 0o777 == 0o600
    files = unpacked(target)
    for name, text in files.items():
        assert MARK not in text, (name, text[max(0, text.find(MARK) - 80):][:160])
        assert "203.0.113.9" not in text and "2001:db8" not in text, name
    assert "address=http://lichen.example" in files["server.log"], "what may be shown is shown"
    federation = json.loads(files["federation.json"])
    (peer,) = federation["peers"]
    assert (peer["authority"], peer["owed"], peer["parked"]) == ("peer.example", 2, 2)
    assert federation["parked"] == {"thing of peer.example, for peer.example": 2}
    assert {one["name"]: one["last_seq"] for one in federation["logs"]} == {
        "inbox": 1, "outgoing": 3}
    assert json.loads(files["database.json"])["engine"] == engine
    assert json.loads(files["machine.json"])["cores"] >= 1
    assert json.loads(files["findings.json"])["findings"]
    assert "set, not shown" in files["config.toml"]


def test_a_part_that_cannot_be_made_says_so_and_the_others_stand(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    sqlite3.connect(tmp_path / "data" / "lichen.sqlite").close()

    shown = run(tmp_path / "data", tmp_path / "bundle.tar.gz")

    assert shown.exit_code == 0, shown.output
    files = unpacked(tmp_path / "bundle.tar.gz")
    assert "missing" in files["federation.json"]
    assert json.loads(files["machine.json"])["lichen"]


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")

    assert run(tmp_path, tmp_path / "kept").exit_code == 1
    assert (tmp_path / "kept").read_text() == "mine"


@pytest.mark.parametrize("shown", [
    "127.0.0.1:8536", "2026-11-25T08:00:00Z", "version 0.19.12", "peer.example", "::1",
])
def test_what_identifies_nobody_is_left_readable(shown: str) -> None:
    assert shown in Redaction()(f"before {shown} after")


@pytest.mark.parametrize("hidden", [
    "198.51.100.7", "198.51.100.7:443", "2001:db8::7", "ann@peer.example", "@ann@peer.example",
    "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "p%40ss", "p@ss", "/u/ann", "/home/ann",
])
def test_what_identifies_somebody_is_hidden(hidden: str) -> None:
    assert hidden not in Redaction(["postgresql://me:p@ss@h/x", "p@ss"])(f"before {hidden} after")
