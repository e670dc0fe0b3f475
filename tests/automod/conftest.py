"""The room on a forum on a store, enforced as the house does."""

import pytest

from lichen.accounts.passwords import Passwords
from lichen.accounts.room import build as build_accounts
from lichen.automod import Action, Mode, RuleDraft
from lichen.automod.room import build as build_automod
from lichen.automod.room import build_check
from lichen.enforcing import ModerationEnforcement, RulesPlugin
from lichen.forum import CommunityDraft, PostDraft
from lichen.forum.room import build
from lichen.moderation.room import build as build_moderation
from lichen.plugins import Hooks
from lichen.web import Addresses
from tests.federation.signing import keys
from tests.forum.conftest import House, ground  # noqa: F401


class RuledHouse(House):
    """A forum that asks rules; `automod` is their service."""

    automod = None

    async def settle(self, events):
        await super().settle(events)
        if self.automod is not None:
            self.automod.check.rulebook.follow(events)

    async def rule(self, viewer, owner_id, program, action=Action.HOLD, mode=Mode.ON, **more):
        """Return a fresh rule."""
        draft = RuleDraft(name=more.pop("name", "A rule"), program=program, action=action,
                          mode=mode, **more)
        return await self.ask("create_rule", viewer, owner_id, draft)

    async def ask(self, verb, *arguments, **named):
        """Run a command of the rules by name."""
        command = getattr(self.automod, verb)
        return await self.store.write(lambda unit: command(unit, *arguments, **named))

    async def hits(self, viewer, **named):
        """Return hits, the newest first."""
        return await self.store.read(lambda unit: self.automod.hits(unit, viewer, **named))

    async def tried(self, viewer, owner_id, program, days=30):
        """Return the report of a whole trial."""
        trial_id = await self.ask("begin_trial", viewer, owner_id, program, days=days)
        await self.automod.trials.run(trial_id)
        return self.automod.trials.of(trial_id)


@pytest.fixture
async def house(ground, store, tmp_path):  # noqa: F811
    addresses = Addresses(ground.config.public_url)
    accounts = await build_accounts(
        ground, store, addresses=addresses, log_seq=0, passwords=Passwords(memory_kib=64),
        make_keys=keys)
    built = RuledHouse(store, accounts)
    check = build_check(ground, log_last_seq=0)
    rules, hooks = RulesPlugin(check), Hooks()
    hooks.join(rules)
    built.room = await build(
        ground, store, accounts=accounts, addresses=addresses, folder=tmp_path, log_first_seq=0,
        log_last_seq=0, activity_age_us_max=0, hooks=hooks)
    built.moderation = build_moderation(
        ground, forum=built.forum, accounts=accounts, addresses=addresses)
    rules.queue_with(built.moderation)
    built.automod = build_automod(
        ground, store, accounts=accounts, forum=built.forum, check=check, addresses=addresses,
        enforcement=ModerationEnforcement(accounts=accounts, moderation=built.moderation))
    yield built
    await built.automod.trials.close()
    await built.room.rank_reader.close()
    await accounts.close()


@pytest.fixture
async def head(house):
    """The administrator."""
    await house.accounts.ensure_admin("head", "correct horse battery")
    return await house.viewer_again("head")


@pytest.fixture
async def mira(house):
    return await house.sign_up("mira")


@pytest.fixture
async def otto(house):
    return await house.sign_up("otto")


@pytest.fixture
async def stones(house, mira):
    view = await house.write("create_community", mira, "stones", CommunityDraft(title="Stones"))
    return view.community.id


@pytest.fixture
async def post(house, mira, stones):
    return await house.write("create_post", mira, stones, PostDraft(name="A lichen on granite"))
