"""Links: what pages say of themselves is read, and is kept with the posts that point to them."""

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.accounts import Viewer
from lichen.events import LOCAL, Event, encode_event
from lichen.forum import CommunityView, Link, PostDraft, PostView
from lichen.forum.ledger import POST
from lichen.forum.links import FETCHES_AT_ONCE_MAX, NAME, UNMARKED_EVENTS_MAX, LinkReader, Links
from lichen.forum.page_head import PageHead, decoded, page_head
from lichen.kit import Refused
from lichen.kit.config import Config, Identity, Limits, Outbound
from lichen.kit.ground import Ground, ground_of
from lichen.log import Batch
from lichen.store import checkpoint_of
from tests.forum.conftest import House

pytestmark = pytest.mark.anyio

PAGE = """<!doctype html><html><head><title>Plain &amp; simple</title>
<meta property="og:title" content='Lichens &#39;of&#39; the Alps'>
<META NAME="description" CONTENT="Grey,   green
 and orange.">
<meta property="og:image" content="/pictures/map.png">
<meta property="og:video" content="//v.example/1.mp4">
</head><body><meta property="og:title" content="not this one"></body>"""


def head(page: str | bytes, content_type: str = "text/html") -> PageHead:
    body = page if isinstance(page, bytes) else page.encode()
    return page_head(body, content_type=content_type, url="https://a.example/x/y")


def test_a_page_says_its_title_description_picture_and_video() -> None:
    assert head(PAGE) == PageHead(
        title="Lichens 'of' the Alps", description="Grey, green and orange.",
        picture="https://a.example/pictures/map.png", video="https://v.example/1.mp4",
    )


def test_without_open_graph_the_title_counts() -> None:
    assert head("<title>\n A &lt;b&gt; page </title>") == PageHead(title="A <b> page")


def test_relative_addresses_follow_the_base() -> None:
    found = head('<base href="https://b.example/"><meta property=og:image content=p.png>')

    assert found.picture == "https://b.example/p.png"


@pytest.mark.parametrize("address", [
    "javascript:alert(1)", "data:image/png;base64,AA", "http://[", "ftp://a.example/",
    "https://a.example/" + "x" * 3_000, "https://a.example/\u202e",
])
def test_an_address_that_is_not_to_be_followed_is_left_out(address: str) -> None:
    assert head(f'<meta property="og:image" content="{address}">').picture is None


@pytest.mark.parametrize(("body", "content_type"), [
    ("é".encode("latin-1"), "text/html; charset=ISO-8859-1"),
    ('<meta charset="windows-1252">é'.encode("cp1252"), "text/html"),
    ("\ufeffé".encode(), "text/html; charset=latin-1"),
    ("\ufeffé".encode("utf-16-le"), ""),
    ("é".encode(), "text/html; charset=punycode"),
    ("é".encode(), "text/html; charset=nonsense"),
])
def test_the_charset_is_found_where_it_is_said(body: bytes, content_type: str) -> None:
    assert decoded(body, content_type=content_type).endswith("é")


pieces = st.sampled_from([
    "<meta ", "<title", ">", "</title>", "property=", "og:title", '"', "'", "content", "=",
    "<base href=", "&#x110000;", "&#0;", "\0", "charset=utf-16",
    "<", "/", " ", "\n", "é", "og:image", "https://[",
])


@given(st.lists(pieces | st.text(max_size=5), max_size=80).map("".join), st.text(max_size=30))
def test_no_page_breaks_the_reader(page: str, content_type: str) -> None:
    found = head(page.encode("utf-8", "replace"), content_type)

    assert all(value is None or ("\0" not in value and len(value) <= 2_000) for value in found)


@pytest.fixture
def ground(clock: Any, tmp_path: Path) -> Ground:
    """A world in which three addresses answer."""
    (tmp_path / "page.html").write_text(PAGE)
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    overrides = tmp_path / "overrides.json"
    overrides.write_text(json.dumps({
        "https://a.example/x": "page.html", "https://a.example/cat.png": "cat.png",
        "https://a.example/lost": "lost.html",
    }))
    config = Config(
        identity=Identity(public_url="https://lichen.example"),
        outbound=Outbound(fetch_overrides=str(overrides)), limits=Limits(newcomers=False),
    )
    return ground_of(config, clock=clock, randomness=random.Random(7))


async def test_an_address_is_known_by_its_page(ground: Ground) -> None:
    links = Links(ground.outbound)

    assert await links.link_of("https://a.example/x") == Link(
        url="https://a.example/x", title="Lichens 'of' the Alps",
        description="Grey, green and orange.", thumbnail="https://a.example/pictures/map.png",
        embed_video_url="https://v.example/1.mp4", content_type="text/html",
    )
    assert (await links.link_of("https://a.example/cat.png")).content_type == "image/png"
    assert await links.link_of("https://a.example/lost") == Link(url="https://a.example/lost")


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://[::1]/", "file:///etc/passwd", "x"])
async def test_an_address_of_our_own_network_is_refused(ground: Ground, url: str) -> None:
    with pytest.raises(Refused):
        await Links(ground.outbound).link_of(url)


