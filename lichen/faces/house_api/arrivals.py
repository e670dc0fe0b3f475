"""The calls of people who have an account on another server, with their messages.

An app takes the way of the code by message alone: the other way leads through a browser, which the
pages do.
"""

from typing import Any

from lichen.accounts import Link, Wishes
from lichen.faces.lemmy_v3 import wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.calls import Call
from lichen.faces.lemmy_v3.wire import Answer, Ask
from lichen.faces.lemmy_v3.wire.base import Id, Prose, Time, Word, time_of


class KnockFromElsewhere(Ask, frozen=True, kw_only=True):
    """Begin to come in, or to link an account where somebody is logged in: `@name@host`."""

    address: Word


class KnockBegun(Answer, frozen=True, kw_only=True):
    """A code was sent to the person; the handle belongs to it, for ten minutes."""

    handle: str
    actor_id: str


class ProveElsewhere(Ask, frozen=True, kw_only=True):
    """Give the code that was sent."""

    handle: Word
    code: Word


class Proof(Answer, frozen=True, kw_only=True):
    """Who was proved; `known`: it opens an account here, which may ask a second factor's code."""

    actor_id: str
    known: bool
    asks_totp: bool
    linked: bool


class EnterFromElsewhere(Ask, frozen=True, kw_only=True):
    """Come in after the proof: with a second factor's code, or with what joining asks for."""

    handle: Word
    username: Word | None = None
    totp_2fa_token: Word | None = None
    email: Word | None = None
    answer: Prose | None = None
    invite: Word | None = None
    captcha_uuid: Word | None = None
    captcha_answer: Word | None = None


class ShownLink(Answer, frozen=True, kw_only=True):
    """An account elsewhere that opens the caller's: how it was proved, since when, last used."""

    id: int
    actor_id: str
    method: str
    published: Time
    used: Time


class LinksAnswer(Answer, frozen=True, kw_only=True):
    """Every account elsewhere that opens the caller's, the oldest first."""

    links: list[ShownLink]


class RemoveLink(Ask, frozen=True, kw_only=True):
    """Let one open the caller's account no longer."""

    id: Id


class AliasesAnswer(Answer, frozen=True, kw_only=True):
    """What the caller says to be too, by id, and where it moved, if it did."""

    also_known_as: list[str]
    moved_to: str | None = None


class ChangeAlias(Ask, frozen=True, kw_only=True):
    """Say to be `add` (`@name@host`) too, or no longer to be `remove` (an id); one of the two."""

    add: Word | None = None
    remove: Word | None = None


class MoveAway(Ask, frozen=True, kw_only=True):
    """Move to `@name@host`, which says to be the caller too; or, with `back`, take it back."""

    address: Word | None = None
    password: Word = ""
    back: bool = False


async def knock_from_elsewhere(
    parts: Parts, caller: Caller, asked: KnockFromElsewhere
) -> KnockBegun:
    """Send a code to a person of another server."""
    proving = parts.federation.proving
    person = await proving.person(asked.address)
    begun = await proving.send_code(person, viewer=caller.viewer)
    return KnockBegun(handle=begun.handle, actor_id=person.ap_id)


async def prove_elsewhere(parts: Parts, caller: Caller, asked: ProveElsewhere) -> Proof:
    """Take the code, and link the account where that was asked for."""
    known = await parts.accounts.prove(asked.handle, asked.code, method="message")
    is_for_link = known.for_account is not None
    if is_for_link:
        await parts.accounts.link_proved(caller.person(), asked.handle)
    return Proof(actor_id=known.person.ap_id, known=known.is_known, asks_totp=known.asks_code,
                 linked=is_for_link)


async def enter_from_elsewhere(
    parts: Parts, caller: Caller, asked: EnterFromElsewhere
) -> wire.LoginResponse:
    """Log in, or join, by an account elsewhere that was proved."""
    wishes = Wishes(
        name=asked.username or "", code=asked.totp_2fa_token or "", email=asked.email or "",
        answer=asked.answer or "", invite=asked.invite or "",
        captcha=(asked.captcha_uuid or "", asked.captcha_answer or ""),
    )
    login = await parts.accounts.enter(
        asked.handle, wishes, address=caller.address, agent=caller.agent
    )
    return wire.LoginResponse(
        jwt=login.token, registration_created=login.registration_created,
        verify_email_sent=login.verify_email_sent,
    )


async def get_links(parts: Parts, caller: Caller, _: wire.Nothing) -> LinksAnswer:
    """Return the accounts elsewhere that open the caller's."""
    viewer = caller.person()
    found = await parts.store.read(lambda unit: parts.accounts.links(unit, viewer))
    return LinksAnswer(links=[_shown(one) for one in found])


async def remove_link(parts: Parts, caller: Caller, asked: RemoveLink) -> LinksAnswer:
    """Let one open the caller's account no longer."""
    viewer = caller.person()
    await parts.store.write(lambda unit: parts.accounts.unlink(unit, viewer, asked.id))
    return await get_links(parts, caller, wire.Nothing())


async def get_aliases(parts: Parts, caller: Caller, _: wire.Nothing) -> AliasesAnswer:
    """Return what the caller says to be elsewhere."""
    viewer = caller.person()
    found = await parts.store.read(lambda unit: parts.accounts.known_as(unit, [viewer.id]))
    known = found[viewer.id]
    return AliasesAnswer(also_known_as=list(known.also_known_as), moved_to=known.moved_to or None)


async def change_alias(parts: Parts, caller: Caller, asked: ChangeAlias) -> AliasesAnswer:
    """Say to be somebody elsewhere too, or no longer."""
    viewer, gone = caller.person(), asked.remove
    if gone:
        await parts.store.write(lambda unit: parts.accounts.drop_alias(unit, viewer, gone))
    else:
        other = await parts.federation.proving.person(asked.add or "")
        await parts.store.write(lambda unit: parts.accounts.add_alias(unit, viewer, other))
    return await get_aliases(parts, caller, wire.Nothing())


async def move_away(parts: Parts, caller: Caller, asked: MoveAway) -> AliasesAnswer:
    """Move to an account elsewhere, or come back."""
    viewer = caller.person()
    if asked.back:
        await parts.store.write(lambda unit: parts.accounts.move_back(unit, viewer))
    else:
        await parts.accounts.check_present(viewer, asked.password)
        target = await parts.federation.proving.person(asked.address or "")
        await parts.federation.moves.out(viewer, target)
    return await get_aliases(parts, caller, wire.Nothing())


def _shown(link: Link) -> ShownLink:
    return ShownLink(
        id=link.actor.id, actor_id=link.actor.ap_id, method=link.method,
        published=time_of(link.published_us), used=time_of(link.used_us),
    )


CALLS: tuple[Call[Any, Any], ...] = (
    Call("POST", "/user/elsewhere", KnockFromElsewhere, KnockBegun, knock_from_elsewhere,
         rate="register"),
    Call("POST", "/user/elsewhere/code", ProveElsewhere, Proof, prove_elsewhere, rate="login"),
    Call("POST", "/user/elsewhere/enter", EnterFromElsewhere, wire.LoginResponse,
         enter_from_elsewhere, rate="register"),
    Call("GET", "/user/links", wire.Nothing, LinksAnswer, get_links),
    Call("POST", "/user/links/remove", RemoveLink, LinksAnswer, remove_link),
    Call("GET", "/user/aliases", wire.Nothing, AliasesAnswer, get_aliases),
    Call("POST", "/user/aliases", ChangeAlias, AliasesAnswer, change_alias, rate="search"),
    Call("POST", "/user/move", MoveAway, AliasesAnswer, move_away, rate="login"),
)
