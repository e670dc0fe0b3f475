"""What a house tells others: each thing once, to whom it concerns, and nobody else."""

import json
from typing import Any

import msgspec
import pytest

from lichen.accounts import Actor, ProfileDraft, Viewer
from lichen.events import Event, event_of
from lichen.events.visibility import VISIBILITY
from lichen.federation.scenes import ACCEPTED
from lichen.federation.scenes import Accepted as AcceptedShape
from lichen.federation.telling import TOLD
from lichen.forum import CommunityDraft, CommunityView, NewPost, PostDraft, PostView, SubjectKind
from lichen.moderation import BanOrder, Seat, Sweep, Why
from tests.conftest import FakeClock
from tests.federation.outward import (
    HERE,
    Outward,
    ground,
    house,
    mira,
    otto,
    outward,
    post,
    stones,
)

__all__ = ["ground", "house", "mira", "otto", "outward", "post", "stones"]

pytestmark = pytest.mark.anyio
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
MIRA, OTTO, STONES = f"{HERE}/u/mira", f"{HERE}/u/otto", f"{HERE}/c/stones"
FAR_MOSS = "https://far.example/c/moss"


@pytest.fixture
def engine() -> str:
    """Run on SQLite alone; test_composing_on_engines holds the statements to both."""
    return "sqlite"


def kinds(told: list[dict[str, Any]]) -> list[str]:
    """Return the types of activities, with what is inside an Announce or an Undo."""
    return [_kind(one) for one in told]


def _kind(activity: Any) -> str:
    inner = activity.get("object")
    if activity["type"] in ("Announce", "Undo") and isinstance(inner, dict):
        return f"{activity['type']} {_kind(inner)}"
    return str(activity["type"])


