"""What peers send is applied, in batches, exactly once, on both engines."""

import pytest

from lichen.federation.model import Accepts
from lichen.forum import Following
from tests.federation.incoming import (
    ANN,
    BEN,
    MOSS,
    STONES,
    Town,
    act,
    announced,
    ground,
    group,
    house,
    mira,
    note,
    otto,
    page,
    person,
    stones,
    town,
)

pytestmark = pytest.mark.anyio
__all__ = ["ground", "house", "mira", "otto", "stones", "town"]


async def test_a_post_a_comment_and_votes_come_in_by_their_community(town: Town) -> None:
    written = page(ANN, MOSS)
    answer = note(BEN, written["id"])

    await town.hear(
        announced(MOSS, act("Create", ANN, written, audience=MOSS)),
        announced(MOSS, act("Create", BEN, answer)),
        announced(MOSS, act("Like", BEN, written["id"])),
        announced(MOSS, act("Dislike", ANN, answer["id"])),
    )

    post, comment = await town.post(written["id"]), await town.comment(answer["id"])
    assert (post.post.name, post.post.body) == (written["name"], "Look at *this*.")
    assert (post.post.up, post.post.down, post.post.comments) == (2, 0, 1)
    assert (comment.comment.content, comment.comment.up, comment.comment.down) == (
        answer["content"][3:-4], 1, 1)
    assert {event.origin for event in town.house.events if "forum" in event.collection} >= {
        "peer.example"}


async def test_every_event_of_a_remote_act_has_its_origin(town: Town, mira, stones) -> None:
    town.house.events.clear()
    written = page(ANN, STONES)

    await town.hear(act("Create", ANN, written), act("Like", BEN, written["id"]),
                    act("Delete", ANN, written["id"]))

    others = [event for event in town.house.events
              if event.collection != "lichen.federation.accepted"]
    assert {event.origin for event in others} == {"peer.example"}
    assert {event.origin for event in town.accepted()} == {""}


async def test_what_happens_in_our_community_is_passed_on_in_its_order(
    town: Town, stones, mira
) -> None:
    written = page(ANN, STONES)

    await town.hear(act("Create", ANN, written), act("Like", BEN, written["id"]))

    assert [event.row for event in town.accepted()] == [1, 2]
    assert {event.did for event in town.accepted()} == {stones.community.actor.did}


async def test_an_activity_that_comes_twice_is_applied_once(town: Town) -> None:
    written = page(ANN, MOSS)
    create = announced(MOSS, act("Create", ANN, written))
    like = announced(MOSS, act("Like", BEN, written["id"]))
    undo = announced(MOSS, act("Undo", BEN, like["object"]))

    await town.hear(create, like, undo)
    await town.hear(like, create, like)

    post = await town.post(written["id"])
    assert post.post.up == 1
    assert town.outcomes["duplicate"] == 3


async def test_edits_deletions_and_what_is_back_again(town: Town) -> None:
    written = page(ANN, MOSS)
    answer = note(BEN, written["id"])
    await town.hear(announced(MOSS, act("Create", ANN, written)),
                    announced(MOSS, act("Create", BEN, answer)))
    newer = {**written, "name": "Another name", "updated": "2023-11-02T12:00:00Z"}
    gone = act("Delete", BEN, {"type": "Tombstone", "id": answer["id"]})

    await town.hear(announced(MOSS, act("Update", ANN, newer)), announced(MOSS, gone),
                    announced(MOSS, act("Delete", ANN, written["id"])))
    post, comment = await town.post(written["id"]), await town.comment(answer["id"])

    assert (post.post.name, post.post.deleted, comment.comment.deleted) == (
        "Another name", True, True)
    assert (post.community.posts, post.community.comments, post.post.comments) == (0, 0, 0)

    await town.hear(announced(MOSS, act("Undo", BEN, gone)),
                    announced(MOSS, act("Undo", ANN, act("Delete", ANN, written["id"]))))
    post, comment = await town.post(written["id"]), await town.comment(answer["id"])

    assert (post.post.deleted, comment.comment.deleted) == (False, False)
    assert (post.community.posts, post.community.comments, post.post.comments) == (1, 1, 1)


