"""The calls about communities whose server is gone, with their messages."""

from typing import Any

from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.calls import Call
from lichen.faces.lemmy_v3.wire import Answer, Ask, SuccessResponse
from lichen.faces.lemmy_v3.wire.base import Id, Time, Word, maybe_time_of, time_of
from lichen.federation import Offer, Proof, Succession, Way
from lichen.store import Unit


class OfCommunity(Ask, frozen=True, kw_only=True):
    """Name a community of another server by its number here."""

    community_id: Id


class DeclareGone(Ask, frozen=True, kw_only=True):
    """Declare as an administrator that a community is gone, or with `gone` false take it back."""

    community_id: Id
    gone: bool = True


class FoundSuccessor(Ask, frozen=True, kw_only=True):
    """Found a community that continues one whose server is gone; its name may be the old one."""

    community_id: Id
    name: Word
    title: Word = ""


class ClaimCommunity(Ask, frozen=True, kw_only=True):
    """Say that a community here is one elsewhere too, or with `claimed` false no longer.

    Its document then says so in `alsoKnownAs`, and that one may move to it. `address` is
    `!name@host`, or an id.
    """

    community_id: Id
    address: Word
    claimed: bool = True


class MoveCommunity(Ask, frozen=True, kw_only=True):
    """Move a community here to one elsewhere that says to be it too; who follows it is asked."""

    community_id: Id
    address: Word


class MoveCommunityBack(Ask, frozen=True, kw_only=True):
    """Take back that a community here moved; nobody who followed it elsewhere is moved back."""

    community_id: Id


class GetSuccessorQuestions(Ask, frozen=True, kw_only=True):
    """Ask which successors the caller has not decided about."""


class AnswerSuccessor(Ask, frozen=True, kw_only=True):
    """Follow a successor, or with `accept` false do not; nobody is asked again."""

    successor_id: Id
    accept: bool


class ShownOffer(Answer, frozen=True, kw_only=True):
    """A community that continues another; `accepted` is what the caller said, if anything.

    `server` is the successor's. `proof` says why it is one: founded here, offered by its own
    server, or moved to, which both say.
    """

    community_id: int
    community_actor_id: str
    successor_id: int
    successor_actor_id: str
    subscribers: int
    published: Time
    accepted: bool | None = None
    server: str = ""
    proof: Proof = Proof.FOUNDED


class Offers(Answer, frozen=True, kw_only=True):
    """Successors that are offered."""

    offers: list[ShownOffer]


class ShownSuccession(Answer, frozen=True, kw_only=True):
    """Where a community stands: `way` says how its end is known, null if it lives.

    `silent_since` is when its server was heard of last, or when it ended by itself; else null.
    """

    offers: list[ShownOffer]
    may_found: bool
    way: Way | None = None
    silent_since: Time | None = None


async def get_succession(parts: Parts, caller: Caller, asked: OfCommunity) -> ShownSuccession:
    """Return whether a community's server is gone, and who continues it."""

    def query(unit: Unit) -> Succession:
        old = parts.forum.community(unit, caller.viewer, id=asked.community_id)
        return parts.federation.successors.succession(unit, caller.viewer, old)

    found = await parts.store.read(query)
    ending = found.ending
    return ShownSuccession(
        offers=[_shown(one) for one in found.offers], may_found=found.may_found,
        way=ending.way if ending else None,
        silent_since=maybe_time_of(ending.since_us or None) if ending else None,
    )


async def declare_gone(parts: Parts, caller: Caller, asked: DeclareGone) -> SuccessResponse:
    """Declare that a community's server is gone, or take that back."""
    viewer = caller.person()
    await parts.store.write(lambda unit: parts.federation.successors.declare(
        unit, viewer, asked.community_id, gone=asked.gone
    ))
    parts.federation.offers.wake()  # what waited for this end is due
    return SuccessResponse(success=True)


async def found_successor(parts: Parts, caller: Caller, asked: FoundSuccessor) -> ShownOffer:
    """Found a successor of a community whose server is gone."""
    viewer = caller.person()
    return _shown(await parts.store.write(lambda unit: parts.federation.successors.found(
        unit, viewer, asked.community_id, name=asked.name, title=asked.title
    )))


async def claim_community(
    parts: Parts, caller: Caller, asked: ClaimCommunity
) -> SuccessResponse:
    """Let a community here say that it is one elsewhere too, or no longer."""
    await parts.federation.offers.claim(
        caller.person(), asked.community_id, asked.address, claimed=asked.claimed
    )
    return SuccessResponse(success=True)


async def move_community(parts: Parts, caller: Caller, asked: MoveCommunity) -> SuccessResponse:
    """Move a community here to one elsewhere."""
    await parts.federation.offers.move_out(caller.person(), asked.community_id, asked.address)
    return SuccessResponse(success=True)


async def move_community_back(
    parts: Parts, caller: Caller, asked: MoveCommunityBack
) -> SuccessResponse:
    """Take back that a community here moved."""
    await parts.federation.offers.move_back(caller.person(), asked.community_id)
    return SuccessResponse(success=True)


async def get_questions(parts: Parts, caller: Caller, asked: GetSuccessorQuestions) -> Offers:
    """Return the successors that the caller is asked about."""
    viewer = caller.person()
    found = await parts.store.read(
        lambda unit: parts.federation.successors.questions(unit, viewer)
    )
    return Offers(offers=[_shown(one) for one in found])


async def answer_successor(
    parts: Parts, caller: Caller, asked: AnswerSuccessor
) -> SuccessResponse:
    """Follow a successor, or do not."""
    viewer = caller.person()
    await parts.store.write(lambda unit: parts.federation.successors.answer(
        unit, viewer, asked.successor_id, accepted=asked.accept
    ))
    return SuccessResponse(success=True)


def _shown(one: Offer) -> ShownOffer:
    place = one.successor.community
    return ShownOffer(
        community_id=one.old.id, community_actor_id=one.old.ap_id, successor_id=place.id,
        successor_actor_id=place.actor.ap_id, subscribers=place.subscribers,
        published=time_of(one.published_us), accepted=one.mine, server=place.actor.domain,
        proof=one.proof,
    )


CALLS: tuple[Call[Any, Any], ...] = (
    Call("GET", "/succession", OfCommunity, ShownSuccession, get_succession),
    Call("POST", "/succession/declare", DeclareGone, SuccessResponse, declare_gone),
    Call("POST", "/succession/found", FoundSuccessor, ShownOffer, found_successor,
         rate="post"),
    Call("POST", "/succession/claim", ClaimCommunity, SuccessResponse, claim_community,
         rate="post"),
    Call("POST", "/succession/move", MoveCommunity, SuccessResponse, move_community,
         rate="post"),
    Call("POST", "/succession/move_back", MoveCommunityBack, SuccessResponse, move_community_back,
         rate="post"),
    Call("GET", "/succession/questions", GetSuccessorQuestions, Offers, get_questions),
    Call("POST", "/succession/answer", AnswerSuccessor, SuccessResponse, answer_successor),
)
