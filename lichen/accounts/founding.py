"""The founding: what must stand before the first account: our instance, the site, the secret."""

import base64
from typing import NamedTuple

import msgspec

from lichen.accounts import site_rows, tables
from lichen.accounts.model import (
    OUR_INSTANCE_ID,
    Actor,
    ActorId,
    ActorKind,
    Site,
    SiteSettings,
    site_did,
)
from lichen.accounts.nouns import actor_row
from lichen.accounts.rates import first_rates
from lichen.accounts.records import site_settings_of
from lichen.accounts.site import site_from
from lichen.accounts.site_keeping import emoji_from, lists_from
from lichen.accounts.site_lists import Emoji, SiteLists
from lichen.accounts.tokens import SECRET_BYTES
from lichen.events import event_of
from lichen.events.accounts import SELF
from lichen.kit.config import Accounts as AccountsConfig
from lichen.kit.config import Rates
from lichen.kit.flags import Flag, flag_named
from lichen.kit.ground import Ground
from lichen.store import Unit, set_stamp, stamp_of
from lichen.web import Addresses

_SECRET_STAMP = "accounts.token_secret"

_REGISTRATION_MODES = {
    "open": "Open", "application": "RequireApplication", "closed": "Closed",
}
_QUESTION = "Why do you want to join, and how did you hear of this site?"


class Foundation(NamedTuple):
    """What stands: the site, the secret that signs tokens, the flags that were ever set."""

    site: Site
    token_secret: bytes
    flags: dict[Flag, bool]
    lists: SiteLists
    emoji: list[Emoji]


def found(unit: Unit, ground: Ground, addresses: Addresses) -> Foundation:
    """Return what stands, laying it where the rows are empty; at every start.

    Our authority follows the configuration; ids stay what they were born with.
    """
    sites, instances, flags, lines, emoji = unit.fetch_all(
        (site_rows.SITE, {"now_us": unit.clock_us}),
        (tables.INSTANCE, {"id": OUR_INSTANCE_ID}),
        (site_rows.FLAGS, {}),
        (site_rows.LINES, {}),
        (site_rows.EMOJI, {}),
    )
    if instances and instances[0].domain != addresses.authority:
        renamed = {"instance_id": OUR_INSTANCE_ID, "new_domain": addresses.authority}
        unit.stage(tables.RENAME_INSTANCE, renamed)
    site = site_from(sites[0]) if sites else _lay_site(unit, ground, addresses)
    return Foundation(
        site=site,
        token_secret=_secret(unit, ground),
        flags={flag_named(row.name): row.is_on for row in flags},
        lists=lists_from(lines),
        emoji=emoji_from(emoji),
    )


def first_settings(config: AccountsConfig, rates: Rates) -> SiteSettings:
    """Return the settings of a new site, as the configuration wishes them."""
    choices = {
        "registration_mode": _REGISTRATION_MODES[config.registration],
        "application_question": _QUESTION if config.registration == "application" else None,
        "require_email_verification": config.email_required,
        "captcha_enabled": config.captcha,
        **first_rates(rates),
    }
    return msgspec.convert(choices, SiteSettings)


def _lay_site(unit: Unit, ground: Ground, addresses: Addresses) -> Site:
    ap_id = addresses.absolute("/")
    actor = Actor(
        id=ActorId(unit.take_numbers("actor")[0]), kind=ActorKind.SITE, name=addresses.authority,
        display_name=None, instance_id=OUR_INSTANCE_ID, domain=addresses.authority, local=True,
        ap_id=ap_id, did=site_did(addresses.authority), summary=None, avatar=None, banner=None,
        matrix_user_id=None, inbox=addresses.absolute("/inbox"), published_us=unit.clock_us,
        updated_us=None, deleted=False, banned=False, ban_expires_us=None, bot=True, admin=False,
    )
    settings = first_settings(ground.config.accounts, ground.config.rates)
    unit.stage(tables.INSERT_INSTANCE, {
        "id": OUR_INSTANCE_ID, "domain": addresses.authority, "software": None, "version": None,
        "published_us": unit.clock_us, "updated_us": None,
    })
    unit.stage(tables.INSERT_ACTOR, actor_row(actor))
    unit.stage(site_rows.INSERT_SITE, {
        "actor_id": actor.id, "settings": msgspec.json.encode(settings).decode(),
        "published_us": unit.clock_us, "updated_us": None,
    })
    unit.emit(event_of(
        site_settings_of(settings, published_us=unit.clock_us, updated_us=None),
        id=ground.tids.next(), did=actor.did, operation="create", rkey=SELF, row=actor.id,
    ))
    return Site(actor=actor, settings=settings, published_us=unit.clock_us, updated_us=None)


def _secret(unit: Unit, ground: Ground) -> bytes:
    kept = stamp_of(unit, _SECRET_STAMP)
    if kept is not None:
        return base64.b64decode(kept)
    secret = ground.randomness.randbytes(SECRET_BYTES)
    set_stamp(unit, _SECRET_STAMP, base64.b64encode(secret).decode())
    return secret