async def test_a_follow_is_kept_with_its_id_and_undone(town: Town, stones) -> None:
    follow = act("Follow", ANN, STONES)

    await town.hear(follow)
    (kept,), followers = await town.rows("follow"), await town.rows("subscription")
    await town.hear(act("Undo", ANN, follow))

    assert kept.ap_id == follow["id"]
    assert len(followers) == 2  # its founder too
    assert await town.rows("follow") == []
    assert len(await town.rows("subscription")) == 1


async def test_who_asks_again_is_told_of_again(town: Town, stones) -> None:
    """A server that lost our answer sends another Follow, and waits for another Accept."""
    await town.hear(act("Follow", ANN, STONES))
    town.house.events.clear()
    again = act("Follow", ANN, STONES)

    await town.hear(again)

    assert town.house.told() == ["update forum.subscription"]
    assert [row.ap_id for row in await town.rows("follow")] == [again["id"]]


@pytest.mark.parametrize("answer", ["Accept", "Reject"])
async def test_our_follow_is_answered(town: Town, mira, answer: str) -> None:
    (moss,) = await town.house.store.read(lambda unit: [
        town.house.accounts.actors_by_ap_id(unit, [MOSS])[MOSS]])
    await town.house.write("follow_communities", [Following(mira.id, moss.id)])
    follow = {"type": "Follow", "id": "https://lichen.example/activities/follow/1",
              "actor": mira.actor.ap_id, "object": MOSS}

    await town.hear(act(answer, MOSS, follow))

    found = [row.pending for row in await town.rows("subscription")
             if row.community_id == moss.id]
    assert found == ([False] if answer == "Accept" else [])


async def test_a_batch_in_one_announce_keeps_its_order(town: Town) -> None:
    """FEP-1a11: an Announce of an array, or of an OrderedCollection."""
    written = page(ANN, MOSS)
    await town.hear(announced(MOSS, act("Create", ANN, written)))
    like = act("Like", BEN, written["id"])

    await town.hear(announced(MOSS, like, act("Undo", BEN, like), act("Dislike", BEN, written["id"]),
                              as_array=True))
    await town.hear(announced(MOSS, {"type": "OrderedCollection", "orderedItems": [
        act("Dislike", ANN, written["id"])]}))

    post = await town.post(written["id"])
    assert (post.post.up, post.post.down) == (0, 2)


async def test_private_messages_come_change_and_go(town: Town, mira) -> None:
    message = {"type": "ChatMessage", "id": "https://peer.example/private_message/1",
               "attributedTo": ANN, "to": [mira.actor.ap_id], "content": "<p>Hello <b>you</b></p>",
               "published": "2023-11-01T12:00:00Z"}
    direct = {**message, "type": "Note", "id": "https://peer.example/notes/2", "cc": []}
    quiet = {"to": [mira.actor.ap_id]}

    await town.hear(act("Create", ANN, message, **quiet), act("Create", ANN, direct, **quiet),
                    act("Update", ANN, {**message, "content": "Again"}, **quiet),
                    act("Delete", ANN, direct["id"], **quiet))

    rows = {row.ap_id: row for row in await town.rows("message")}
    assert rows[message["id"]].content == "Again"
    assert rows[direct["id"]].deleted


async def test_what_is_not_taken_of_a_peer_is_not_taken(town: Town, mira) -> None:
    town.accepts = Accepts(dislikes=False, messages=False)
    written = page(ANN, MOSS)
    message = {"type": "ChatMessage", "id": "https://peer.example/private_message/1",
               "attributedTo": ANN, "to": [mira.actor.ap_id], "content": "Hello"}

    await town.hear(announced(MOSS, act("Create", ANN, written)),
                    announced(MOSS, act("Dislike", BEN, written["id"])),
                    act("Create", ANN, message, to=[mira.actor.ap_id]))

    assert (await town.post(written["id"])).post.down == 0
    assert await town.rows("message") == []
    assert (town.outcomes["downvotes_are_disabled"], town.outcomes["messages_not_accepted"]) == (
        1, 1)


