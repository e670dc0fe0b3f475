"""The calls of administrators about the site: its settings, its lists, its emoji."""

import msgspec

from lichen.accounts import Emoji, EmojiDraft, SiteLists, SiteSettings, Viewer, check_admin
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.sites import site_view
from lichen.forum import LANGUAGES
from lichen.kit import Refused
from lichen.store import Unit

_LISTS = SiteLists.__struct_fields__
_SETTINGS = frozenset(SiteSettings.__struct_fields__)
_KNOWN_LANGUAGES = frozenset(language.id for language in LANGUAGES)
# "" empties these.
_TEXTS = (
    "description", "sidebar", "icon", "banner", "content_warning", "legal_information",
    "application_question", "slur_filter_regex",
)


async def create_site(parts: Parts, caller: Caller, asked: wire.CreateSite) -> wire.SiteResponse:
    """Set the site up; refused once it has an administrator who did."""
    viewer = caller.person()
    check_admin(viewer)
    if parts.accounts.current_site.settings.set_up:
        raise Refused("site_already_exists", "This site is set up; edit it.")
    return await _keep(parts, viewer, wire.fields_of(asked))


async def edit_site(parts: Parts, caller: Caller, asked: wire.EditSite) -> wire.SiteResponse:
    """Change what the administrators decide about the site."""
    return await _keep(parts, caller.person(), wire.fields_of(asked))


async def create_custom_emoji(
    parts: Parts, caller: Caller, asked: wire.CreateCustomEmoji
) -> wire.CustomEmojiResponse:
    """Let people use a picture by its shortcode."""
    viewer = caller.person()
    draft = EmojiDraft(**wire.fields_of(asked))
    return _kept(await parts.store.write(
        lambda unit: parts.accounts.create_emoji(unit, viewer, draft)
    ))


async def edit_custom_emoji(
    parts: Parts, caller: Caller, asked: wire.EditCustomEmoji
) -> wire.CustomEmojiResponse:
    """Change everything of an emoji but its shortcode."""
    viewer = caller.person()
    said = wire.fields_of(asked)
    emoji_id = said.pop("id")
    draft = EmojiDraft(shortcode="", **said)
    return _kept(await parts.store.write(
        lambda unit: parts.accounts.edit_emoji(unit, viewer, emoji_id, draft)
    ))


async def delete_custom_emoji(
    parts: Parts, caller: Caller, asked: wire.DeleteCustomEmoji
) -> wire.SuccessResponse:
    """Take an emoji away."""
    viewer = caller.person()
    await parts.store.write(lambda unit: parts.accounts.delete_emoji(unit, viewer, asked.id))
    return wire.SuccessResponse(success=True)


async def _keep(parts: Parts, viewer: Viewer, said: dict[str, object]) -> wire.SiteResponse:
    check_admin(viewer)
    lists = {name: said.pop(name) for name in _LISTS if name in said}
    changes = _changes(said)

    def command(unit: Unit) -> None:
        wish = msgspec.structs.replace(parts.accounts.site(unit).settings, **changes)
        wished = msgspec.structs.replace(parts.accounts.current_lists, **lists) if lists else None
        parts.accounts.edit_site(unit, viewer, wish, wished)

    await parts.store.write(command)
    keys = await parts.accounts.keys(parts.accounts.current_site.actor.id)

    def query(unit: Unit) -> wire.SiteResponse:
        lines = parts.accounts.site_lines(unit)
        return wire.SiteResponse(
            site_view=site_view(parts, unit, parts.accounts.site(unit), public_key=keys.public),
            taglines=[views.tagline(line) for line in lines if line.kind == "taglines"],
        )

    return await parts.store.read(query)


def _changes(said: dict[str, object]) -> dict[str, object]:
    """Return what is said in the words of the site's settings."""
    languages = said.pop("discussion_languages", None)
    changes = {name: value for name, value in said.items() if name in _SETTINGS}
    for name in _TEXTS:
        if name in changes:
            changes[name] = str(changes[name]).strip() or None
    for name in ("default_sort_type", "default_post_listing_type"):
        if name in changes:
            changes[name] = str(changes[name])
    if isinstance(languages, tuple):
        if not _KNOWN_LANGUAGES.issuperset(languages):
            raise Refused("language_not_allowed", "Languages are numbers of the language table.")
        chosen = tuple(dict.fromkeys(languages))
        changes["languages"] = () if len(chosen) == len(_KNOWN_LANGUAGES) else chosen
    return changes


def _kept(emoji: Emoji) -> wire.CustomEmojiResponse:
    return wire.CustomEmojiResponse(custom_emoji=views.custom_emoji(emoji))
