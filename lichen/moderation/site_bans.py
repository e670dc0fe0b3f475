"""Site bans, as whoever is banned reads them at the door: why, until when, and one appeal.

Logins of somebody banned from the site count for nothing, so none of this takes a viewer: accounts
say at the door who it is (`accounts.appellant`), and this room asks for no more than that.
"""

from lichen.accounts import Actor
from lichen.kit import NotFound
from lichen.moderation import action_rows, report_rows
from lichen.moderation.appeals import Appeals
from lichen.moderation.cases import Appeal, SiteBan
from lichen.moderation.model import Act, Kind
from lichen.store import Unit


class SiteBans(Appeals):
    """What somebody who is banned from the site may know and say."""

    def site_ban(self, unit: Unit, person: Actor) -> SiteBan:
        """Return what was decided about somebody who is banned now; two round trips."""
        rows = unit.fetch(
            action_rows.OPEN_BANS, of_kind=Kind.BAN.value,
            of_subject=Act(kind=Kind.BAN, done=True, person=person).key,
        )
        action = action_rows.action_from(rows[0]) if rows else None
        found = [] if action is None else unit.fetch(report_rows.APPEALS_OF, ids=[action.id])
        return SiteBan(
            person=person, expires_us=person.ban_expires_us, action=action,
            appeal=report_rows.appeal_from(found[0]) if found else None,
        )

    def appeal_site_ban(self, unit: Unit, person: Actor, text: str) -> Appeal:
        """Appeal once against the ban that stands, as `appeal` does; four round trips."""
        action = self.site_ban(unit, person).action
        if action is None:
            raise NotFound(
                "couldnt_find_object", "No line of the log says why; write to the administrators."
            )
        return self.appeal(unit, person, action.id, text)
