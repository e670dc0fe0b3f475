"""What was found damaged: told once in the server's log, counted, and passed as a hole."""

from typing import NamedTuple

import structlog

logger = structlog.get_logger("lichen.stream")


class Damage(NamedTuple):
    """A part of a file without its checksum, and the sequences that it takes with it.

    `last_seq` is before `first_seq` where the head is damaged too, so that nobody knows.
    """

    file: str
    part: str
    first_seq: int
    last_seq: int


class Damages:
    """All that was found since the folder was opened."""

    def __init__(self) -> None:
        self._found: dict[Damage, None] = {}

    def note(self, damage: Damage) -> None:
        """Count a damage and tell of it; the same one counts once."""
        if damage not in self._found:
            self._found[damage] = None
            logger.error("stream.damaged", **damage._asdict())

    def __len__(self) -> int:
        """Return in how many places something was damaged."""
        return len({(damage.file, damage.first_seq) for damage in self._found})
