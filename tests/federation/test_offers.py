"""What other servers say of successors is examined, before anybody here is asked."""

from functools import partial
from typing import Any

import msgspec
import pytest

from lichen.accounts import Actor, Viewer
from lichen.federation import Proof, Way, offers
from lichen.federation.offers import hear
from lichen.kit import Refused, TooMany
from tests.federation.conftest import House
from tests.federation.elsewhere import Elsewhere

pytestmark = pytest.mark.anyio
ON_ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"])  # its rows run on both elsewhere


class Orphans:
    """A community of a server that may be gone, somebody here who follows it, and an heir."""

    def __init__(self, house: House, peer: Elsewhere, other: Elsewhere) -> None:
        self.house, self.peer, self.other = house, peer, other
        self.old: Actor = None  # type: ignore[assignment]
        self.reader: Viewer = None  # type: ignore[assignment]

    async def settle(self) -> "Orphans":
        self.peer.group("herbs")
        found = await self.house.room.resolver.thing(self.peer.at("/c/herbs"))
        assert isinstance(found, Actor)
        self.old = found
        self.reader = await self.house.sign_up("mira")
        await self.house.store.write(lambda unit: self.house.forum.subscribe(
            unit, self.reader, self.old.id, follow=True
        ))
        return self

    def heir(self, name: str = "herbs", **fields: Any) -> str:
        """Let the other server have a community that says to continue the old one."""
        return str(self.other.group(name, **{"wasDerivedFrom": self.old.ap_id, **fields})["id"])

    async def hears(
        self, target: str, proof: Proof = Proof.OFFERED, peer: str = "", old: Actor | None = None
    ) -> None:
        await self.house.store.write(partial(
            hear, community_id=(old or self.old).id, target=target, proof=proof,
            peer=peer or self.other.authority,
        ))

    async def examines(self) -> dict[str, int]:
        """Examine what is due, and return what became of everything until now."""
        await self.house.room.offers.look()
        await self.house.room.resolver.communities.settled()
        return dict(self.house.room.offers.outcomes)

    async def declares(self, *, gone: bool = True) -> None:
        admin = msgspec.structs.replace(
            self.reader, actor=msgspec.structs.replace(self.reader.actor, admin=True)
        )
        await self.house.store.write(lambda unit: self.house.room.successors.declare(
            unit, admin, self.old.id, gone=gone
        ))

    async def questions(self) -> list[str]:
        """Return the ids of the successors that the reader is asked about."""
        asked = await self.house.store.read(
            lambda unit: self.house.room.successors.questions(unit, self.reader)
        )
        return [one.successor.community.actor.ap_id for one in asked]

    async def ending(self) -> Way | None:
        found = await self.house.store.read(
            lambda unit: self.house.room.successors.ending(unit, self.old)
        )
        return found.way if found else None

    async def renews(self, clock: Any, **later: float) -> None:
        """Look at the old community some time later, when it is asked anew."""
        clock.advance(**later)
        self.house.room.renewing.look(self.old)
        await self.house.room.renewing.settled()


@pytest.fixture
async def orphans(house: House, peer: Elsewhere, other: Elsewhere) -> Orphans:
    return await Orphans(house, peer, other).settle()


async def test_an_offer_waits_until_the_old_one_has_ended_then_its_readers_are_asked_once(
    orphans: Orphans,
) -> None:
    heir = orphans.heir()
    await orphans.hears(heir)

    assert {} == await orphans.examines(), "its server lives, as far as is known"
    assert 0 == orphans.other.asked_for("/c/herbs")
    await orphans.declares()
    outcomes = await orphans.examines()

    assert {"offered": 1} == outcomes
    assert [heir] == await orphans.questions()
    successor = await orphans.house.room.resolver.known(heir)
    assert isinstance(successor, Actor)
    await orphans.house.store.write(lambda unit: orphans.house.room.successors.answer(
        unit, orphans.reader, successor.id, accepted=True
    ))
    await orphans.hears(heir)
    await orphans.examines()
    assert [] == await orphans.questions()
    follows = await orphans.house.store.read(
        lambda unit: orphans.house.forum.subscriptions(unit, orphans.reader)
    )
    assert {orphans.old.ap_id, heir} == {one.community.actor.ap_id for one in follows}


