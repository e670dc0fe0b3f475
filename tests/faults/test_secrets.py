"""Passwords, tokens and e-mail addresses: never in what the house tells, logs or answers others.

One session with marked secrets, right and wrong, by API and by form; then everything that came out
is decoded and searched: standard output and error, every event of the log, every answer that is not
the person's own.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest

from tests.faults.audit import records_of
from tests.faults.serving import Place, Serving, place_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NAME = "quiet_person"
PASSWORD, NEW_PASSWORD, WRONG_PASSWORD = "zqxold password", "zqxnew password", "zqxwrong password"
EMAIL, NEW_EMAIL = "zqxmail@example.org", "zqxother@example.org"
ADDRESS = "127.0.0.1"  # of the person's network; kept with the session, said to nobody
MARK = "zqx"


class Heard(NamedTuple):
    """What came out: to the person itself, and to anybody else."""

    own: list[str]
    others: list[str]
    tokens: list[str]


async def test_no_secret_is_ever_told(tmp_path: Path, engine: str) -> None:
    with place_of(engine, tmp_path) as place:
        serving = Serving(place, environ={
            "LICHEN_ADMIN_NAME": "gardener", "LICHEN_ADMIN_PASSWORD": f"{MARK} of the gardener",
            "LICHEN_SERVER_LOG_LEVEL": "debug",
        })
        try:
            await serving.ready()
            heard = await _session(place)
            events = [msgspec.json.decode(msgspec.json.encode(one.event))
                      for one in records_of(place)]
            assert await serving.stop() == 0
            told = serving.said()
        finally:
            serving.end()

        assert MARK in "".join(heard.own), "the person's own page shows the address: the marks work"
        everything = {"output": told, "log": repr(events), "answers": "\n".join(heard.others)}
        for where, text in everything.items():
            assert MARK not in text.lower(), f"{where}: {_around(text, MARK)}"
            assert "$argon2" not in text, where
            assert ADDRESS not in text or where == "output", f"{where}: {_around(text, ADDRESS)}"
            for token in heard.tokens:
                assert token not in text, where
                assert _secret_part(token) not in text, where
        assert len(heard.tokens) == len(set(heard.tokens)) > 3
        assert events


async def test_secrets_are_not_kept_in_the_clear(tmp_path: Path) -> None:
    with place_of("sqlite", tmp_path) as place:
        serving = Serving(place)
        try:
            await serving.ready()
            heard = await _session(place)
            assert await serving.stop() == 0
        finally:
            serving.end()

        kept = b"".join(path.read_bytes() for path in place.data.rglob("*") if path.is_file())
        assert NAME.encode() in kept
        for secret in (PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, *heard.tokens):
            assert secret.encode() not in kept, secret


async def _session(place: Place) -> Heard:
    """Live through everything that takes a secret, rightly and wrongly."""
    heard = Heard([], [], [])
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        async def ask(method: str, path: str, token: str = "", **asked: Any) -> Any:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            async with session.request(
                method, f"{place.url}{path}", headers=headers, allow_redirects=False, **asked
            ) as answer:
                text = await answer.text()
                found = [cookie.value for cookie in answer.cookies.values() if cookie.value]
                if text.startswith('{"jwt"'):
                    found.append(json.loads(text)["jwt"])
                heard.tokens.extend(found)
                # A token is told once, to whom it is for; an answer to a token is its person's own.
                is_own = bool(found) or (bool(token) and answer.status == 200)
                (heard.own if is_own else heard.others).append(f"{text}\n{answer.headers}")
                return found[0] if found else ""

        await _by_api(ask)
        await _by_form(ask)
        await _of_others(ask)
    return heard


async def _by_api(ask: Any) -> None:
    api, name = "/api/v3", "username_or_email"
    person = {"username": NAME, "password": PASSWORD, "password_verify": PASSWORD, "email": EMAIL}
    token = await ask("POST", f"{api}/user/register", json=person)
    await ask("POST", f"{api}/user/register", json=person)
    await ask("POST", f"{api}/user/register", json=person | {"username": "another_person"})
    await ask("POST", f"{api}/user/register", json=person | {"password_verify": WRONG_PASSWORD})
    await ask("POST", f"{api}/user/register", json=person | {"password": PASSWORD * 200})
    await ask("POST", f"{api}/user/register", json=person | {"email": f"{MARK} no address"})
    await ask("POST", f"{api}/user/login", json={name: EMAIL, "password": PASSWORD})
    wrongs = (WRONG_PASSWORD, PASSWORD + "\0", 5, None, [PASSWORD], {"a": PASSWORD}, MARK * 999)
    for wrong in wrongs:
        await ask("POST", f"{api}/user/login", json={name: EMAIL, "password": wrong})
        await ask("POST", f"{api}/user/login", json={name: wrong, "password": PASSWORD})
    for body in (b'{"username_or_email":"%s","password":"%s' % (EMAIL.encode(), PASSWORD.encode()),
                 b'"%s"' % PASSWORD.encode(), b"%s" % PASSWORD.encode(),
                 b'{"%s":1}' % PASSWORD.encode(), b'{"password":"%s\xff"}' % PASSWORD.encode()):
        await ask("POST", f"{api}/user/login", data=body)
    await ask("POST", f"{api}/post", token, json={"name": "A quiet post", "community_id": 99})
    await ask("GET", f"{api}/site", token)
    await ask("GET", f"{api}/site", token + "x")
    await ask("GET", f"{api}/site?auth={token}")
    await ask("GET", f"{api}/user/list_logins", token)
    await ask("PUT", f"{api}/user/save_user_settings", token, json={"email": NEW_EMAIL})
    await ask("PUT", f"{api}/user/save_user_settings", token, json={"email": f"{MARK}@"})
    await ask("PUT", f"{api}/user/change_password", token, json={
        "old_password": WRONG_PASSWORD, "new_password": NEW_PASSWORD,
        "new_password_verify": NEW_PASSWORD})
    fresh = await ask("PUT", f"{api}/user/change_password", token, json={
        "old_password": PASSWORD, "new_password": NEW_PASSWORD,
        "new_password_verify": NEW_PASSWORD})
    await ask("POST", f"{api}/community", fresh, json={"name": "quiet", "title": "A quiet place"})
    await ask("POST", f"{api}/user/logout", fresh)


async def _by_form(ask: Any) -> None:
    await ask("POST", "/login", data={"name": NAME, "password": WRONG_PASSWORD})
    await ask("POST", "/login", data={"name": NAME, "password": NEW_PASSWORD})
    await ask("POST", "/login", data=b"name=%ff&password=" + WRONG_PASSWORD.encode())
    await ask("POST", "/signup", data={"name": "form_person", "password": PASSWORD})
    await ask("POST", "/signup", data={"name": "form_person", "password": PASSWORD})
    await ask("POST", "/signup", data={"name": "x", "password": PASSWORD * 100})
    await ask("POST", "/login", json={"name": NAME, "password": WRONG_PASSWORD})


async def _of_others(ask: Any) -> None:
    for path in ("/", f"/u/{NAME}", "/c/quiet", "/signup", "/login", "/nowhere", "/setup/none",
                 f"/api/v3/user?username={NAME}", "/api/v3/site", "/schema/openapi.json",
                 "/api/v3/community?name=quiet", "/nodeinfo/2.0.json", "/feeds/all.xml",
                 f"/api/v3/search?q={NAME}&type_=Users", "/health", "/ready"):
        await ask("GET", path)


def _secret_part(token: str) -> str:
    """Return the signature of a token, which alone makes it one."""
    return token.rsplit(".", 1)[-1]


def _around(text: str, mark: str) -> str:
    at = text.lower().index(mark.lower())
    return text[max(0, at - 200):at + 100]

