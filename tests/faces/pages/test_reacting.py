"""Reactions by pages: a row that anybody sees, a picker that needs no script."""

import pytest

from tests.faces.pages.garden import Garden, words

pytestmark = pytest.mark.anyio


async def test_a_reaction_needs_no_script(garden: Garden) -> None:
    mira = await garden.person()
    path = await garden.post(mira)
    comment_id = await garden.comment(mira, path, "Look.")

    picker = await mira.see(f"{path}/react")
    on_post = await mira.send(f"{path}/react", {"on": "🌿"}, came_from=f"{path}/react")
    on_comment = await mira.send(f"/comment/{comment_id}/react", {"other": "🦎"}, came_from=path)
    page = (await garden.stranger().see(path)).text

    assert 'value="🌿"' in picker.text and picker.text.count("<h1") == 1
    assert (on_post.status_code, on_post.headers["location"]) == (303, path)
    assert on_comment.headers["location"] == f"{path}#rc{comment_id}"
    assert "🌿 1 person" in words(page) and "🦎 1 person" in words(page)


async def test_with_a_script_the_row_alone_comes_back(garden: Garden) -> None:
    mira, otto = await garden.person(), await garden.person()
    path = await garden.post(mira)
    await mira.send(f"{path}/react", {"on": "🌿"})

    offered = await otto.see(f"{path}/react", **{"HX-Request": "true"})
    on = await otto.send(f"{path}/react", {"on": "🌿"}, htmx=True)
    off = await otto.send(f"{path}/react", {"off": "🌿"}, htmx=True)

    assert offered.headers["hx-retarget"] == "next .u" and "<html" not in offered.text
    row_id = path.replace("/post/", "rp")
    assert on.headers["hx-retarget"] == f"#{row_id}"
    assert f'id="{row_id}"' in on.text and 'aria-pressed="true"' in on.text
    assert ">2</b>" in on.text
    assert 'aria-pressed="false"' in off.text and ">1</b>" in off.text


async def test_strangers_are_shown_the_door_and_words_are_refused(garden: Garden) -> None:
    mira = await garden.person()
    path = await garden.post(mira)

    strange = await garden.stranger().send(f"{path}/react", {"on": "🌿"})
    refused = [await mira.send(f"{path}/react", fields)
               for fields in ({}, {"on": "<b>hi</b>"}, {"other": "words"})]

    assert strange.status_code == 303 and "/login" in strange.headers["location"]
    assert [one.status_code for one in refused] == [400] * 3
    assert (await mira.send("/post/999999/react", {"on": "🌿"})).status_code == 404
