"""What the room promises: plugins found, switched, asked, told, shown; the ill ones switched off.

    installed ──▶ on? (rows, else the configuration) ──▶ process ──▶ hooks
                     ▲                                       │ fails too often
                     └────── an administrator ◀── reported ──┘

Each plugin's failures within an hour are counted; the fifth switches it off, in the rows, with an
event, a line in the log and a word on the administrators' page.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

import click
import structlog

from lichen.events import event_of
from lichen.events.plugins import Switch
from lichen.kit import (
    Clock,
    Forbidden,
    NotFound,
    Refused,
    TidGenerator,
    Unavailable,
    isoformat,
)
from lichen.plugins import tables
from lichen.plugins.commands import commands_of
from lichen.plugins.errors import PluginFailed
from lichen.plugins.framing import framed
from lichen.plugins.hooks import Hooks
from lichen.plugins.installed import NETWORK_GROUP, Installed
from lichen.plugins.judges import Distant, InHouse
from lichen.plugins.limits import (
    FAILURES_MAX,
    FAILURES_WINDOW_US,
    FIELDS_MAX,
    SHELF_KEY_LENGTH_MAX,
    SHELF_KEYS_MAX,
    SHELF_VALUE_LENGTH_MAX,
)
from lichen.plugins.model import PageAsked, PageShown, Person, Standing, Told
from lichen.plugins.running import Grant, PluginBusy
from lichen.plugins.specifications import BEFORE, HOUSE
from lichen.plugins.wire import Granted, Wish
from lichen.store import Store, Unit

BY_HAND = "An administrator switched it off."

_log = structlog.get_logger("lichen.plugins")


class Switched(NamedTuple):
    """What was decided of a plugin: whether it is on, why it is not, and about the network."""

    on: bool
    why: str = ""
    may_network: bool = False


class _Record:
    """What is known of one plugin while the house runs."""

    def __init__(self, found: Installed, switched: Switched) -> None:
        self.found = found
        self.wanted, self.why, self.may_network = switched
        self.running: Distant | None = None
        self.failures = 0
        self.last_failure = ""
        self.recent_us: deque[int] = deque(maxlen=FAILURES_MAX)


class Plugins:
    """Every plugin of the house, and the hooks that rooms call."""

    def __init__(
        self, *, store: Store, clock: Clock, tids: TidGenerator, did: str,
        found: Mapping[str, Installed], switched: Mapping[str, Switched],
        on_by_default: frozenset[str], network_by_default: frozenset[str],
    ) -> None:
        """Take what is installed, what was switched by hand, and what is on otherwise."""
        self.hooks = Hooks(self.note_failure)
        self._store = store
        self._clock = clock
        self._tids = tids
        self._did = did
        self._switching = asyncio.Lock()  # one start or stop at a time
        self._house: list[InHouse] = []
        self._records = {}
        for name, one in found.items():
            default = Switched(name in on_by_default, "", name in network_by_default)
            self._records[name] = _Record(one, switched.get(name, default))

    async def start(self) -> None:
        """Start the plugins that are on; one that does not start is switched off and told of."""
        # pluggy asks the newest first, so that the last one named here is asked last.
        for name in sorted(self._records, reverse=True):
            if self._records[name].wanted:
                async with self._switching:
                    await self._start(self._records[name])

    def join(self, check: InHouse) -> None:
        """Ask a check of the house from now on, before every plugin of others."""
        self._house.append(check)
        self.hooks.join(check)

    async def close(self) -> None:
        """End every process."""
        for record in self._records.values():
            await self._stop(record)

    def standings(self) -> list[Standing]:
        """Return every plugin as administrators see it, the house's own checks first."""
        house = [
            Standing(
                name=one.name, version="", on=True, is_house=True, about=one.about,
                hooks=tuple(name for name in (*BEFORE, *HOUSE) if hasattr(one, name)),
            ) for one in self._house
        ]
        return [*house, *(_standing(record) for record in self._records.values())]

    async def described(self) -> list[Standing]:
        """Return every plugin with its hooks, each started for a moment to learn them."""
        found = []
        for name, record in self._records.items():
            running = self._distant(record)
            why = record.why
            try:
                await running.start()
            except PluginFailed as failure:
                why = f"It does not start: {failure.what}."
            await running.close()
            found.append(Standing(
                name=name, version=record.found.version, on=record.wanted, hooks=running.hooks,
                pages=running.pages, why_off=why, wall=running.wall.value,
                asks_network=record.found.asks_network, may_network=record.may_network,
            ))
        return found

    def commands_of(self, name: str) -> list[click.Command]:
        """Return the commands that a plugin contributes; loads it here, as the shell does."""
        return commands_of(self._records[name].found)

    def figures(self) -> dict[str, float]:
        """Return what is counted, for the metrics."""
        failures = {
            f"plugin_failures_total_{name.replace('-', '_')}": float(record.failures)
            for name, record in self._records.items()
        }
        return {
            "plugins_on": float(sum(one.running is not None for one in self._records.values())),
            "plugin_calls_passed_over_total": float(self.hooks.passed_over),
            **failures,
        }

    async def switch(
        self, person: Person | None, name: str, *, on: bool | None = None,
        network: bool | None = None,
    ) -> Standing:
        """Switch a plugin on or off, here and now, and return how it stands then; see `decide`."""
        await self.decide(person, name, on=on, network=network)
        await self.follow_switch(name)
        return _standing(self._records[name])

    async def decide(
        self, person: Person | None, name: str, *, on: bool | None = None,
        network: bool | None = None,
    ) -> None:
        """Decide that a plugin is on or off, or may use the network; None stays as it is.

        No person is the command line. Refuses all but administrators, a name that is not
        installed, and the network for a plugin that does not ask for it. Two round trips.
        """
        if person is not None and not person.admin:
            raise Forbidden("not_an_admin", "Only administrators may do this.")
        if name not in self._records:
            raise NotFound("couldnt_find_object", f"No plugin named {name[:40]} is installed.")
        record = self._records[name]
        if network and not record.found.asks_network:
            raise Refused("plugin_asks_no_network", f"{name} does not say that it uses the network "
                                                    f"(an entry point of {NETWORK_GROUP}).")

        def command(unit: Unit) -> None:
            rows = [row for row in unit.fetch(tables.SWITCHED) if row.name == name]
            before = Switched(record.wanted, record.why, record.may_network) if not rows else (
                Switched(rows[0].is_on, rows[0].why, rows[0].may_network))
            self._stage_switch(unit, name, Switched(
                before.on if on is None else on,
                before.why if on is None else "" if on else BY_HAND,
                before.may_network if network is None else network,
            ))

        await self._store.write(command)

    async def follow_switch(self, name: str) -> None:
        """Do what the rows say was decided; twice is once, and an unknown name is nobody's.

        Rows, because an event may tell of a decision that was taken back meanwhile.
        """
        record = self._records.get(name)
        if record is None:
            return
        async with self._switching:
            rows = await self._store.read(lambda unit: unit.fetch(tables.SWITCHED), apart=True)
            row = next((row for row in rows if row.name == name), None)
            if row is None:
                return
            is_moved = row.may_network != record.may_network
            if row.is_on == record.wanted == (record.running is not None) and not is_moved:
                return
            record.wanted, record.why, record.may_network = row.is_on, row.why, row.may_network
            if is_moved or not row.is_on:
                await self._stop(record)
            if row.is_on:
                record.recent_us.clear()
                await self._start(record)

    def hears(self, name: str, hook: str) -> bool:
        """Say whether a plugin is on and wants to be told of this."""
        running = self._records[name].running
        return running is not None and hook in running.hooks

    async def tell(self, name: str, hook: str, told: Told) -> None:
        """Tell one plugin of something; what it does wrong is counted."""
        running = self._records[name].running
        if running is not None:
            with suppress(PluginBusy):
                try:
                    await running.tell(hook, told)
                except PluginFailed as failure:
                    await self.note_failure(name, failure)

    async def show(self, name: str, asked: PageAsked) -> PageShown:
        """Return a page of a plugin, cleaned for the frame; raises NotFound and Unavailable."""
        if len(asked.fields) > FIELDS_MAX:
            raise Refused("invalid_form", f"A plugin's page takes at most {FIELDS_MAX} fields.")
        record = self._records.get(name)
        running = None if record is None else record.running
        if running is None or "show_page" not in running.hooks:
            raise NotFound("not_found", "There is no such page.")
        try:
            shown = await running.show(asked)
        except PluginBusy:
            raise Unavailable("This page is asked for too often just now.") from None
        except PluginFailed as failure:
            await self.note_failure(name, failure)
            raise Unavailable("The plugin that makes this page does not answer.") from failure
        if shown is None or not (200 <= shown.status < 300 or 400 <= shown.status < 600):
            raise NotFound("not_found", "There is no such page.")
        # In a thread: a long page takes some milliseconds to clean.
        return await asyncio.to_thread(framed, shown, name)

    def links(self) -> list[tuple[str, str]]:
        """Return the words and the path below /x/ of every page of plugins that are on."""
        return [
            (page.title, f"{name}/{page.path}".rstrip("/"))
            for name, record in self._records.items() if record.running is not None
            for page in record.running.pages
        ]

    async def note_failure(self, name: str, failure: PluginFailed) -> None:
        """Count a failure; the last that is borne switches the plugin off."""
        if isinstance(failure, PluginBusy):
            return
        record, now_us = self._records[name], self._clock()
        record.failures += 1
        record.last_failure = failure.what
        record.recent_us.append(now_us)
        _log.warning("plugin_failed", plugin=name, what=failure.what, where=failure.where,
                     failures=record.failures)
        is_ill = len(record.recent_us) == FAILURES_MAX
        if is_ill and now_us - record.recent_us[0] <= FAILURES_WINDOW_US:
            async with self._switching:
                await self._give_up(record, f"It failed {FAILURES_MAX} times within an hour; the "
                                            f"last time: {failure.what}.")

    async def _give_up(self, record: _Record, why: str) -> None:
        if not record.wanted:
            return
        name = record.found.name
        record.wanted, record.why = False, why
        await self._stop(record)
        _log.error("plugin_switched_off", plugin=name, why=why)
        # It is off already; where the disk is full, it is on again after the next start.
        with suppress(Unavailable):
            await self._store.write(lambda unit: self._stage_switch(
                unit, name, Switched(False, why, record.may_network)))

    async def _start(self, record: _Record) -> None:
        name = record.found.name
        running = self._distant(record)
        try:
            await running.start()
        except PluginFailed as failure:
            await running.close()
            record.failures += 1
            record.last_failure = failure.what
            await self._give_up(record, f"It did not start: {failure.what}.")
            return
        record.running = running
        self.hooks.join(running)
        _log.info("plugin_on", plugin=name, version=record.found.version, hooks=running.hooks,
                  wall=running.wall.name)

    async def _stop(self, record: _Record) -> None:
        running, record.running = record.running, None
        if running is not None:
            self.hooks.leave(running.name)
            await running.close()

    def _distant(self, record: _Record) -> Distant:
        found = record.found
        return Distant(
            found.name, found.value, grant=self._granting(found.name),
            may_network=found.asks_network and record.may_network,
        )

    def _stage_switch(self, unit: Unit, name: str, switched: Switched) -> None:
        unit.stage(tables.SWITCH, {
            "name": name, "is_on": switched.on, "why": switched.why, "updated_us": unit.clock_us,
            "may_network": switched.may_network,
        })
        record = Switch(
            name=name, on=switched.on, updated_at=isoformat(unit.clock_us),
            why=switched.why or None, network=switched.may_network or None,
        )
        unit.emit(event_of(
            record, id=self._tids.next(), did=self._did, operation="update", rkey=name
        ))

    def _granting(self, name: str) -> Grant:
        """Return who answers a plugin's wishes for its own shelf."""

        async def grant(wish: Wish) -> Granted:
            wrong = _check(wish)
            if wrong:
                return Granted(error=wrong)
            asked = {"of": name, "at": wish.key}
            try:
                if wish.verb == "get":
                    rows = await self._store.read(lambda unit: unit.fetch(tables.KEPT, **asked))
                    return Granted(rows[0].value if rows else None)
                if wish.verb == "drop":
                    await self._store.write(lambda unit: unit.stage(tables.DROP, asked))
                    return Granted()
                return await self._store.write(lambda unit: _keep(unit, name, wish))
            except Unavailable:
                return Granted(error="the shelf cannot be reached")

        return grant


