"""Sending to real HTTP receivers: nothing lost, order kept, and each peer costs only itself."""

import asyncio
import json
import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lichen.accounts.keys import generate_keys
from lichen.federation import lines, posting
from lichen.federation.deeds import Deeds
from lichen.federation.lines import MISSED, Retold
from lichen.federation.model import Peer, SigningKey
from lichen.federation.outgoing import Outgoing, encode
from lichen.federation.posting import Posting
from lichen.federation.sending import Sending
from lichen.kit.config import Config, Identity
from lichen.kit.config import Outbound as OutboundSettings
from lichen.kit.ground import Ground, ground_of
from lichen.kit.ids import time_us_of_tid
from lichen.log import Options as LogOptions
from lichen.log import SegmentLog
from lichen.store import Store, open_store
from lichen.web import Addresses
from tests.federation.outward import Book
from tests.federation.receivers import (
    Behaviour,
    Receiver,
    broken,
    failing_first,
    hanging,
    quick,
    refusing,
    trickling,
)

pytestmark = pytest.mark.anyio
GROUP, GROUP_ID, PERSON_ID = "http://here.example/c/stones", 7, 3
TID = "3ke6kg3wk2oef"


class Keys:
    """One key for everybody."""

    def __init__(self) -> None:
        self._pem = generate_keys().private or ""

    async def signing_key(self, actor_id: int) -> SigningKey:
        return SigningKey(f"http://here.example/actors/{actor_id}#main-key", self._pem)


KEYS = Keys()


class Street:
    """A log of activities, receivers, and the sending between them."""

    def __init__(self, ground: Ground, store: Store, log: SegmentLog, folder: Path) -> None:
        self.ground = ground
        self.store = store
        self.log = log
        self.folder = folder
        self.book = Book()
        self.posting = Posting(
            ground.outbound, KEYS, Deeds(Addresses("http://here.example")), ground.clock,
            prefer=self.book.prefer,
        )
        self.receivers: list[Receiver] = []
        self.seq = 0

    async def receiver(self, behaviour: Behaviour = quick, **peer: object) -> Receiver:
        """Return a peer that follows the community."""
        receiver = await Receiver(behaviour).start()
        self.receivers.append(receiver)
        self.book.known[receiver.authority] = Peer(
            receiver.authority, shared_inbox=f"http://{receiver.authority}/inbox",
            **peer,  # type: ignore[arg-type]
        )
        return receiver

    @asynccontextmanager
    async def sending(
        self, retelling: Callable[[str, int], Retold] | None = None
    ) -> AsyncIterator[Sending]:
        """Send until the block ends, as a house that runs and is then killed."""
        authorities = frozenset(one.authority for one in self.receivers)
        sending = Sending(
            self.ground, self.store, self.log, peers=self.book, posting=self.posting,
            followers=lambda _community: authorities, everybody=lambda: authorities,
            addresses=Addresses("http://here.example"), retelling=retelling,
        )
        await sending.start()
        task = asyncio.create_task(sending.run())
        try:
            yield sending
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def announce(self, *numbers: int, thing: str = "", **marks: object) -> None:
        """Append an Announce of something for each number."""
        await self.log.append([encode(self.record(one, thing, **marks)) for one in numbers])

    def record(self, number: int, thing: str = "", **marks: object) -> Outgoing:
        """Return the Announce of activity number so and so."""
        self.seq += 1
        about = thing or f"http://here.example/post/{number}"
        inner = {"type": "Like", "id": f"{about}#like{number}.", "object": about, "n": number}
        activity = {"type": "Announce", "actor": GROUP, "object": inner}
        given: dict[str, object] = {"writes": (f"w{number}",), "reads": (about,), **marks}
        return Outgoing(
            source=self.seq, part=1, id=f"http://here.example/activities/announce/{TID}-{number}",
            sender=GROUP_ID, community=GROUP_ID,
            activity=msgspec.Raw(json.dumps(activity).encode()),
            **given,  # type: ignore[arg-type]
        )


