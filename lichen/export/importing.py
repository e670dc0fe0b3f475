"""Importing: what somebody chose, follows, keeps and blocks, from the JSON of Lemmy's export.

The one way in, for the page, the command line and Lemmy's call; also for what an archive of ours
holds as `settings.json`. Whatever it says is hostile until it is checked: it goes through the same
commands as if it had been typed. Addresses that nobody here knows are skipped, and named.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import get_args

import msgspec

from lichen.accounts import ActorKind, PostListingMode, ProfileDraft, Settings, Viewer
from lichen.export.collection import Rooms
from lichen.export.limits import (
    IMPORT_BATCH_MAX,
    IMPORT_BYTES_MAX,
    IMPORT_ITEMS_MAX,
    SKIPPED_MAX,
)
from lichen.forum import Listing, Sort
from lichen.kit import Refused
from lichen.store import Unit
from lichen.web import check_text

_LISTS = ("followed_communities", "saved_posts", "saved_comments", "blocked_communities",
          "blocked_users", "blocked_instances")
# What an address of each list is; the other lists hold servers, posts and comments.
_KINDS = {"followed_communities": ActorKind.COMMUNITY, "blocked_communities": ActorKind.COMMUNITY,
          "blocked_users": ActorKind.PERSON}
# A choice that is a secret, or somebody else's to verify, is not taken from a file.
_KEPT = frozenset(("email",))
# What pages and apps read as one of these, and would break on anything else.
_OFFERED: Mapping[str, tuple[object, ...]] = MappingProxyType({
    "default_sort_type": tuple(sort.value for sort in Sort),
    "default_listing_type": tuple(listing.value for listing in Listing),
    "post_listing_mode": get_args(PostListingMode),
})


class LemmyExport(msgspec.Struct, frozen=True):
    """The answer of Lemmy's `/user/export_settings`, as far as we take it."""

    display_name: str | None = None
    bio: str | None = None
    avatar: str | None = None
    banner: str | None = None
    matrix_id: str | None = None
    bot_account: bool | None = None
    settings: dict[str, object] | None = None
    followed_communities: tuple[str, ...] = ()
    saved_posts: tuple[str, ...] = ()
    saved_comments: tuple[str, ...] = ()
    blocked_communities: tuple[str, ...] = ()
    blocked_users: tuple[str, ...] = ()
    blocked_instances: tuple[str, ...] = ()


class Imported(msgspec.Struct, frozen=True):
    """What became of an import: how much was taken, and the addresses that are not known here."""

    taken: int
    skipped: tuple[str, ...]

    @property
    def examples(self) -> tuple[str, ...]:
        """Some of the addresses that are not known here, for people to read."""
        return self.skipped[:SKIPPED_MAX]


