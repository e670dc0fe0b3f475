"""What `lichen erase` does: asks for an erasure, and carries it out where no house is running.

Beside a running house only the request is written; the house finds it within seconds.
"""

import asyncio

import msgspec

from lichen.accounts import Accounts, Actor, ActorKind
from lichen.administration import with_accounts
from lichen.erasing import Erasures, Kind, Request
from lichen.house import House
from lichen.kit import NotFound, Refused, isoformat
from lichen.kit.config import Config
from lichen.log import LogLocked
from lichen.store import Store, Unit


def erase(config: Config, kind: str, subject: str) -> str:
    """Erase a person by name, or a post, comment, message or proposal by number; say so."""
    quiet = msgspec.structs.replace(config.server, metrics_port=0, stream_port=0)
    return asyncio.run(_erase(msgspec.structs.replace(config, server=quiet), Kind(kind), subject))


def erasures(config: Config) -> list[str]:
    """Return a line for each of the last erasures, the newest first."""

    async def act(_: Accounts, store: Store) -> list[Request]:
        return await store.read(Erasures().newest)

    return [
        f"{one.kind} {one.subject_id}: asked {isoformat(one.asked_us)[:19]}, {one.step}, "
        f"{one.things} things" for one in asyncio.run(with_accounts(config, act))
    ]


async def _erase(config: Config, kind: Kind, subject: str) -> str:
    try:
        house = await House.open(config)
    except LogLocked:
        await with_accounts(config, lambda accounts, store: _ask(accounts, store, kind, subject))
        return f"Asked for: the running house erases {kind} {subject} within seconds."
    try:
        await _ask(house.rooms.accounts, house.store, kind, subject)
        await house.eraser.work()
    finally:
        await house.close()
    return f"{kind} {subject} is erased."


async def _ask(accounts: Accounts, store: Store, kind: Kind, subject: str) -> None:
    def command(unit: Unit) -> None:
        number = _person(accounts, unit, subject).id if kind is Kind.PERSON else _number(subject)
        Erasures().ask(unit, kind, number)

    await store.write(command)


def _person(accounts: Accounts, unit: Unit, name: str) -> Actor:
    bare, _, domain = name.removeprefix("@").partition("@")
    person = accounts.actor_by_name(unit, ActorKind.PERSON, bare, domain or None)
    if person is None:
        raise NotFound("couldnt_find_person", f"Nobody is called {name}.")
    if person.admin and len(accounts.admins(unit)) == 1:
        raise Refused("cannot_leave_admin", f"{name} is the last administrator: name another one "
                                            "first, with `lichen admin promote`.")
    return person


def _number(subject: str) -> int:
    if not (subject.isascii() and subject.isdecimal() and len(subject) <= 18):
        raise Refused("invalid_number", f"A number was expected, not {subject[:40]!r}.")
    return int(subject)
