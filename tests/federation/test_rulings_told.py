"""What our administrators and moderators decide about others' people, as other servers hear it."""

import json
from typing import Any

import pytest

from lichen.accounts import Actor, Viewer
from lichen.events import event_of
from lichen.events.federation import Accepted
from lichen.federation.authorities import viewer_of
from lichen.federation.outgoing import Outgoing
from lichen.forum import CommunityView, NewPost, PostDraft, PostView
from lichen.moderation import BanOrder, QueueQuery, ReportKind, Seat, Sweep, Why
from tests.federation.outward import HERE, Outward, ground, house, mira, otto, outward, post, stones

__all__ = ["ground", "house", "mira", "otto", "outward", "post", "stones"]

pytestmark = pytest.mark.anyio
STONES = f"{HERE}/c/stones"
YEAR_2100_US = 4_102_444_800_000_000
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def wrote(outward: Outward, community: CommunityView) -> Actor:
    """Return somebody of far.example who wrote in a community of ours, which near.example follows.
    """
    await outward.followed(community, ["near.example"])
    anna = await outward.remote("anna")
    new = NewPost(anna.id, community.community.id, PostDraft(name="Spam"), local=False,
                  ap_id="https://far.example/post/1")
    await outward.house.write("create_posts", [new])
    outward.come_from(dict.fromkeys(("lichen.forum.post", "lichen.forum.vote"), "far.example"))
    assert await outward.told() == []
    return anna


def said(record: Outgoing) -> Any:
    return json.loads(bytes(record.activity))