async def test_pictures_that_are_not_taken_of_a_peer_are_links(town: Town) -> None:
    """The setting was kept, shown and read by nobody."""
    picture = {"type": "Image", "url": "https://peer.example/a.png", "name": "Moss"}
    asked = {"source": {"mediaType": "text/markdown", "content": "See ![that](https://b.c/d.png)"}}
    shown = page(ANN, MOSS, attachment=[picture], **asked)
    town.accepts = Accepts()
    await town.hear(announced(MOSS, act("Create", ANN, shown)))
    town.accepts = Accepts(pictures=False)
    plain = page(ANN, MOSS, attachment=[picture], **asked)
    await town.hear(announced(MOSS, act("Create", ANN, plain)))

    before = (await town.post(shown["id"])).post
    after = (await town.post(plain["id"])).post
    assert (before.url, before.body) == (picture["url"], "See ![that](https://b.c/d.png)")
    assert (after.url, after.alt_text) == (None, None)
    assert after.body == (
        "See [that](https://b.c/d.png)\n\n[Moss](https://peer.example/a.png)")


async def test_a_person_is_changed_and_departs(town: Town) -> None:
    profile = {"type": "Person", "id": ANN, "preferredUsername": "ann", "name": "Ann of Moss",
               "inbox": f"{ANN}/inbox"}
    written = page(ANN, MOSS)
    await town.hear(announced(MOSS, act("Create", ANN, written)), act("Update", ANN, profile))
    (before,) = [row for row in await town.rows("actor") if row.ap_id == ANN]

    await town.hear(act("Delete", ANN, ANN, removeData=True))

    (after,) = [row for row in await town.rows("actor") if row.ap_id == ANN]
    assert (before.display_name, after.display_name, after.deleted) == ("Ann of Moss", None, True)
    assert (await town.post(written["id"])).post.deleted


async def test_what_is_named_by_its_id_alone_is_undone_by_who_did_it(town: Town) -> None:
    """Pleroma names a Like that it takes back; who liked may have been unknown, and waited for."""
    eve = "https://far.example/u/eve"
    written = page(ANN, MOSS)
    town.elsewhere.people[eve] = person("eve", "far.example")
    like = act("Like", eve, written["id"])
    await town.hear(announced(MOSS, act("Create", ANN, written)), like)
    await town.rest()
    before = (await town.post(written["id"])).post.up

    await town.hear(act("Undo", BEN, like["id"]))
    meanwhile = (await town.post(written["id"])).post.up
    await town.hear(act("Undo", eve, {"id": like["id"]}))

    after = (await town.post(written["id"])).post.up
    assert (before, meanwhile, after) == (2, 2, 1)
    assert town.outcomes["couldnt_find_object"] == 1


async def test_what_needs_an_unknown_person_waits_with_its_dependants(town: Town) -> None:
    """A comment of somebody unknown waits, and what answers it; other votes on its post do not."""
    eve = "https://far.example/u/eve"
    written = page(ANN, MOSS)
    first = note(eve, written["id"])
    second = note(BEN, first["id"])

    await town.hear(
        announced(MOSS, act("Create", ANN, written)),
        announced(MOSS, act("Like", eve, written["id"])),
        announced(MOSS, act("Create", eve, first)), announced(MOSS, act("Create", BEN, second)),
        announced(MOSS, act("Like", BEN, second["id"])),
        announced(MOSS, act("Like", BEN, written["id"])),
    )
    assert len(await town.rows("parked")) == 4
    assert (await town.post(written["id"])).post.up == 2

    town.elsewhere.people[eve] = person("eve", "far.example")
    await town.rest()

    assert await town.rows("parked") == []
    assert (await town.post(written["id"])).post.up == 3
    assert (await town.comment(second["id"])).comment.depth == 2
    assert (await town.comment(second["id"])).comment.up == 1  # its author's is the same


