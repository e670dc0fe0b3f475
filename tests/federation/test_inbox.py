"""The door: what is signed by its actor's server, fits and is allowed, is durable; nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lichen.federation.entrance import Entrance, is_inbox
from lichen.federation.inbox import Inbox
from lichen.federation.incoming import open_incoming
from lichen.federation.limits import ACTIVITY_BYTES_MAX, CONTAINERS_MAX, DEPTH_MAX
from lichen.federation.model import PeerKey, authority_of
from lichen.federation.signatures import sign
from lichen.kit import NotFound, TooMany
from lichen.kit.ground import Ground
from lichen.log import SegmentLog
from tests.federation.incoming import (
    ANN,
    BEN,
    Town,
    act,
    announced,
    ground,
    house,
    page,
    person,
    town,
)
from tests.federation.signing import keys, lower, signing_key

pytestmark = pytest.mark.anyio
__all__ = ["ground", "house", "town"]
HERE = "https://lichen.example"


class Ring:
    """The keys of peers: each actor's is `actor#main-key`, all of one pair unless said otherwise."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []
        self.pem = keys().public
        self.renewed: str | None = None

    async def public_key(self, key_id: str, *, refresh: bool = False) -> PeerKey:
        self.asked.append((key_id, refresh))
        if "gone" in key_id:
            raise NotFound("gone", "Nobody is there.")
        owner = key_id.partition("#")[0]
        pem = self.renewed if refresh and self.renewed else self.pem
        return PeerKey(owner, pem, authority_of(owner))