@pytest.fixture
async def street(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Street]:
    shutil.copy(sqlite_template, tmp_path / "lichen.sqlite")
    config = Config(
        identity=Identity(public_url="http://here.example"),
        outbound=OutboundSettings(private_addresses=True, plain_http=True),
    )
    ground = ground_of(config, randomness=random.Random(7))
    store = open_store("", folder=tmp_path, clock=ground.clock)
    log = SegmentLog.open(tmp_path / "outgoing", clock=ground.clock,
                          options=LogOptions(segment_bytes_max=1 << 12))
    monkeypatch.setattr(posting, "SEND_S_MAX", 0.4)
    monkeypatch.setattr(lines, "pause_s", lambda *_arguments, **_named: 0.02)
    built = Street(ground, store, log, tmp_path)
    yield built
    await log.close()
    await ground.outbound.close()
    for receiver in built.receivers:
        await receiver.stop()
    built.posting.close()
    await store.close()


def numbers(receiver: Receiver) -> list[int]:
    """Return the numbers of what a receiver took."""
    return [one["n"] if "n" in one else one["object"]["n"] for one in receiver.got]


async def until(is_true: Callable[[], bool], *, timeout_s: float = 10.0) -> None:
    """Wait until something holds; what is waited for rings no bell."""
    async with asyncio.timeout(timeout_s):
        while not is_true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_hanging_a_broken_and_a_trickling_peer_cost_only_themselves(
    street: Street,
) -> None:
    fast = await street.receiver()
    bad = [await street.receiver(one) for one in (hanging, broken, trickling)]

    async with street.sending() as sending:
        await street.announce(*range(200))
        await fast.has(200, timeout_s=8.0)
        await until(lambda: all(
            any(name == one.authority for name, _ in street.book.failures) for one in bad))
        await until(lambda: sending._place(sending._lines[fast.authority]) == 200)
        states = {one.authority: one for one in sending.states()}

    assert sorted(numbers(fast)) == list(range(200))
    assert states[fast.authority].behind == 0
    for one in bad:
        assert states[one.authority].behind == 200
        assert one.got == [] and states[one.authority].window <= 2, "the window never opened"
    assert any("500 no database" == error for _, error in street.book.failures)
    assert states[fast.authority].window > 2, "and that of the fast one did"


async def test_requests_are_signed_by_whoever_speaks(street: Street) -> None:
    fast = await street.receiver()

    async with street.sending():
        await street.announce(1)
        await fast.has(1)

    (headers,) = fast.headers
    assert f"/actors/{GROUP_ID}#main-key" in headers["Signature"]
    assert headers["Content-Type"] == "application/activity+json"


async def test_a_peer_that_comes_back_gets_everything_once_and_in_order(street: Street) -> None:
    peer = await street.receiver(failing_first(5))
    thing = "http://here.example/post/1"

    async with street.sending() as sending:
        await street.announce(*range(30), thing=thing, writes=(thing,), reads=())
        await peer.has(30)
        await until(lambda: sending.states()[0].behind == 0)

    assert numbers(peer) == list(range(30)), "all of them about one thing"
    assert len(street.book.failures) >= 5


async def test_what_was_sent_when_the_house_was_killed_goes_again_and_nothing_is_lost(
    street: Street,
) -> None:
    peer, other = await street.receiver(), await street.receiver(broken)
    async with street.sending() as sending:
        await street.announce(*range(40))
        await peer.has(40)
        await until(lambda: sending._place(sending._lines[peer.authority]) == 40)
        await sending.close()
    other._behaviour = quick
    async with street.sending():
        await street.announce(*range(40, 50))
        await other.has(50)
        await peer.has(50)

    assert sorted(numbers(other)) == list(range(50))
    assert sorted(numbers(peer)) == list(range(50)), "what was noted is not sent again"


async def test_without_a_note_everything_goes_again(street: Street) -> None:
    peer = await street.receiver()
    for _ in range(2):
        async with street.sending():
            if not street.log.last_seq:
                await street.announce(*range(3))
            await peer.has(3)
            peer.got.clear()
    async with street.sending():
        await peer.has(3)


async def test_a_batch_goes_as_one_and_is_halved_until_what_is_refused_stands_alone(
    street: Street,
) -> None:
    batches = await street.receiver(refusing("like33."), software="piefed")
    singles = await street.receiver()
    votes = [street.record(one, "http://here.example/post/1", vote=f"v{one}", batch=GROUP)
             for one in range(64)]
    await street.log.append([encode(one) for one in votes])

    async with street.sending() as sending:
        await batches.has(63)
        await singles.has(64)
        states = {one.authority: one for one in sending.states()}

    assert sorted(numbers(batches)) == [one for one in range(64) if one != 33]
    assert states[batches.authority].refused == 1
    assert batches.requests < 20 < 64 <= singles.requests  # a slow machine asks some again