@pytest.fixture
async def reader(house: House, ground: Ground) -> LinkReader:
    return LinkReader(house.store, house.forum, Links(ground.outbound), position=0)


async def published(
    house: House, viewer: Viewer, community: CommunityView, **draft: Any
) -> PostView:
    view = await house.write(
        "create_post", viewer, community.community.id, PostDraft(name="A page", **draft)
    )
    return view  # type: ignore[no-any-return]


def batch_of(events: list[Event]) -> Batch:
    return Batch(
        next_seq=len(events) + 1, seqs=np.arange(1, len(events) + 1),
        times_us=np.arange(len(events)), body=b"".join(encode_event(e) + b"\n" for e in events),
    )


async def test_a_new_post_gets_what_its_page_says(
    house: House, reader: LinkReader, mira: Viewer, stones: CommunityView
) -> None:
    view = await published(house, mira, stones, url="https://a.example/x")

    await reader.apply(batch_of(house.events))

    found = await house.read("post_view", None, view.post.id)
    assert found.post.link.title == "Lichens 'of' the Alps"
    assert reader.position() == len(house.events)
    assert await house.store.read(lambda unit: checkpoint_of(unit, NAME)) > 0


async def test_what_does_not_answer_or_points_inside_holds_up_nothing(
    house: House, reader: LinkReader, mira: Viewer, stones: CommunityView
) -> None:
    lost = await published(house, mira, stones, url="https://a.example/lost")
    inside = await published(house, mira, stones, url="http://127.0.0.1/")
    magnet = await published(house, mira, stones, url="magnet:?xt=1")
    found = await published(house, mira, stones, url="https://a.example/x")

    await reader.apply(batch_of(house.events))

    links = [
        (await house.read("post_view", None, view.post.id)).post.link
        for view in (lost, inside, magnet, found)
    ]
    assert [link.title if link else None for link in links] == [
        None, None, None, "Lichens 'of' the Alps"]


async def test_posts_of_other_servers_and_posts_that_are_gone_are_passed_over(
    house: House, reader: LinkReader, mira: Viewer, stones: CommunityView
) -> None:
    far = await published(house, mira, stones, url="https://a.example/x")
    gone = await published(house, mira, stones, url="https://a.example/x")
    await house.write("delete_post", mira, gone.post.id, deleted=True)
    events = [
        msgspec.structs.replace(event, origin="far.example" if event.row == far.post.id else LOCAL)
        for event in house.events
    ]

    await reader.apply(batch_of(events))

    assert (await house.read("post_view", mira, far.post.id)).post.link is None
    assert (await house.read("post_view", mira, gone.post.id)).post.link is None


async def test_a_batch_applied_twice_asks_once(
    house: House, reader: LinkReader, mira: Viewer, stones: CommunityView
) -> None:
    asked: list[str] = []
    link_of = reader._links.link_of

    async def counted(url: str) -> Link:
        asked.append(url)
        return await link_of(url)

    reader._links.link_of = counted  # type: ignore[method-assign]
    for _ in range(FETCHES_AT_ONCE_MAX + 3):
        await published(house, mira, stones, url="https://a.example/x")

    await reader.apply(batch_of(house.events))
    await reader.apply(batch_of(house.events))

    assert len(asked) == FETCHES_AT_ONCE_MAX + 3


async def test_the_checkpoint_moves_even_where_nobody_posts_links(
    house: House, reader: LinkReader
) -> None:
    """Else a quiet house would read its log from where retention has long trimmed it."""
    empty = Batch(next_seq=UNMARKED_EVENTS_MAX + 2, seqs=np.array([], np.int64),
                  times_us=np.array([], np.int64), body=b"")

    await reader.apply(empty)

    marked = await house.store.read(lambda unit: checkpoint_of(unit, NAME))
    assert marked == UNMARKED_EVENTS_MAX + 1
    assert POST == "lichen.forum.post"


@pytest.mark.parametrize(("checkpoint", "first_seq", "last_seq", "position"), [
    (0, 1, 90, 90), (50, 1, 90, 50), (50, 70, 90, 69),
])
async def test_the_reader_begins_where_it_was_or_where_the_log_allows(
    house: House, ground: Ground, checkpoint: int, first_seq: int, last_seq: int, position: int
) -> None:
    from lichen.store import advance_checkpoint

    if checkpoint:
        await house.store.write(lambda unit: advance_checkpoint(unit, NAME, checkpoint))

    reader = await LinkReader.open(
        house.store, house.forum, Links(ground.outbound), log_first_seq=first_seq,
        log_last_seq=last_seq,
    )

    assert reader.position() == position
