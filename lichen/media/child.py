"""The child process that decodes pictures; nothing else of the house ever does.

    house ── frame ──► nursery (Pillow loaded, decodes nothing) ── fork ──► one picture, then dies
          ◄── frame ──         ◄── pipe: the whole answer, or nothing ──┘   under limits

Each picture has a process of its own, forked from one that has loaded Pillow: forking takes 2 ms,
where starting Python takes 200, and what one picture breaks no other one meets. The fork may use
so much memory and time and write no file; when the kernel ends it, the nursery says so and goes on.
A frame is four bytes of length and msgpack. Run by `darkroom.py`, never imported by the house.
"""

import io
import os
import resource
import struct
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from lichen.media.limits import (
    AREA_PX_MAX,
    CHILD_BYTES_MAX,
    CHILD_CPU_S_MAX,
    FRAMES_AREA_PX_MAX,
    FRAMES_MAX,
    SIDE_PX_MAX,
)
from lichen.media.stripping import Malformed, kind_of, stripped

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = {"webp": 80, "jpg": 82, "avif": 60}
_REENCODED_QUALITY = 90  # of an original that cannot be cleaned byte by byte
_WEBP_METHOD = 2  # of 0 to 6: half the time of 4 for 4 % more bytes
_AVIF_SPEED = 8  # of 0 to 10: slower ones take seconds
_PROFILE_BYTES_MAX = 8 << 10  # Display P3 has 500; printers' have half a megabyte and no use here


class Job(msgspec.Struct, frozen=True):
    """What is asked: to develop an upload into sizes, or to derive one size in one form."""

    content: bytes
    sizes: tuple[int, ...]
    form: str = "webp"
    keep_original: bool = True


class Answer(msgspec.Struct, frozen=True):
    """What came of it: `error` in words, or the picture."""

    error: str = ""
    kind: str = ""
    width: int = 0
    height: int = 0
    frames: int = 1
    likeness: int = 0
    original: bytes = b""
    variants: dict[int, bytes] = {}


def main() -> None:
    """Serve frames on standard input and output until the house closes them."""
    _load()
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    while (frame := _read_frame(asked)) is not None:
        answer = _in_a_fork(frame)
        told.write(struct.pack("<I", len(answer)) + answer)
        told.flush()


def answer_to(job: Job) -> Answer:
    """Return what comes of a job; whatever is wrong with the picture is an answer too."""
    try:
        return _developed(job)
    except Malformed as error:
        return Answer(error=str(error))
    except MemoryError:
        return Answer(error="The picture needs more memory than it may.")
    except Exception as error:  # the outermost of a process that decodes hostile bytes
        # Pillow raises nearly anything at broken files; its words may quote them.
        return Answer(error=f"The picture cannot be decoded ({type(error).__name__}).")


def _developed(job: Job) -> Answer:
    from PIL import Image, ImageOps

    kind = kind_of(job.content)
    if kind is None:
        raise Malformed("Pictures are JPEG, PNG, GIF, WebP or AVIF; these bytes are none of them.")
    # AVIF keeps metadata in boxes that refer to each other: it is encoded anew instead.
    clean = job.content if kind == "avif" else stripped(job.content, kind)
    with Image.open(io.BytesIO(clean), formats=["JPEG" if kind == "jpg" else kind.upper()]) as file:
        _check_size(file)
        frames = int(getattr(file, "n_frames", 1))
        if frames > FRAMES_MAX or frames * file.width * file.height > FRAMES_AREA_PX_MAX:
            raise Malformed(f"A moving picture has {FRAMES_MAX} frames at most, fewer if large.")
        width, height = file.size
        if file.getexif().get(0x0112, 1) >= 5:  # EXIF: 5 to 8 lie on their side
            width, height = height, width
        keeps_pixels = kind == "avif" and job.keep_original
        if not keeps_pixels:
            file.draft("RGB", (max(job.sizes), max(job.sizes)))  # a JPEG decodes at half its size
        file.seek(0)
        picture = _plain(ImageOps.exif_transpose(file))
        profile = file.info.get("icc_profile") or b""
    original = clean if job.keep_original else b""
    if keeps_pixels:
        original, kind = _encoded(picture, "webp", profile, quality=_REENCODED_QUALITY), "webp"
    variants: dict[int, bytes] = {}
    for size in sorted(job.sizes, reverse=True):
        picture = _within(picture, size)
        variants[size] = _encoded(picture, job.form, profile)
    return Answer(
        kind=kind, width=width, height=height, frames=frames, likeness=_likeness(picture),
        original=original, variants=variants,
    )


