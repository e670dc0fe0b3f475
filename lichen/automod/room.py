"""Assembles the room, in two steps: the check is made before the forum that asks it."""

from lichen.accounts import Accounts
from lichen.automod.check import RuleCheck
from lichen.automod.ports import Enforcement, PictureHashes, Trust
from lichen.automod.rulebook import Rulebook
from lichen.automod.service import Automod
from lichen.automod.trials import Trials
from lichen.forum import Forum
from lichen.kit.ground import Ground
from lichen.store import Store
from lichen.web import Addresses


def build_check(
    ground: Ground, *, log_last_seq: int, trust: Trust | None = None,
    pictures: PictureHashes | None = None,
) -> RuleCheck:
    """Return the check that the forum is given."""
    return RuleCheck(
        Rulebook(position=log_last_seq), tids=ground.tids, trust=trust, pictures=pictures)


def build(
    ground: Ground, store: Store, *, accounts: Accounts, forum: Forum, check: RuleCheck,
    enforcement: Enforcement, addresses: Addresses,
) -> Automod:
    """Return the service; from now on the check carries out what rules say."""
    check.enforce_with(enforcement)
    trials = Trials(store, forum=forum, accounts=accounts, surroundings=check.surroundings,
                    clock=ground.clock)
    return Automod(accounts=accounts, forum=forum, check=check, trials=trials, tids=ground.tids,
                   addresses=addresses)
