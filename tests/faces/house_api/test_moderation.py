"""Moderation through the house's API: remarks, why something waits, and the word of the banned."""

import asyncio

import pytest

from lichen.kit import Refused
from lichen.moderation import QueueQuery
from tests.faces.house_api.test_rules import ask
from tests.faces.lemmy_v3.precinct import id_of
from tests.faces.lemmy_v3.town import PASSWORD, Person, Town

pytestmark = pytest.mark.anyio


async def test_remarks_are_kept_read_and_taken_back(town: Town) -> None:
    founder, author, other = [await town.person() for _ in range(3)]
    place, person_id = await town.community(founder), await id_of(author)

    note = await ask(founder, "POST", "/remark", person_id=person_id, kind="note", text="Loud.",
                     community_id=place)
    strike = await ask(founder, "POST", "/remark", person_id=person_id, kind="strike",
                       text="Spam.", community_id=place, expires=4_000_000_000)
    listed = await ask(founder, "GET", "/remark/list", person_id=person_id)
    gone = await ask(founder, "POST", "/remark/delete", remark_id=note.json()["remark"]["id"])
    left = await ask(founder, "GET", "/remark/list", person_id=person_id)

    assert listed.json()["remarks"] == [strike.json()["remark"], note.json()["remark"]]
    assert strike.json()["remark"]["expires"].startswith("2096-10-02")
    assert gone.json() == {"success": True}
    assert left.json()["remarks"] == [strike.json()["remark"]]
    calls = [
        ("GET", "/remark/list", {"person_id": person_id}),
        ("POST", "/remark", {"person_id": person_id, "kind": "note", "text": "x",
                             "community_id": place}),
        ("POST", "/remark/delete", {"remark_id": strike.json()["remark"]["id"]}),
    ]
    for method, path, asked in calls:
        assert (await ask(town.stranger, method, path, **asked)).status_code == 401
        for somebody in (author, other):
            assert (await ask(somebody, method, path, **asked)).status_code == 403
    wrong = await ask(founder, "POST", "/remark", person_id=person_id, kind="medal", text="x")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_field")


async def test_the_author_is_told_why_something_waits_and_nothing_of_others(town: Town) -> None:
    founder, author, other = [await town.person() for _ in range(3)]
    place = await town.community(founder)
    rule = await ask(
        founder, "POST", "/rule", community_id=place, name="Echoes", mode="on", action="hold",
        program="contains(text, {'quoxcasino', 'mallory'}) and (duplicates > 0 or words < 9)")
    assert rule.status_code == 200, rule.text
    post_id = await town.post(author, place, name="A quoxcasino for you")

    why = await ask(author, "GET", "/why", post_id=post_id)
    held = await ask(author, "GET", "/held")
    judge = await ask(founder, "GET", "/why", post_id=post_id)
    (reason,) = why.json()["held"]["reasons"]
    terms = {term["name"]: term["value"] for term in reason["terms"]}

    assert held.json()["held"] == [why.json()["held"]] == [judge.json()["held"]]
    assert (why.json()["held"]["post_id"], why.json()["held"]["decided_by"]) == (
        post_id, "moderators")
    assert reason["rule"] == "Echoes"
    assert terms["number of words"] == 4.0
    assert terms["same words by anybody this week"] == "not told"
    assert "mallory" not in why.text, "the program may name others"
    for somebody, status in ((town.stranger, 401), (other, 404)):
        assert (await ask(somebody, "GET", "/why", post_id=post_id)).status_code == status
    for wrong in ({}, {"post_id": post_id, "comment_id": 1}):
        assert (await ask(author, "GET", "/why", **wrong)).json()["error"] == "invalid_field"
    assert (await ask(other, "GET", "/held")).json() == {"held": []}


async def test_what_was_let_through_waits_no_longer(town: Town) -> None:
    founder, author = await town.person(), await town.person()
    place = await town.community(founder)
    await ask(founder, "POST", "/rule", community_id=place, name="Casinos", mode="on",
              action="hold", program="contains(text, 'quoxcasino')")
    post_id = await town.post(author, place)
    comment_id = await town.comment(author, post_id, content="A quoxcasino for you.")
    before = await ask(author, "GET", "/why", comment_id=comment_id)
    rooms = town.house.rooms
    viewer = await rooms.accounts.viewer(founder.headers["authorization"][7:])

    def let_through(unit):
        (one,) = rooms.moderation.queue(unit, viewer, QueueQuery()).items
        rooms.moderation.dismiss(unit, viewer, one.id)

    await town.house.store.write(let_through)

    assert before.json()["held"]["comment_id"] == comment_id
    assert (await ask(author, "GET", "/why", comment_id=comment_id)).status_code == 404
    assert (await ask(author, "GET", "/held")).json() == {"held": []}


