"""What an administrator does from the command line, also while the house serves.

The rows are changed by the commands of `accounts` and `plugins`; their events wait in the outbox
until the running house, or the next one, relays them.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from lichen import accounts
from lichen.accounts import Accounts, Actor, ActorKind
from lichen.kit import NotFound, Refused
from lichen.kit.config import Config
from lichen.kit.ground import Ground, ground_of
from lichen.plugins import Standing
from lichen.plugins.room import Room as PluginsRoom
from lichen.plugins.room import build as build_plugins
from lichen.store import Store, open_store
from lichen.store.migrating import EMPTY, HEAD, migrate, version_of
from lichen.web import Addresses

T = TypeVar("T")

_UNITS_S = {"m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}


def create_admin(config: Config, name: str, password: str) -> None:
    """Create an administrator."""

    async def act(service: Accounts, _: Store) -> None:
        await service.create_admin(name, password)

    _run(config, act)


def set_password(config: Config, name: str, password: str) -> None:
    """Give somebody a new password; all their sessions end."""

    async def act(service: Accounts, _: Store) -> None:
        await service.set_password(name, password)

    _run(config, act)


def promote(config: Config, name: str, *, admin: bool) -> None:
    """Make somebody an administrator, or no longer one."""

    async def act(service: Accounts, store: Store) -> None:
        person = await _person(service, store, name)
        await store.write(lambda unit: service.promote(unit, None, person.id, admin=admin))

    _run(config, act)


def ban(config: Config, name: str, *, banned: bool, reason: str | None,
        for_s: int | None) -> None:
    """Ban somebody from the site, for a time or for good, or let them in again."""

    async def act(service: Accounts, store: Store) -> None:
        person = await _person(service, store, name)
        await store.write(lambda unit: service.ban(
            unit, None, person.id, banned=banned, reason=reason,
            expires_us=None if for_s is None else unit.clock_us + for_s * 1_000_000))

    _run(config, act)


def switch_plugin(
    config: Config, name: str, *, on: bool | None = None, network: bool | None = None
) -> None:
    """Switch a plugin, or its use of the network; a house that serves follows by the log."""

    async def act(room: PluginsRoom) -> None:
        await room.plugins.decide(None, name, on=on, network=network)

    asyncio.run(_with_plugins(config, act))


def ask_to_catch_up(config: Config, authority: str) -> str:
    """Leave word for the house that serves to catch up with a server; return its page's address."""
    from lichen.federation import ask_in_rows

    async def act(_: Accounts, store: Store) -> None:
        await store.write(lambda unit: ask_in_rows(unit, authority))

    _run(config, act)
    addresses = Addresses(config.public_url)
    return addresses.absolute(addresses.peer(authority))


def _network(one: Standing) -> str:
    """Return what a plugin may do with the network, in words."""
    if one.asks_network and one.may_network:
        return "allowed"
    asked = "asked for, not allowed; " if one.asks_network else ""
    return f"{asked}kept from it by {one.wall}"


def list_plugins(config: Config) -> list[str]:
    """Return a line for each installed plugin, and one for each thing that it contributes."""

    async def act(room: PluginsRoom) -> list[str]:
        lines = []
        for one in await room.plugins.described():
            state = "on" if one.on else f"off  {one.why_off}".rstrip()
            lines += [f"{one.name} {one.version}  {state}", f"    hooks: {', '.join(one.hooks)}"]
            lines += [f"    page: {page.title}" for page in one.pages]
            lines.append(f"    network: {_network(one)}")
            lines += [f"    command: lichen {command.name}"
                      for command in room.plugins.commands_of(one.name)]
        return lines or ["No plugin is installed."]

    return asyncio.run(_with_plugins(config, act))


def seconds_of(text: str) -> int:
    """Return the seconds of a span of time: 30m, 12h, 7d, 4w."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", text)
    if found is None:
        raise Refused("invalid_span", f"Expected a span as 30m, 12h, 7d or 4w; got {text[:20]!r}.")
    return int(found[1]) * _UNITS_S[found[2]]


async def _person(service: Accounts, store: Store, name: str) -> Actor:
    bare, _, domain = name.removeprefix("@").partition("@")
    person = await store.read(
        lambda unit: service.actor_by_name(unit, ActorKind.PERSON, bare, domain or None))
    if person is None:
        raise NotFound("couldnt_find_person", f"Nobody is called {name}.")
    return person


def _run(config: Config, act: Callable[[Accounts, Store], Awaitable[T]]) -> T:
    return asyncio.run(with_accounts(config, act))


async def with_accounts(
    config: Config, act: Callable[[Accounts, Store], Awaitable[T]]
) -> T:
    """Open the rows and the accounts over them, act, and close both."""
    ground = ground_of(config)
    store = _opened(config, ground)
    try:
        service = await accounts.build(
            ground, store, addresses=Addresses(config.public_url), log_seq=0)
        try:
            return await act(service, store)
        finally:
            await service.close()
    finally:
        await store.close()


async def _with_plugins(config: Config, act: Callable[[PluginsRoom], Awaitable[T]]) -> T:
    """Open the rows and the plugins over them, none of them started, act, and close both."""
    ground = ground_of(config)
    store = _opened(config, ground)
    try:
        room = await build_plugins(
            ground, store, site_did=accounts.site_did(Addresses(config.public_url).authority),
            log_first_seq=0, log_last_seq=0, is_serving=False,
        )
        return await act(room)
    finally:
        await store.close()


def _opened(config: Config, ground: Ground) -> Store:
    url, folder = config.database.url.reveal(), config.server.data
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if version_of(url, folder=folder) not in (EMPTY, HEAD):
        raise Refused("other_version", "The tables are of another release: run `lichen upgrade`.")
    migrate(url, folder=folder)
    return open_store(url, folder=folder, clock=ground.clock)
