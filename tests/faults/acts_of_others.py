"""Acts in the name of others, or by who may not: what stands beside the table of authorities."""

from collections.abc import Callable
from typing import Any

from tests.faults.siege import DEN, EVE, MAL, OURS, Siege
from tests.federation.incoming import ANN, BEN, MOSS, STONES, Json, act, announced, page

Made = Callable[[Siege], Json]


def _message(siege: Siege) -> Json:
    note = {"type": "ChatMessage", "id": f"https://evil.example/message/{id(siege)}",
            "attributedTo": MAL, "to": [f"{OURS}/u/mira"], "content": "Hear me.",
            "published": "2023-11-01T13:00:00Z"}
    return act("Create", MAL, note, to=[f"{OURS}/u/mira"])


def _undone(kind: str, **fields: Any) -> Made:
    """Undo what ann did."""
    return lambda siege: act("Undo", EVE, act(kind, ANN, siege.here, **fields))


# Each row: what evil.example sends, the status, and the figure that counts it; "" for any.
ACTS: dict[str, tuple[Made, int, str]] = {
    "undoes another's upvote": (_undone("Like"), 202, "ingest_foreign_undo_total"),
    "undoes another's lock": (_undone("Lock"), 202, "ingest_foreign_undo_total"),
    "undoes another's ban": (
        lambda siege: act("Undo", EVE, act("Block", ANN, BEN, target=STONES)), 202,
        "ingest_foreign_undo_total"),
    "undoes another's follow": (
        lambda siege: act("Undo", EVE, act("Follow", ANN, STONES)), 202,
        "ingest_foreign_undo_total"),
    "lifts a ban as a moderator that is none": (
        lambda siege: act("Undo", EVE, act("Block", EVE, ANN, target=STONES)), 202,
        "ingest_not_a_moderator_total"),
    "unlocks as a moderator that is none": (
        lambda siege: act("Undo", EVE, act("Lock", EVE, siege.here)), 202,
        "ingest_not_a_moderator_total"),
    "unpins": (
        lambda siege: act("Remove", EVE, siege.here, target=f"{STONES}/featured"), 202,
        "ingest_not_a_moderator_total"),
    "dismisses a moderator": (
        lambda siege: act("Remove", EVE, f"{OURS}/u/mira", target=f"{STONES}/moderators"), 202,
        "ingest_not_a_moderator_total"),
    "accepts what nobody asked of it": (
        lambda siege: act("Accept", DEN, act("Follow", f"{OURS}/u/mira", DEN)), 202,
        "ingest_couldnt_find_follow_total"),
    "rejects what it was not asked": (
        lambda siege: act("Reject", DEN, act("Follow", f"{OURS}/u/mira", MOSS)), 202,
        "ingest_couldnt_find_follow_total"),
    "accepts in another community's name": (
        lambda siege: act("Accept", MOSS, act("Follow", f"{OURS}/u/mira", MOSS)), 403,
        "inbox_foreign_key_total"),
    "passes on another community's post": (
        lambda siege: announced(DEN, act("Update", ANN, page(ANN, MOSS, id=siege.there))), 202,
        "ingest_not_its_community_total"),
    "changes our site": (
        lambda siege: act("Update", EVE, {"type": "Application", "id": f"{OURS}/",
                                         "preferredUsername": "x", "inbox": f"{OURS}/inbox"}),
        202, "ingest_foreign_object_total"),
    "moves another": (lambda siege: act("Move", EVE, ANN, target=EVE), 202, ""),
    "moves to who does not claim it": (lambda siege: act("Move", EVE, EVE, target=ANN), 202, ""),
    # Kept to be examined: it is asked who says so too, and whether the old one has ended.
    "offers to succeed what lives": (
        lambda siege: act("Offer", DEN, DEN, origin=MOSS), 202, "ingest_offer_heard_total"),
    "moves its community to who does not claim it": (
        lambda siege: act("Move", DEN, DEN, target=MOSS), 202, "ingest_offer_heard_total"),
    "writes to who has blocked it": (_message, 202, "ingest_message_dropped_total"),
    "puts acts into an act": (
        lambda siege: announced(DEN, announced(MOSS, act("Like", ANN, siege.here))), 202, ""),
    "passes on our own": (
        lambda siege: announced(STONES, act("Like", EVE, siege.here)), 403,
        "inbox_domain_blocked_total"),
    "says what nobody knows": (
        lambda siege: act("Explode", EVE, siege.here), 202, "ingest_unknown_activity_total"),
}
