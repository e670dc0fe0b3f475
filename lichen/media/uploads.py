"""Reads multipart forms while they arrive, within limits.

RFC 7578. Files are kept in memory, bounded by what a picture may have; the whole form is bounded
too, so a client that sends for ever is cut off. A form that is too large is read to its end as
far as that is reasonable, because a client that is still sending does not hear a refusal.
"""

from collections.abc import AsyncIterable
from typing import Final

import msgspec
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from lichen.kit import Refused
from lichen.media.limits import FIELD_BYTES_MAX, FIELDS_MAX, FILES_MAX

MULTIPART: Final = "multipart/form-data"
HEADERS_BYTES_MAX = 4_096  # of one part: its name, and the client's name for the file
DRAINED_BYTES_MAX = 64 << 20  # of a form that is refused; above it, the connection is cut


class SentFile(msgspec.Struct, frozen=True):
    """A file of a form: the field's name, and its bytes. The client's name for it is not kept."""

    field: str
    content: bytes


class SentForm(msgspec.Struct, frozen=True):
    """A form with files, in the order sent."""

    fields: list[tuple[str, str]]
    files: list[SentFile]


async def read_form(
    chunks: AsyncIterable[bytes], content_type: str, *, file_bytes_max: int
) -> SentForm:
    """Return a multipart form, or refuse it; memory is bounded by files and fields together."""
    kind, options = parse_options_header(content_type)
    if kind != MULTIPART or not options.get("boundary"):
        raise Refused("invalid_form", f"Pictures are sent as {MULTIPART}.", status=415)
    reading = _Reading(options["boundary"], file_bytes_max)
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > DRAINED_BYTES_MAX:
            break
        reading.read(chunk)
    return reading.form()


class _Reading:
    """The part that is arriving, and those that have."""

    def __init__(self, boundary: str, file_bytes_max: int) -> None:
        self._parser = PushMultipartParser(
            boundary, max_segment_count=FIELDS_MAX, max_header_size=HEADERS_BYTES_MAX
        )
        self._refusal: Refused | None = None
        self.fields: list[tuple[str, str]] = []
        self.files: list[SentFile] = []
        self._file_bytes_max = file_bytes_max
        self._segment: MultipartSegment | None = None
        self._body = bytearray()

    def read(self, chunk: bytes) -> None:
        """Read what has arrived, empty at the end; after a refusal the rest is passed over."""
        if self._refusal is not None or self._parser.closed:
            return
        try:
            for part in self._parser.parse(chunk):
                self._take(part)
        except Refused as refusal:
            self._refusal = refusal
        except (MultipartError, UnicodeDecodeError):
            self._refusal = Refused(
                "invalid_form", f"The form is broken, or has more than {FIELDS_MAX} parts."
            )

    def form(self) -> SentForm:
        """Return the whole form, or raise what was wrong with it."""
        self.read(b"")
        self._parser.close(check_complete=False)
        if self._refusal is not None:
            raise self._refusal
        return SentForm(fields=self.fields, files=self.files)

    def _take(self, part: MultipartSegment | bytearray | bytes | None) -> None:
        """Take what the parser gives: a part begins, some of its bytes, its end."""
        if isinstance(part, MultipartSegment):
            self._segment = part
            self._body = bytearray()
        elif part is None:
            self._finish()
        else:
            self._body += part
            self._check()

    def _check(self) -> None:
        assert self._segment is not None
        is_file = self._segment.filename is not None
        limit = self._file_bytes_max if is_file else FIELD_BYTES_MAX
        if len(self._body) > limit:
            # RFC 9110 §15.5.14: 413 Content Too Large.
            raise Refused(
                "image_too_large" if is_file else "invalid_form",
                f"A {'picture' if is_file else 'text'} has {limit:,} bytes at most.", status=413,
            )

    def _finish(self) -> None:
        segment, self._segment = self._segment, None
        assert segment is not None
        if segment.filename is None:
            self.fields.append((segment.name, bytes(self._body).decode()))
        elif segment.filename or self._body:  # a file field that was left empty sends neither
            if len(self.files) >= FILES_MAX:
                raise Refused("too_many_items", f"One form carries {FILES_MAX} pictures at most.")
            self.files.append(SentFile(segment.name, bytes(self._body)))
        self._body = bytearray()