def read_export(content: bytes) -> LemmyExport:
    """Return what a file holds, or refuse it; pure."""
    if len(content) > IMPORT_BYTES_MAX:
        raise Refused("body_too_large", f"An import has {IMPORT_BYTES_MAX >> 20} MiB at most.")
    try:
        found = msgspec.json.decode(content, type=LemmyExport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(
            "invalid_json", "This is not what Lemmy's settings export is: one JSON object with "
                            "lists such as followed_communities."
        ) from None
    check_export(found)
    return found


def check_export(export: LemmyExport) -> None:
    """Refuse an export that holds too much, or what no row may hold; pure."""
    count = sum(len(getattr(export, name)) for name in _LISTS)
    if count > IMPORT_ITEMS_MAX:
        raise Refused("too_many_items", f"An import holds at most {IMPORT_ITEMS_MAX} follows, "
                                        f"saves and blocks; this one has {count}.")
    for name, text in _texts(export):
        check_text(text, name)


async def take_over(rooms: Rooms, viewer: Viewer, export: LemmyExport) -> Imported:
    """Do for a person what an export says; a batch a unit, so that others can write between.

    Refuses what `check_export` refuses, before anything is done.
    """
    check_export(export)
    items = [(name, address) for name in _LISTS for address in getattr(export, name)]
    await rooms.store.write(lambda unit: _take_choices(rooms, unit, viewer, export))
    skipped: list[str] = []
    for start in range(0, len(items), IMPORT_BATCH_MAX):
        batch = items[start:start + IMPORT_BATCH_MAX]
        skipped += await rooms.store.write(partial(_take_batch, rooms, viewer, batch))
    return Imported(taken=len(items) - len(skipped), skipped=tuple(skipped))


def _settings_with(choices: Mapping[str, object], settings: Settings) -> Settings:
    """Return settings with the choices of an export, or refuse what is no choice at all; pure.

    Other servers offer other choices: what is none of ours leaves ours as it is.
    """
    known = set(Settings.__struct_fields__) - _KEPT
    changes = {
        name: value for name, value in choices.items()
        if name in known and value is not None and value in _OFFERED.get(name, (value,))
    }
    try:
        return msgspec.convert(msgspec.structs.asdict(settings) | changes, Settings)
    except msgspec.ValidationError as error:
        raise Refused("invalid_field", f"settings: {error}.") from None


def _texts(export: LemmyExport) -> Iterator[tuple[str, str]]:
    for name in export.__struct_fields__:
        value = getattr(export, name)
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, tuple):
            yield from ((name, address) for address in value)
        elif isinstance(value, dict):
            yield from ((key, text) for key, text in value.items() if isinstance(text, str))


def _take_choices(rooms: Rooms, unit: Unit, viewer: Viewer, export: LemmyExport) -> None:
    rooms.accounts.save_profile(unit, viewer, ProfileDraft(
        display_name=export.display_name, bio=export.bio, avatar=export.avatar,
        banner=export.banner, matrix_user_id=export.matrix_id, bot=export.bot_account,
    ))
    settings = _settings_with(export.settings or {}, viewer.settings)
    if settings != viewer.settings:
        rooms.accounts.save_settings(unit, viewer, settings)


def _take_batch(
    rooms: Rooms, viewer: Viewer, items: Sequence[tuple[str, str]], unit: Unit
) -> list[str]:
    """Do what some items say; return the addresses that nobody here knows."""
    actors = rooms.accounts.actors_by_ap_id(unit, [address for _, address in items])
    domains = {one.domain: one.id for one in rooms.accounts.instances(unit)}
    blocked = set(rooms.accounts.blocks(unit, viewer).instances)
    skipped = []
    for name, address in items:
        number: int | None
        actor, number = actors.get(address), None
        if name in _KINDS:
            if actor is not None and actor.kind is _KINDS[name]:
                number = int(actor.id)
        elif name == "blocked_instances":
            number = domains.get(address)
        else:
            number = _number_of(rooms, unit, name, address)
        try:
            if number is None:
                skipped.append(address)
            elif name != "blocked_instances" or number not in blocked:
                _take(rooms, unit, viewer, name, number)
                blocked |= {number} if name == "blocked_instances" else set()
        except Refused:  # gone, or closed to the person
            skipped.append(address)
    return skipped


def _number_of(rooms: Rooms, unit: Unit, name: str, address: str) -> int | None:
    """Return the number of a post or comment that is kept; one round trip."""
    if name == "saved_posts":
        return rooms.forum.post_id_by_ap_id(unit, address)
    return rooms.forum.comment_id_by_ap_id(unit, address)


def _take(rooms: Rooms, unit: Unit, viewer: Viewer, name: str, number: int) -> None:
    match name:
        case "followed_communities":
            rooms.forum.subscribe(unit, viewer, number, follow=True)
        case "saved_posts":
            rooms.forum.save_post(unit, viewer, number, save=True)
        case "saved_comments":
            rooms.forum.save_comment(unit, viewer, number, save=True)
        case "blocked_communities":
            rooms.forum.block_community(unit, viewer, number, block=True)
        case "blocked_users":
            rooms.accounts.block_person(unit, viewer, number, blocked=True)
        case "blocked_instances":
            rooms.accounts.block_instance(unit, viewer, number, blocked=True)
