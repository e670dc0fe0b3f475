"""People as the Lemmy API shows them."""

from lichen.faces.lemmy_v3.wire.base import Answer, Ask, Id, Time


class Person(Answer, frozen=True, kw_only=True):
    """Anybody with a name, local or not."""

    id: int
    name: str
    display_name: str | None = None
    avatar: str | None = None
    banned: bool
    published: Time
    updated: Time | None = None
    actor_id: str
    bio: str | None = None
    local: bool
    banner: str | None = None
    deleted: bool
    matrix_user_id: str | None = None
    bot_account: bool
    ban_expires: Time | None = None
    instance_id: int


class PersonAggregates(Answer, frozen=True, kw_only=True):
    """How much somebody has written here."""

    person_id: int
    post_count: int
    comment_count: int


class PersonView(Answer, frozen=True, kw_only=True):
    """A person, its tallies and whether it administers this site."""

    person: Person
    counts: PersonAggregates
    is_admin: bool


class PersonBlockView(Answer, frozen=True, kw_only=True):
    """Who blocks whom."""

    person: Person
    target: Person


class BlockPerson(Ask, frozen=True, kw_only=True):
    """Block a person, or no longer."""

    person_id: Id
    block: bool


class BlockPersonResponse(Answer, frozen=True, kw_only=True):
    """The person and whether it is blocked now."""

    person_view: PersonView
    blocked: bool
