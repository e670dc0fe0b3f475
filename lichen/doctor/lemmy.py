"""What a Lemmy tells strangers of its federation: `/api/v3/federated_instances`. Pure.

Since 0.19 each server that it knows carries a state: the id of the last activity that arrived
there, when that was made, and how many tries failed since (ReadableFederationState in its API).
Its ids count every activity, so the difference of two is how many one misses.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lichen.federation.actors import time_of
from lichen.federation.values import text_of

STATES_MAX = 50_000  # servers of one answer that are looked at


class FederationState(msgspec.Struct, frozen=True):
    """How far a Lemmy has come with sending to one server; 0 where it does not say."""

    domain: str
    last_id: int = 0
    last_us: int = 0
    fail_count: int = 0
    retry_at_us: int = 0

    def told(self, now_us: int) -> str:
        """Return it in words."""
        lag = f"{(now_us - self.last_us) / 1e6:.0f} s old" if self.last_us else "of unknown age"
        failed = f"; {self.fail_count} tries failed since" if self.fail_count else ""
        return f"The last activity that arrived at {self.domain} was {lag}{failed}."


def states_in(document: Mapping[str, Any]) -> Iterator[FederationState]:
    """Yield the state of each server that the answer tells of; what is strange is left out."""
    listed = document.get("federated_instances")
    linked = listed.get("linked") if isinstance(listed, dict) else None
    for one in linked[:STATES_MAX] if isinstance(linked, list) else ():
        state = one.get("federation_state") if isinstance(one, dict) else None
        if isinstance(state, dict) and text_of(one.get("domain")):
            yield FederationState(
                text_of(one["domain"])[:255], last_id=_count(state.get("last_successful_id")),
                last_us=time_of(state.get("last_successful_published_time")) or 0,
                fail_count=_count(state.get("fail_count")),
                retry_at_us=time_of(state.get("next_retry")) or 0,
            )


def said_of(document: Mapping[str, Any], authority: str) -> FederationState | None:
    """Return how far it is with sending to a server, None where it does not know it."""
    return next((one for one in states_in(document) if one.domain == authority), None)


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
