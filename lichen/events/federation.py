"""What happens between servers: the records of the room `federation`."""

from lichen.events.envelope import Record


class Accepted(Record, frozen=True, tag="lichen.federation.accepted"):
    """An activity of a remote person was applied in a local community, which passes it on.

    `activity` is its sequence in the log `inbox`, where its bytes are, `community` a DID. With
    `judges_only` it goes to the servers of who moderates there, and of whoever it is about.
    """

    activity: int
    community: str
    judges_only: bool = False
