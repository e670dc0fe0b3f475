"""What happens to pictures: the records of the room `media`; all private.

Where a picture is shown, the post, comment or profile says so, and that is what others see.
"""

from lichen.events.envelope import Record


class Picture(Record, frozen=True, tag="lichen.media.picture"):
    """A person uploaded a picture; deleted when it is gone. `row` is the person.

    `file` is its name in addresses and the record key is the TID of the upload.
    """

    file: str
    kind: str
    width: int
    height: int
    bytes: int
    created_at: str


class Blocking(Record, frozen=True, tag="lichen.media.blocking"):
    """A picture is not taken any more, by its bytes or by its looks; lifted, it is deleted.

    By the site's DID; `row` and the record key are the line's number.
    """

    created_at: str
    by_bytes: bool = False
    by_looks: bool = False
    note: str | None = None
