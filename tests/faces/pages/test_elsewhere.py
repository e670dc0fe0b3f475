"""The search box finds what other servers have, for people who are logged in."""

from collections.abc import AsyncIterator

import pytest

from tests.faces.pages.garden import Garden
from tests.federation.elsewhere import Elsewhere

pytestmark = pytest.mark.anyio


@pytest.fixture
async def peer() -> AsyncIterator[Elsewhere]:
    one = Elsewhere()
    stop = await one.start()
    yield one
    await stop()


async def test_a_name_or_an_address_of_another_server_is_found(
    garden: Garden, peer: Elsewhere
) -> None:
    person, stranger = await garden.person(), garden.stranger()
    peer.person(summary="I grow elsewhere.")
    peer.group("herbs")
    peer.finger("herbs", ("/c/herbs", "Group"))
    peer.note(1, peer.page(to="herbs")["id"])

    before = await stranger.see(f"/search?q=!herbs@{peer.authority}")
    assert "Log in to have other servers asked" in before.text
    assert peer.asked == []

    found = await person.see(f"/search?q=!herbs@{peer.authority}")
    assert f"/c/herbs@{peer.authority}" in found.text
    assert "Join" in found.text
    comment = await person.see(f"/search?q={peer.at('/comment/1')}")
    assert "Answer 1." in comment.text
    anna = await person.see(f"/search?q={peer.at('/u/anna')}")
    assert f"/u/anna@{peer.authority}" in anna.text
    # By now it is known, to strangers too.
    assert f"/c/herbs@{peer.authority}" in (
        await stranger.see(f"/search?q=!herbs@{peer.authority}")).text


async def test_a_server_that_does_not_answer_is_said_to(garden: Garden, peer: Elsewhere) -> None:
    person = await garden.person()
    peer.documents["/post/1"] = 503

    found = await person.see(f"/search?q={peer.at('/post/1')}")

    assert found.status_code == 200
    assert "That server does not answer now." in found.text


async def test_what_was_typed_at_the_other_door_is_shown_again_as_text_alone(
    garden: Garden,
) -> None:
    """The spells of tests/faults cannot stand here: nothing of it is kept."""
    spell = '"><script>zqx()</script>'

    answer = await garden.stranger().send("/login/elsewhere", {"address": spell})

    assert answer.status_code in (400, 404)
    assert "<script>zqx" not in answer.text
    assert "&lt;script&gt;zqx()" in answer.text
