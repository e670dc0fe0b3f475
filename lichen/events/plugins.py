"""What happens to plugins: the records of the room `plugins`."""

from lichen.events.envelope import Record


class Switch(Record, frozen=True, tag="lichen.plugin.switch"):
    """A plugin was switched on or off; the record key is its name, `why` tells of failures.

    `network`: whether it may use the network.
    """

    name: str
    on: bool
    updated_at: str
    why: str | None = None
    network: bool | None = None
