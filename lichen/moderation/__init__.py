"""Moderation: acts with their log, reports, appeals, what waits, what is known of people.

The front door: `Moderation` is the service, built by `lichen.moderation.room.build`.
"""

from lichen.moderation.cases import (
    Appeal,
    AppealState,
    HeldView,
    History,
    ItemKind,
    ItemState,
    PlaceCount,
    QueueItem,
    QueuePage,
    QueueQuery,
    Remark,
    RemarkDraft,
    RemarkKind,
    RemarkView,
    SiteBan,
    Statistics,
    Waiting,
)
from lichen.moderation.limits import SUPPORTS_TO_QUEUE
from lichen.moderation.model import (
    APPEALABLE,
    LOGGED,
    Action,
    ActionQuery,
    BanOrder,
    Entry,
    Kind,
    Report,
    ReportCounts,
    ReportedMessage,
    ReportKind,
    ReportQuery,
    ReportView,
    Seat,
    Sweep,
    Why,
)
from lichen.moderation.part import Pictures, ReportedMessages
from lichen.moderation.proposal import (
    ROLE_WORDS,
    STATE_WORDS,
    Proposal,
    ProposalDraft,
    ProposalListing,
    ProposalOrder,
    ProposalQuery,
    ProposalState,
    ProposalView,
    StepRole,
    StepView,
    Support,
)
from lichen.moderation.service import Moderation

__all__ = [
    "APPEALABLE", "LOGGED", "ROLE_WORDS", "STATE_WORDS", "SUPPORTS_TO_QUEUE", "Action",
    "ActionQuery", "Appeal", "AppealState", "BanOrder", "Entry", "HeldView", "History",
    "ItemKind", "ItemState", "Kind", "Moderation", "Pictures", "PlaceCount", "Proposal",
    "ProposalDraft", "ProposalListing", "ProposalOrder", "ProposalQuery", "ProposalState",
    "ProposalView", "QueueItem", "QueuePage", "QueueQuery", "Remark", "RemarkDraft",
    "RemarkKind", "RemarkView", "Report", "ReportCounts", "ReportKind", "ReportQuery",
    "ReportView", "ReportedMessage", "ReportedMessages", "Seat", "SiteBan", "Statistics",
    "StepRole", "StepView", "Support", "Sweep", "Waiting", "Why",
]
