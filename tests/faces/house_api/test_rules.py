"""Moderation rules through the API: written, tried, switched, their hits, and who may."""

import asyncio

import pytest

from lichen.forum import SubjectKind

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def ask(person, method, path, **asked):
    url = f"/api/lichen{path}"
    if method == "GET":
        return await person.client.get(url, params=asked, headers=person.headers)
    return await person.client.post(url, json=asked, headers=person.headers)


async def test_a_rule_is_written_from_rows_tried_switched_on_and_hits(town) -> None:
    founder, author = await town.person(), await town.person()
    community_id = await town.community(founder)
    await town.post(author, community_id, name="My casino is open")
    rows = [{"fact": "text", "comparison": "contains", "value": "casino, poker"}]

    written = await ask(founder, "POST", "/rule", community_id=community_id, name="Gambling",
                        rows=rows, action="report")
    rule = written.json()["rule"]
    trial = await ask(founder, "POST", "/rule/trial", community_id=community_id,
                      program=rule["program"], days=1)
    for _ in range(200):
        tried = (await ask(founder, "GET", "/rule/trial",
                           trial_id=trial.json()["trial"]["id"])).json()
        if tried["trial"]["state"] == "done":
            break
        await asyncio.sleep(0)
    await ask(founder, "POST", "/rule", rule_id=rule["id"], mode="on")
    post_id = await town.post(author, community_id, name="Another casino")
    (hit,) = (await ask(founder, "GET", "/rule/hits", rule_id=rule["id"])).json()["hits"]
    settled = await ask(founder, "POST", "/rule/hit/settle", hit_id=hit["id"])

    assert (rule["rows"], rule["join"], rule["mode"]) == (rows, "all", "off")
    assert (tried["trial"]["matches"], tried["share"]) == (1, 1.0)
    assert (hit["post_id"], hit["done"], hit["waiting"]) == (post_id, "report", True)
    assert hit["reason"]["rule"] == "Gambling"
    assert settled.json()["hit"]["waiting"] is False
    assert (await ask(founder, "POST", "/rule/delete", rule_id=rule["id"])).json() == {
        "success": True}
    assert (await ask(founder, "GET", "/rule/list", community_id=community_id)).json() == {
        "rules": []}


async def test_only_moderators_and_for_the_site_administrators_are_answered(town) -> None:
    founder, other = await town.person(), await town.person()
    community_id = await town.community(founder)
    elsewhere = await town.person()
    await town.community(elsewhere)
    rule = (await ask(founder, "POST", "/rule", community_id=community_id, name="Long",
                      program="words > 900")).json()["rule"]
    trial = (await ask(founder, "POST", "/rule/trial", community_id=community_id,
                       program="words > 900")).json()["trial"]
    calls = [
        ("GET", "/rule/list", {"community_id": community_id}), ("GET", "/rule/list", {}),
        ("POST", "/rule", {"community_id": community_id, "name": "x", "program": "words > 1"}),
        ("POST", "/rule", {"rule_id": rule["id"], "mode": "on"}),
        ("POST", "/rule", {"name": "Of the site", "program": "words > 1"}),
        ("POST", "/rule/delete", {"rule_id": rule["id"]}),
        ("GET", "/rule/hits", {"rule_id": rule["id"]}),
        ("GET", "/rule/hits", {"community_id": community_id}),
        ("POST", "/rule/trial", {"community_id": community_id, "program": "words > 1"}),
        ("GET", "/rule/trial", {"trial_id": trial["id"]}),
        ("POST", "/rule/trial/stop", {"trial_id": trial["id"]}),
    ]

    for method, path, asked in calls:
        assert (await ask(town.stranger, method, path, **asked)).status_code == 401, path
        for somebody in (other, elsewhere):
            assert (await ask(somebody, method, path, **asked)).status_code == 403, path
    listed = (await ask(founder, "GET", "/rule/list", community_id=community_id)).json()
    assert listed["rules"] == [rule]


async def test_what_is_wrong_is_refused_with_its_place(town) -> None:
    founder = await town.person()
    community_id = await town.community(founder)

    for asked, code in (
        ({"program": "words >"}, "rule_refused"), ({"program": "secret == 1"}, "rule_refused"),
        ({"rows": [{"fact": "words", "comparison": "has", "value": "1"}]}, "invalid_rule_row"),
        ({"rows": [], "program": "words > 1"}, "invalid_field"),
        ({"program": "words > 1", "action": "explode"}, "invalid_field"),
        ({"program": "words > 1", "ban_days": 0}, "invalid_ban_days"),
    ):
        answer = await ask(founder, "POST", "/rule", community_id=community_id, name="x", **asked)
        assert (answer.status_code, answer.json()["error"]) == (400, code)
    missing = await ask(founder, "GET", "/rule/trial", trial_id=9_999)
    assert missing.status_code == 404


async def test_what_a_rule_holds_is_in_no_list_of_the_lemmy_api(town) -> None:
    founder, author = await town.person(), await town.person()
    community_id = await town.community(founder)
    await ask(founder, "POST", "/rule", community_id=community_id, name="Gambling",
              program="contains(text, 'casino')", action="hold", mode="on")
    post_id = await town.post(author, community_id, name="My casino is open")

    for somebody, seen in ((town.stranger, 404), (author, 200), (founder, 200)):
        assert (await somebody.get("/post", id=post_id)).status_code == seen
    for path in ("/post/list", "/search"):
        found = (await town.stranger.get(path, type_="All", q="casino")).json()
        assert post_id not in [view["post"]["id"] for view in found["posts"]]


async def test_what_is_approved_is_found_and_told_once(town) -> None:
    """Search and notifications follow public events; what is held has none until it is let out."""
    founder, author = await town.person(), await town.person()
    community_id = await town.community(founder)
    await ask(founder, "POST", "/rule", community_id=community_id, name="Gambling",
              program="contains(text, 'quoxcasino')", action="hold", mode="on")
    post_id = await town.post(founder, community_id)
    comment_id = await town.comment(author, post_id, content="A quoxcasino for you.")
    rooms = town.house.rooms
    viewer = await rooms.accounts.viewer(founder.headers["authorization"].removeprefix("Bearer "))

    async def found_and_told():
        listed = (await town.stranger.get("/search", q="quoxcasino")).json()["comments"]
        replies = (await founder.get("/user/replies")).json()["replies"]
        post = (await town.stranger.get("/post", id=post_id)).json()["post_view"]
        return len(listed), len(replies), post["counts"]["comments"]

    before = await found_and_told()
    for _ in range(2):
        await town.house.store.write(lambda unit: rooms.forum.approve_held(
            unit, viewer, SubjectKind.COMMENT, comment_id))

    assert before == (0, 0, 0)
    assert await found_and_told() == (1, 1, 1)