async def test_a_vote_before_its_post_waits_for_it(town: Town) -> None:
    written = page(ANN, MOSS)
    town.elsewhere.away = True

    await town.hear(announced(MOSS, act("Like", BEN, written["id"])))
    await town.rest()
    assert [row.tries for row in await town.rows("parked")] == [1]
    await town.hear(announced(MOSS, act("Create", ANN, written)))
    await town.rest()

    assert (await town.post(written["id"])).post.up == 2
    assert await town.rows("parked") == []


async def test_what_is_not_found_is_given_up(town: Town, clock) -> None:
    town.elsewhere.away = True

    await town.hear(announced(MOSS, act("Like", BEN, "https://peer.example/post/404")))
    for _ in range(6):
        await town.rest()
        clock.advance(days=2)

    assert await town.rows("parked") == []
    assert town.outcomes["unresolved"] == 1


async def test_a_refusal_of_one_does_not_stop_the_others(town: Town, stones, monkeypatch) -> None:
    """A room below refuses the whole batch: it is tried in halves, down to the one."""
    forum, original = town.house.forum, town.house.forum.create_posts

    def picky(unit, new):
        from lichen.kit import Refused

        if any("forbidden" in (one.draft.name or "") for one in new):
            raise Refused("slurs", "Not here.")
        return original(unit, new)

    monkeypatch.setattr(forum, "create_posts", picky)
    pages = [page(ANN, STONES) for _ in range(7)]
    pages[3]["name"] = "This is forbidden"

    await town.hear(*(act("Create", ANN, one) for one in pages))

    assert [await town.ids_of(one["id"]) is not None for one in pages] == [
        True, True, True, False, True, True, True]
    assert town.outcomes["slurs"] == 1
    assert town.ingest.position() == 7


async def test_a_deletion_before_the_post_is_remembered(town: Town) -> None:
    written = page(ANN, MOSS)

    await town.hear(announced(MOSS, act("Delete", ANN, written["id"])))
    await town.hear(announced(MOSS, act("Create", ANN, written)))

    assert await town.ids_of(written["id"]) is None


async def test_old_ids_are_forgotten(town: Town, clock) -> None:
    await town.hear(announced(MOSS, act("Create", ANN, page(ANN, MOSS))))

    before = await town.ingest.forget()
    clock.advance(days=8)

    assert (before, await town.ingest.forget()) == (0, 1)


@pytest.mark.parametrize("count", [1, 100])
async def test_a_batch_of_votes_costs_three_round_trips(town: Town, count: int) -> None:
    """At most 0.2 a vote in a batch of 100, at most 3 for one alone."""
    written = page(ANN, MOSS)
    people = [person(f"voter{number}") for number in range(count)]
    await town.meet(*people)
    await town.hear(announced(MOSS, act("Create", ANN, written)))
    await town.hear(announced(MOSS, act("Like", BEN, written["id"])))  # numbers are in hand now
    before = town.house.store.round_trips_apart

    await town.hear(*(announced(MOSS, act("Like", one.ap_id, written["id"])) for one in people))

    assert (await town.post(written["id"])).post.up == 2 + count
    assert town.house.store.round_trips_apart - before <= 3


async def test_a_comment_alone_costs_four_round_trips(town: Town) -> None:
    written = page(ANN, MOSS)
    await town.hear(announced(MOSS, act("Create", ANN, written)))
    await town.hear(announced(MOSS, act("Create", BEN, note(BEN, written["id"]))))
    before = town.house.store.round_trips_apart

    await town.hear(announced(MOSS, act("Create", BEN, note(BEN, written["id"]))))

    assert (await town.post(written["id"])).post.comments == 2
    assert town.house.store.round_trips_apart - before <= 4


async def test_what_a_community_points_at_is_fetched_where_it_is_followed(
    town: Town, mira
) -> None:
    (lava,) = await town.meet(group("lava"))
    await town.house.write("follow_communities", [Following(mira.id, lava.id)])
    there = "https://peer.example/post/77"

    await town.hear(announced(lava.actor.ap_id, there), announced(MOSS, there + "8"))
    await town.rest()

    assert town.elsewhere.asked == [there]
