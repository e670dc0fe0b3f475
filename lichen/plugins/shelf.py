"""The shelf: what a plugin keeps, as texts by key; each plugin sees its own alone."""

from typing import Protocol


class Shelf(Protocol):
    """A small store of texts by key. Both have bounds (`lichen limits plugins`)."""

    def get(self, key: str) -> str | None:
        """Return what is kept under a key, None where nothing is."""

    def put(self, key: str, value: str) -> None:
        """Keep a text under a key; raises ValueError where it is too long or the shelf is full."""

    def drop(self, key: str) -> None:
        """Keep nothing under a key."""