async def test_a_ban_of_somebody_elsewhere_is_told_by_the_communities_of_ours_it_wrote_in(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    """A site's word about others' people counts nowhere: nobody was told, and its words stayed."""
    anna = await wrote(outward, stones)
    admin = await outward.promoted(mira)
    await outward.told()
    for on in (True, False):
        order = BanOrder(anna.id, on, expires_us=YEAR_2100_US if on else None,
                         sweep=Sweep(removed=on))
        await outward.write(outward.moderation, "ban", admin, order, why=Why("Spam."))

    banned, directly, freed, freed_directly = await outward.told()

    assert (banned.community, directly.peers) == (stones.community.id, ("far.example",))
    block = said(banned)["object"]
    assert said(directly)["id"] == block["id"]
    assert (block["type"], block["object"], block["target"], block["actor"]) == (
        "Block", anna.ap_id, STONES, mira.actor.ap_id)
    assert (block["removeData"], block["summary"]) == (True, "Spam.")
    assert block["endTime"].startswith("2100-01-01T00:00:00")
    undo = said(freed)["object"]
    assert (undo["type"], undo["object"]["type"], undo["restoreData"]) == ("Undo", "Block", True)
    assert undo["object"]["target"] == STONES and freed_directly.peers == ("far.example",)


@on_sqlite
async def test_a_communitys_own_ban_outlasts_the_sites(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    anna = await wrote(outward, stones)
    admin = await outward.promoted(mira)
    moderation, place = outward.moderation, stones.community.id
    await outward.write(moderation, "ban", admin, BanOrder(anna.id, True, community_id=place))
    await outward.told()
    order = BanOrder(anna.id, True, expires_us=YEAR_2100_US, sweep=Sweep(removed=True))
    await outward.write(moderation, "ban", admin, order)
    for_all = await outward.told()

    await outward.write(moderation, "ban", admin, BanOrder(anna.id, False))

    assert "endTime" not in said(for_all[0])["object"]
    assert await outward.told() == []


@on_sqlite
async def test_while_the_site_bans_no_community_of_ours_lets_in(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    anna = await wrote(outward, stones)
    admin = await outward.promoted(mira)
    place = stones.community.id
    for order in (BanOrder(anna.id, True), BanOrder(anna.id, True, community_id=place)):
        await outward.write(outward.moderation, "ban", admin, order)
    await outward.told()

    await outward.write(outward.moderation, "ban", admin,
                        BanOrder(anna.id, False, community_id=place))

    assert await outward.told() == []


async def flagged(outward: Outward, community: CommunityView, admin: Viewer) -> tuple[Actor, Any]:
    """Return cat of third.example, who reported what anna wrote, and the report.

    Dora of mods.example moderates there too.
    """
    await wrote(outward, community)
    cat, dora = await outward.remote("cat", "third.example"), await outward.remote(
        "dora", "mods.example")
    seat = Seat(community.community.id, dora.id)
    await outward.write(outward.moderation, "add_moderator", admin, seat, added=True)
    number = await outward.house.read("post_id_by_ap_id", "https://far.example/post/1")
    report = await outward.write(outward.moderation, "report_post", viewer_of(cat), number, "Spam.")
    outward.come_from({"lichen.moderation.report": "third.example"})
    await outward.told()
    return cat, report.report


async def test_that_a_report_is_dealt_with_is_told_to_its_reporter_and_other_moderators(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    """Lemmy 1.0: Resolve with the whole Flag. It was told to nobody."""
    cat, report = await flagged(outward, stones, mira)
    for resolved in (True, False):
        await outward.write(outward.moderation, "resolve_report", mira, ReportKind.POST, report.id,
                            resolved=resolved)

    told = await outward.told()

    resolve, undo = map(said, told)
    assert {(one.peers, one.public, one.community, one.everybody) for one in told} == {
        (("mods.example", "third.example"), False, 0, False)}
    assert (resolve["type"], resolve["actor"], resolve["to"]) == (
        "Resolve", mira.actor.ap_id, [STONES])
    flag = resolve["object"]
    assert (flag["type"], flag["actor"], flag["object"], flag["to"], flag["summary"]) == (
        "Flag", cat.ap_id, "https://far.example/post/1", [STONES], "Spam.")
    assert (undo["type"], undo["object"]["type"]) == ("Undo", "Resolve")
    assert told[0].writes == told[1].writes


@on_sqlite
async def test_what_the_queue_dismisses_is_told_as_dealt_with(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    await flagged(outward, stones, mira)
    moderation = outward.moderation
    page = await outward.house.store.read(lambda unit: moderation.queue(unit, mira, QueueQuery()))

    await outward.write(moderation, "dismiss", mira, page.items[0].id)

    assert [said(one)["type"] for one in await outward.told()] == ["Resolve"]


@on_sqlite
async def test_what_our_administrators_think_of_reports_elsewhere_stays_here(
    outward: Outward, mira: Viewer, otto: Viewer
) -> None:
    moss = await outward.remote_community()
    view = await outward.house.write("create_post", otto, moss.id, PostDraft(name="Mossy"))
    made = await outward.write(outward.moderation, "report_post", otto, view.post.id, "Hm.")
    admin = await outward.promoted(mira)
    await outward.told()

    await outward.write(outward.moderation, "resolve_report", admin, ReportKind.POST,
                        made.report.id, resolved=True)

    assert await outward.told() == []


@on_sqlite
async def test_a_report_from_elsewhere_is_passed_on_to_moderators_and_never_to_followers(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    """Moderators on a third server never saw it: reports reach every one, wherever hosted."""
    cat, _ = await flagged(outward, stones, mira)
    flag = {"type": "Flag", "id": "https://third.example/flag/1", "actor": cat.ap_id,
            "object": "https://far.example/post/1", "to": [STONES], "summary": "Spam."}
    resolve = {"type": "Resolve", "id": "https://mods.example/r/1", "object": flag,
               "actor": "https://mods.example/u/dora", "to": [STONES]}
    for peer, activity in (("third.example", flag), ("mods.example", resolve)):
        line = json.dumps({"peer": peer, "receivedUs": 1, "activity": activity})
        appended = await outward.inbox.append([line.encode()])
        did = stones.community.actor.did
        outward.house.events.append(event_of(
            Accepted(activity=appended.last_seq, community=did, judges_only=True),
            id=outward.ground.tids.next(), did=did, operation="create",
            rkey=outward.ground.tids.next(), origin=peer,
        ))

    told = await outward.told()

    assert [(said(one)["type"], said(one)["object"]["type"], one.peers) for one in told] == [
        ("Announce", "Flag", ("mods.example",)), ("Announce", "Resolve", ("third.example",))]
    assert {(one.public, one.community, one.everybody) for one in told} == {(False, 0, False)}


@on_sqlite
async def test_what_our_administrators_purge_of_ours_is_told_with_the_reason(
    outward: Outward, mira: Viewer, otto: Viewer, post: PostView, stones: CommunityView
) -> None:
    """First as its author's Delete, which every kind of server obeys."""
    await outward.followed(stones)
    comment = await outward.house.write("create_comment", otto, post.post.id, content="Hm.")
    admin = await outward.promoted(mira)
    await outward.told()
    purge = outward.moderation
    await outward.write(purge, "purge_comment", admin, comment.comment.id, reason="The law.")
    of_comment = await outward.told()
    await outward.write(purge, "purge_community", admin, stones.community.id, reason="All of it.")
    of_community = await outward.told()
    await outward.write(purge, "purge_person", admin, otto.id, reason="Spam.")

    of_person = await outward.told()

    gone, why = of_comment
    assert gone.everybody and said(gone)["actor"] == otto.actor.ap_id
    assert said(gone)["object"] == comment.comment.ap_id == said(why)["object"]["object"]
    assert why.community and said(why)["object"]["summary"] == "The law."
    assert [said(one)["object"] for one in of_community] == [post.post.ap_id, STONES]
    assert of_community[1].everybody and said(of_community[1])["summary"] == "All of it."
    block = said(of_person[-1])
    assert (block["type"], block["object"], block["target"], block["removeData"]) == (
        "Block", otto.actor.ap_id, f"{HERE}/", True)


@on_sqlite
async def test_what_is_purged_of_others_is_gone_here_alone(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    anna = await wrote(outward, stones)
    moss = await outward.remote_community()
    admin = await outward.promoted(mira)
    await outward.told()
    number = await outward.house.read("post_id_by_ap_id", "https://far.example/post/1")
    for kind, id_ in (("post", number), ("community", moss.id), ("person", anna.id)):
        await outward.write(outward.moderation, f"purge_{kind}", admin, id_, reason="Not here.")

    assert await outward.told() == []
