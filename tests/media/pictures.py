"""Pictures made for tests: honest ones in every format, and hostile ones."""

import io
import struct
import zlib

from PIL import Image, ImageDraw

MARKER = b"SECRET-PLACE"
_ORIENTATION, _MAKER, _GPS = 0x0112, 0x010F, 0x8825
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF"}


def drawn(width: int = 320, height: int = 200, *, hue: int = 0) -> Image.Image:
    """Return a picture with edges to recognise it by."""
    image = Image.new("RGB", (width, height), (20 + hue, 90, 160 - hue))
    pen = ImageDraw.Draw(image)
    pen.ellipse((width // 8, height // 8, width // 2, height // 2), fill=(240, 200, 40 + hue))
    pen.rectangle((width // 2, height // 3, width - 20, height - 20), fill=(30, 160, 60))
    return image


def made(kind: str = "jpg", *, image: Image.Image | None = None, orientation: int = 1,
         profile: bytes | None = None, secret: bool = False) -> bytes:
    """Return a file of a kind, as a camera or a program writes it."""
    image = image or drawn()
    out = io.BytesIO()
    asked: dict[str, object] = {}
    if kind in ("jpg", "png", "webp"):
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        if secret:
            exif[_MAKER] = MARKER.decode()
            exif[_GPS] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
        asked["exif"] = exif
        if profile:
            asked["icc_profile"] = profile
    if secret and kind in ("jpg", "webp"):
        asked["xmp"] = b"<x:xmpmeta>" + MARKER + b"</x:xmpmeta>"
    if secret and kind in ("jpg", "gif"):
        asked["comment"] = MARKER
    image.save(out, FORMATS[kind], **asked)
    return out.getvalue()


def moving(kind: str, frames: int = 4) -> bytes:
    """Return a moving picture."""
    out = io.BytesIO()
    images = [drawn(64, 48, hue=step * 20) for step in range(frames)]
    images[0].save(out, FORMATS[kind], save_all=True, append_images=images[1:], duration=80, loop=0)
    return out.getvalue()


def png_chunk(name: bytes, payload: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(
        ">I", zlib.crc32(name + payload))


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """Return some hundred kilobytes that decode to gigabytes."""
    rows = zlib.compress(bytes(50 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    ) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def of_many_frames(frames: int = 100_000) -> bytes:
    """Return a GIF of tiny frames."""
    out = io.BytesIO()
    Image.new("P", (2, 2)).save(out, "GIF")
    gif = out.getvalue()
    start = 13 + (3 << ((gif[10] & 7) + 1) if gif[10] & 0x80 else 0)
    return gif[:-1] + gif[start:-1] * (frames - 1) + b";"


def hostile() -> dict[str, bytes]:
    """Return everything that must be refused, by what it is."""
    jpeg = made("jpg")
    return {
        "a bomb": bomb(),
        "a bomb within the limits that ends early": bomb(6_000, 6_000),
        "a truncated JPEG": jpeg[: len(jpeg) * 2 // 3],
        "a truncated PNG": made("png")[:-60],
        "a truncated GIF": made("gif")[:-40],
        "a truncated WebP": made("webp")[:-40],
        "a JPEG that is an archive too": jpeg + b"PK\x03\x04" + bytes(400),
        "a PNG that is a page too": made("png") + b"<html><script>alert(1)</script>",
        "a GIF that is a script": b"GIF89a/*" + bytes(40) + b"*/=1;alert(1)//;",
        "an SVG with a script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>',
        "100,000 frames": of_many_frames(),
        "2,000 frames": of_many_frames(2_000),
        "a page": b"<!doctype html><title>x</title>",
        "a JPEG in name only": b"\xff\xd8\xff\xe0" + bytes(200),
        "a PNG in name only": b"\x89PNG\r\n\x1a\n" + b"\xff" * 200,
        "an AVIF in name only": b"\x00\x00\x00\x1cftypavif" + bytes(300),
        "nothing that is known": bytes(range(256)) * 8,
    }
