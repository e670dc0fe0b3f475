"""What the graph raises.

    Refused
    ├── ActorUnknown      404  no such actor in the graph
    ├── ChangesRefused    400  changes, or a file of pairs, are not what the graph takes
    └── GraphTooNew       400  a newer Lichen wrote this folder
    Unavailable
    └── GraphUnavailable  the disk is full or failing, or a file is damaged: build the base again
"""

from lichen.kit import NotFound, Refused, Unavailable


class ActorUnknown(NotFound):
    """No such actor in the graph."""

    def __init__(self, name: str) -> None:
        super().__init__("uid_not_found", f"uid not found: nobody here is called {name[:80]!r}.")


class ChangesRefused(Refused):
    """Changes, or a file of pairs, are not what the graph takes."""

    def __init__(self, text: str) -> None:
        super().__init__("changes_refused", text)


class GraphTooNew(Refused):
    """A newer Lichen wrote this folder; this one must not touch it."""

    def __init__(self, folder: str, *, reader: int, supported: int) -> None:
        super().__init__("graph_too_new", f"{folder} needs a reader of version {reader}, this "
                         f"Lichen has {supported}; run the newer Lichen.")


class GraphUnavailable(Unavailable):
    """The disk is full or failing, or a file of the graph is damaged."""