async def test_a_peer_that_refuses_one_activity_gets_the_next(street: Street) -> None:
    peer = await street.receiver(refusing("like1."))

    async with street.sending() as sending:
        await street.announce(0, 1, 2)
        await peer.has(2)
        await until(lambda: sending.states()[0].behind == 0)
        (state,) = sending.states()

    assert (sorted(numbers(peer)), state.refused, state.failures) == ([0, 2], 1, 0)


async def test_a_database_that_is_away_holds_up_one_line_alone(street: Street) -> None:
    """What was raised in a line's task group ended all sending, and what was under way was lost."""
    peer, other = await street.receiver(hanging), await street.receiver()

    async with street.sending():
        await street.announce(1)
        await until(lambda: peer.requests == 1)
        street.book.away = [peer.authority]
        await street.announce(2)
        await until(lambda: not street.book.away)
        peer._behaviour = quick
        await street.announce(3)
        await peer.has(3)
        await other.has(3)

    assert (sorted(numbers(peer)), sorted(numbers(other))) == ([1, 2, 3], [1, 2, 3])


async def test_a_busy_peer_is_asked_again_later(street: Street) -> None:
    peer = await street.receiver(failing_first(1, status=429, **{"Retry-After": "1"}))

    async with street.sending():
        await street.announce(1)
        await peer.has(1)

    assert peer.requests == 2


async def test_a_peer_that_does_not_take_our_signatures_is_sent_the_other_style(
    street: Street,
) -> None:
    async def only_rfc9421(receiver: Receiver, request, body: bytes):  # type: ignore[no-untyped-def]
        from aiohttp import web

        if "Signature-Input" not in request.headers:
            return web.Response(status=401)
        return receiver.take(body)

    peer = await street.receiver(only_rfc9421)

    async with street.sending():
        await street.announce(1)
        await peer.has(1)
        await street.announce(2)
        await peer.has(2)

    assert peer.requests == 3, "and that is remembered"
    assert street.book.known[peer.authority].style == "rfc9421", "in the peer's own row"


async def test_what_a_peer_is_not_addressed_by_never_reaches_it(street: Street) -> None:
    named, other = await street.receiver(), await street.receiver()
    secret = msgspec.structs.replace(
        street.record(1), community=0, peers=(named.authority,), public=False)
    left_out = msgspec.structs.replace(street.record(2), but=named.authority)
    await street.log.append([encode(secret), encode(left_out)])
    street.book.blocked.add("127.0.0.1:1")

    async with street.sending() as sending:
        await named.has(1)
        await other.has(1)
        await until(lambda: all(one.behind == 0 for one in sending.states()))

    assert (numbers(named), numbers(other)) == ([1], [2])


async def test_a_blocked_peer_gets_nothing(street: Street) -> None:
    peer, other = await street.receiver(), await street.receiver()
    street.book.blocked.add(peer.authority)

    async with street.sending() as sending:
        await street.announce(1, 2)
        await other.has(2)
        await until(lambda: all(one.behind == 0 for one in sending.states()))

    assert peer.requests == 0


async def test_a_peer_that_was_away_for_too_long_begins_at_what_is_kept_and_that_is_said(
    street: Street,
) -> None:
    peer = await street.receiver(broken)
    async with street.sending() as sending:
        for number in range(60):
            await street.announce(number)
        await until(lambda: peer.requests > 0)
        await sending.close()
    first = await street.log.retain(floor_seq=50, age_us_max=0, bytes_max=1)
    assert 1 < first <= 60
    peer._behaviour = quick

    async with street.sending() as sending:
        await peer.has(60 - first + 1)
        (state,) = sending.states()

    assert sorted(numbers(peer)) == list(range(first - 1, 60))
    assert state.error == MISSED


class Rows:
    """What a peer is told again, in two pages; `asked` are the times since when."""

    is_cut = False

    def __init__(self, street: Street) -> None:
        self.pages = [[street.record(number + at) for number in range(4)] for at in (100, 104)]
        self.asked: list[int] = []
        self.at = 0

    def again(self, _authority: str, since_us: int) -> "Rows":
        self.asked.append(since_us)
        self.at = 0
        return self

    async def page(self) -> list[Outgoing]:
        self.at += 1
        return self.pages[self.at - 1] if self.at <= len(self.pages) else []

    def rewind(self) -> None:
        self.at -= 1