async def test_who_is_banned_from_the_site_reads_why_and_appeals_once(town: Town) -> None:
    keeper, second, person = await town.keeper(), await town.keeper(), await town.person()
    name = {"username_or_email": person.name, "password": PASSWORD}
    await keeper.post("/user/ban", person_id=await id_of(person), ban=True, reason="Loud.",
                      expires=4_000_000_000)

    door = await town.stranger.post("/user/login", **name)
    told = await ask(town.stranger, "POST", "/user/site_ban", **name)
    ticket = told.json()["ticket"]
    appealed = await ask(town.stranger, "POST", "/user/site_ban/appeal", ticket=ticket,
                         text="It was the wind.")
    twice = await ask(town.stranger, "POST", "/user/site_ban/appeal", ticket=ticket, text="Well?")
    as_login = Person(town.stranger.client, person.name, {"authorization": f"Bearer {ticket}"})
    own = await decided(town, keeper, appealed.json()["appeal"]["id"], upheld=True)
    done = await decided(town, second, appealed.json()["appeal"]["id"], upheld=False)
    later = await ask(town.stranger, "POST", "/user/site_ban", **name)

    assert door.json() | {"message": ""} == {"error": "site_ban", "message": ""}
    assert set(door.json()) == {"error", "message"}, "Lemmy's clients are told as Lemmy tells them"
    assert (told.json()["reason"], told.json()["can_appeal"]) == ("Loud.", True)
    assert told.json()["expires"].startswith("2096-10-02")
    assert appealed.json()["appeal"]["state"] == "open"
    assert appealed.json()["can_appeal"] is False
    assert twice.json()["error"] == "already_appealed"
    assert (await as_login.get("/user/validate_auth")).status_code == 401
    assert (own, done) == ("appeal_by_same_moderator", "")
    assert (later.json()["appeal"]["state"], later.json()["appeal"]["answer"]) == (
        "denied", "It stays.")


async def test_an_upheld_appeal_opens_the_door(town: Town) -> None:
    keeper, second, person = await town.keeper(), await town.keeper(), await town.person()
    name = {"username_or_email": person.name, "password": PASSWORD}
    await keeper.post("/user/ban", person_id=await id_of(person), ban=True, reason="Loud.")
    told = await ask(town.stranger, "POST", "/user/site_ban", **name)
    appealed = await ask(town.stranger, "POST", "/user/site_ban/appeal",
                         ticket=told.json()["ticket"], text="It was the wind.")

    await decided(town, second, appealed.json()["appeal"]["id"], upheld=True)

    assert (await town.stranger.post("/user/login", **name)).json()["jwt"]
    closed = await ask(town.stranger, "POST", "/user/site_ban", **name)
    assert (closed.status_code, closed.json()["error"]) == (409, "not_banned")
    old = await ask(town.stranger, "POST", "/user/site_ban/appeal",
                    ticket=told.json()["ticket"], text="Again.")
    assert (old.status_code, old.json()["error"]) == (401, "invalid_ticket")


async def test_the_queue_is_worked_and_an_appeal_decided(town: Town) -> None:
    founder, second, author = [await town.person() for _ in range(3)]
    place = await town.community(founder)
    await founder.post("/community/mod", community_id=place, person_id=await id_of(second),
                       added=True)
    posts = [await town.post(author, place) for _ in range(3)]
    for post_id in posts:
        await second.post("/post/report", post_id=post_id, reason="Look.")

    first = (await ask(founder, "GET", "/queue", community_id=place, limit=2)).json()
    rest = (await ask(founder, "GET", "/queue", community_id=place, after=first["next"])).json()
    items = [*first["items"], *rest["items"]]
    for item, deed in zip(items[:2], ("approve", "escalate"), strict=True):
        await ask(founder, "POST", "/queue/decide", item_id=item["id"], deed=deed)
    await founder.post("/post/remove", post_id=posts[2], removed=True, reason="Off topic.")
    (told,) = (await ask(author, "GET", "/decided")).json()["decided"]
    made = await ask(author, "POST", "/appeal", action_id=told["action_id"], text="It is on it.")
    (waits,) = (await ask(second, "GET", "/queue", kind="appeal")).json()["items"]
    done = await ask(second, "POST", "/appeal/decide", appeal_id=waits["appeal"]["id"],
                     upheld=True, answer="So it is.")
    after = (await ask(author, "GET", "/decided")).json()["decided"]

    assert [item["post_id"] for item in items] == posts
    assert items[0]["history"]["strikes"] == 0 and "next" not in rest
    assert (told["kind"], told["reason"]) == ("removePost", "Off topic.")
    assert waits["appeal"] == made.json()["appeal"]
    assert done.json()["appeal"]["state"] == "upheld"
    assert [(one["done"], one["undone"]) for one in after] == [(False, False), (True, True)]
    assert after[1]["appeal"] == done.json()["appeal"]
    for somebody, status in ((town.stranger, 401), (author, 403)):
        assert (await ask(somebody, "GET", "/queue")).status_code == status
    wrong = await ask(author, "POST", "/queue/decide", item_id=items[0]["id"], deed="approve")
    assert wrong.status_code == 403


async def test_two_appeals_at_once_are_one(town: Town) -> None:
    keeper, person = await town.keeper(), await town.person()
    name = {"username_or_email": person.name, "password": PASSWORD}
    await keeper.post("/user/ban", person_id=await id_of(person), ban=True)
    told = await ask(town.stranger, "POST", "/user/site_ban", **name)

    answers = await asyncio.gather(*(
        ask(town.stranger, "POST", "/user/site_ban/appeal", ticket=told.json()["ticket"],
            text=f"Number {number}.") for number in range(2)
    ))

    assert sorted(one.status_code for one in answers) == [200, 409]


async def decided(town: Town, judge: Person, appeal_id: int, *, upheld: bool) -> str:
    """Decide an appeal; return the code that it was refused with, nothing where it was not."""
    rooms = town.house.rooms
    viewer = await rooms.accounts.viewer(judge.headers["authorization"][7:])
    try:
        await town.house.store.write(lambda unit: rooms.moderation.decide_appeal(
            unit, viewer, appeal_id, upheld=upheld, answer="It stays."))
    except Refused as refused:
        return refused.code
    return ""
