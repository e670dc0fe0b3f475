"""Hostile pictures: refused, each by itself, and the next picture is served."""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from lichen.media.child import Job, answer_to
from lichen.media.darkroom import Darkroom
from lichen.media.errors import PictureRefused
from lichen.media.model import Variant
from tests.media.pictures import MARKER, drawn, hostile, made, moving

HOSTILE = hostile()
pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def darkroom() -> AsyncIterator[Darkroom]:
    here = Darkroom()
    yield here
    await here.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_pictures_are_refused_and_the_next_one_works(
    darkroom: Darkroom, name: str
) -> None:
    with pytest.raises(PictureRefused) as caught:
        await darkroom.develop(HOSTILE[name])

    assert caught.value.code == "invalid_image_upload"
    assert (await darkroom.develop(made("jpg"))).kind == "jpg"


@pytest.mark.slow
async def test_an_upload_comes_back_clean_measured_and_in_sizes(darkroom: Darkroom) -> None:
    content = made("jpg", image=drawn(1_600, 1_200), secret=True, orientation=6)

    found = await darkroom.develop(content)

    assert (found.kind, found.width, found.height) == ("jpg", 1_200, 1_600)
    assert MARKER not in found.original + b"".join(found.variants.values())
    sizes = {size: Image.open(io.BytesIO(body)).size for size, body in found.variants.items()}
    assert sizes == {1_024: (768, 1_024), 512: (384, 512), 96: (72, 96)}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
async def test_moving_pictures_keep_moving(darkroom: Darkroom, kind: str) -> None:
    found = await darkroom.develop(moving(kind))

    assert found.frames == 4
    assert Image.open(io.BytesIO(found.original)).n_frames == 4


@pytest.mark.slow
async def test_an_avif_is_kept_as_a_webp(darkroom: Darkroom) -> None:
    """Its metadata lies in boxes that refer to each other, and cannot be cut out."""
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = MARKER.decode()
    drawn().save(out, "AVIF", exif=exif)

    found = await darkroom.develop(out.getvalue())

    assert MARKER in out.getvalue()
    assert MARKER not in found.original
    assert (found.kind, Image.open(io.BytesIO(found.original)).format) == ("webp", "WEBP")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["webp", "jpg", "png", "avif"])
async def test_every_form_can_be_derived(darkroom: Darkroom, form: str) -> None:
    body = await darkroom.derive(made("png"), Variant(128, form))  # type: ignore[arg-type]

    assert max(Image.open(io.BytesIO(body)).size) == 128


@pytest.mark.slow
async def test_a_child_that_takes_too_long_is_killed_and_the_next_picture_works() -> None:
    darkroom = Darkroom(wall_s=0.0)
    with pytest.raises(PictureRefused, match="too long"):
        await darkroom.develop(made("jpg"))
    darkroom._wall_s = 30.0

    found = await darkroom.develop(made("jpg"))

    await darkroom.close()
    assert found.kind == "jpg"


@pytest.mark.slow
async def test_a_child_that_is_killed_says_so_and_the_next_picture_works(
    darkroom: Darkroom,
) -> None:
    await darkroom.develop(made("jpg"))
    nursery = darkroom._idle[-1]
    assert nursery._child is not None
    nursery._child.kill()
    nursery._child.wait()

    with pytest.raises(PictureRefused, match="ended"):
        await darkroom.develop(made("jpg"))

    assert (await darkroom.develop(made("jpg"))).kind == "jpg"


@pytest.mark.slow
async def test_pictures_at_once_are_all_served(darkroom: Darkroom) -> None:
    found = await asyncio.gather(*(darkroom.develop(made("png")) for _ in range(8)))

    assert [one.kind for one in found] == ["png"] * 8


@pytest.mark.slow
@pytest.mark.parametrize("deed", ["bytearray(600 << 20)", "exec('while True: pass')"])
def test_a_fork_over_its_memory_or_time_ends_and_the_nursery_says_so(deed: str) -> None:
    """The kernel's limits are really set: what a picture cannot do today, a broken codec might."""
    program = (
        "import lichen.media.child as child, lichen.media.limits, msgspec\n"
        "child.CHILD_CPU_S_MAX = 1\n"
        f"child.answer_to = lambda job: {deed}\n"
        "frame = msgspec.msgpack.encode(child.Job(content=b'', sizes=(96,)))\n"
        "print(msgspec.msgpack.decode(child._in_a_fork(frame), type=child.Answer).error)\n"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert said.stdout == "Decoding takes more time or memory than it may.\n"


def test_what_a_picture_looks_like_survives_recoding() -> None:
    job = {"sizes": (512, 96)}
    first = answer_to(Job(content=made("png", image=drawn(800, 500)), **job))
    second = answer_to(Job(content=made("jpg", image=drawn(400, 250)), **job))
    other = answer_to(Job(content=made("jpg", image=drawn(500, 500).rotate(90)), **job))

    assert ((first.likeness ^ second.likeness) & (1 << 64) - 1).bit_count() <= 4
    assert ((first.likeness ^ other.likeness) & (1 << 64) - 1).bit_count() > 8