async def test_a_post_in_a_community_of_ours_is_announced_whole_and_by_its_id(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    await outward.followed(stones)
    draft = PostDraft(name="A lichen on granite", body="Look at *this*.")
    view = await outward.house.write("create_post", mira, stones.community.id, draft)

    told = await outward.told()

    whole, shown = (json.loads(bytes(record.activity)) for record in told)
    assert (whole["type"], whole["actor"], whole["to"]) == ("Announce", STONES, [PUBLIC])
    assert whole["cc"] == [f"{STONES}/followers"]
    create = whole["object"]
    assert (create["type"], create["actor"], create["audience"]) == ("Create", MIRA, STONES)
    assert create["object"]["id"] == view.post.ap_id == shown["object"]
    assert shown["type"] == "Announce"
    assert {record.community for record in told} == {stones.community.id}
    assert {record.sender for record in told} == {stones.community.id}


async def test_what_nobody_follows_is_not_even_composed(
    outward: Outward, mira: Viewer, post: PostView
) -> None:
    await outward.house.write("create_comment", mira, post.post.id, content="Alone.")

    assert await outward.told() == []


async def test_what_is_written_in_a_community_elsewhere_goes_to_its_home_alone(
    outward: Outward, mira: Viewer
) -> None:
    moss = await outward.remote_community()
    await outward.house.write("create_post", mira, moss.id, PostDraft(name="Moss, everywhere"))

    (record,) = await outward.told()

    assert (record.peers, record.community, record.sender) == (("far.example",), 0, mira.id)
    assert record.inbox == f"{FAR_MOSS}/inbox"
    activity = json.loads(bytes(record.activity))
    assert (activity["type"], activity["object"]["to"]) == ("Create", [FAR_MOSS, PUBLIC])


async def test_votes_are_cast_changed_and_taken_back_by_name(
    outward: Outward, otto: Viewer, post: PostView, stones: CommunityView
) -> None:
    await outward.followed(stones)
    for value in (1, -1, 0):
        await outward.house.write("vote_post", otto, post.post.id, value=value)

    told = await outward.told()

    acts = [json.loads(bytes(record.activity)) for record in told]
    assert kinds(acts) == ["Announce Like", "Announce Dislike", "Announce Undo Dislike"]
    like, dislike, undo = (one["object"] for one in acts)
    assert like == {"type": "Like", "id": like["id"], "actor": OTTO, "object": post.post.ap_id,
                    "audience": STONES}
    assert undo["object"]["id"] == dislike["id"] != like["id"]
    assert [(one.fresh, one.undo) for one in told] == [(True, False), (False, False), (False, True)]
    assert len({one.vote for one in told}) == 1 and told[0].batch == STONES


async def test_an_authors_own_first_vote_comes_with_the_post(
    outward: Outward, mira: Viewer, post: PostView, stones: CommunityView
) -> None:
    await outward.followed(stones)
    await outward.house.write("create_comment", mira, post.post.id, content="And this.")

    assert kinds(await outward.activities()) == ["Announce Create"]


async def test_what_is_edited_taken_away_and_brought_back_says_so(
    outward: Outward, mira: Viewer, post: PostView, stones: CommunityView
) -> None:
    await outward.followed(stones)
    await outward.house.write("edit_post", mira, post.post.id, PostDraft(name="Another name"))
    acts = await outward.activities()
    for deleted in (True, False):
        await outward.house.write("delete_post", mira, post.post.id, deleted=deleted)
        acts += await outward.activities()

    assert kinds(acts) == ["Announce Update", "Announce Delete", "Announce Undo Delete"]
    assert acts[1]["object"]["object"] == post.post.ap_id
    assert "summary" not in acts[1]["object"]
    assert acts[2]["object"]["object"]["id"] == acts[1]["object"]["id"]


async def test_an_edit_and_a_lock_in_one_moment_are_both_told_once(
    outward: Outward, mira: Viewer, post: PostView, stones: CommunityView, clock: FakeClock
) -> None:
    """They were told apart by three seconds: a lock told of an edit again, a slow edit of nothing.

    The clock hardly moves here, so that time tells nothing.
    """
    await outward.followed(stones)
    write = outward.house.write
    for first in ("lock", "edit"):
        for step in (first, "edit" if first == "lock" else "lock"):
            if step == "edit":
                clock.advance(seconds=0.1)
                await write("edit_post", mira, post.post.id, PostDraft(name=f"{first} first"))
            else:
                await outward.write(outward.moderation, "lock_post", mira, post.post.id,
                                    locked=first == "lock")

    told = kinds(await outward.activities())

    assert sorted(told) == sorted([
        "Announce Lock", "Announce Update", "Announce Update", "Announce Undo Lock"])


async def test_a_comment_tells_whom_it_answers_and_names(
    outward: Outward, mira: Viewer, post: PostView, stones: CommunityView
) -> None:
    await outward.followed(stones)
    anna = await outward.remote("anna", "near.example")
    first = await outward.house.write(
        "create_comment", mira, post.post.id, content="@anna@near.example, look!"
    )

    announced, direct = await outward.told()

    note = json.loads(bytes(direct.activity))["object"]
    assert (direct.peers, direct.sender) == (("near.example",), mira.id)
    assert json.loads(bytes(announced.activity))["object"]["object"] == note
    assert note["inReplyTo"] == post.post.ap_id
    assert note["tag"] == [
        {"type": "Mention", "href": anna.ap_id, "name": "@anna@near.example"}]
    assert anna.ap_id in note["cc"]
    assert announced.writes == (first.comment.ap_id,)
    assert post.post.ap_id in announced.reads


async def test_following_elsewhere_asks_and_stopping_undoes_the_same_follow(
    outward: Outward, mira: Viewer
) -> None:
    moss = await outward.remote_community()
    for follow in (True, False):
        await outward.house.write("subscribe", mira, moss.id, follow=follow)

    follow, undo = (json.loads(bytes(record.activity)) for record in await outward.told())

    assert (follow["type"], follow["actor"], follow["object"]) == ("Follow", MIRA, FAR_MOSS)
    del follow["@context"]
    assert (undo["type"], undo["object"]) == ("Undo", follow)


async def test_somebody_elsewhere_who_follows_is_accepted_by_the_follows_own_id(
    outward: Outward, stones: CommunityView
) -> None:
    anna = await outward.remote("anna")
    follow_id = "https://far.example/activities/follow/1"
    outward.follow_ids[(anna.id, stones.community.id)] = follow_id
    from lichen.forum import Following

    await outward.house.write("follow_communities", [Following(anna.id, stones.community.id)])
    outward.come_from({"lichen.forum.subscription": "far.example"})

    (record,) = await outward.told()

    accept = json.loads(bytes(record.activity))
    assert (accept["type"], accept["actor"], record.peers) == ("Accept", STONES, ("far.example",))
    assert accept["object"] == {"type": "Follow", "actor": anna.ap_id, "object": STONES,
                                "id": follow_id}
    assert outward.followers.of(stones.community.id) == {"far.example"}


async def test_what_a_moderator_decides_is_told_with_its_reason_and_its_opposite(
    outward: Outward, mira: Viewer, otto: Viewer, post: PostView, stones: CommunityView
) -> None:
    await outward.followed(stones)
    moderation, why = outward.moderation, Why("Rule 3")
    anna = await outward.remote("anna")
    await outward.told()
    place = stones.community.id
    for on in (True, False):
        await outward.write(moderation, "remove_post", mira, post.post.id, removed=on, why=why)
    for on in (True, False):
        await outward.write(moderation, "lock_post", mira, post.post.id, locked=on)
        await outward.write(moderation, "feature_post", mira, post.post.id, featured=on)
        order = BanOrder(anna.id, on, community_id=place, sweep=Sweep(removed=on))
        await outward.write(moderation, "ban", mira, order, why=why)
        await outward.write(moderation, "add_moderator", mira, Seat(place, otto.id), added=on)

    acts = await outward.activities()

    assert kinds(acts) == [
        "Announce Delete", "Announce Undo Delete",
        "Announce Lock", "Announce Add", "Announce Block", "Announce Add",
        "Announce Undo Lock", "Announce Remove", "Announce Undo Block", "Announce Remove",
    ]
    inner = [one["object"] for one in acts]
    assert (inner[0]["actor"], inner[0]["summary"]) == (MIRA, "Rule 3")
    assert [inner[3]["target"], inner[5]["target"]] == [f"{STONES}/featured", f"{STONES}/moderators"]
    assert (inner[4]["object"], inner[4]["target"]) == (anna.ap_id, STONES)
    assert inner[5]["object"] == OTTO


async def test_a_ban_from_the_site_is_told_of_people_of_ours_alone(
    outward: Outward, mira: Viewer, otto: Viewer
) -> None:
    admin = await outward.promoted(mira)
    anna = await outward.remote("anna")
    await outward.told()
    for person in (otto.id, anna.id):
        await outward.write(outward.moderation, "ban", admin, BanOrder(person, True))

    (record,) = await outward.told()

    block = json.loads(bytes(record.activity))
    assert record.everybody
    assert (block["type"], block["object"], block["target"]) == ("Block", OTTO, f"{HERE}/")


async def test_what_an_administrator_decides_about_others_things_stays_here(
    outward: Outward, mira: Viewer, otto: Viewer
) -> None:
    moss = await outward.remote_community()
    view = await outward.house.write("create_post", otto, moss.id, PostDraft(name="Mossy"))
    admin = await outward.promoted(mira)
    await outward.told()

    await outward.write(outward.moderation, "remove_post", admin, view.post.id, removed=True)

    assert await outward.told() == []


async def test_a_report_goes_to_the_servers_of_whoever_moderates(
    outward: Outward, mira: Viewer, otto: Viewer, post: PostView, stones: CommunityView
) -> None:
    moss = await outward.remote_community()
    there = await outward.house.write("create_post", otto, moss.id, PostDraft(name="Mossy"))
    await outward.told()
    for post_id in (post.post.id, there.post.id):
        await outward.write(outward.moderation, "report_post", otto, post_id, "Spam.")

    (record,) = await outward.told()

    flag = json.loads(bytes(record.activity))
    assert (record.peers, record.public) == (("far.example",), False)
    assert (flag["type"], flag["object"], flag["summary"]) == ("Flag", there.post.ap_id, "Spam.")


async def test_a_message_goes_to_its_recipients_server_alone(
    outward: Outward, mira: Viewer, otto: Viewer
) -> None:
    anna = await outward.remote("anna")
    send = ("create_message", mira)
    await outward.write(outward.messages, *send, otto.id, content="Between us.")
    view = await outward.write(outward.messages, *send, anna.id, content="To you.")
    for deleted in (True, False):
        await outward.write(
            outward.messages, "delete_message", mira, view.message.id, deleted=deleted)

    told = await outward.told()

    acts = [json.loads(bytes(record.activity)) for record in told]
    assert kinds(acts) == ["Create", "Delete", "Undo Delete"]
    assert acts[0]["object"]["type"] == "ChatMessage"
    assert {(one.peers, one.public, one.everybody) for one in told} == {
        (("far.example",), False, False)}
    assert PUBLIC not in json.dumps(acts)


async def test_a_microblog_gets_a_message_as_a_note(outward: Outward, mira: Viewer) -> None:
    from lichen.federation.model import Peer

    anna = await outward.remote("anna")
    outward.book.known["far.example"] = Peer("far.example", software="mastodon")
    await outward.write(outward.messages, "create_message", mira, anna.id, content="Hello.")

    (activity,) = await outward.activities()

    assert activity["object"]["type"] == "Note"
    assert activity["object"]["tag"][0]["href"] == anna.ap_id


async def test_profiles_and_communities_that_change_are_told_with_their_keys(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    await outward.followed(stones)
    accounts = outward.house.accounts
    await outward.write(accounts, "save_profile", mira, ProfileDraft(bio="Looks at stones."))
    await outward.house.write(
        "edit_community", mira, stones.community.id, CommunityDraft(title="All stones"))

    person, group = await outward.activities()

    assert (person["type"], person["actor"]) == ("Update", MIRA)
    assert person["object"]["publicKey"]["publicKeyPem"] == "PUBLIC"
    assert (group["object"]["actor"], group["object"]["object"]["name"]) == (MIRA, "All stones")


async def accepted(outward: Outward, community: Actor, activity: dict[str, Any]) -> None:
    """Let an activity of far.example be applied in a community of ours."""
    line = json.dumps({"peer": "far.example", "receivedUs": 1, "activity": activity})
    appended = await outward.inbox.append([line.encode()])
    record = AcceptedRecord(activity=appended.last_seq, community=community.did)
    tids = outward.ground.tids
    outward.house.events.append(event_of(
        record, id=tids.next(), did=community.did, operation="create", rkey=tids.next(),
        origin="far.example",
    ))


from lichen.events.envelope import Record  # noqa: E402


class AcceptedRecord(Record, frozen=True, tag="lichen.federation.accepted"):
    """As ingest writes it."""

    activity: int
    community: str
    judges_only: bool = False


async def test_what_came_into_a_community_of_ours_is_announced_in_its_own_bytes(
    outward: Outward, post: PostView, stones: CommunityView
) -> None:
    await outward.followed(stones, ["far.example", "near.example"])
    anna = await outward.remote("anna")
    like = {"type": "Like", "id": "https://far.example/like/1", "actor": anna.ap_id,
            "object": post.post.ap_id, "unknown": [1, {"b": 2, "a": 1}]}
    await accepted(outward, stones.community.actor, like)

    (record,) = await outward.told()

    assert json.dumps(like).encode() in bytes(record.activity)
    assert record.but == "far.example", "whoever sent it does not get it back"
    assert (record.batch, record.vote) == (STONES, f"vote {anna.ap_id} {post.post.ap_id}")
    assert AcceptedShape.__struct_fields__ == AcceptedRecord.__struct_fields__


async def test_a_post_from_a_microblog_is_shown_to_its_own_server_too(
    outward: Outward, stones: CommunityView
) -> None:
    await outward.followed(stones, ["far.example", "near.example"])
    note = {"type": "Note", "id": "https://far.example/n/1", "attributedTo": "https://far.example/a"}
    create = {"type": "Create", "id": "https://far.example/c/1", "actor": "https://far.example/a",
              "object": note}
    await accepted(outward, stones.community.actor, create)

    whole, shown = await outward.told()

    assert (whole.but, shown.but) == ("far.example", "")
    assert json.loads(bytes(shown.activity))["object"] == note["id"]


async def test_nothing_that_came_from_outside_echoes(
    outward: Outward, mira: Viewer, otto: Viewer, post: PostView, stones: CommunityView
) -> None:
    """Whatever happens here as an act of somebody elsewhere is told by its own server."""
    await outward.followed(stones)
    await everything(outward, mira, otto, post, stones)
    position = outward.composing.position()
    outward.house.events[position:] = [
        msgspec.structs.replace(event, origin="far.example")
        for event in outward.house.events[position:]
    ]

    told = await outward.activities()

    assert [one for one in kinds(told) if one != "Accept"] == []


async def everything(
    outward: Outward, mira: Viewer, otto: Viewer, post: PostView, stones: CommunityView
) -> None:
    """Do one of everything that can be done in the forum."""
    write, post_id = outward.house.write, post.post.id
    comment = await write("create_comment", otto, post_id, content="Nice.")
    await write("vote_comment", mira, comment.comment.id, value=1)
    await write("vote_post", otto, post_id, value=-1)
    await write("save_post", otto, post_id, save=True)
    await write("subscribe", otto, stones.community.id, follow=True)
    await write("edit_comment", otto, comment.comment.id, content="Very nice.")
    await outward.write(outward.moderation, "lock_post", mira, post_id, locked=True)
    await outward.write(outward.moderation, "report_post", otto, post_id, "Hm.")
    await outward.write(outward.messages, "create_message", mira, otto.id, content="Psst.")
    await write("delete_comment", otto, comment.comment.id, deleted=True)


async def test_what_a_community_keeps_to_its_house_is_told_to_nobody(
    outward: Outward, mira: Viewer, otto: Viewer
) -> None:
    from lichen.accounts import ActorDraft, ActorKind
    from lichen.forum import NewCommunity

    draft = NewCommunity(actor=ActorDraft(kind=ActorKind.COMMUNITY, name="attic"),
                         creator_id=mira.id, local_only=True)
    (attic,) = await outward.house.write("create_communities", [draft])
    (view,) = await outward.house.read("community_views", mira, [attic.id])
    await outward.followed(view)
    inside = await outward.house.write("create_post", mira, attic.id, PostDraft(name="Old boxes"))
    await everything(outward, mira, otto, inside, view)

    assert await outward.told() == []


async def test_what_is_held_is_told_when_a_moderator_lets_it_out(
    outward: Outward, mira: Viewer, otto: Viewer, stones: CommunityView
) -> None:
    from lichen.kit import Reason

    await outward.followed(stones)
    new = NewPost(otto.id, stones.community.id, PostDraft(name="Buy my stones"),
                  holds=(Reason(rule="links"),))
    (held,) = await outward.house.write("create_posts", [new])
    assert await outward.told() == []

    await outward.house.write("approve_held", mira, SubjectKind.POST, held.id)

    assert kinds(await outward.activities()) == ["Announce Create", "Announce"]


# What nobody elsewhere is ever told, of every kind of event there is. A new one has to be judged.
UNTOLD = {
    "lichen.moderation.proposal", "lichen.moderation.support",
    "lichen.account.application", "lichen.account.block", "lichen.account.invite",
    "lichen.account.invited", "lichen.account.link", "lichen.account.role", "lichen.account.secondFactor",
    "lichen.account.session", "lichen.account.settings", "lichen.actor.away",
    "lichen.automod.hit", "lichen.automod.rule", "lichen.forum.communityBan", "lichen.forum.held",
    "lichen.forum.hide", "lichen.forum.moderator", "lichen.forum.reaction",
    "lichen.forum.reactionTally", "lichen.forum.read", "lichen.forum.save", "lichen.forum.tally",
    "lichen.media.blocking", "lichen.media.picture", "lichen.message.read",
    "lichen.moderation.appeal", "lichen.moderation.notice", "lichen.moderation.remark",
    "lichen.notification.read", "lichen.plugin.switch", "lichen.site.ban", "lichen.site.emoji",
    "lichen.site.flag", "lichen.site.lists", "lichen.site.settings",
}


def test_every_kind_of_event_is_told_or_named_here_as_nobodys_business() -> None:
    assert set(VISIBILITY) | {ACCEPTED} == TOLD | UNTOLD
    assert not TOLD & UNTOLD


@pytest.mark.parametrize("collection", sorted(UNTOLD))
async def test_nothing_private_leaves(outward: Outward, mira: Viewer, collection: str) -> None:
    tids = outward.ground.tids
    outward.house.events.append(Event(
        id=tids.next(), did=mira.actor.did, collection=collection, operation="create",
        rkey=tids.next(), record=msgspec.Raw(b'{"secret":1}'), row=1,
    ))

    assert await outward.told() == []