class Door:
    """An inbox over a log, knocked at as over HTTP."""

    def __init__(self, log: SegmentLog, clock: Any) -> None:
        self.log, self.clock, self.ring = log, clock, Ring()
        self.allowed = True
        self.inbox = Inbox(log, keys=self.ring, is_allowed=lambda _peer: self.allowed, clock=clock,
                           public_url=HERE, position=0)
        self.entrance = Entrance(self._behind, self.inbox)

    async def _behind(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def knock(
        self, activity: Any, *, actor: str = "", path: str = "/inbox", name: str = "anna",
        **changes: str,
    ) -> tuple[int, str]:
        """Send something signed and return the status and the code of the refusal."""
        body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        signer = actor or activity["actor"]
        signed = lower(sign(
            signing_key(name, key_id=f"{signer}#main-key"), method="POST", url=HERE + path,
            body=body, now_us=self.clock(),
        ), **changes)
        return await self.send(path, body, signed)

    async def send(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.entrance(
            {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
             "query_string": b"", "client": ("192.0.2.1", 1),
             "headers": [(name.encode(), value.encode()) for name, value in headers.items()]},
            receive, send,
        )
        answer = sent[1]["body"]
        return sent[0]["status"], json.loads(answer)["error"] if answer else ""

    def lines(self) -> list[Any]:
        return [json.loads(one) for one in self.log.read(1).payloads()]


@pytest.fixture
async def door(tmp_path: Path, clock: Any) -> AsyncIterator[Door]:
    log = SegmentLog.open(tmp_path / "inbox", clock=clock)
    yield Door(log, clock)
    await log.close()


async def test_a_signed_activity_is_durable_when_it_is_answered(door: Door) -> None:
    like = act("Like", ANN, "https://peer.example/post/1")

    answer = await door.knock(like)

    assert answer == (202, "")
    assert door.lines() == [{
        "peer": "peer.example", "receivedUs": door.clock(), "form": "cavage", "tookUs": 0,
        "activity": like}]


async def test_what_came_before_is_not_written_again(door: Door) -> None:
    like = act("Like", ANN, "https://peer.example/post/1")

    answers = [await door.knock(like) for _ in range(3)]

    assert answers == [(202, "")] * 3
    assert len(door.lines()) == 1
    assert len(door.ring.asked) == 1


async def test_lines_of_pretty_json_become_one(door: Door) -> None:
    like = act("Like", ANN, "https://peer.example/post/1", summary="two\nlines")

    await door.knock(json.dumps(like, indent=2).replace("\n", "\r\n").encode(), actor=ANN)

    assert door.lines()[0]["activity"] == like


@pytest.mark.parametrize(("body", "code"), [
    (b"", "invalid_json"), (b"[]", "invalid_json"), (b'"x"', "invalid_json"),
    (b"{", "invalid_json"), (b'{"actor":"\xff"}', "invalid_json"), (b"{}", "no_actor"),
    (b'{"actor":"' + b"x" * 3_000 + b'"}', "no_actor"),
    (b'{"actor":"ftp://peer.example/u/ann"}', "no_actor"),
    (b'{"actor":"' + ANN.encode() + b'","content":"\\u0000"}', "invalid_json"),
    (b'{"actor":"' + ANN.encode() + b'","content":"\\ud800"}', "invalid_json"),
    (b'{"a":' * (DEPTH_MAX + 5) + b"1" + b"}" * (DEPTH_MAX + 5), "activity_too_deep"),
    (b'{"a":' + b"[" * 15_000 + b"]" * 15_000 + b"}", "invalid_json"),
    (b'{"a":[' + b"{}," * CONTAINERS_MAX + b"{}]}", "activity_too_complex"),
    (b'{"a":"' + b"x" * ACTIVITY_BYTES_MAX + b'"}', "activity_too_large"),
])
async def test_a_bomb_is_refused_before_anybody_is_asked(door: Door, body, code) -> None:
    answer = await door.knock(body, actor=ANN)

    assert answer[1] == code
    assert (door.ring.asked, door.lines()) == ([], [])
    assert door.inbox.outcomes[code] == 1


@pytest.mark.parametrize(("changes", "code"), [
    ({"actor": BEN.replace("peer", "evil")}, "foreign_key"),
    ({"name": "otto"}, "invalid_signature"),
    ({"digest": "SHA-256=AAAA"}, None), ({"signature": ""}, None), ({"host": "other.example"}, None),
    ({"path": "/u/mira/inbox", "date": "Tue, 14 Nov 2023 20:00:00 GMT"}, None),
])
async def test_what_is_not_signed_by_its_actors_server_is_refused(door: Door, changes, code) -> None:
    status, said = await door.knock(act("Like", ANN, "https://peer.example/post/1"), **changes)

    assert status in (401, 403)
    assert code in (None, said)
    assert door.lines() == []


async def test_a_changed_key_is_asked_for_once(door: Door) -> None:
    door.ring.renewed = keys("otto").public

    answer = await door.knock(act("Like", ANN, "https://peer.example/post/1"), name="otto")

    assert answer == (202, "")
    assert [refresh for _, refresh in door.ring.asked] == [False, True]


async def test_whom_we_do_not_federate_with_is_refused(door: Door) -> None:
    door.allowed = False

    assert await door.knock(act("Like", ANN, "https://peer.example/post/1")) == (
        403, "domain_blocked")
    assert door.ring.asked == []


async def test_who_is_gone_and_was_never_here_is_answered_and_forgotten(door: Door) -> None:
    gone = "https://peer.example/u/gone"

    assert await door.knock(act("Delete", gone, gone)) == (202, "")
    assert (await door.knock(act("Like", gone, "https://peer.example/post/1")))[0] == 404
    assert door.lines() == []


async def test_who_floods_waits_and_the_others_go_on(door: Door, monkeypatch, clock) -> None:
    monkeypatch.setattr("lichen.federation.inbox.INBOX_SHARE_MIN", 2)
    monkeypatch.setattr("lichen.federation.inbox.INBOX_WAITING_MAX", 4)
    like = [act("Like", ANN, f"https://peer.example/post/{number}") for number in range(6)]
    other = act("Like", "https://far.example/u/cat", "https://peer.example/post/1")

    answers = [(await door.knock(one))[0] for one in like]
    fair = await door.knock(other)
    clock.advance(seconds=2)
    door.inbox.moved(4)
    again = await door.knock(like[4])

    assert answers == [202, 202, 202, 202, 429, 429]
    assert (fair, again) == ((202, ""), (202, ""))
    assert door.inbox.waiting == {"far.example": 1, "peer.example": 1}


async def test_how_long_to_wait_follows_from_the_rate(door: Door, monkeypatch, clock) -> None:
    monkeypatch.setattr("lichen.federation.inbox.INBOX_FULL_MAX", 100)
    await door.log.skip_to(1_002)
    clock.advance(seconds=10)
    door.inbox.moved(100)  # 10 a second

    with pytest.raises(TooMany) as refused:
        await door.inbox.receive(
            method="POST", target="/inbox", headers={}, address="",
            body=json.dumps(act("Like", ANN, "https://peer.example/post/1")).encode())

    assert refused.value.retry_after_s == pytest.approx(45, abs=1)


def test_only_inboxes_are_taken_from_the_pages() -> None:
    assert all(map(is_inbox, ("/inbox", "/u/ann/inbox", "/c/moss/inbox")))
    assert not any(map(is_inbox, ("/inbox/1/read", "/u/inbox", "/u/a/b/inbox", "/post/1/inbox", "/")))


async def test_a_form_goes_to_the_pages(door: Door) -> None:
    status, _ = await door.send("/inbox", b"a=b", {
        "content-type": "application/x-www-form-urlencoded"})

    assert status == 299


async def test_an_announce_is_its_communitys_word(door: Door) -> None:
    moss = "https://peer.example/c/moss"

    answer = await door.knock(announced(moss, act("Like", "https://far.example/u/cat", "https://x.y/1")))

    assert answer == (202, "")


async def test_what_is_taken_in_is_applied_and_what_is_parked_found(
    town: Town, tmp_path: Path, ground: Ground
) -> None:
    """The parts as a house puts them together: door, log, reader, and what waits."""
    written = page(ANN, "https://peer.example/c/moss")
    eve = "https://peer.example/u/eve"
    town.elsewhere.people[eve] = person("eve")
    moss = "https://peer.example/c/moss"
    incoming = await open_incoming(
        ground, town.house.store, town.below, folder=tmp_path / "house", keys=Ring(),
        is_allowed=lambda _peer: True, resolver=town.elsewhere,
    )
    door = Door(incoming.log, ground.clock)
    door.entrance = Entrance(door._behind, incoming.inbox)

    async with asyncio.timeout(10):
        tasks = [asyncio.create_task(one) for one in (
            incoming.followers.run(), incoming.waiting.run())]
        await door.knock(announced(moss, act("Create", ANN, written)))
        await door.knock(announced(moss, act("Like", eve, written["id"])))
        while not (view := await town.post(written["id"])) or view.post.up < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await incoming.log.close()

    figures = incoming.figures()
    assert (figures["inbox_lag_activities"], figures["inbox_accepted_total"]) == (0, 2)
    assert incoming.inbox.waiting == {}
