"""The calls about the site itself."""

from typing import Any

from lichen.accounts import (
    OUR_INSTANCE_ID,
    Instance,
    Site,
    SiteLine,
    Viewer,
    emoji_from,
    lines_from,
)
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.users import local_user, vote_display
from lichen.faces.lemmy_v3.views import OUR_SITE_ID
from lichen.forum import LANGUAGES, Listing, Sort
from lichen.store import Unit
from lichen.web import Rate

_ALL_LANGUAGES = tuple(
    wire.Language(id=language.id, code=language.code, name=language.name)
    for language in LANGUAGES
)
_ALL_LANGUAGE_IDS = tuple(language.id for language in LANGUAGES)


async def get_site(parts: Parts, caller: Caller, _: wire.Nothing) -> wire.GetSiteResponse:
    """Return all a client needs to start: the site, and for a person its own things."""
    site = parts.accounts.current_site
    keys = await parts.accounts.keys(site.actor.id)

    def query(unit: Unit) -> wire.GetSiteResponse:
        line_rows, emoji_rows = unit.fetch_all(*parts.accounts.lines_queries())
        lines = lines_from(line_rows)
        admins = parts.forum.persons(
            unit, caller.viewer, [actor.id for actor in parts.accounts.admins(unit)]
        )
        return wire.GetSiteResponse(
            site_view=site_view(parts, unit, site, public_key=keys.public),
            admins=[views.person_view(admin) for admin in admins],
            version=parts.config.identity.software_version,
            my_user=_my_user(parts, unit, caller.viewer) if caller.viewer else None,
            all_languages=_ALL_LANGUAGES,
            discussion_languages=site.settings.languages or _ALL_LANGUAGE_IDS,
            taglines=[views.tagline(line) for line in lines if line.kind == "taglines"],
            custom_emojis=[views.custom_emoji(one) for one in emoji_from(emoji_rows)],
            blocked_urls=[
                views.blocked_url(line) for line in lines if line.kind == "blocked_urls"
            ],
        )

    return await parts.store.read(query)


async def get_federated_instances(
    parts: Parts, caller: Caller, _: wire.Nothing
) -> wire.GetFederatedInstancesResponse:
    """Return the servers this one knows."""
    if not parts.accounts.current_site.settings.federation_enabled:
        return wire.GetFederatedInstancesResponse()

    def query(unit: Unit) -> tuple[list[Instance], list[SiteLine]]:
        return parts.accounts.instances(unit), parts.accounts.site_lines(unit)

    known, lines = await parts.store.read(query)
    by_domain = {one.domain: one for one in known}

    def shown(one: Instance) -> wire.InstanceWithFederationState:
        return views.instance(one, parts.federation.peers.known(one.domain))

    def listed(kind: str) -> list[wire.InstanceWithFederationState]:
        return [
            shown(by_domain.get(line.content) or _unknown(line))
            for line in lines if line.kind == kind
        ]

    return wire.GetFederatedInstancesResponse(
        federated_instances=wire.FederatedInstances(
            linked=[shown(one) for one in known if one.id != OUR_INSTANCE_ID],
            allowed=listed("allowed_instances"), blocked=listed("blocked_instances"),
        )
    )


def site_view(parts: Parts, unit: Unit, site: Site, *, public_key: str) -> wire.SiteView:
    """Return the site with its settings, limits and tallies."""
    return wire.SiteView(
        site=_site(site, public_key=public_key), local_site=_local_site(site),
        local_site_rate_limit=_rate_limit(parts, site), counts=_counts(parts, unit),
    )


def _unknown(line: SiteLine) -> Instance:
    """Return a server that is listed before anything was ever heard of it; it has no number."""
    return Instance(
        id=0, domain=line.content, software=None, version=None, published_us=line.published_us,
        updated_us=None,
    )


def _site(site: Site, *, public_key: str) -> wire.Site:
    settings, actor = site.settings, site.actor
    published = wire.time_of(site.published_us)
    return wire.Site(
        id=OUR_SITE_ID, name=settings.name, sidebar=settings.sidebar, published=published,
        updated=wire.maybe_time_of(site.updated_us), icon=settings.icon, banner=settings.banner,
        description=settings.description, actor_id=actor.ap_id, last_refreshed_at=published,
        inbox_url=actor.inbox, public_key=public_key, instance_id=actor.instance_id,
        content_warning=settings.content_warning,
    )


