"""What rules say, carried out by the forum's own commands.

A rule acts in the name of whoever switched it on, with what that person may do now: somebody who no
longer moderates can remove nothing through a rule. A report is the hit itself, which waits in the
rule's list.
"""

from lichen.accounts import Accounts, SessionId, Settings, Viewer
from lichen.automod import SITE, Deed
from lichen.forum import Forum, SubjectKind
from lichen.kit import Forbidden
from lichen.store import Unit


class ForumEnforcement:
    """Carries out removals and bans through the forum; an `Enforcement` of the room automod."""

    def __init__(self, *, accounts: Accounts, forum: Forum) -> None:
        self._accounts = accounts
        self._forum = forum

    def report(self, unit: Unit, deed: Deed) -> None:
        """Leave the hit waiting in the rule's list."""

    def remove(self, unit: Unit, deed: Deed) -> None:
        """Take the thing away; four round trips at most."""
        viewer = self._in_whose_name(unit, deed)
        subject_id = deed.written.subject.id
        if deed.written.kind is SubjectKind.POST:
            self._forum.remove_post(unit, viewer, subject_id, removed=True)
        else:
            self._forum.remove_comment(unit, viewer, subject_id, removed=True)

    def ban(self, unit: Unit, deed: Deed, *, expires_us: int) -> None:
        """Ban the author until a time; four round trips at most."""
        viewer = self._in_whose_name(unit, deed)
        author_id, reason = deed.written.author.id, f"Rule: {deed.rule.name}"
        if deed.rule.owner_id == SITE:
            self._accounts.ban(unit, viewer, author_id, banned=True, reason=reason,
                               expires_us=expires_us)
        else:
            self._forum.ban_from_community(
                unit, viewer, deed.rule.owner_id, author_id, banned=True, reason=reason,
                expires_us=expires_us)

    def _in_whose_name(self, unit: Unit, deed: Deed) -> Viewer:
        person_id = deed.rule.switched_by
        actor = self._accounts.actors(unit, [person_id]).get(person_id)
        if actor is None or actor.deleted or actor.banned:
            raise Forbidden("not_a_moderator", "Whoever switched this rule on is gone.")
        return Viewer(actor=actor, account_id=0, settings=Settings(), session_id=SessionId(""),
                      accepted=True, email_verified=True)
