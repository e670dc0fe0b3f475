"""Peers: noted in memory, written in batches, the same after a start."""

import msgspec
import pytest

from lichen.federation.model import Accepts, authority_of, host_of
from lichen.federation.peers import load_peers
from lichen.kit import Forbidden
from tests.federation.conftest import House

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("url", "authority"), [
    ("https://Peer.Example/u/anna", "peer.example"), ("https://peer.example:443/", "peer.example"),
    ("http://peer.example:80", "peer.example"), ("https://peer.example:80/", "peer.example:80"),
    ("http://127.0.0.1:8537/c/x", "127.0.0.1:8537"), ("http://[::1]:8537/", "[::1]:8537"),
    ("ftp://peer.example/", ""), ("https://", ""), ("https://a@peer.example/", ""),
    ("https://peer.example:x/", ""), ("https://[", ""), ("peer.example", ""),
])
async def test_an_authority_is_host_and_port_of_an_id(url: str, authority: str) -> None:
    assert authority_of(url) == authority


async def test_the_bare_host_is_without_the_port() -> None:
    assert [host_of(one) for one in ("a.example:1", "a.example", "[::1]:1", "[::1]")] == [
        "a.example", "a.example", "[::1]", "[::1]"]


async def test_what_is_noted_is_there_after_a_start(house: House) -> None:
    peers = house.room.peers
    peers.note_success("a.example", cursor=7)
    peers.note_success("a.example", cursor=5)
    peers.note_failure("b.example", "It did not answer." + "x" * 1_000, retry_at_us=9)
    peers.note_failure("b.example", "It did not answer.", retry_at_us=10)
    peers.note_received("b.example")
    peers.note_inbox("https://b.example/inbox")
    peers.prefer("b.example", "rfc9421")
    before = house.store.round_trips_apart
    await peers.flush()
    await peers.flush()

    loaded = await house.store.read(load_peers)

    assert loaded == peers.all()
    a, b = loaded
    assert (a.cursor, a.fail_count, a.last_error) == (7, 0, "")
    assert (b.fail_count, b.retry_at_us, b.style) == (2, 10, "rfc9421")
    assert (b.shared_inbox, b.last_error) == ("https://b.example/inbox", "It did not answer.")
    assert house.store.round_trips_apart - before <= 1, "one transaction, and none for nothing"


async def test_a_success_ends_the_count_of_failures(house: House) -> None:
    peers = house.room.peers
    peers.note_failure("a.example", "No.", retry_at_us=9)
    peers.note_success("a.example", cursor=1)

    found = peers.known("a.example")

    assert found is not None
    assert (found.fail_count, found.retry_at_us, found.last_error) == (0, 0, "")


async def test_administrators_decide_what_is_taken_from_a_peer(house: House) -> None:
    mira = await house.sign_up("mira")
    admin = msgspec.structs.replace(mira, actor=msgspec.structs.replace(mira.actor, admin=True))
    await house.room.peers.peer("a.example")
    wish = Accepts(dislikes=False, messages=False)

    with pytest.raises(Forbidden):
        await house.room.peers.set_accepts(mira, "a.example", wish)
    await house.room.peers.set_accepts(admin, "a.example", wish)

    (found,) = await house.store.read(load_peers)
    assert found.accepts == wish
