"""The table of calls of the house's own API, one line each."""

from typing import Any

from lichen.faces.house_api import (
    arrivals,
    bans,
    federation,
    holds,
    judging,
    pictures,
    proposals,
    reactions,
    remarks,
    rules,
    succession,
    wire,
)
from lichen.faces.lemmy_v3.calls import Call

CALLS: tuple[Call[Any, Any], ...] = (
    Call("POST", "/reaction", wire.React, wire.Reactions, reactions.react),
    Call("GET", "/reaction", wire.GetReactions, wire.Reactions, reactions.get_reactions),
    *rules.CALLS, *remarks.CALLS, *holds.CALLS, *judging.CALLS, *bans.CALLS, *pictures.CALLS,
    *proposals.CALLS, *federation.CALLS, *arrivals.CALLS, *succession.CALLS,
)