async def test_who_is_told_again_is_told_from_the_start_after_a_kill(street: Street) -> None:
    """Its place stays where it was until it has been told everything, in order and before the log.
    """
    peer = await street.receiver(broken)
    async with street.sending() as sending:
        for number in range(60):
            await street.announce(number)
        await until(lambda: peer.requests > 0)
        await sending.close()
    first = await street.log.retain(floor_seq=50, age_us_max=0, bytes_max=1)
    assert 1 < first <= 60
    rows = Rows(street)

    async def half(receiver: Receiver, request: Any, body: bytes) -> Any:
        return receiver.take(body) if len(receiver.got) < 3 else await hanging(
            receiver, request, body)

    peer._behaviour = half
    async with street.sending(rows.again) as sending:
        await until(lambda: sending.states()[0].taken == 3)
        (state,) = sending.states()
        await sending.close()
    peer._behaviour, told = quick, len(peer.got)

    async with street.sending(rows.again) as sending:
        await peer.has(told + 8 + 60 - first + 1)
        await until(lambda: not sending.states()[0].behind)
        (after,) = sending.states()

    assert (state.is_told_again, state.behind, state.taken) == (True, 60, 3)
    again = numbers(peer)[told:]
    assert sorted(again) == [*range(first - 1, 60), *range(100, 108)]
    assert set(again[:8]) == set(range(100, 108))
    assert (after.is_told_again, after.behind, after.error) == (False, 0, "")
    # The activity that it lacked first was composed then; the note of it outlived the log.
    assert rows.asked == [time_us_of_tid(TID)] * 2


async def test_an_activity_is_found_by_its_id(street: Street) -> None:
    sending = Sending(
        street.ground, street.store, street.log, peers=street.book, posting=street.posting,
        followers=lambda _: (), everybody=lambda: (), addresses=Addresses("http://here.example"),
    )
    tids = [street.ground.tids.next() for _ in range(600)]
    base = "http://here.example/activities/like/"
    await street.log.append([
        encode(msgspec.structs.replace(street.record(1), id=base + tid)) for tid in tids])

    found = [sending.shelf.find(tid) for tid in (tids[0], tids[300], tids[-1])]

    assert [one.id for (one,) in found] == [base + tids[0], base + tids[300], base + tids[-1]]
    assert sending.shelf.find("nonsense") == []
    assert sending.shelf.find(street.ground.tids.next()) == []


async def test_a_peer_is_sent_again_what_it_lost(street: Street) -> None:
    """"Resend since": from a position on, in order, once what is under way has ended."""
    peer = await street.receiver()
    await street.announce(1, 2, 3)

    async with street.sending() as sending:
        await until(lambda: len(peer.got) == 3)
        await until(lambda: not sending.states()[0].under_way)
        sending.rewind(peer.authority, 1)
        await until(lambda: len(peer.got) == 5)
        await until(lambda: not sending.states()[0].under_way)
        missing = sending.missing(peer.authority, limit=10)

    assert [2, 3] == sorted(numbers(peer)[3:])
    assert (0, 0, False) == missing


async def test_what_is_missing_is_counted_for_one_peer_and_up_to_a_limit(street: Street) -> None:
    away, other = await street.receiver(broken), await street.receiver()
    await street.log.append([
        encode(msgspec.structs.replace(
            street.record(one), community=0, peers=(other.authority,)
        )) for one in (1, 2, 3)
    ])
    await street.announce(4, 5, 6)

    async with street.sending() as sending:
        await until(lambda: len(other.got) == 6)
        await until(lambda: any(one.failures for one in sending.states()))
        all_of_it = sending.missing(away.authority, limit=10)
        some_of_it = sending.missing(away.authority, limit=2)

    assert (3, 4, False) == all_of_it
    assert (2, 4, True) == some_of_it


async def test_who_is_behind_loses_nothing_by_being_sent_again_what_is_newer(
    street: Street,
) -> None:
    """"Send again since Wednesday", said of a peer that was away since Monday, skipped two days."""
    peer = await street.receiver(failing_first(3))
    await street.announce(1, 2, 3, 4)

    async with street.sending() as sending:
        await until(lambda: any(one.failures for one in sending.states()))
        sending.rewind(peer.authority, 3)
        await until(lambda: len(set(numbers(peer))) == 4)

    assert {1, 2, 3, 4} == set(numbers(peer))
