"""The calls about bans from the whole site."""

import msgspec

from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.store import Unit


async def ban_person(
    parts: Parts, caller: Caller, asked: wire.BanPerson
) -> wire.BanPersonResponse:
    """Ban somebody from the site, or let them in again, with what they wrote or without."""
    viewer = caller.person()
    expires_us = None if asked.expires is None else asked.expires * 1_000_000

    def command(unit: Unit) -> wire.BanPersonResponse:
        shown = parts.forum.person(unit, viewer, id=asked.person_id)
        ban = parts.accounts.ban(
            unit, viewer, asked.person_id, banned=asked.ban, reason=asked.reason,
            expires_us=expires_us,
        )
        if asked.remove_data:
            parts.accounts.take_content(unit, ban.person, "removed" if asked.ban else "restored")
        return wire.BanPersonResponse(
            person_view=views.person_view(
                msgspec.structs.replace(shown, person=ban.person)
            ), banned=ban.banned
        )

    answer = await parts.store.write(command)
    if asked.remove_data:
        await parts.accounts.finish_departures()
    return answer


async def list_banned(
    parts: Parts, caller: Caller, _: wire.Nothing
) -> wire.BannedPersonsResponse:
    """Return everybody who is banned from the site."""
    viewer = caller.person()

    def query(unit: Unit) -> wire.BannedPersonsResponse:
        banned = parts.accounts.banned_persons(unit, viewer)
        shown = parts.forum.persons(unit, viewer, [actor.id for actor in banned])
        return wire.BannedPersonsResponse(banned=[views.person_view(one) for one in shown])

    return await parts.store.read(query)
