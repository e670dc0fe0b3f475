"""A house that peers speak to: the rooms below, ingest over them, and a world of remote people."""

import itertools
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import pytest

from lichen.accounts import ActorDraft, ActorKind
from lichen.events import Event
from lichen.federation.actors import actor_in
from lichen.federation.applying import Applying
from lichen.federation.decisions import Below
from lichen.federation.ingest import Ingest
from lichen.federation.model import Accepts, authority_of
from lichen.federation.waiting import Waiting
from lichen.forum import NewCommunity
from lichen.kit import Unavailable
from lichen.kit.ground import Ground
from lichen.log import Batch
from lichen.messages.room import build as build_messages
from lichen.moderation.room import build as build_moderation
from lichen.store import Unit
from lichen.web import Addresses
from tests.forum.conftest import House, ground, house, mira, otto, stones

__all__ = ["ground", "house", "mira", "otto", "stones", "town"]

OURS = "https://lichen.example"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
Json = dict[str, Any]

ids = itertools.count(1)


class Elsewhere:
    """A resolver that knows what the rows hold, and whatever a test lets it find."""

    def __init__(self, town: "Town") -> None:
        self.town = town
        self.people: dict[str, ActorDraft] = {}
        self.asked: list[str] = []
        self.away = False

    async def actors(self, ap_ids: Iterable[str]) -> dict[str, object]:
        self.asked += ap_ids
        for ap_id in ap_ids:
            if ap_id in self.people:
                await self.town.meet(self.people.pop(ap_id))
        accounts = self.town.house.accounts
        return await self.town.house.store.read(lambda unit: accounts.actors_by_ap_id(unit, ap_ids))

    async def thing(self, ap_id: str) -> object | None:
        self.asked.append(ap_id)
        found = await self.town.ids_of(ap_id)
        if found is None and self.away:
            raise Unavailable("That server is asleep.")
        return found


class Town:
    """The house and everybody it hears from."""

    def __init__(self, house: House, ground: Ground) -> None:
        self.house = house
        self.ground = ground
        house.accounts._person_gone = house.forum.person_gone  # as the assembly hands it in
        addresses = Addresses(ground.config.public_url)
        self.messages = build_messages(
            ground, accounts=house.accounts, addresses=addresses,
            allowance=house.accounts.newcomers,
        )
        self.moderation = build_moderation(
            ground, forum=house.forum, accounts=house.accounts, addresses=addresses
        )
        self.accepts = Accepts()
        self.below = Below(
            accounts=house.accounts, forum=house.forum, messages=self.messages,
            moderation=self.moderation, accepts=lambda _authority: self.accepts,
            read_actor=actor_in, own_authority="lichen.example",
        )
        self.ingest = Ingest(house.store, Applying(self.below, ground.tids), position=0)
        self.elsewhere = Elsewhere(self)
        self.waiting = Waiting(house.store, self.ingest, self.elsewhere)
        self.seq = 0

    async def meet(self, *drafts: ActorDraft) -> list[Any]:
        """Have remote actors known here; communities are communities."""
        people = [one for one in drafts if one.kind is ActorKind.PERSON]
        groups = [NewCommunity(actor=one) for one in drafts if one.kind is ActorKind.COMMUNITY]
        forum, accounts = self.house.forum, self.house.accounts

        def command(unit: Unit) -> list[Any]:
            return [*accounts.create_actors(unit, people), *forum.create_communities(unit, groups)]

        return await self.house.store.write(command)

    async def hear(self, *activities: Json, peer: str = "") -> None:
        """Take lines as the door would have written them, as one batch of the log."""
        lines = []
        for activity in activities:
            actor = activity["actor"] if isinstance(activity["actor"], str) else ""
            lines.append(msgspec.json.encode({
                "peer": peer or authority_of(actor), "receivedUs": 1, "activity": activity,
            }))
        first, self.seq = self.seq + 1, self.seq + len(lines)
        await self.ingest.apply(Batch(
            next_seq=self.seq + 1, seqs=np.arange(first, self.seq + 1),
            times_us=np.arange(first, self.seq + 1), body=b"".join(one + b"\n" for one in lines),
        ))

    async def rest(self) -> None:
        """Look for what is parked until nothing is due."""
        while await self.waiting.look():
            pass

    async def ids_of(self, ap_id: str) -> int | None:
        forum = self.house.forum

        def query(unit: Unit) -> int | None:
            return forum.post_id_by_ap_id(unit, ap_id) or forum.comment_id_by_ap_id(unit, ap_id)

        return await self.house.store.read(query)

    async def post(self, ap_id: str) -> Any:
        """Return a post as anybody sees it, as the rows have it."""
        forum = self.house.forum
        number = await self.ids_of(ap_id)
        scene = await self.house.store.read(
            lambda unit: forum.scene_of(unit, None, posts=[number or 0])
        )
        return scene.posts[number] if number in scene.posts else None

    async def comment(self, ap_id: str) -> Any:
        forum = self.house.forum
        number = await self.ids_of(ap_id)
        scene = await self.house.store.read(
            lambda unit: forum.scene_of(unit, None, comments=[number or 0])
        )
        return scene.comments[number] if number in scene.comments else None

    async def rows(self, table: str) -> list[Any]:
        import sqlalchemy as sa

        from lichen.store import metadata

        return await self.house.store.read(
            lambda unit: unit.fetch(sa.select(metadata.tables[table]))
        )

    @property
    def outcomes(self) -> dict[str, int]:
        return dict(self.ingest.outcomes)

    def accepted(self) -> list[Event]:
        return [one for one in self.house.events if one.collection == "lichen.federation.accepted"]


