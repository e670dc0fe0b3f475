"""The calls about who may speak and who decides: bans, moderators, the first of them."""

from lichen.accounts import Viewer, check_admin
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.forum import PersonView
from lichen.moderation import BanOrder, Seat, Sweep, Why
from lichen.store import Unit


async def ban_from_community(
    parts: Parts, caller: Caller, asked: wire.BanFromCommunity
) -> wire.BanFromCommunityResponse:
    """Ban somebody from a community as its moderator, or let it in again."""
    order = BanOrder(asked.person_id, banned=asked.ban, community_id=asked.community_id,
                     expires_us=_us(asked.expires), sweep=_sweep(asked))
    view = await _banned(parts, caller.person(), order, asked.reason)
    return wire.BanFromCommunityResponse(person_view=views.person_view(view), banned=asked.ban)


async def ban_person(
    parts: Parts, caller: Caller, asked: wire.BanPerson
) -> wire.BanPersonResponse:
    """Ban somebody from the site as an administrator, or let it in again."""
    order = BanOrder(asked.person_id, banned=asked.ban, expires_us=_us(asked.expires),
                     sweep=_sweep(asked))
    view = await _banned(parts, caller.person(), order, asked.reason)
    return wire.BanPersonResponse(person_view=views.person_view(view), banned=asked.ban)


async def get_banned_persons(
    parts: Parts, caller: Caller, _: wire.Nothing
) -> wire.BannedPersonsResponse:
    """Return everybody who is banned from the site now, to an administrator."""
    viewer = caller.person()
    check_admin(viewer)

    def query(unit: Unit) -> list[PersonView]:
        return parts.forum.persons(unit, viewer, parts.accounts.banned_ids(unit))

    found = await parts.store.read(query)
    return wire.BannedPersonsResponse(banned=[views.person_view(view) for view in found])


async def add_mod_to_community(
    parts: Parts, caller: Caller, asked: wire.AddModToCommunity
) -> wire.AddModToCommunityResponse:
    """Appoint a moderator, or dismiss one who came later."""
    viewer = caller.person()

    def command(unit: Unit) -> wire.AddModToCommunityResponse:
        moderators = parts.moderation.add_moderator(
            unit, viewer, Seat(asked.community_id, asked.person_id), added=asked.added
        )
        (view,) = parts.forum.community_views(unit, viewer, [asked.community_id])
        return wire.AddModToCommunityResponse(
            moderators=views.moderator_views(view.community, moderators)
        )

    return await parts.store.write(command)


async def transfer_community(
    parts: Parts, caller: Caller, asked: wire.TransferCommunity
) -> wire.GetCommunityResponse:
    """Make a moderator the first of its community."""
    viewer = caller.person()

    def command(unit: Unit) -> wire.GetCommunityResponse:
        moderators = parts.moderation.transfer_community(
            unit, viewer, Seat(asked.community_id, asked.person_id)
        )
        (view,) = parts.forum.community_views(unit, viewer, [asked.community_id])
        return wire.GetCommunityResponse(
            community_view=views.community_view(view),
            moderators=views.moderator_views(view.community, moderators),
            discussion_languages=view.community.languages,
        )

    return await parts.store.write(command)


async def _banned(
    parts: Parts, viewer: Viewer, order: BanOrder, reason: str | None
) -> PersonView:
    """Ban, with as many units of work as the words to be taken need, and return the person."""

    def command(unit: Unit) -> bool:
        return parts.moderation.ban(unit, viewer, order, why=Why(reason)).more

    while await parts.store.write(command):
        pass
    return await parts.store.read(
        lambda unit: parts.forum.person(unit, viewer, id=order.person_id)
    )


def _us(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1_000_000


def _sweep(asked: wire.BanFromCommunity | wire.BanPerson) -> Sweep | None:
    # Lemmy 0.19.6, remove_or_restore_user_data: a ban takes, its end brings back.
    return Sweep(removed=asked.ban) if asked.remove_data else None
