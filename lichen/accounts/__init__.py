"""Accounts: every actor of every server, and who may come in here.

The front door. `build` makes `Accounts`, the service; the other names are the types it speaks in
and what other rooms share: checks, DIDs, and `actors_among` for a select of actors by their own.
"""

from lichen.accounts.content import ContentEnd, PersonGone
from lichen.accounts.model import (
    OUR_INSTANCE_ID,
    Account,
    AccountDraft,
    Actor,
    ActorDraft,
    ActorId,
    ActorKind,
    Instance,
    Keys,
    Login,
    ProfileDraft,
    Session,
    SessionId,
    Settings,
    Site,
    SiteSettings,
    Viewer,
    check_name,
    remote_did,
    site_did,
)
from lichen.accounts.papers import Application, Ban, Blocks, Branch, Invite, Role
from lichen.accounts.permissions import check_admin, check_permission, is_permitted
from lichen.accounts.room import build
from lichen.accounts.service import Accounts
from lichen.accounts.standing import Act, Permission
from lichen.accounts.tables import actors_among

__all__ = [
    "OUR_INSTANCE_ID", "Account", "AccountDraft", "Accounts", "Act", "Actor", "ActorDraft",
    "ActorId", "ActorKind", "Application", "Ban", "Blocks", "Branch", "ContentEnd", "Instance",
    "Invite", "Keys", "Login", "Permission", "PersonGone", "ProfileDraft", "Role",
    "Session", "SessionId", "Settings", "Site", "SiteSettings", "Viewer", "actors_among", "build",
    "check_admin", "check_name", "check_permission", "is_permitted", "remote_did", "site_did",
]
