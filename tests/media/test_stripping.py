"""Metadata goes, pixels stay: by examples from a camera, and by whatever bytes there are."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from lichen.media.stripping import Kind, Malformed, kind_of, orientation_of, strip_jpeg, stripped
from tests.media.pictures import MARKER, drawn, made, moving

KINDS: tuple[Kind, ...] = ("jpg", "png", "webp", "gif")
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
STARTS = {"jpg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n", "gif": b"GIF89a",
          "webp": b"RIFF\x00\x01\x00\x00WEBP"}


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_camera_wrote_beside_the_pixels_is_gone(kind: Kind) -> None:
    content = made(kind, secret=True)

    clean = stripped(content, kind)

    assert kind == "png" or MARKER in content
    assert MARKER not in clean
    assert not dict(opened(clean).getexif())


@pytest.mark.parametrize("kind", KINDS)
def test_no_pixel_is_touched(kind: Kind) -> None:
    content = made(kind, secret=True)

    clean = stripped(content, kind)

    assert opened(clean).convert("RGBA").tobytes() == opened(content).convert("RGBA").tobytes()


def test_the_pixels_of_a_jpeg_are_the_same_bytes() -> None:
    content = made("jpg", secret=True)
    scan = content.index(b"\xff\xda")

    assert strip_jpeg(content).endswith(content[scan:])


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_up_stays_up(kind: Kind, orientation: int) -> None:
    content = made(kind, orientation=orientation, secret=True)

    exif = opened(stripped(content, kind)).getexif()

    assert exif.get(0x0112, 1) == orientation
    assert set(exif) <= {0x0112}


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_the_colour_profile_stays(kind: Kind) -> None:
    clean = stripped(made(kind, profile=PROFILE, secret=True), kind)

    assert opened(clean).info["icc_profile"] == PROFILE


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_moving_pictures_move_on(kind: Kind) -> None:
    content = moving(kind, frames=4)

    clean = Image.open(io.BytesIO(stripped(content, kind)))

    assert clean.n_frames == 4
    assert clean.info["loop"] == 0


def test_a_progressive_jpeg_keeps_every_scan() -> None:
    out = io.BytesIO()
    drawn().save(out, "JPEG", progressive=True, comment=MARKER)

    clean = strip_jpeg(out.getvalue())

    assert clean.count(b"\xff\xda") == out.getvalue().count(b"\xff\xda") > 1
    assert opened(clean).tobytes() == opened(out.getvalue()).tobytes()


def test_a_film_behind_the_end_is_cut_off() -> None:
    """Phones put seconds of film behind a picture, and with them where they were taken."""
    content = made("jpg")

    assert strip_jpeg(content + b"\x00\x00\x00\x18ftypmp42" + MARKER) == strip_jpeg(content)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tail", [b"PK\x03\x04", b"<script>", b"%PDF-1.7", b"<?php"])
def test_a_picture_that_is_something_else_too_is_refused(kind: Kind, tail: bytes) -> None:
    with pytest.raises(Malformed):
        stripped(made(kind) + b"\n" + tail + bytes(64), kind)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_file_cut_anywhere_is_refused_or_clean(kind: Kind, data: st.DataObject) -> None:
    content = made(kind, secret=True)
    cut = data.draw(st.integers(0, len(content) - 1))

    try:
        clean = stripped(content[:cut], kind)
    except Malformed:
        return
    assert MARKER not in clean


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_no_changed_byte_breaks_it(kind: Kind, data: st.DataObject) -> None:
    """Whatever comes is a picture or Malformed, and never longer than it was but for one EXIF."""
    content = bytearray(made(kind, secret=True, orientation=6))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    try:
        clean = stripped(bytes(content), kind)
    except Malformed:
        return
    assert len(clean) <= len(content) + 64


@pytest.mark.parametrize("kind", KINDS)
@given(rest=st.binary(max_size=400))
def test_bytes_that_only_begin_like_a_picture_do_no_harm(kind: Kind, rest: bytes) -> None:
    try:
        stripped(STARTS[kind] + rest, kind)
    except Malformed:
        pass


@given(segments=st.lists(
    st.tuples(st.sampled_from([0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE]), st.binary(max_size=60)),
    max_size=12,
))
def test_whatever_segments_there_are_the_picture_is_the_same(
    segments: list[tuple[int, bytes]],
) -> None:
    """The property of the stripper: foreign segments in, none of them out, and it is idempotent."""
    content = made("jpg")
    foreign = b"".join(
        bytes((0xFF, marker)) + (len(payload) + 2 + len(MARKER)).to_bytes(2, "big") + MARKER
        + payload for marker, payload in segments
    )

    clean = strip_jpeg(content[:2] + foreign + content[2:])

    assert MARKER not in clean
    assert clean == strip_jpeg(content)
    assert strip_jpeg(clean) == clean


@given(tiff=st.binary(max_size=80) | st.binary(max_size=80).map(lambda b: b"II*\x00" + b)
       | st.binary(max_size=80).map(lambda b: b"MM\x00*\x00\x00\x00\x08" + b))
def test_which_way_is_up_is_always_a_number(tiff: bytes) -> None:
    assert 1 <= orientation_of(tiff) <= 8


@given(content=st.binary(max_size=40))
def test_the_kind_is_known_or_not(content: bytes) -> None:
    assert kind_of(content) in (None, "jpg", "png", "gif", "webp", "avif")
