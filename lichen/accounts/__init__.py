"""Accounts: every actor of every server, and who may come in here.

The front door. `build` makes `Accounts`, the service; the other names are the types it speaks in
and what other rooms share: checks, DIDs, and `actors_among` for a select of actors by their own.
"""

from lichen.accounts.authority_rows import AUTHORITIES
from lichen.accounts.away import Away, away_from
from lichen.accounts.content import ContentEnd, PersonGone
from lichen.accounts.errors import BannedFromSite
from lichen.accounts.knocks import Knock, Wishes
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
    PostListingMode,
    ProfileDraft,
    SessionId,
    Settings,
    Site,
    SiteSettings,
    Viewer,
    check_name,
    remote_did,
    site_did,
)
from lichen.accounts.moves import Known, Move, moves_from
from lichen.accounts.papers import Application, Ban, Blocks, Branch, Invite, Role, Session
from lichen.accounts.permissions import check_admin, check_permission, is_permitted
from lichen.accounts.rates import SITE_RATES
from lichen.accounts.room import build
from lichen.accounts.service import Accounts
from lichen.accounts.site_keeping import emoji_from, lines_from
from lichen.accounts.site_lists import Emoji, EmojiDraft, SiteLine, SiteLists
from lichen.accounts.standing import Act, Permission
from lichen.accounts.tables import ACTOR_IDS_BY_AP_ID, actors_among
from lichen.accounts.ties import Link, links_from

__all__ = [
    "ACTOR_IDS_BY_AP_ID", "AUTHORITIES", "OUR_INSTANCE_ID", "SITE_RATES", "Account",
    "AccountDraft", "Accounts", "Act", "Actor", "ActorDraft", "ActorId", "ActorKind",
    "Application", "Away", "Ban", "BannedFromSite", "Blocks", "Branch", "ContentEnd", "Emoji",
    "EmojiDraft", "Instance", "Invite", "Keys", "Knock", "Known", "Link", "Login", "Move",
    "Permission", "PersonGone", "PostListingMode", "ProfileDraft", "Role", "Session",
    "SessionId", "Settings", "Site", "SiteLine", "SiteLists", "SiteSettings", "Viewer",
    "Wishes", "actors_among", "away_from", "build", "check_admin", "check_name",
    "check_permission", "emoji_from", "is_permitted", "lines_from", "links_from", "moves_from",
    "remote_did", "site_did",
]
