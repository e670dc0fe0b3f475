"""The calls that carry an account's choices to another server and back, as Lemmy's JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from lichen.accounts import Accounts, ActorKind, Blocks, ProfileDraft, Settings, Viewer
from lichen.export import settings_with
from lichen.faces.lemmy_v3 import wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.forum import Forum
from lichen.kit import NotFound, Refused
from lichen.store import Store, Unit
from lichen.web import check_text

ITEMS_MAX = 2_000  # of all lists of one import together; Lemmy 0.19 takes as many
ITEMS_PER_UNIT_MAX = 50  # so that other writes come in between


async def export_settings(parts: Parts, caller: Caller, _: wire.Nothing) -> wire.ImportSettings:
    """Return what the caller has chosen, follows, keeps and blocks."""
    return await Carrier(parts.store, parts.accounts, parts.forum).exported(caller.person())


async def import_settings(
    parts: Parts, caller: Caller, asked: wire.ImportSettings
) -> wire.ImportReport:
    """Take over what an export holds; what is not known here is skipped and said."""
    carrier = Carrier(parts.store, parts.accounts, parts.forum)
    return wire.ImportReport(success=True, skipped=await carrier.take(caller.person(), asked))


@dataclass(frozen=True, slots=True)
class Carrier:
    """Carries choices out and in; for the API and for pages."""

    store: Store
    accounts: Accounts
    forum: Forum

    async def exported(self, viewer: Viewer) -> wire.ImportSettings:
        """Return what a person has chosen, follows, keeps and blocks."""
        return await self.store.read(lambda unit: self._exported(unit, viewer))

    async def take(self, viewer: Viewer, asked: wire.ImportSettings) -> list[str]:
        """Take over what an export holds, some things a unit; return what is not known here."""
        _check_texts(asked)
        items = list(_items(asked))
        if len(items) > ITEMS_MAX:
            raise Refused("too_many_items", f"One import holds at most {ITEMS_MAX} things.")
        await self.store.write(lambda unit: _take_choices(self, unit, viewer, asked))
        skipped: list[str] = []
        for start in range(0, len(items), ITEMS_PER_UNIT_MAX):
            some = partial(_take, self, viewer, items[start:start + ITEMS_PER_UNIT_MAX])
            skipped += await self.store.write(some)
        return skipped

    def _exported(self, unit: Unit, viewer: Viewer) -> wire.ImportSettings:
        accounts, forum, actor = self.accounts, self.forum, viewer.actor
        standing = forum.standings.of(unit, viewer)
        posts = forum.post_views(unit, viewer, sorted(standing.saved_posts)[-ITEMS_MAX:])
        comments = forum.comment_views(unit, viewer, sorted(standing.saved_comments)[-ITEMS_MAX:])
        blocks = accounts.blocks(unit, viewer)
        blocked = accounts.actors(unit, [*blocks.persons, *blocks.communities])
        domains = {one.id: one.domain for one in accounts.instances(unit)}
        return wire.ImportSettings(
            display_name=actor.display_name, bio=actor.summary, avatar=actor.avatar,
            banner=actor.banner, matrix_id=actor.matrix_user_id, bot_account=actor.bot,
            settings=_choices(viewer.settings),
            followed_communities=tuple(
                view.community.actor.ap_id for view in forum.subscriptions(unit, viewer)
            ),
            saved_posts=tuple(view.post.ap_id for view in posts),
            saved_comments=tuple(view.comment.ap_id for view in comments),
            blocked_communities=tuple(blocked[id].ap_id for id in blocks.communities),
            blocked_users=tuple(blocked[id].ap_id for id in blocks.persons),
            blocked_instances=tuple(domains[id] for id in blocks.instances),
        )


def _choices(settings: Settings) -> wire.ImportedSettings:
    names = wire.ImportedSettings.__struct_fields__
    return wire.ImportedSettings(**{name: getattr(settings, name) for name in names})


def _take_choices(
    parts: Carrier, unit: Unit, viewer: Viewer, asked: wire.ImportSettings
) -> None:
    parts.accounts.save_profile(unit, viewer, ProfileDraft(
        display_name=asked.display_name, bio=asked.bio, avatar=asked.avatar,
        banner=asked.banner, matrix_user_id=asked.matrix_id, bot=asked.bot_account,
    ))
    if asked.settings is not None:
        wished = settings_with(wire.fields_of(asked.settings), viewer.settings)
        parts.accounts.save_settings(unit, viewer, wished)


def _check_texts(asked: wire.ImportSettings) -> None:
    """Refuse what no row may hold, also where JSON hid it behind an escape."""
    said = wire.fields_of(asked) | (wire.fields_of(asked.settings) if asked.settings else {})
    for name, value in said.items():
        texts = value if isinstance(value, tuple) else (value,)
        for text in filter(_is_text, texts):
            check_text(text, name)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _items(asked: wire.ImportSettings) -> Iterator[tuple[str, str]]:
    for kind in ("followed_communities", "saved_posts", "saved_comments", "blocked_communities",
                 "blocked_users", "blocked_instances"):
        for address in getattr(asked, kind):
            yield kind, address


def _take(
    parts: Carrier, viewer: Viewer, items: list[tuple[str, str]], unit: Unit
) -> list[str]:
    """Do what some items say, and return the addresses that nothing here has."""
    addresses = [address for _, address in items]
    actors = parts.accounts.actors_by_ap_id(unit, addresses)
    domains = {one.domain: one.id for one in parts.accounts.instances(unit)}
    blocks = parts.accounts.blocks(unit, viewer)
    skipped = []
    for kind, address in items:
        actor = actors.get(address)
        try:
            if kind == "followed_communities" and actor and actor.kind is ActorKind.COMMUNITY:
                parts.forum.subscribe(unit, viewer, actor.id, follow=True)
            elif kind == "blocked_instances" and address in domains:
                _block_instance(parts, unit, viewer, domains[address], blocks)
            elif kind == "blocked_users" and actor and actor.kind is ActorKind.PERSON:
                parts.accounts.block_person(unit, viewer, actor.id, blocked=True)
            elif kind == "blocked_communities" and actor and actor.kind is ActorKind.COMMUNITY:
                parts.forum.block_community(unit, viewer, actor.id, block=True)
            elif kind in ("saved_posts", "saved_comments"):
                _keep(parts, unit, viewer, kind, address)
            else:
                skipped.append(address)
        except Refused:
            skipped.append(address)
    return skipped


def _block_instance(
    parts: Carrier, unit: Unit, viewer: Viewer, instance_id: int, blocks: Blocks
) -> None:
    if instance_id not in blocks.instances:
        parts.accounts.block_instance(unit, viewer, instance_id, blocked=True)


def _keep(parts: Carrier, unit: Unit, viewer: Viewer, kind: str, address: str) -> None:
    if kind == "saved_posts":
        post_id = parts.forum.post_id_by_ap_id(unit, address)
        if post_id is None:
            raise NotFound("couldnt_find_post", "No such post is known here.")
        parts.forum.save_post(unit, viewer, post_id, save=True)
        return
    comment_id = parts.forum.comment_id_by_ap_id(unit, address)
    if comment_id is None:
        raise NotFound("couldnt_find_comment", "No such comment is known here.")
    parts.forum.save_comment(unit, viewer, comment_id, save=True)
