"""Reason: the one answer to "why?".

Every rank, hold, refusal, loss, skipped job, eviction and approval carries one. It names the rule,
the terms with their values, the evidence, who decided and who may change it. Pages show every
Reason by the same piece, so that a person learns to read it once.
"""

import msgspec


class Term(msgspec.Struct, frozen=True):
    """One thing that counted: its name, its value, and a note in plain words."""

    name: str
    value: float | str | bool
    note: str = ""


class Reason(msgspec.Struct, frozen=True):
    """Why the house decided something about a person or a thing of theirs.

    `rule` is a name people can look up; `terms` are ordered by weight; `evidence` holds addresses;
    `decided_by` is a room, a moderator or a program; `change` says who may change it, and how.
    """

    rule: str
    terms: tuple[Term, ...] = ()
    value: float | str | bool | None = None
    evidence: tuple[str, ...] = ()
    decided_by: str = ""
    change: str = ""
