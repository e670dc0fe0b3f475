"""Keys of peers: fetched once, refreshed once, never of another server."""

import asyncio

import pytest

from lichen.federation import Gone, claimed, sign, verify
from lichen.federation.limits import KEY_AGE_US_MAX, KEY_REFRESH_US_MIN, MISSING_US_MAX
from lichen.kit import Refused, Unavailable
from tests.conftest import FakeClock
from tests.federation.conftest import House
from tests.federation.elsewhere import Elsewhere
from tests.federation.signing import BODY, NOW_US, keys, lower

pytestmark = pytest.mark.anyio
CROWD = 100


async def test_a_key_is_fetched_once_however_many_ask(house: House, peer: Elsewhere) -> None:
    peer.person()
    peer.hold = asyncio.Event()
    key_id = peer.key().key_id

    asking = [asyncio.create_task(house.room.keys.public_key(key_id)) for _ in range(CROWD)]
    asking.pop().cancel()  # one who gives up ends nothing for the others
    await asyncio.sleep(0)
    peer.hold.set()
    found = await asyncio.gather(*asking)

    assert {one.public_pem for one in found} == {keys("anna").public}
    assert {(one.owner, one.authority) for one in found} == {(peer.at("/u/anna"), peer.authority)}
    assert peer.asked == ["/u/anna"]


async def test_a_known_key_costs_no_row_and_no_question(house: House, peer: Elsewhere) -> None:
    peer.person()
    key_id = peer.key().key_id
    await house.room.keys.public_key(key_id)
    before = house.store.round_trips + house.store.round_trips_apart

    await house.room.keys.public_key(key_id)

    assert house.store.round_trips + house.store.round_trips_apart == before
    assert len(peer.asked) == 1


async def test_a_key_outlives_the_process(house: House, peer: Elsewhere) -> None:
    peer.person()
    await house.room.keys.public_key(peer.key().key_id)
    house.room.keys._kept.clear()

    found = await house.room.keys.public_key(peer.key().key_id)

    assert (found.public_pem, len(peer.asked)) == (keys("anna").public, 1)


async def test_a_new_key_is_taken_where_the_old_one_fails(
    house: House, peer: Elsewhere, clock: FakeClock
) -> None:
    """Rotation: verified by the old key in memory, refreshed once, verified by the new one."""
    peer.person()
    old = await house.room.keys.public_key(peer.key().key_id)
    peer.person(key="anna again")
    clock.advance(minutes=6)

    found = await house.room.keys.public_key(peer.key().key_id, refresh=True)

    assert old.public_pem != found.public_pem == keys("anna again").public


async def test_forgers_do_not_make_us_ask(house: House, peer: Elsewhere, clock: FakeClock) -> None:
    """Each bad signature asks for a refresh; the owner hears of it once in five minutes."""
    assert KEY_REFRESH_US_MIN == 300_000_000
    peer.person()
    key_id = peer.key().key_id
    await house.room.keys.public_key(key_id)
    clock.advance(minutes=6)

    for _ in range(CROWD):
        await house.room.keys.public_key(key_id, refresh=True)

    assert len(peer.asked) == 2


async def test_what_is_no_key_is_not_asked_for_again(
    house: House, peer: Elsewhere, clock: FakeClock
) -> None:
    for _ in range(2):
        with pytest.raises(Gone):
            await house.room.keys.public_key(peer.key().key_id)
    assert len(peer.asked) == 1

    peer.person()
    clock.now_us += MISSING_US_MAX + 1_000_000
    assert (await house.room.keys.public_key(peer.key().key_id)).owner == peer.at("/u/anna")


async def test_a_week_old_key_still_serves_while_its_owner_is_away(
    house: House, peer: Elsewhere, clock: FakeClock
) -> None:
    peer.person()
    await house.room.keys.public_key(peer.key().key_id)
    peer.documents["/u/anna"] = 503
    clock.now_us += KEY_AGE_US_MAX + 1_000_000

    for _ in range(3):
        found = await house.room.keys.public_key(peer.key().key_id)

    assert (found.public_pem, len(peer.asked)) == (keys("anna").public, 2)


async def test_a_key_whose_owner_cannot_be_asked_is_to_come_later(
    house: House, peer: Elsewhere
) -> None:
    peer.documents["/u/anna"] = 503

    with pytest.raises(Unavailable):
        await house.room.keys.public_key(peer.key().key_id)


async def test_a_key_that_stands_alone_is_taken_from_its_owner(
    house: House, peer: Elsewhere
) -> None:
    """A document of its own for the key; what counts is that its owner names it."""
    person = peer.person()
    key = {"id": peer.at("/key/1"), "owner": person["id"], "publicKeyPem": keys("anna").public}
    peer.add("/key/1", **{**key, "type": "CryptographicKey"})
    person["publicKey"] = [{"id": peer.at("/key/0")}, key]

    found = await house.room.keys.public_key(peer.at("/key/1"))

    assert (found.owner, peer.asked) == (peer.at("/u/anna"), ["/key/1", "/u/anna"])


@pytest.mark.parametrize("attack", ["another owner", "another server", "unnamed", "no pem",
                                    "served under another id"])
async def test_a_key_of_somebody_else_is_refused(
    house: House, peer: Elsewhere, other: Elsewhere, attack: str
) -> None:
    mallory, victim = peer.person("mallory"), other.person("victim")
    key_id = mallory["publicKey"]["id"]
    match attack:
        case "another owner":
            mallory["publicKey"]["owner"] = victim["id"]
        case "another server":
            key_id = peer.at("/key/1")
            peer.add("/key/1", type="Key", owner=victim["id"], publicKeyPem=keys("mallory").public)
        case "unnamed":
            key_id = peer.at("/u/mallory#second")
        case "no pem":
            mallory["publicKey"]["publicKeyPem"] = "-----BEGIN RUBBISH-----"
        case "served under another id":
            mallory["id"] = victim["id"]

    with pytest.raises(Refused) as refused:
        await house.room.keys.public_key(key_id)

    assert refused.value.code == "key_refused"
    assert all("mallory" not in path for path in other.asked)


async def test_a_key_of_a_blocked_server_is_not_asked_for(house: House, peer: Elsewhere) -> None:
    await house.settings(blocked_instances=("127.0.0.1",))

    with pytest.raises(Refused, match="domain_blocked"):
        await house.room.keys.public_key(peer.key().key_id)
    assert peer.asked == []


async def test_a_request_is_verified_from_its_headers_to_its_owner(
    house: House, peer: Elsewhere
) -> None:
    peer.person()
    url = "http://lichen.example/inbox"
    headers = sign(peer.key(), method="POST", url=url, body=BODY, now_us=NOW_US)

    claim = claimed("POST", "/inbox", lower(headers), public_url="http://lichen.example")
    key = await house.room.keys.public_key(claim.key_id)
    verify(claim, public_pem=key.public_pem, body=BODY, now_us=NOW_US)

    assert key.owner == peer.at("/u/anna")


async def test_our_own_key_is_named_as_our_actor(house: House) -> None:
    mira = await house.sign_up("mira")

    key = await house.room.keys.signing_key(mira.id)

    assert key.key_id == "http://lichen.example/u/mira#main-key"
    assert await house.room.keys.signing_key(mira.id) is key
