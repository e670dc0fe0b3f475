"""A whole Lichen in this process, with a peer whose signed activities come in by its entrance."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from lichen.accounts import ActorDraft, ActorKind
from lichen.accounts.keys import generate_keys
from lichen.federation import PeerKey, SigningKey, sign
from lichen.forum import NewCommunity
from lichen.house import House
from lichen.kit import Broken
from lichen.kit.config import Config
from lichen.kit.telling import tell_to

PEER = "peer.drill"
OURS = "http://lichen.drill"
PEOPLE = 50  # of the peer's, who vote
_PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
_LOOK_S = 0.02


class LichenHere:
    """A running house, and what its peer sends it."""

    def __init__(self, house: House, key: SigningKey) -> None:
        self._house, self._key = house, key

    @property
    def round_trips(self) -> int:
        """How many round trips ingest, relay and readers have made."""
        return self._house.store.round_trips_apart

    async def receive(self, number: int) -> None:
        """Send one activity as the peer does: a post first, then votes on it."""
        group, person = f"http://{PEER}/c/place", f"http://{PEER}/u/person{number % PEOPLE}"
        post = f"http://{PEER}/post/{number - number % PEOPLE}"
        inner: dict[str, Any] = {
            "id": f"http://{PEER}/activities/{number}", "actor": person, "to": [_PUBLIC],
            "cc": [group], "audience": group, "type": "Like", "object": post,
        }
        if number % PEOPLE == 0:
            inner |= {"type": "Create", "object": {
                "type": "Page", "id": post, "attributedTo": person, "to": [group, _PUBLIC],
                "audience": group, "name": "A stone", "content": "<p>Look at it.</p>"}}
        await self._post(msgspec.json.encode({
            "@context": "https://www.w3.org/ns/activitystreams", "type": "Announce",
            "id": f"http://{PEER}/activities/announce/{number}", "actor": group, "to": [_PUBLIC],
            "object": inner}))

    async def waiting(self, within_s: float) -> int:
        """Return how many activities are not applied, once none is or the time is over."""
        incoming = self._house.incoming
        for _ in range(int(within_s / _LOOK_S)):
            if incoming.ingest.position() >= incoming.log.last_seq:
                break
            await asyncio.sleep(_LOOK_S)
        return incoming.log.last_seq - incoming.ingest.position()

    async def _post(self, body: bytes) -> None:
        headers = sign(self._key, method="POST", url=f"{OURS}/inbox", body=body,
                       now_us=self._house.ground.clock())
        try:
            await self._house.incoming.inbox.receive(
                method="POST", target="/inbox", body=body, address="127.0.0.1",
                headers={"host": "lichen.drill"} | {
                    name.lower(): value for name, value in headers.items()})
        except Exception as error:
            raise Broken("The drill's own activity was not taken.") from error


@asynccontextmanager
async def open_lichen(url: str, folder: Path) -> AsyncIterator[LichenHere]:
    """Run a house over a database, with a peer that it knows; end it at the end."""
    config = Config.load(words={
        "server.data": folder / "house", "server.profile": "testbed", "database.url": url,
        "identity.public_url": OURS, "server.log_level": "error", "server.log_format": "json",
    })
    tell_to(io.StringIO(), config.server)  # the drill tells its own story
    house = await House.open(config)
    try:
        yield LichenHere(house, await _meet(house))
    finally:
        await house.close()


async def _meet(house: House) -> SigningKey:
    """Make the peer's people and its community known, and the key that it signs with."""
    group = _draft(ActorKind.COMMUNITY, "c/place")
    people = [_draft(ActorKind.PERSON, f"u/person{number}") for number in range(PEOPLE)]
    rooms = house.rooms
    await house.store.write(lambda unit: rooms.forum.create_communities(
        unit, [NewCommunity(actor=group)]))
    await house.store.write(lambda unit: rooms.accounts.create_actors(unit, people))
    keys = await asyncio.to_thread(generate_keys)
    assert keys.private is not None and group.ap_id is not None, "both were just made"
    key_id = f"{group.ap_id}#main-key"
    rooms.federation.keys.keep(key_id, PeerKey(group.ap_id, keys.public, PEER))
    return SigningKey(key_id, keys.private)


def _draft(kind: ActorKind, path: str) -> ActorDraft:
    ap_id = f"http://{PEER}/{path}"
    return ActorDraft(kind=kind, name=path.rpartition("/")[2], domain=PEER, ap_id=ap_id,
                      inbox=f"{ap_id}/inbox")