@ON_ONE_ENGINE
@pytest.mark.parametrize(("lie", "outcome"), [
    ({"wasDerivedFrom": None}, "not_derived"),  # names nothing
    ({"wasDerivedFrom": "https://elsewhere.example/c/herbs"}, "not_derived"),
    ({"wasDerivedFrom": None, "alsoKnownAs": "the old one"}, "not_derived"),  # says to be it
    ({"type": "Person"}, "not_a_community"),
    ({"id": "https://elsewhere.example/c/herbs"}, "domain_blocked"),
    ({"movedTo": "https://elsewhere.example/c/herbs"}, "moved_on"),
    (404, "not_there"),
])
async def test_an_offer_that_its_document_does_not_bear_out_asks_nobody(
    orphans: Orphans, lie: Any, outcome: str
) -> None:
    if lie == 404:
        orphans.other.documents["/c/herbs"] = 404
        heir = orphans.other.at("/c/herbs")
    else:
        if "id" in lie:
            await orphans.house.settings(blocked_instances=("elsewhere.example",))
        if "alsoKnownAs" in lie:
            lie = {**lie, "alsoKnownAs": [orphans.old.ap_id]}
        orphans.heir(**lie)
        heir = orphans.other.at("/c/herbs")
    await orphans.declares()
    await orphans.hears(heir)

    assert {outcome: 1} == await orphans.examines()
    assert [] == await orphans.questions()


async def test_what_comes_back_is_not_succeeded_any_more(orphans: Orphans, clock) -> None:
    """Else one outage would advertise a stranger's community on the old one's page for ever."""
    await orphans.declares()
    await orphans.hears(orphans.heir())
    await orphans.examines()
    assert 1 == len(await orphans.questions())

    clock.advance(seconds=1)
    orphans.house.room.peers.note_received(orphans.peer.authority)

    assert [] == await orphans.questions()
    view, successors = orphans.house.forum, orphans.house.room.successors
    shown = await orphans.house.store.read(lambda unit: successors.succession(
        unit, orphans.reader, view.community(unit, orphans.reader, id=orphans.old.id)
    ))
    assert () == shown.offers


