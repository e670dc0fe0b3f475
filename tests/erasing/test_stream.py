"""What is erased is in no form of the stream, and cursors before, on and after it go on."""

import pytest

from lichen.erasing import Kind
from lichen.events.visibility import PUBLIC, VISIBILITY
from lichen.stream import EVERYTHING, Form, Store, Wire, pull
from tests.erasing.decoding import traces
from tests.erasing.test_erasing import KEPT, MARKER, Place, erase
from tests.faces.lemmy_v3.town import everybody_heard
from tests.stream.kept import kept

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def following(store: Store, cursor: int, form: Form) -> tuple[int, bytes]:
    """Return how many events a cursor gets, and their bytes."""
    events, data = 0, b""
    while (pulled := pull(store, cursor, EVERYTHING, form)).next_seq > cursor:
        events, data, cursor = events + pulled.events, data + bytes(pulled.data), pulled.next_seq
    return events, data


async def test_an_erased_post_leaves_a_hole_that_cursors_pass(place: Place) -> None:
    town, folder, url = place
    author, other = await town.person(), await town.person()
    community = await town.community(other)
    post = await town.post(author, community, name=f"A {MARKER}", body=f"Of {MARKER}")
    await town.post(other, community, name=f"About {KEPT}")
    await everybody_heard(town.house)
    assert town.house.stream is not None
    store = town.house.stream.store
    place_of = {one["commit"].get("record", {}).get("name"): one["cursor"] for one in kept(store)}
    gone, stays = place_of[f"A {MARKER}"], place_of[f"About {KEPT}"]
    found = traces(MARKER, folder, url)
    assert {"the stream, plain", "the stream, compressed"} <= set(found)
    assert any(where.startswith("journal-") for where in found), "the journal holds it"

    await erase(town, Kind.POST, post)
    await everybody_heard(town.house)

    for form in (Form(), Form(dictionary=store.v1_dictionary), Form(Wire.V2),
                 Form(is_framed=False)):
        events, after = following(store, gone + 1, form)
        assert following(store, gone, form) == (events, after)
        assert following(store, gone - 1, form)[0] in (events, events + 1)
        assert following(store, gone - 1, form)[1].endswith(after)
        assert events > 0
    assert gone not in {one["cursor"] for one in kept(store)}
    assert stays in {one["cursor"] for one in kept(store)}
    await town.house.close()
    assert traces(MARKER, folder, url) == []


async def test_a_purged_post_leaves_the_stream_with_the_daily_sweep(place: Place) -> None:
    town, folder, url = place
    keeper, author = await town.keeper(), await town.person()
    post = await town.post(author, await town.community(author), name=f"A {MARKER}")
    assert VISIBILITY["lichen.forum.post"] is PUBLIC

    await keeper.post("/admin/purge/post", post_id=post)
    await everybody_heard(town.house)
    assert "the stream, plain" in traces(MARKER, folder, url)
    await town.house.eraser.work()
    await town.house.close()

    assert traces(MARKER, folder, url) == []
