"""Bodies of requests: read whole, or refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from litestar.exceptions import InternalServerException

from lichen.kit import Refused


@contextmanager
def whole_body() -> Iterator[None]:
    """Refuse, around the reading of a body, one that does not arrive whole."""
    try:
        yield
    except InternalServerException:
        # Litestar's word for a client that went away, or that broke the framing of its chunks.
        raise Refused(
            "body_cut_short", "The request did not arrive whole; send it again."
        ) from None
