"""Assembles the room."""

from collections.abc import Callable

from lichen.accounts.actors import RegistrationCheck
from lichen.accounts.content import PersonGone, nothing_to_take
from lichen.accounts.founding import found
from lichen.accounts.keys import generate_keys
from lichen.accounts.model import Keys
from lichen.accounts.passwords import Passwords
from lichen.accounts.reader import AccountsReader
from lichen.accounts.service import Accounts
from lichen.accounts.tokens import Tokens
from lichen.kit.ground import Ground
from lichen.store import Store
from lichen.web import Addresses


async def build(
    ground: Ground, store: Store, *, addresses: Addresses, log_seq: int,
    passwords: Passwords | None = None, make_keys: Callable[[], Keys] = generate_keys,
    registration_check: RegistrationCheck | None = None,
    person_gone: PersonGone = nothing_to_take,
) -> Accounts:
    """Return the service over what the rows hold, laying the foundation where they are empty.

    `log_seq` is the log's last sequence, read before this call: `accounts.reader`, which the house
    registers with its followers, goes on from there. The house closes the service at its end.
    """
    foundation = await store.write(lambda unit: found(unit, ground, addresses))
    for flag, is_on in foundation.flags.items():
        ground.flags.change(flag, on=is_on)
    accounts = Accounts(
        ground, store,
        addresses=addresses,
        reader=AccountsReader(
            foundation.site, ground.flags, position=log_seq, lists=foundation.lists,
            emoji=foundation.emoji,
        ),
        passwords=passwords or Passwords(),
        tokens=Tokens(foundation.token_secret, issuer=addresses.authority),
        make_keys=make_keys,
        registration_check=registration_check,
        person_gone=person_gone,
    )
    await accounts.keys(foundation.site.actor.id)
    return accounts
