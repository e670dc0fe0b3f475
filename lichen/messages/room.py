"""Assembles the room."""

from lichen.accounts import Accounts
from lichen.kit.ground import Ground
from lichen.messages.ports import Allowance, Everybody
from lichen.messages.service import Messages
from lichen.web import Addresses


def build(
    ground: Ground, *, accounts: Accounts, addresses: Addresses,
    allowance: Allowance | None = None,
) -> Messages:
    """Return the service; `allowance` is the house's limit for new accounts, where it has one."""
    return Messages(
        accounts=accounts, addresses=addresses, tids=ground.tids,
        allowance=allowance or Everybody(),
    )
