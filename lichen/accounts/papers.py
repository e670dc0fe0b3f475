"""Papers: what people bring to the door, and what they are given there. Pure, as `model` is."""

import msgspec

from lichen.accounts.model import Account, Actor, SessionId
from lichen.accounts.standing import Permission


class Session(msgspec.Struct, frozen=True):
    """One login, as its owner sees it; `through` is the account elsewhere that it came by."""

    id: SessionId
    published_us: int
    address: str | None
    agent: str | None
    current: bool
    through: str | None = None


class Application(msgspec.Struct, frozen=True):
    """A request to be let in: the answer, and who decided what (None while it waits).

    Its number is its account's.
    """

    account: Account
    answer: str
    published_us: int
    admin_id: int | None
    deny_reason: str | None
    totp_enabled: bool


class Invite(msgspec.Struct, frozen=True):
    """A code that lets `uses_max` people in until it expires."""

    code: str
    uses: int
    uses_max: int
    published_us: int
    expires_us: int


class Branch(msgspec.Struct, frozen=True):
    """One line of the invite tree: a person, and how deep below the roots it came in."""

    actor: Actor
    depth: int
    published_us: int | None


class Ban(msgspec.Struct, frozen=True):
    """What banning a person, or letting it in again, did."""

    person: Actor
    banned: bool
    reason: str | None
    expires_us: int | None
    tid: str


class Role(msgspec.Struct, frozen=True):
    """Some permissions under a title, given to a person by an administrator."""

    person_id: int
    title: str
    permissions: frozenset[Permission]


class Blocks(msgspec.Struct, frozen=True):
    """Whom and what a person does not want to see, by id, newest first."""

    persons: tuple[int, ...] = ()
    communities: tuple[int, ...] = ()
    instances: tuple[int, ...] = ()
