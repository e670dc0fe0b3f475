"""The service of the room: every command and query about actors and accounts.

It is one service in several files, each about one noun: `actors` (found, created, given keys),
`persons` (profile, settings, blocks, bans), `logins` (who may come in), `factors`, `invites`,
`letters`, `departures`, `applications`, `roles`, `ties`, `knocks` and `site` (what the
administrators decide).
Commands that touch rows alone take the open unit of work, so that other rooms can call them inside
their own; those that hash passwords or send letters are coroutines.
"""

from lichen.accounts.applications import Applications
from lichen.accounts.erasure import Erasure
from lichen.accounts.knocks import Knocks
from lichen.accounts.roles import Roles
from lichen.accounts.site import SiteDesk


class Accounts(SiteDesk, Knocks, Applications, Roles, Erasure):
    """Everything that may be asked of accounts, or done to them."""
