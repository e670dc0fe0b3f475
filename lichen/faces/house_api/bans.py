"""The calls of somebody who is banned from the site, with their messages.

No token of a login is asked for or given: a name and a password yield a ticket, good for these
calls alone.
"""

from typing import Any

from lichen.faces.house_api.judging import ShownAppeal, shown_appeal
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.calls import Call
from lichen.faces.lemmy_v3.wire import Answer, Ask
from lichen.faces.lemmy_v3.wire.base import Prose, Time, Word, maybe_time_of, time_of
from lichen.moderation import SiteBan
from lichen.store import Unit

_JUDGES = "administrators"


class GetSiteBan(Ask, frozen=True, kw_only=True):
    """Ask what was decided, by name and password, with a code where there is a second factor."""

    username_or_email: Word
    password: Word
    totp_2fa_token: Word | None = None


class AppealSiteBan(Ask, frozen=True, kw_only=True):
    """Appeal once, with the ticket of the other call."""

    ticket: Prose
    text: Prose


class SiteBanAnswer(Answer, frozen=True, kw_only=True):
    """What was decided, who may change it, and the appeal; the ticket lasts an hour."""

    ticket: str
    decided_by: str
    can_appeal: bool
    reason: str | None = None
    published: Time | None = None
    expires: Time | None = None
    appeal: ShownAppeal | None = None


async def get_site_ban(parts: Parts, caller: Caller, asked: GetSiteBan) -> SiteBanAnswer:
    """Return what was decided about somebody who is banned from the site."""
    ticket = await parts.accounts.ban_ticket(
        asked.username_or_email, asked.password, address=caller.address,
        code=asked.totp_2fa_token,
    )
    return await _shown(parts, ticket)


async def appeal_site_ban(parts: Parts, caller: Caller, asked: AppealSiteBan) -> SiteBanAnswer:
    """Appeal against a ban from the site."""
    def command(unit: Unit) -> None:
        person = parts.accounts.appellant(unit, asked.ticket)
        parts.moderation.appeal_site_ban(unit, person, asked.text)

    await parts.store.write(command)
    return await _shown(parts, asked.ticket)


async def _shown(parts: Parts, ticket: str) -> SiteBanAnswer:
    def query(unit: Unit) -> SiteBan:
        return parts.moderation.site_ban(unit, parts.accounts.appellant(unit, ticket))

    ban = await parts.store.read(query)
    return SiteBanAnswer(
        ticket=ticket, decided_by=_JUDGES, can_appeal=ban.can_appeal,
        reason=ban.action.reason if ban.action else None,
        published=time_of(ban.action.published_us) if ban.action else None,
        expires=maybe_time_of(ban.expires_us),
        appeal=shown_appeal(ban.appeal) if ban.appeal else None,
    )


CALLS: tuple[Call[Any, Any], ...] = (
    Call("POST", "/user/site_ban", GetSiteBan, SiteBanAnswer, get_site_ban, rate="register"),
    Call("POST", "/user/site_ban/appeal", AppealSiteBan, SiteBanAnswer, appeal_site_ban,
         rate="register"),
)