def _keep(unit: Unit, name: str, wish: Wish) -> Granted:
    """Keep a text; two round trips."""
    kept, counted = unit.fetch_all(
        (tables.KEPT, {"of": name, "at": wish.key}), (tables.COUNT_KEPT, {"of": name})
    )
    if not kept and counted[0].count >= SHELF_KEYS_MAX:
        return Granted(error=f"a shelf holds at most {SHELF_KEYS_MAX} keys")
    unit.stage(tables.KEEP, {"plugin": name, "key": wish.key, "value": wish.value})
    return Granted()


def _check(wish: Wish) -> str:
    """Return what is wrong with a wish, or nothing."""
    if not 1 <= len(wish.key) <= SHELF_KEY_LENGTH_MAX:
        return f"a key has 1 to {SHELF_KEY_LENGTH_MAX} characters"
    if len(wish.value) > SHELF_VALUE_LENGTH_MAX:
        return f"a value has at most {SHELF_VALUE_LENGTH_MAX} characters"
    return "no NUL, please" if "\0" in wish.key + wish.value else ""


def _standing(record: _Record) -> Standing:
    running = record.running
    return Standing(
        name=record.found.name, version=record.found.version, on=running is not None,
        hooks=running.hooks if running else (), pages=running.pages if running else (),
        failures=record.failures, last_failure=record.last_failure, why_off=record.why,
        asks_network=record.found.asks_network, may_network=record.may_network,
        wall=running.wall.value if running else "",
    )
