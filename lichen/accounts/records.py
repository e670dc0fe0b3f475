"""How the room's nouns are written as records, so that each is written in one way only."""

import msgspec

from lichen.accounts.model import Actor, Settings, SiteSettings
from lichen.events import accounts as records
from lichen.kit import isoformat


def profile_of(actor: Actor) -> records.Profile:
    """Return the record of a person as it is now."""
    return records.Profile(
        name=actor.name,
        created_at=isoformat(actor.published_us),
        display_name=actor.display_name,
        description=actor.summary,
        avatar=actor.avatar,
        banner=actor.banner,
        matrix_user_id=actor.matrix_user_id,
        bot=actor.bot,
        admin=actor.admin,
        also_known_as=None if actor.local else actor.ap_id,
        updated_at=_time(actor.updated_us),
    )


def settings_of(settings: Settings, updated_us: int) -> records.Settings:
    """Return the record of a person's settings, without the e-mail address."""
    choices = msgspec.to_builtins(msgspec.structs.replace(settings, email=None))
    return records.Settings(choices=choices, updated_at=isoformat(updated_us))


def site_settings_of(
    settings: SiteSettings, *, published_us: int, updated_us: int | None
) -> records.SiteSettings:
    """Return the record of the site's settings."""
    choices = msgspec.to_builtins(settings)
    for told in ("name", "description", "sidebar", "icon", "banner"):
        choices.pop(told, None)
    return records.SiteSettings(
        name=settings.name,
        created_at=isoformat(published_us),
        description=settings.description,
        sidebar=settings.sidebar,
        icon=settings.icon,
        banner=settings.banner,
        choices=choices,
        updated_at=_time(updated_us),
    )


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else isoformat(time_us)
