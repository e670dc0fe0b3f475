"""Passwords and tokens are nowhere but in people's heads and browsers: law 6.

A real house is asked everything that carries a secret, rightly and wrongly; then everything it
wrote is searched: what it told, its log decoded, and every file of its folder.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from lichen.events import decode_events
from lichen.log import SegmentLog
from tests.faults.serving import Place, Serving, place_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ADMIN = "quartz-admin-7f3a91"
PASSWORD = "feldspar-person-52c8d0"
CHANGED = "gneiss-person-aa41e7"
WRONG = "marble-nobody-93b1f6"
MAIL = "mira.obsidian@mail.example"


@pytest.fixture
def place(engine: str, tmp_path: Path) -> Iterator[Place]:
    with place_of(engine, tmp_path / "house") as found:
        yield found


@pytest.fixture
def house(place: Place) -> Iterator[Serving]:
    serving = Serving(place, options=("--metrics-port", "0"), environ={
        "LICHEN_ADMIN_NAME": "keeper", "LICHEN_ADMIN_PASSWORD": ADMIN,
        "LICHEN_SERVER_LOG_LEVEL": "debug",
    })
    yield serving
    serving.end()


async def speak(url: str) -> set[str]:
    """Ask everything that carries a secret; return the secrets that were used and given."""
    async with aiohttp.ClientSession(f"{url}/api/v3/") as session:
        async def ask(method: str, path: str, body: dict[str, object], token: str = "") -> str:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            async with session.request(method, path, json=body, headers=headers) as answer:
                assert answer.status < 500, (path, await answer.text())
                return str(json.loads(await answer.text()).get("jwt") or "")

        words = {"password": PASSWORD, "password_verify": PASSWORD}
        born = await ask("POST", "user/register", {"username": "mira", "email": MAIL, **words})
        keeper = await ask("POST", "user/login",
                           {"username_or_email": "keeper", "password": ADMIN})
        again = await ask("POST", "user/login", {"username_or_email": MAIL, "password": PASSWORD})
        new = {"new_password": CHANGED, "new_password_verify": CHANGED, "old_password": PASSWORD}
        changed = await ask("PUT", "user/change_password", new, again)
        for body in ({"username_or_email": "mira", "password": WRONG},
                     {"username_or_email": "nobody", "password": WRONG},
                     {"username_or_email": "mira", "password": [WRONG]},
                     {"username_or_email": WRONG * 60, "password": WRONG * 60}):
            await ask("POST", "user/login", body)
        await ask("POST", "user/register", {"username": "mira", **words})
        await ask("POST", "user/logout", {}, changed + WRONG)
        await ask("POST", "user/logout", {}, changed)
    assert born and keeper and again and changed
    return {ADMIN, PASSWORD, CHANGED, WRONG, born, keeper, again, changed}


async def test_no_secret_is_told_logged_or_kept(house: Serving, place: Place) -> None:
    await house.ready()

    secrets = await speak(place.url)
    assert await house.stop() == 0

    log = SegmentLog.open_reader(place.data / "log").read(1).lines()
    written = {path.name: path.read_bytes() for path in place.data.rglob("*") if path.is_file()}
    assert len(decode_events(log)) > 5, "the log was read"
    assert b"keeper" in log, "what may be known is found"
    assert {secret for secret in secrets if secret.encode() in log} == set()
    assert MAIL.encode() not in log
    assert {secret for secret in secrets | {MAIL} if secret in house.said()} == set()
    assert {(name, secret) for secret in secrets for name, content in written.items()
            if secret.encode() in content} == set()
