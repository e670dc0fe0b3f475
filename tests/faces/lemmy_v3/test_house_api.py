"""The house's own API: the manners of the Lemmy face, for what Lemmy cannot say."""

import pytest

from tests.faces.lemmy_v3.town import Person, Town

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PATH = "/api/lichen/reaction"


async def send(person: Person, **asked: object):
    return await person.client.post(PATH, json=asked, headers=person.headers)


async def test_people_react_and_everybody_sees_how_many(town: Town) -> None:
    author, reader = await town.person(), await town.person()
    post_id = await town.post(author, await town.community(author))
    comment_id = await town.comment(author, post_id)

    first = await send(author, post_id=post_id, emoji="🌿")
    then = await send(reader, post_id=post_id, emoji="🌿")
    on_comment = await send(reader, comment_id=comment_id, emoji="🎉")
    off = await send(reader, comment_id=comment_id, emoji="🎉", on=False)
    seen = await town.stranger.client.get(PATH, params={"post_id": post_id})

    assert first.json() == {"reactions": [{"emoji": "🌿", "count": 1, "mine": True}]}
    assert then.json() == {"reactions": [{"emoji": "🌿", "count": 2, "mine": True}]}
    assert on_comment.json() == {"reactions": [{"emoji": "🎉", "count": 1, "mine": True}]}
    assert off.json() == {"reactions": []}
    assert seen.json() == {"reactions": [{"emoji": "🌿", "count": 2}]}


@pytest.mark.parametrize(("asked", "status", "code"), [
    ({"emoji": "🌿"}, 400, "invalid_field"),
    ({"emoji": "🌿", "post_id": 1, "comment_id": 1}, 400, "invalid_field"),
    ({"emoji": "words", "post_id": 1}, 400, "invalid_emoji"),
    ({"emoji": "🌿", "post_id": 999_999}, 404, "couldnt_find_post"),
    ({"emoji": "🌿", "comment_id": 999_999}, 404, "couldnt_find_comment"),
    ({"post_id": 1}, 400, "invalid_field"),
])
async def test_what_is_no_reaction_is_refused(
    town: Town, asked: dict[str, object], status: int, code: str
) -> None:
    answer = await send(await town.person(), **asked)

    assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_strangers_do_not_react_and_other_methods_are_not_spoken(town: Town) -> None:
    strange = await send(town.stranger, post_id=1, emoji="🌿")
    put = await town.stranger.client.put(PATH, json={})
    elsewhere = await town.stranger.client.get("/api/lichen/nothing")

    assert (strange.status_code, strange.json()["error"]) == (401, "not_logged_in")
    assert put.status_code == 405
    assert elsewhere.status_code == 404


async def test_the_calls_are_described(town: Town) -> None:
    described = (await town.stranger.client.get("/schema/openapi.json")).json()

    assert {"get", "post"} <= set(described["paths"][PATH])
    assert described["paths"][PATH]["post"]["operationId"] == "lichen_react"
