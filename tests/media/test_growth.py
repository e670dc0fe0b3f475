"""Grown lichens: the same for ever, small, and nobody's twin."""

import hashlib
import json
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, Response

from lichen.kit import NotFound
from lichen.media import Grown, banner, colony, grown_routes, young
from lichen.media.growth import SVG_BYTES_MAX, Dice

GOLDEN = json.loads((Path(__file__).parent / "golden" / "growth.json").read_text())
KINDS = {"colony": colony, "young": young, "banner": banner}


@pytest.mark.parametrize(("kind", "seed", "digest"), GOLDEN)
def test_a_seed_grows_the_same_lichen_for_ever(kind: str, seed: str, digest: str) -> None:
    """People know each other by them: a change of one byte changes every face on every server."""
    grown = KINDS[kind](seed)

    assert digest == hashlib.sha256(grown).hexdigest()


def test_the_generator_is_the_published_one() -> None:
    """SplitMix64 from the state 1234567: the first numbers of the reference implementation."""
    dice = Dice("")
    dice._state = 1_234_567

    rolled = [dice.roll() for _ in range(3)]

    assert [6457827717110365317, 3203168211198807973, 9817491932198370423] == rolled


@given(seed=st.text(min_size=1, max_size=80))
def test_any_seed_grows_a_small_picture_that_runs_nothing(seed: str) -> None:
    for grow in KINDS.values():
        picture = grow(seed)

        root = ElementTree.fromstring(picture)
        names = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert len(picture) <= SVG_BYTES_MAX
        assert names <= {"svg", "defs", "path", "use", "g"}


def test_a_thousand_people_have_a_thousand_faces() -> None:
    faces = {colony(f"did:web:garden.example:u:{number}") for number in range(1_000)}

    assert 1_000 == len(faces)


def test_a_banner_of_the_bushiest_colonies_still_fits() -> None:
    """The bug: seven colonies of many short branches once weighed 6.2 kB and broke a profile."""
    sizes = [len(banner(f"did:web:127.0.0.1%3A57599:u:guest_{number}")) for number in range(300)]

    assert max(sizes) <= SVG_BYTES_MAX


def test_what_was_grown_lately_is_kept() -> None:
    grown = Grown(entries_max=16)

    first = grown.colony("alder")

    assert first is grown.colony("alder")


@pytest.mark.anyio
@pytest.mark.parametrize(("path", "status"), [
    ("/grown/did%3Aweb%3Agarden.example%253A8536%3Au%3Aalder.svg", 200),
    ("/grown/alder/young.svg", 200),
    ("/grown/alder/banner.svg", 200),
    ("/grown/alder.png", 404),
    ("/grown/alder/huge.svg", 404),
    (f"/grown/{'a' * 500}.svg", 404),
])
async def test_grown_pictures_are_served_to_be_kept(path: str, status: int) -> None:
    app = Litestar(
        grown_routes(Grown()), openapi_config=None,
        exception_handlers={NotFound: lambda _, error: Response("", status_code=error.status)},
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://garden.example"
    ) as client:
        answer = await client.get(path)

    assert status == answer.status_code
    if status == 200:
        assert "image/svg+xml" == answer.headers["content-type"]
        assert "immutable" in answer.headers["cache-control"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
