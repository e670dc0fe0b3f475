"""From rows to the nouns of the room, and back."""

from functools import lru_cache
from hashlib import sha256

import msgspec

from lichen.accounts.limits import ACTORS_KEPT_MAX
from lichen.accounts.model import (
    OUR_INSTANCE_ID,
    Account,
    Actor,
    ActorId,
    ActorKind,
    Instance,
    Settings,
)
from lichen.store import Row


def actor_from(row: Row) -> Actor:
    """Return the actor of a row that has its columns."""
    return Actor(
        id=ActorId(row.id),
        kind=ActorKind(row.kind),
        name=row.name,
        display_name=row.display_name,
        instance_id=row.instance_id,
        domain=row.domain,
        local=row.instance_id == OUR_INSTANCE_ID,
        ap_id=row.ap_id,
        did=row.did,
        summary=row.summary,
        avatar=row.avatar,
        banner=row.banner,
        matrix_user_id=row.matrix_user_id,
        inbox=row.inbox,
        published_us=row.published_us,
        updated_us=row.updated_us,
        deleted=row.deleted,
        banned=row.banned,
        ban_expires_us=row.ban_expires_us if row.banned else None,
        bot=row.bot,
        admin=row.admin,
    )


# Lists show the same people again and again: a row is looked up by all it holds in a quarter of the
# time of making its actor, and a changed row is another row, so nothing here can be stale.
kept_actor = lru_cache(maxsize=ACTORS_KEPT_MAX)(actor_from)


def actor_row(actor: Actor) -> dict[str, object]:
    """Return the columns of an actor's row."""
    row: dict[str, object] = msgspec.structs.asdict(actor)
    del row["domain"], row["local"]
    return row | {"kind": actor.kind.value, "name_key": actor.name.lower()}


def account_from(row: Row) -> Account:
    """Return the account of a row that has its columns and its actor's."""
    settings = msgspec.json.decode(row.settings, type=Settings)
    return Account(
        id=row.account_id,
        actor=actor_from(row),
        settings=msgspec.structs.replace(settings, email=row.email),
        accepted=row.accepted,
        email_verified=row.email_verified,
    )


def stored_settings(settings: Settings) -> str:
    """Return the JSON of settings as the rows keep it: the e-mail address has its own column."""
    return msgspec.json.encode(msgspec.structs.replace(settings, email=None)).decode()


def instance_from(row: Row) -> Instance:
    """Return the instance in a row."""
    return Instance(
        id=row.id, domain=row.domain, software=row.software, version=row.version,
        published_us=row.published_us, updated_us=row.updated_us,
    )


def retired_hash(name_key: str) -> str:
    """Return what is kept of a name that is never given again."""
    return sha256(b"retired name " + name_key.encode()).hexdigest()
