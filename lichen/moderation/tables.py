"""What moderation remembers.

    moderation_action 1──n moderation_taken      the log; the words that a ban took with it
        │ 1
        0..1 appeal                              one for each action
    report ──┐
    appeal ──┴─► moderation_item                 what waits, one row for each thing, however often
    remark                                       notes and strikes about people
    proposal 1──n proposal_step                  what members propose; what became of it, and why
             1──n proposal_support               who stands behind it, and whether they were told

Columns that name a row of another room are plain numbers. `subject` in the log is what an action is
about, so that the next one of its kind finds it (model.Act.key). A step has a number of the log's
count, so that people's notices have one order. The statements are in `action_rows`, `report_rows`,
`queue_rows` and `proposal_rows`.
"""

import sqlalchemy as sa

from lichen.store import metadata


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)


def _maybe(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger)


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False)


def _id() -> "sa.Column[int]":
    return sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False)


moderation_action = sa.Table(
    "moderation_action",
    metadata,
    _id(),
    _text("tid"),
    _text("kind"),  # a model.Kind
    sa.Column("done", sa.Boolean, nullable=False),
    _number("moderator_id"),
    _maybe("person_id"),
    _maybe("community_id"),
    _maybe("post_id"),
    _maybe("comment_id"),
    _text("subject"),
    sa.Column("reason", sa.Text),
    _maybe("expires_us"),
    _text("before"),  # JSON of model.Before
    _maybe("undone_by"),
    _number("published_us"),
    sa.Index("moderation_action_subject", "kind", "subject", "id"),
    sa.Index("moderation_action_community", "community_id", "id"),
    sa.Index("moderation_action_person", "person_id", "id"),
    sa.Index("moderation_action_moderator", "moderator_id", "id"),
)

moderation_taken = sa.Table(
    "moderation_taken",
    metadata,
    sa.Column("action_id", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # "post" or "comment"
    sa.Column("subject_id", sa.BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

report = sa.Table(
    "report",
    metadata,
    _id(),
    _text("tid"),
    _text("kind"),  # a model.ReportKind
    _number("creator_id"),
    _number("subject_id"),
    _maybe("community_id"),
    sa.Column("original_name", sa.Text),
    sa.Column("original_url", sa.Text),
    sa.Column("original_text", sa.Text),
    _text("reason"),
    sa.Column("resolved", sa.Boolean, nullable=False),
    sa.Column("upheld", sa.Boolean, nullable=False),  # what it reported was removed
    _maybe("resolver_id"),
    _number("published_us"),
    _maybe("updated_us"),
    # Lemmy 0.19: nobody reports the same thing twice.
    sa.Index("report_once", "creator_id", "kind", "subject_id", unique=True),
    sa.Index("report_subject", "kind", "subject_id"),
    sa.Index("report_community", "kind", "community_id", "id"),
)

appeal = sa.Table(
    "appeal",
    metadata,
    _id(),
    _text("tid"),
    sa.Column("action_id", sa.BigInteger, nullable=False, unique=True),
    _number("person_id"),
    _maybe("community_id"),
    _text("text"),
    _text("state"),  # a cases.AppealState
    sa.Column("answer", sa.Text),
    _maybe("judge_id"),
    _number("published_us"),
    _maybe("updated_us"),
    sa.Index("appeal_community", "community_id", "state"),
)

moderation_item = sa.Table(
    "moderation_item",
    metadata,
    _id(),
    _text("kind"),  # a cases.ItemKind
    _text("subject_kind"),  # "post", "comment", "message", "appeal" …
    _number("subject_id"),
    _maybe("community_id"),  # null for what is the site's
    _maybe("person_id"),  # whose it is
    _number("since_us"),
    _number("severity"),
    _text("state"),  # a cases.ItemState
    _text("evidence"),
    sa.Column("reasons", sa.Text, nullable=False, server_default="[]"),  # JSON of kit.Reason
    # One row for each thing, however often it is reported.
    sa.Index("moderation_item_once", "kind", "subject_kind", "subject_id", unique=True),
    sa.Index("moderation_item_waiting", "state", "since_us", "id"),
    sa.Index("moderation_item_person", "person_id", "kind"),
)

remark = sa.Table(
    "remark",
    metadata,
    _id(),
    _text("tid"),
    _text("kind"),  # a cases.RemarkKind
    _maybe("community_id"),  # null for the site's
    _number("person_id"),
    _number("author_id"),
    _text("text"),
    _maybe("expires_us"),
    _number("published_us"),
    sa.Index("remark_person", "person_id", "id"),
)

proposal = sa.Table(
    "proposal",
    metadata,
    _id(),
    _text("tid"),
    _number("creator_id"),
    _number("community_id"),
    _text("title"),  # "" of one that was erased
    _text("text"),
    _text("state"),  # a proposal.ProposalState
    _number("supports"),
    _maybe("queued_us"),  # since when it waits on the moderators
    _number("published_us"),
    _maybe("updated_us"),
    sa.Index("proposal_newest", "community_id", "state", "id"),
    sa.Index("proposal_supported", "community_id", "state", "supports", "id"),
    sa.Index("proposal_state", "state", "id"),
    sa.Index("proposal_creator", "creator_id", "id"),
)

proposal_step = sa.Table(
    "proposal_step",
    metadata,
    _id(),
    _number("proposal_id"),
    _text("state"),  # what it came to
    _text("role"),  # a proposal.StepRole
    _number("person_id"),
    sa.Column("reason", sa.Text),
    _number("supports"),  # at that time
    _number("published_us"),
    sa.Index("proposal_step_of", "proposal_id", "id"),
)

proposal_support = sa.Table(
    "proposal_support",
    metadata,
    sa.Column("person_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("proposal_id", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("tid"),
    sa.Column("told", sa.Boolean, nullable=False),  # of the decision; see reader.py
    _number("published_us"),
    sa.Index("proposal_support_told", "proposal_id", "told", "person_id"),
    sqlite_with_rowid=False,
)