async def test_all_who_continue_one_are_offered_the_oldest_first_up_to_a_limit(
    orphans: Orphans, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lichen.federation import successors

    monkeypatch.setattr(successors, "SUCCESSORS_ELSEWHERE_MAX", 2)
    heirs = [orphans.heir(name) for name in ("sage", "mint", "dill")]
    await orphans.declares()

    for heir in heirs:
        clock.advance(seconds=1)
        await orphans.hears(heir)
        await orphans.examines()

    assert {"offered": 2, "too_many_successors": 1} == orphans.house.room.offers.outcomes
    assert heirs[:2] == await orphans.questions()
    await orphans.house.settings(blocked_instances=(orphans.other.authority,))
    assert [] == await orphans.questions(), "of servers that are blocked nobody is asked"


async def test_one_peer_says_no_more_than_its_share_and_an_offer_does_not_wait_for_ever(
    orphans: Orphans, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "OFFERS_OF_PEER_A_DAY_MAX", 1)
    await orphans.hears(orphans.heir())

    with pytest.raises(TooMany):
        await orphans.hears(orphans.other.at("/c/more"))
    await orphans.hears(orphans.other.at("/c/more"), peer="another.example")
    for _ in range(2):
        clock.advance(days=31)
        await orphans.examines()

    assert {"community_not_gone": 2} == orphans.house.room.offers.outcomes
    await orphans.hears(orphans.other.at("/c/new"))  # what was examined long ago is forgotten
    heard = await orphans.house.store.read(
        lambda unit: unit.fetch(offers.rows.HEARD_SINCE, peer=orphans.other.authority, since_us=0)
    )
    assert (1, 1) == (heard[0].kept, heard[0].of_peer)


@ON_ONE_ENGINE
async def test_a_server_that_cannot_be_asked_now_is_asked_again_later(
    orphans: Orphans, clock
) -> None:
    heir = orphans.heir()
    document, orphans.other.documents["/c/herbs"] = orphans.other.documents["/c/herbs"], 503
    await orphans.declares()
    await orphans.hears(heir)

    assert {} == await orphans.examines()
    orphans.other.documents["/c/herbs"] = document
    assert {} == await orphans.examines(), "not yet"
    clock.advance(minutes=3)
    assert {"offered": 1} == await orphans.examines()


async def test_a_community_that_moves_is_followed_by_who_says_so(orphans: Orphans) -> None:
    target = orphans.heir(wasDerivedFrom=None, alsoKnownAs=[orphans.old.ap_id])
    orphans.peer.group("herbs", movedTo=target)
    await orphans.hears(target, Proof.MOVED, peer=orphans.peer.authority)

    assert {"moved": 1} == await orphans.examines()
    assert [target] == await orphans.questions()
    assert Way.MOVED is await orphans.ending()


@ON_ONE_ENGINE
@pytest.mark.parametrize(("says", "claimed", "outcome"), [
    (False, True, "not_moved"),  # somebody else told it, or it was taken back
    (True, False, "not_claimed"),  # the target knows nothing of it
])
async def test_a_move_that_one_side_denies_asks_nobody(
    orphans: Orphans, says: bool, claimed: bool, outcome: str
) -> None:
    target = orphans.heir(alsoKnownAs=[orphans.old.ap_id] if claimed else [])
    orphans.peer.group("herbs", **({"movedTo": target} if says else {}))
    await orphans.hears(target, Proof.MOVED, peer=orphans.peer.authority)

    assert {outcome: 1} == await orphans.examines()
    assert [] == await orphans.questions()
    assert await orphans.ending() is None


async def test_a_410_that_lasts_is_a_communitys_end_until_it_is_served_again(
    orphans: Orphans, clock
) -> None:
    """A server that answers 410 may only be broken for a moment: one answer is none."""
    document, orphans.peer.documents["/c/herbs"] = orphans.peer.documents["/c/herbs"], 410
    await orphans.renews(clock, days=2)
    assert await orphans.ending() is None

    await orphans.renews(clock, hours=2)
    assert Way.CLOSED is await orphans.ending()
    await orphans.hears(orphans.heir())
    assert {"offered": 1} == await orphans.examines()

    orphans.peer.documents["/c/herbs"] = document
    await orphans.renews(clock, days=2)
    assert await orphans.ending() is None


@ON_ONE_ENGINE
async def test_a_404_is_no_end(orphans: Orphans, clock) -> None:
    orphans.peer.documents["/c/herbs"] = 404

    for _ in range(3):
        await orphans.renews(clock, days=2)

    assert await orphans.ending() is None


@ON_ONE_ENGINE
async def test_only_an_administrator_who_moderates_it_moves_a_community(
    orphans: Orphans,
) -> None:
    house, mira = orphans.house, orphans.reader
    ours = await house.store.write(
        lambda unit: house.forum.create_community(unit, mira, "moss", _titled("Moss"))
    )
    target = orphans.heir()

    for viewer in (mira, await _administrator(house)):
        with pytest.raises(Refused, match="administrator who"):
            await house.room.offers.move_out(viewer, ours.community.id, target)
    admin = msgspec.structs.replace(mira, actor=msgspec.structs.replace(mira.actor, admin=True))
    with pytest.raises(Refused, match="does not say that it is this one"):
        await house.room.offers.move_out(admin, ours.community.id, target)
    with pytest.raises(Refused, match="Only its own server"):
        await house.room.offers.move_out(admin, orphans.old.id, target)


def _titled(title: str) -> Any:
    from lichen.forum import CommunityDraft

    return CommunityDraft(title=title)


async def _administrator(house: House) -> Viewer:
    otto = await house.sign_up("otto")
    return msgspec.structs.replace(otto, actor=msgspec.structs.replace(otto.actor, admin=True))
