"""What happens to actors, accounts and the site: the records of the room `accounts`.

No record holds a secret, a hash of one, an e-mail address or a network address. An actor's own
records (`profile`, `settings`) have the record key "self"; all others have the TID of their
creation.
"""

from typing import Literal

import msgspec

from lichen.events.envelope import Record

SELF = "self"  # AT Protocol, Record Keys: the key of a record of which an actor has one

Choice = bool | int | str | tuple[int, ...]


class Profile(Record, frozen=True, tag="lichen.actor.profile"):
    """A person, local or remote, as everybody sees it; `row` is the actor's id.

    `also_known_as` is the ActivityPub id of a remote person.
    """

    name: str
    created_at: str
    display_name: str | None = None
    description: str | None = None
    avatar: str | None = None
    banner: str | None = None
    matrix_user_id: str | None = None
    bot: bool = False
    admin: bool = False
    also_known_as: str | None = None
    updated_at: str | None = None


class Session(Record, frozen=True, tag="lichen.account.session"):
    """A login; its id is the record key; deleted when it ends. `row` is the person's id."""

    created_at: str


class Settings(Record, frozen=True, tag="lichen.account.settings"):
    """What a person has chosen, by name, less the defaults; `row` is the person's id.

    The whole of it each time.
    """

    choices: dict[str, Choice]
    updated_at: str


class Block(Record, frozen=True, tag="lichen.account.block"):
    """A person does not want to see a person, a community or an instance.

    `subject` is a DID, or an authority for an instance; `row` is the blocked one's id.
    """

    kind: Literal["person", "community", "instance"]
    subject: str
    created_at: str


class SiteSettings(Record, frozen=True, tag="lichen.site.settings"):
    """What the administrators decided about the site, by the site's own DID.

    `choices` are the settings by name, without what is at its default; `row` is the site's actor.
    """

    name: str
    created_at: str
    description: str | None = None
    sidebar: str | None = None
    icon: str | None = None
    banner: str | None = None
    choices: dict[str, Choice] = msgspec.field(default_factory=dict)
    updated_at: str | None = None


class SiteBan(Record, frozen=True, tag="lichen.site.ban"):
    """A line of the moderation log: a person was banned from the site, or let in again.

    `subject` is the person's DID and `row` the person's id. Who decided it is kept in rows only.
    """

    subject: str
    banned: bool
    created_at: str
    reason: str | None = None
    expires_at: str | None = None


class SiteFlag(Record, frozen=True, tag="lichen.site.flag"):
    """A feature flag was set; the record key is the flag's name."""

    name: str
    on: bool
    updated_at: str


class SiteLists(Record, frozen=True, tag="lichen.site.lists"):
    """What the site keeps as lists, whole: taglines, blocked addresses, servers by their host."""

    updated_at: str
    taglines: tuple[str, ...] = ()
    blocked_urls: tuple[str, ...] = ()
    allowed_instances: tuple[str, ...] = ()
    blocked_instances: tuple[str, ...] = ()


class SiteEmoji(Record, frozen=True, tag="lichen.site.emoji"):
    """A custom emoji of the site; the record key is the shortcode, `row` the emoji's number."""

    shortcode: str
    image: str
    alt_text: str
    category: str
    created_at: str
    keywords: tuple[str, ...] = ()
    updated_at: str | None = None


class Away(Record, frozen=True, tag="lichen.actor.away"):
    """A person is away until a time and says so on the profile; back again, it is deleted."""

    note: str
    created_at: str
    until: str
class Application(Record, frozen=True, tag="lichen.account.application"):
    """A person asked to be let in, or an administrator decided; `row` is the person's id.

    The answer, and who decided, are kept in rows only.
    """

    state: Literal["waiting", "approved", "denied"]
    updated_at: str


class SecondFactor(Record, frozen=True, tag="lichen.account.secondFactor"):
    """Whether a person's login asks for a second factor; `row` is the person's id."""

    on: bool
    updated_at: str


class Invite(Record, frozen=True, tag="lichen.account.invite"):
    """A person may bring so many others in; deleted when revoked. The code is in rows only."""

    uses_max: int
    created_at: str
    expires_at: str


class Invited(Record, frozen=True, tag="lichen.account.invited"):
    """A person came in by another's invitation; `inviter` is a DID, `row` the person's id."""

    inviter: str
    created_at: str


class Link(Record, frozen=True, tag="lichen.account.link"):
    """An account elsewhere was proved to be a person's here, or opened its account again.

    `subject` is its DID and `row` its id; deleted when the link is removed.
    """

    subject: str
    method: Literal["message", "oauth"]
    used_at: str


class Move(Record, frozen=True, tag="lichen.actor.move"):
    """A person says to be somewhere else from now on; deleted when it came back.

    `target` is the ActivityPub id of the actor that it is now; `row` is the person's id.
    """

    target: str
    created_at: str


class Role(Record, frozen=True, tag="lichen.account.role"):
    """What an administrator lets a person do; deleted when taken back. `row` is the person's id."""

    title: str
    permissions: tuple[str, ...]
    updated_at: str