def person(name: str, authority: str = "peer.example", **fields: Any) -> ActorDraft:
    ap_id = f"https://{authority}/u/{name}"
    return ActorDraft(kind=ActorKind.PERSON, name=name, domain=authority, ap_id=ap_id,
                      inbox=f"{ap_id}/inbox", **fields)


def group(name: str, authority: str = "peer.example") -> ActorDraft:
    ap_id = f"https://{authority}/c/{name}"
    return ActorDraft(kind=ActorKind.COMMUNITY, name=name, domain=authority, ap_id=ap_id,
                      inbox=f"{ap_id}/inbox", display_name=name)


def act(kind: str, actor: str, object: Any, **fields: Any) -> Json:
    return {
        "@context": ["https://www.w3.org/ns/activitystreams"], "type": kind, "actor": actor,
        "id": f"https://{authority_of(actor)}/activities/{kind.lower()}/{next(ids)}",
        "to": [PUBLIC], "object": object, **fields,
    }


def announced(community: str, *inner: Any, as_array: bool = False) -> Json:
    return act("Announce", community, list(inner) if as_array else inner[0],
               cc=[f"{community}/followers"])


def page(actor: str, community: str, number: int = 0, **fields: Any) -> Json:
    number = number or next(ids)
    return {
        "type": "Page", "id": f"https://{authority_of(actor)}/post/{number}",
        "attributedTo": actor, "to": [community, PUBLIC], "audience": community,
        "name": f"A stone, number {number}", "content": "<p>Look at <em>this</em>.</p>",
        "mediaType": "text/html", "source": {"content": "Look at *this*.",
                                             "mediaType": "text/markdown"},
        "published": "2023-11-01T12:00:00.000000Z", "sensitive": False, **fields,
    }


def note(actor: str, answers: str, number: int = 0, **fields: Any) -> Json:
    number = number or next(ids)
    return {
        "type": "Note", "id": f"https://{authority_of(actor)}/comment/{number}",
        "attributedTo": actor, "to": [PUBLIC], "inReplyTo": answers,
        "content": f"<p>Number {number}.</p>", "published": "2023-11-01T13:00:00Z", **fields,
    }


@pytest.fixture
async def town(house: House, ground: Ground) -> Town:
    built = Town(house, ground)
    await built.meet(person("ann"), person("ben"), group("moss"))
    return built


ANN, BEN, MOSS = (f"https://peer.example/{path}" for path in ("u/ann", "u/ben", "c/moss"))
STONES = f"{OURS}/c/stones"
