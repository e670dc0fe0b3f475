"""Takes metadata out of picture files, byte by byte, without decoding or encoding a pixel.

What a camera writes beside the pixels (place, time, serial numbers, a thumbnail of what was cut
away) goes; what is needed to show them stays: colour profile, Adobe's colour transform, animation,
and of EXIF the one number that says which way is up.

    JPEG  FFD8 · segment · segment · … · SOS · pixels · … · FFD9 │ tail
          marker(2) length(2) payload          FF00 and RSTn inside
    PNG   signature(8) · chunk · … · IEND │ tail       length(4) type(4) payload crc(4)
    WebP  RIFF size WEBP · chunk · … │ tail            type(4) size(4) payload [pad]
    GIF   header · screen · palette · block · … · 3B │ tail

Bytes behind the end are cut off (phones put films there); a tail, comment or profile that is an
archive, a page or a program is refused: such a file is made to be two things at once. Pure, linear
in the file's length, raises `Malformed` and nothing else.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Literal

from lichen.media.limits import SEGMENTS_MAX

Kind = Literal["jpg", "png", "gif", "webp", "avif"]

_PNG = b"\x89PNG\r\n\x1a\n"
# JPEG B.1.1.3: a marker is FF and neither 00 (a stuffed byte), a restart nor another FF.
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)
# PNG 11.3, APNG: what is shown; text, time and EXIF are not among it.
_PNG_KEPT = frozenset((
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB",
    b"cICP", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
))
_WEBP_KEPT = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_FOREIGN = re.compile(
    rb"PK\x03\x04|PK\x05\x06|%PDF-|Rar!\x1a|7z\xbc\xaf|\x7fELF|<\?php|<!doctype|<html|<script|<svg|"
    rb"javascript:", re.IGNORECASE,
)
_ORIENTATION_TAG = 0x0112  # TIFF 6.0, Orientation


class Malformed(Exception):
    """The file is not what it says it is; the text says where it goes wrong."""


def kind_of(content: bytes) -> Kind | None:
    """Return the kind of picture that the first bytes announce, None where they announce none."""
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith(_PNG):
        return "png"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    # ISO 14496-12 §4.3: the file type box comes first and names the brands.
    if content[4:8] == b"ftyp" and content[8:12] in (b"avif", b"avis"):
        return "avif"
    return None


def stripped(content: bytes, kind: Kind) -> bytes:
    """Return the file without metadata and without what is behind its end; raises Malformed."""
    strip: dict[Kind, Callable[[bytes], bytes]] = {
        "jpg": strip_jpeg, "png": strip_png, "webp": strip_webp, "gif": strip_gif,
    }
    try:
        return strip[kind](content)
    except (struct.error, IndexError):
        raise Malformed("The file ends in the middle.") from None


def strip_jpeg(content: bytes) -> bytes:
    """Return a JPEG without EXIF, XMP, IPTC and comments; its pixels are the same bytes."""
    parts = [b"\xff\xd8"]
    position = 2
    orientation = 1
    for _ in range(SEGMENTS_MAX):
        if content[position] != 0xFF:
            raise Malformed("A JPEG segment does not begin where the last one ends.")
        while content[position + 1] == 0xFF:  # JPEG B.1.1.2: markers may be filled up with FF
            position += 1
        marker = content[position + 1]
        if marker == 0xD9:
            _check_tail(content[position + 2:])
            return b"".join((parts[0], _jpeg_orientation(orientation), *parts[1:], b"\xff\xd9"))
        (length,) = struct.unpack_from(">H", content, position + 2)
        end = position + 2 + length
        if length < 2 or end > len(content):
            raise Malformed("A JPEG segment is longer than the file.")
        segment = content[position:end]
        if marker == 0xE1 and segment[4:10] == b"Exif\x00\x00":
            orientation = orientation_of(segment[10:])
        if marker == 0xDA:  # JPEG B.2.3: entropy-coded pixels follow up to the next marker
            found = _MARKER.search(content, end)
            if found is None:
                raise Malformed("The JPEG ends before its end is marked.")
            segment, end = content[position:found.start()], found.start()
        if _is_jpeg_kept(marker, segment):
            parts.append(segment)
        position = end
    raise Malformed("The JPEG has too many segments.")


def strip_png(content: bytes) -> bytes:
    """Return a PNG, moving or not, without text, time and EXIF."""
    parts = [_PNG]
    orientation = 1
    position = len(_PNG)
    for _ in range(SEGMENTS_MAX):
        length, name = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length
        if end > len(content):
            raise Malformed("A PNG chunk is longer than the file.")
        if name == b"eXIf":
            orientation = orientation_of(content[position + 8:end - 4])
        elif name == b"IEND":
            _check_tail(content[end:])
            upright = _png_chunk(b"eXIf", _tiff(orientation)) if orientation != 1 else b""
            return b"".join((*parts, upright, content[position:end]))
        elif name in _PNG_KEPT:
            parts.append(content[position:end])
        position = end
    raise Malformed("The PNG has too many chunks.")


def strip_webp(content: bytes) -> bytes:
    """Return a WebP, moving or not, without EXIF and XMP."""
    (size,) = struct.unpack_from("<I", content, 4)
    stop = size + 8
    if stop > len(content):
        raise Malformed("The WebP is longer than the file.")
    _check_tail(content[stop:])
    parts: list[bytes] = []
    orientation = 1
    for name, payload in _webp_chunks(content[12:stop]):
        if name == b"EXIF":
            orientation = orientation_of(payload.removeprefix(b"Exif\x00\x00"))
        elif name in _WEBP_KEPT:
            parts.append(_webp_chunk(name, payload))
    # RFC 9649 §2.7: VP8X says which chunks there are; 0x08 is EXIF, 0x04 XMP.
    if parts and parts[0][:4] == b"VP8X" and len(parts[0]) >= 9:
        flags = parts[0][8] & ~0x0C
        if orientation != 1:
            flags |= 0x08
            parts.append(_webp_chunk(b"EXIF", _tiff(orientation)))
        parts[0] = parts[0][:8] + bytes((flags,)) + parts[0][9:]
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def strip_gif(content: bytes) -> bytes:
    """Return a GIF, moving or not, without comments and foreign extensions."""
    position = 13 + _palette_bytes(content[10])
    parts = [content[:position]]
    for _ in range(SEGMENTS_MAX):
        introducer = content[position]
        if introducer == 0x3B:
            _check_tail(content[position + 1:])
            return b"".join((*parts, b"\x3b"))
        start = position
        if introducer == 0x21:
            position = _blocks_end(content, position + 2)
            if _is_gif_kept(content[start:position]):
                parts.append(content[start:position])
        elif introducer == 0x2C:
            data = position + 10 + _palette_bytes(content[position + 9])
            position = _blocks_end(content, data + 1)
            parts.append(content[start:position])
        else:
            raise Malformed("A GIF block is of no known kind.")
    raise Malformed("The GIF has too many blocks.")


def orientation_of(tiff: bytes) -> int:
    """Return which way is up by an EXIF block: 1 to 8, and 1 where it does not say; never raises.

    TIFF 6.0 §2: byte order, 42, offset of the first directory; entries of 12 bytes.
    """
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return 1
    (at,) = struct.unpack_from(order + "I", tiff, 4)
    if at + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(order + "H", tiff, at)
    for number in range(count):
        entry = at + 2 + 12 * number
        if entry + 12 > len(tiff):
            return 1
        tag, form, values, value = struct.unpack_from(order + "HHIH", tiff, entry)
        if tag == _ORIENTATION_TAG:
            return value if form == 3 and values == 1 and 1 <= value <= 8 else 1
    return 1


def _tiff(orientation: int) -> bytes:
    """Return the smallest EXIF block: one directory with one entry."""
    entry = struct.pack("<HHIHH", _ORIENTATION_TAG, 3, 1, orientation, 0)
    return b"II*\x00" + struct.pack("<IH", 8, 1) + entry + bytes(4)


def _jpeg_orientation(orientation: int) -> bytes:
    if orientation == 1:
        return b""
    payload = b"Exif\x00\x00" + _tiff(orientation)
    return b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload


def _is_jpeg_kept(marker: int, segment: bytes) -> bool:
    if marker == 0xE0:
        return segment[4:9] == b"JFIF\x00"  # not JFXX, which holds a thumbnail
    if marker == 0xE2:
        return segment[4:16] == b"ICC_PROFILE\x00"  # ICC.1 Annex B.4
    if marker == 0xEE:
        return segment[4:9] == b"Adobe"  # how the colours are to be read
    return not (0xE1 <= marker <= 0xEF or marker == 0xFE)


def _png_chunk(name: bytes, payload: bytes) -> bytes:
    head = struct.pack(">I", len(payload)) + name + payload
    return head + struct.pack(">I", zlib.crc32(name + payload))


def _webp_chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    for _ in range(SEGMENTS_MAX):
        if position >= len(body):
            return
        name, size = struct.unpack_from("<4sI", body, position)
        if position + 8 + size > len(body):
            raise Malformed("A WebP chunk is longer than the file.")
        yield name, body[position + 8:position + 8 + size]
        position += 8 + size + size % 2
    raise Malformed("The WebP has too many chunks.")


def _webp_chunk(name: bytes, payload: bytes) -> bytes:
    return name + struct.pack("<I", len(payload)) + payload + bytes(len(payload) % 2)


def _palette_bytes(flags: int) -> int:
    # GIF89a §18, §20: the top bit says that there is one, the lowest three how long it is.
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks_end(content: bytes, position: int) -> int:
    """Return where a row of data sub-blocks ends (GIF89a §15, §16)."""
    while size := content[position]:
        position += 1 + size
    return position + 1


def _is_gif_kept(extension: bytes) -> bool:
    if extension[1] == 0xF9:  # how long a frame stays, and what is clear in it
        return True
    # How often it repeats; Netscape's extension, which everybody reads.
    return extension[1] == 0xFF and extension[3:14] in (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def _check_tail(tail: bytes) -> None:
    """Refuse a file that goes on as something else behind the picture's end."""
    if _FOREIGN.search(tail):
        raise Malformed("The file is a picture and something else at once.")