def _counts(parts: Parts, unit: Unit) -> wire.SiteAggregates:
    counts = parts.forum.site_counts(unit)
    return wire.SiteAggregates(
        site_id=OUR_SITE_ID, users=parts.accounts.accounts_count(unit), posts=counts.posts,
        comments=counts.comments, communities=counts.communities,
        users_active_day=counts.users_active_day, users_active_week=counts.users_active_week,
        users_active_month=counts.users_active_month,
        users_active_half_year=counts.users_active_half_year,
    )


def _local_site(site: Site) -> wire.LocalSite:
    settings = site.settings
    return wire.LocalSite(
        id=OUR_SITE_ID, site_id=OUR_SITE_ID, site_setup=settings.set_up,
        enable_downvotes=settings.enable_downvotes, enable_nsfw=settings.enable_nsfw,
        community_creation_admin_only=settings.community_creation_admin_only,
        require_email_verification=settings.require_email_verification,
        application_question=settings.application_question,
        private_instance=settings.private_instance, default_theme=settings.default_theme,
        default_post_listing_type=Listing(settings.default_post_listing_type),
        legal_information=settings.legal_information,
        hide_modlog_mod_names=settings.hide_modlog_mod_names,
        application_email_admins=settings.application_email_admins,
        slur_filter_regex=settings.slur_filter_regex,
        actor_name_max_length=settings.actor_name_max_length,
        federation_enabled=settings.federation_enabled,
        captcha_enabled=settings.captcha_enabled, captcha_difficulty=settings.captcha_difficulty,
        published=wire.time_of(site.published_us), updated=wire.maybe_time_of(site.updated_us),
        # Apps for Lemmy know no invitations: to them such a site takes nobody in.
        registration_mode="Closed" if settings.invite_only else settings.registration_mode,
        reports_email_admins=settings.reports_email_admins,
        federation_signed_fetch=settings.federation_signed_fetch,
        default_post_listing_mode=wire.PostListingMode(settings.default_post_listing_mode),
        default_sort_type=Sort(settings.default_sort_type),
    )


def _rate_limit(parts: Parts, site: Site) -> wire.LocalSiteRateLimit:
    rates: dict[str, Any] = {}
    kinds: tuple[Rate, ...] = ("message", "post", "register", "image", "comment", "search")
    for kind in kinds:
        count, seconds = parts.gate.rate(kind)
        rates |= {kind: count, f"{kind}_per_second": int(seconds)}
    count, seconds = parts.gate.rate("settings")
    return wire.LocalSiteRateLimit(
        local_site_id=OUR_SITE_ID, **rates, published=wire.time_of(site.published_us),
        import_user_settings=count, import_user_settings_per_second=int(seconds),
    )


def _my_user(parts: Parts, unit: Unit, viewer: Viewer) -> wire.MyUserInfo:
    shown = parts.forum.person(unit, viewer, id=viewer.id)
    blocks = parts.accounts.blocks(unit, viewer)
    person = views.person(viewer.actor)
    return wire.MyUserInfo(
        local_user_view=wire.LocalUserView(
            local_user=local_user(viewer), local_user_vote_display_mode=vote_display(viewer),
            person=person, counts=views.person_view(shown).counts,
        ),
        follows=[
            wire.CommunityFollowerView(community=views.community(view.community), follower=person)
            for view in parts.forum.subscriptions(unit, viewer)
        ],
        moderates=[
            wire.CommunityModeratorView(
                community=views.community(view.community), moderator=person
            )
            for view in parts.forum.moderated_by(unit, viewer.id)
        ],
        community_blocks=[
            wire.CommunityBlockView(community=views.community(view.community), person=person)
            for view in parts.forum.community_views(unit, viewer, blocks.communities)
        ],
        instance_blocks=[
            wire.InstanceBlockView(instance=views.instance(one), person=person)
            for one in parts.accounts.instances(unit) if one.id in blocks.instances
        ],
        person_blocks=[
            wire.PersonBlockView(target=views.person(target), person=person)
            for target in parts.accounts.actors(unit, blocks.persons).values()
        ],
        discussion_languages=viewer.settings.languages or _ALL_LANGUAGE_IDS,
    )
