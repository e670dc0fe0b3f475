"""The nouns of moderation rules: rules, what they do, and their hits. Pure."""

from enum import StrEnum

import msgspec

from lichen.automod import limits
from lichen.kit import Reason, Refused

SITE = 0  # the owner of rules that hold everywhere; communities are their ids


class Action(StrEnum):
    """What a rule does with what it hits, the mildest first."""

    REPORT = "report"
    HOLD = "hold"
    REMOVE = "remove"
    BAN = "ban"


class Mode(StrEnum):
    """Whether a rule acts: `trying` notes its hits on new things and does nothing else."""

    OFF = "off"
    TRYING = "trying"
    ON = "on"


class RuleDraft(msgspec.Struct, frozen=True):
    """What a moderator writes as a rule; in an edit None leaves a field as it is."""

    name: str | None = None
    program: str | None = None
    action: Action | None = None
    ban_days: int | None = None
    severity: int | None = None
    mode: Mode | None = None
    note: str | None = None


class Rule(msgspec.Struct, frozen=True):
    """A rule of a community (or of the site: owner 0); `version` counts its programs."""

    id: int
    tid: str
    owner_id: int
    name: str
    program: str
    action: Action
    ban_days: int
    severity: int
    mode: Mode
    note: str
    created_by: int
    switched_by: int
    created_us: int
    updated_us: int
    version: int


class Hit(msgspec.Struct, frozen=True):
    """A rule was true of something; `waiting` until a moderator has looked at it.

    `subject` is its at:// address; `done` is what happened: milder than the rule's action where
    that could not be carried out.
    """

    id: int
    rule_id: int
    rule_name: str
    rule_version: int
    owner_id: int
    community_id: int
    kind: int
    subject_id: int
    subject: str
    creator_id: int
    mode: Mode
    done: Action | None
    waiting: bool
    reason: Reason
    created_us: int


def checked(draft: RuleDraft) -> RuleDraft:
    """Return a draft, or refuse the first field that is out of its bounds."""
    if draft.name is not None and not 1 <= len(draft.name.strip()) <= limits.NAME_LENGTH_MAX:
        raise Refused("invalid_rule_name",
                      f"A rule's name has 1 to {limits.NAME_LENGTH_MAX} characters.")
    if draft.note is not None and len(draft.note) > limits.NOTE_LENGTH_MAX:
        raise Refused("invalid_rule_note",
                      f"A note has at most {limits.NOTE_LENGTH_MAX} characters.")
    if draft.severity is not None and not 1 <= draft.severity <= limits.SEVERITY_MAX:
        raise Refused("invalid_rule_severity", f"Severity is 1 to {limits.SEVERITY_MAX}.")
    if draft.ban_days is not None and not 1 <= draft.ban_days <= limits.BAN_DAYS_MAX:
        raise Refused("invalid_ban_days", f"A rule bans for 1 to {limits.BAN_DAYS_MAX} days.")
    return draft


def shortened(reason: Reason) -> Reason:
    """Return the reason with long texts cut, so that it can be kept and shown."""
    length = limits.TEXT_OF_REASON_MAX
    terms = tuple(
        msgspec.structs.replace(term, value=term.value[: length - 1] + "…")
        if isinstance(term.value, str) and len(term.value) > length else term
        for term in reason.terms
    )
    return msgspec.structs.replace(reason, terms=terms)