def _check_size(file: "Image") -> None:
    width, height = file.size
    if max(width, height) > SIDE_PX_MAX or width * height > AREA_PX_MAX:
        raise Malformed(
            f"A picture has {SIDE_PX_MAX} px a side and {AREA_PX_MAX // 1_000_000} megapixels at "
            f"most; this one says {width} x {height}."
        )


def _plain(picture: "Image") -> "Image":
    """Return the first frame, decoded whole, as RGB, or RGBA where something is clear."""
    picture.load()
    if picture.mode in ("RGB", "RGBA"):
        return picture
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _within(picture: "Image", size: int) -> "Image":
    """Return the picture with no side longer than `size`; small ones stay as they are."""
    from PIL.Image import Resampling

    scale = size / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Resampling.LANCZOS, reducing_gap=2.0)


def _encoded(
    picture: "Image", form: str, profile: bytes, *, quality: int | None = None
) -> bytes:
    out = io.BytesIO()
    kept = profile if len(profile) <= _PROFILE_BYTES_MAX else b""
    quality = quality or _QUALITY.get(form, 80)
    if form == "webp":
        picture.save(out, "WEBP", quality=quality, method=_WEBP_METHOD, icc_profile=kept, exif=b"")
    elif form == "avif":
        picture.save(out, "AVIF", quality=quality, speed=_AVIF_SPEED, icc_profile=kept, exif=b"")
    elif form == "png":
        picture.save(out, "PNG", icc_profile=kept or None, exif=b"")
    else:
        picture.convert("RGB").save(
            out, "JPEG", quality=quality, icc_profile=kept, exif=b"", comment=b""
        )
    return out.getvalue()


def _likeness(picture: "Image") -> int:
    """Return a difference hash: whether each of 8 x 8 places is lighter than the next, signed.

    Neal Krawetz, "Kind of Like That", 2013: it stays nearly the same through scaling, recoding and
    changes of colour.
    """
    grey = picture.convert("L").resize((9, 8)).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            at = row * 9 + column
            bits = bits << 1 | (grey[at] > grey[at + 1])
    return bits - (1 << 64) if bits >> 63 else bits  # rows hold signed numbers


def _in_a_fork(frame: bytes) -> bytes:
    """Return the encoded answer of a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            _limit()
            answer = msgspec.msgpack.encode(answer_to(msgspec.msgpack.decode(frame, type=Job)))
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(answer)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if answer and os.WIFEXITED(status):
        return answer
    return msgspec.msgpack.encode(Answer(error="Decoding takes more time or memory than it may."))


def _limit() -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, CHILD_BYTES_MAX),
        (resource.RLIMIT_CPU, CHILD_CPU_S_MAX),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))


def _load() -> None:
    """Load what every fork needs; the few formats we take, none of the forty others."""
    from PIL import (  # noqa: F401 - importing registers them
        AvifImagePlugin,
        GifImagePlugin,
        Image,
        ImageOps,
        JpegImagePlugin,
        PngImagePlugin,
        WebPImagePlugin,
    )

    Image.MAX_IMAGE_PIXELS = AREA_PX_MAX
    Image._initialized = 2  # what is loaded is all there is
    with suppress(AttributeError):
        PngImagePlugin.MAX_TEXT_MEMORY = 1 << 20


def _read_frame(stream: BinaryIO) -> bytes | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack("<I", head)
    frame = stream.read(length)
    return frame if len(frame) == length else None
