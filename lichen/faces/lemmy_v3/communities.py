"""The calls about communities."""

from lichen.accounts import Actor
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.forum import CommunityDraft, CommunityView
from lichen.kit import Refused
from lichen.store import Unit


async def create_community(
    parts: Parts, caller: Caller, asked: wire.CreateCommunity
) -> wire.CommunityResponse:
    """Found a community with the caller as its first moderator."""
    viewer = caller.person()

    def command(unit: Unit) -> CommunityView:
        return parts.forum.create_community(unit, viewer, asked.name, _draft(asked))

    return _changed(await parts.store.write(command))


async def edit_community(
    parts: Parts, caller: Caller, asked: wire.EditCommunity
) -> wire.CommunityResponse:
    """Change what is said of a community that the caller moderates."""
    viewer = caller.person()

    def command(unit: Unit) -> CommunityView:
        return parts.forum.edit_community(unit, viewer, asked.community_id, _draft(asked))

    return _changed(await parts.store.write(command))


async def get_community(
    parts: Parts, caller: Caller, asked: wire.GetCommunity
) -> wire.GetCommunityResponse:
    """Return a community and its moderators."""
    if asked.id is None and not asked.name:
        raise Refused("no_id_given", "Give an id or a name.")

    def query(unit: Unit) -> tuple[wire.GetCommunityResponse, Actor]:
        view = parts.forum.community(unit, caller.viewer, id=asked.id, name=asked.name)
        moderators = parts.forum.moderators(unit, view.community.id)
        return wire.GetCommunityResponse(
            community_view=views.community_view(view),
            moderators=views.moderator_views(view.community, moderators),
            discussion_languages=view.community.languages,
        ), view.community.actor

    answer, looked_at = await parts.store.read(query)
    parts.federation.renewing.look(looked_at)
    return answer


async def list_communities(
    parts: Parts, caller: Caller, asked: wire.ListCommunities
) -> wire.ListCommunitiesResponse:
    """Return a page of communities."""

    def query(unit: Unit) -> list[CommunityView]:
        return parts.forum.communities(
            unit, caller.viewer, listing=asked.type_,
            sort=asked.sort, page=asked.page,
            limit=asked.limit, show_nsfw=asked.show_nsfw,
        )

    found = await parts.store.read(query)
    return wire.ListCommunitiesResponse(communities=[views.community_view(view) for view in found])


async def follow_community(
    parts: Parts, caller: Caller, asked: wire.FollowCommunity
) -> wire.CommunityResponse:
    """Subscribe to a community, or no longer."""
    viewer = caller.person()

    def command(unit: Unit) -> CommunityView:
        return parts.forum.subscribe(unit, viewer, asked.community_id, follow=asked.follow)

    return _changed(await parts.store.write(command))


async def block_community(
    parts: Parts, caller: Caller, asked: wire.BlockCommunity
) -> wire.BlockCommunityResponse:
    """Block a community, or no longer."""
    viewer = caller.person()

    def command(unit: Unit) -> CommunityView:
        return parts.forum.block_community(unit, viewer, asked.community_id, block=asked.block)

    view = await parts.store.write(command)
    return wire.BlockCommunityResponse(
        community_view=views.community_view(view), blocked=view.blocked
    )


def _draft(asked: wire.CreateCommunity | wire.EditCommunity) -> CommunityDraft:
    if asked.visibility == "LocalOnly":
        raise Refused("not_implemented", "Every community here is public; leave visibility out.")
    return CommunityDraft(
        title=asked.title, description=asked.description, icon=asked.icon, banner=asked.banner,
        nsfw=asked.nsfw, posting_restricted_to_mods=asked.posting_restricted_to_mods,
        languages=asked.discussion_languages,
    )


def _changed(view: CommunityView) -> wire.CommunityResponse:
    return wire.CommunityResponse(
        community_view=views.community_view(view), discussion_languages=view.community.languages,
    )
