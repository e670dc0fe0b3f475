"""The fold law: what the reader keeps in memory is what a fresh load finds in the rows."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lichen.accounts import ProfileDraft, Settings, Viewer, build
from lichen.accounts.limits import SESSION_FRESH_US
from lichen.accounts.model import SessionId
from lichen.accounts.passwords import Passwords
from lichen.accounts.reader import AccountsReader, Sessions
from lichen.events import encode_event
from lichen.kit import system_clock
from lichen.kit.flags import Flag, Flags
from lichen.log import SegmentLog
from tests.accounts.conftest import FROM, PASSWORD

pytestmark = pytest.mark.anyio

NAMES = ("mira", "other", "third")
STEPS = ("log_in", "log_out", "ban", "unban", "promote", "demote", "profile", "settings", "site",
         "new_password")
TOKENS_LOOKED_AT = 9


class Evening:
    """Three persons and what happens to them, step by step."""

    def __init__(self, accounts, store):
        self.accounts, self.store = accounts, store
        self.ids = {}
        self.last = {}
        self.tokens = []
        self.count = 0

    async def begin(self):
        for name in NAMES:
            await self._enter(name, await self.accounts.register(name, PASSWORD, **FROM))
            self.ids[name] = (await self.accounts.viewer(self.last[name])).id

    async def play(self, what, name):
        accounts, person_id, site = self.accounts, self.ids[name], self.accounts.current_site
        viewer = await accounts.viewer(self.last[name])
        self.count += 1
        text = f"{what} {self.count}"
        told = msgspec.structs.replace(site.settings, description=text)
        chosen = Settings(theme=text)
        commands = {
            "ban": lambda unit: accounts.ban(unit, None, person_id, banned=True),
            "unban": lambda unit: accounts.ban(unit, None, person_id, banned=False),
            "promote": lambda unit: accounts.promote(unit, None, person_id, admin=True),
            "demote": lambda unit: len(accounts.admins(unit)) > 1
            and accounts.promote(unit, None, person_id, admin=False),
            "site": lambda unit: accounts.edit_site(unit, None, told),
            "log_out": lambda unit: viewer and accounts.log_out(unit, viewer),
            "profile": lambda unit: viewer
            and accounts.save_profile(unit, viewer, ProfileDraft(bio=text)),
            "settings": lambda unit: viewer and accounts.save_settings(unit, viewer, chosen),
        }
        if what in commands:
            await self.store.write(commands[what])
        elif what == "new_password":
            await accounts.set_password(name, PASSWORD)
        else:
            await self.store.write(commands["unban"])
            await self._enter(name, await accounts.log_in(name, PASSWORD, **FROM))

    async def looks(self, accounts):
        tokens = self.tokens[-TOKENS_LOOKED_AT:]
        return {token: await accounts.viewer(token) for token in tokens}

    async def _enter(self, name, login):
        self.last[name] = login.token
        self.tokens.append(login.token)
        await self.accounts.viewer(login.token)


@pytest.fixture
async def evening(accounts, store):
    begun = Evening(accounts, store)
    await begun.begin()
    return begun


@pytest.mark.slow
@settings(max_examples=10)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(NAMES)), max_size=12))
async def test_memory_is_what_a_fresh_load_finds(
    accounts, evening, ground, store, addresses, steps
):
    for what, name in steps:
        await evening.play(what, name)

        fresh = await build(ground, store, addresses=addresses, log_seq=0,
                            passwords=Passwords(memory_kib=64))
        await fresh.close()
        assert await evening.looks(accounts) == await evening.looks(fresh)
        assert accounts.current_site == fresh.current_site


async def test_events_heard_twice_change_nothing_more(accounts, evening, journal):
    for what in STEPS:
        await evening.play(what, "mira")
    site, looks = accounts.current_site, await evening.looks(accounts)

    for event in journal.events:
        accounts.reader.apply_event(event)

    assert accounts.current_site == site
    assert await evening.looks(accounts) == looks


async def test_the_reader_follows_a_log(accounts, evening, journal, tmp_path):
    first_site = accounts.current_site
    for what in STEPS:
        await evening.play(what, "other")
    log = SegmentLog.open(tmp_path / "log", clock=system_clock)
    await log.append([encode_event(event) for event in journal.events])
    reader = AccountsReader(first_site, Flags(), position=0)

    async for batch in log.follow(1):
        await reader.apply(batch)
        break
    await log.close()

    assert reader.site == accounts.current_site
    assert reader.position() == len(journal.events)


async def test_a_viewer_read_before_a_change_is_not_kept_after_it(accounts, member):
    """A load and a ban cross: what the load saw must not outlive what the ban said."""
    viewer = await member()
    sessions = Sessions()
    before = sessions.drops

    sessions.drop_person(viewer.actor.did)
    sessions.keep("token", viewer, loaded_us=0, drops=before)

    assert sessions.find("token", 0) is None


async def test_the_memory_is_bounded_and_drops_what_was_used_least(accounts, member):
    viewer = await member()
    sessions = Sessions(count_max=2)

    def numbered(number) -> Viewer:
        return msgspec.structs.replace(viewer, session_id=SessionId(str(number)))

    for number in (1, 2):
        sessions.keep(f"token {number}", numbered(number), loaded_us=0, drops=0)
    sessions.find("token 1", 0)
    sessions.keep("token 3", numbered(3), loaded_us=0, drops=0)

    assert set(sessions.viewers()) == {"token 1", "token 3"}
    assert len(sessions) == 2
    sessions.drop_person(viewer.actor.did)
    assert sessions.viewers() == {}


async def test_what_is_kept_is_read_again_after_a_day(accounts, member):
    viewer = await member()
    sessions = Sessions()
    sessions.keep("token", viewer, loaded_us=0, drops=0)

    assert sessions.find("token", SESSION_FRESH_US) == viewer
    assert sessions.find("token", SESSION_FRESH_US + 1) is None


async def test_flags_follow_their_events_and_unknown_ones_are_passed_over(
    accounts, admin, store, journal
):
    await store.write(lambda unit: accounts.set_flag(unit, admin, "picture_proxy", on=False))
    told = journal.events[-1]
    flags = Flags()
    reader = AccountsReader(accounts.current_site, flags)

    reader.apply_event(told)
    later = msgspec.Raw(bytes(told.record).replace(b"picture_proxy", b"from_next_year"))
    reader.apply_event(msgspec.structs.replace(told, record=later))

    assert not flags.is_on(Flag.PICTURE_PROXY)
    assert flags.is_on(Flag.LIVE_PREVIEWS)
