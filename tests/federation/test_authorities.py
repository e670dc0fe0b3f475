"""Who may do what with what, when it comes from elsewhere; moderation by remote people."""

import pytest

from tests.federation.incoming import (
    ANN,
    BEN,
    MOSS,
    OURS,
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
EVE = "https://evil.example/u/eve"
DEN = "https://evil.example/c/den"
PEER = "https://peer.example/"


@pytest.fixture
async def written(town: Town, stones):
    """A post of ann's in moss, one in our stones, and evil people who are known."""
    await town.meet(person("eve", "evil.example"), group("den", "evil.example"))
    there, here = page(ANN, MOSS), page(ANN, STONES)
    await town.hear(announced(MOSS, act("Create", ANN, there)), act("Create", ANN, here))
    return there["id"], here["id"]


# Each row: what evil.example sends, about a post in moss (0) and one in our stones (1), and why not.
ATTACKS = {
    "speaks for another server's actor": (
        lambda there, here: act("Delete", ANN, there), "foreign_actor"),
    "wears another server's id": (
        lambda there, here: act("Like", EVE, there, id=f"{PEER}activities/1"), "foreign_id"),
    "deletes somebody else's post": (
        lambda there, here: act("Delete", EVE, there), "not_its_community"),
    "deletes somebody else's post in our community": (
        lambda there, here: act("Delete", EVE, here), "not_a_moderator"),
    "removes a post as a moderator that is none": (
        lambda there, here: act("Delete", EVE, here, summary="spam"), "not_a_moderator"),
    "removes a post of another community": (
        lambda there, here: announced(DEN, act("Delete", EVE, there, summary="spam")),
        "not_its_community"),
    "announces another community's vote": (
        lambda there, here: announced(DEN, act("Like", EVE, there)), "not_its_community"),
    "changes somebody else's post": (
        lambda there, here: act("Update", EVE, page(EVE, MOSS, id=there)), "foreign_object"),
    "writes in somebody else's name": (
        lambda there, here: act("Create", EVE, page(EVE, STONES, attributedTo=ANN)),
        "foreign_object"),
    "writes on somebody else's server": (
        lambda there, here: act("Create", EVE, page(EVE, STONES, id=f"{PEER}post/9999")),
        "foreign_object"),
    "writes on our server": (
        lambda there, here: act("Create", EVE, page(EVE, STONES, id=f"{OURS}/post/9999")),
        "foreign_object"),
    "announces what ann wrote in moss": (
        lambda there, here: announced(DEN, act("Create", ANN, page(ANN, MOSS))),
        "not_its_community"),
    "moves ann's post by announcing an edit": (
        lambda there, here: announced(DEN, act("Update", ANN, page(ANN, DEN, id=there))),
        "not_its_community"),
    "locks a post": (lambda there, here: act("Lock", EVE, here), "not_a_moderator"),
    "pins a post": (
        lambda there, here: act("Add", EVE, here, target=f"{STONES}/featured"), "not_a_moderator"),
    "pins a post of another community": (
        lambda there, here: announced(DEN, act("Add", EVE, here, target=f"{DEN}/featured")),
        "not_its_community"),
    "appoints itself": (
        lambda there, here: act("Add", EVE, EVE, target=f"{STONES}/moderators"),
        "not_a_moderator"),
    "appoints itself elsewhere": (
        lambda there, here: act("Add", EVE, EVE, target=f"{MOSS}/moderators"),
        "not_its_community"),
    "bans somebody from our community": (
        lambda there, here: act("Block", EVE, ANN, target=STONES, removeData=True),
        "not_a_moderator"),
    "bans somebody from another community": (
        lambda there, here: act("Block", EVE, ANN, target=MOSS), "not_its_community"),
    "bans another server's people": (
        lambda there, here: act("Block", EVE, ANN, target="https://evil.example/"),
        "not_its_site"),
    "bans from another server": (
        lambda there, here: act("Block", EVE, EVE, target=PEER), "not_its_site"),
    "bans our people from our site": (
        lambda there, here: act("Block", EVE, f"{OURS}/u/mira", target=f"{OURS}/"),
        "not_its_site"),
    "deletes another server's person": (
        lambda there, here: act("Delete", EVE, ANN, removeData=True), "couldnt_find_object"),
    "changes another server's person": (
        lambda there, here: act("Update", EVE, {"type": "Person", "id": ANN, "name": "Fool",
                                               "preferredUsername": "ann",
                                               "inbox": f"{ANN}/inbox"}), "foreign_object"),
    "changes our community": (
        lambda there, here: act("Update", EVE, {"type": "Group", "id": STONES, "name": "Den",
                                               "preferredUsername": "stones",
                                               "inbox": f"{STONES}/inbox"}), "not_a_moderator"),
    "undoes another server's deletion": (
        lambda there, here: act("Undo", EVE, act("Delete", ANN, there)), "foreign_undo"),
    "speaks as one of us": (
        lambda there, here: announced(DEN, act("Like", f"{OURS}/u/mira", there)), "echo"),
    "forwards a report of another community": (
        lambda there, here: announced(DEN, act("Flag", ANN, there, summary="spam")),
        "not_its_community"),
    "deals with a report in our community": (
        lambda there, here: act("Resolve", EVE, act("Flag", ANN, here)), "not_a_moderator"),
    "opens a report again in our community": (
        lambda there, here: act("Undo", EVE, act("Resolve", EVE, act("Flag", ANN, here))),
        "not_a_moderator"),
    "deals with a report in another community": (
        lambda there, here: act("Resolve", EVE, act("Flag", BEN, there)), "not_its_community"),
    "announces that a report elsewhere is dealt with": (
        lambda there, here: announced(DEN, act("Resolve", EVE, act("Flag", BEN, there))),
        "not_its_community"),
    "deals with a report in ben's name": (
        lambda there, here: act("Resolve", BEN, act("Flag", ANN, here)), "foreign_actor"),
    "reacts in ann's name": (
        lambda there, here: act("EmojiReact", ANN, here, content="🔥"), "foreign_actor"),
    "announces another community's reaction": (
        lambda there, here: announced(DEN, act("EmojiReact", EVE, there, content="🔥")),
        "not_its_community"),
    "closes another server's community": (
        lambda there, here: act("Delete", EVE, MOSS, summary="bye"), "not_its_community"),
    "closes our community": (
        lambda there, here: act("Delete", EVE, STONES), "not_its_community"),
    "announces that another community is closed": (
        lambda there, here: announced(DEN, act("Delete", EVE, MOSS)), "not_its_community"),
    "follows in ann's name": (lambda there, here: act("Follow", ANN, STONES), "foreign_actor"),
    "accepts what nobody asked": (
        lambda there, here: act("Accept", DEN, "https://lichen.example/activities/9"),
        "couldnt_find_follow"),
    "offers another server's community": (
        lambda there, here: act("Offer", DEN, f"{PEER}c/heirs", origin=MOSS), "foreign_object"),
    "offers a community as a person": (
        lambda there, here: act("Offer", EVE, DEN, origin=MOSS), "foreign_object"),
    "passes on an offer": (
        lambda there, here: announced(DEN, act("Offer", MOSS, MOSS, origin=DEN)),
        "foreign_object"),
    "offers to succeed what nobody knows": (
        lambda there, here: act("Offer", DEN, DEN, origin=f"{PEER}c/nothing"),
        "couldnt_find_community"),
    "offers to succeed a person": (
        lambda there, here: act("Offer", DEN, DEN, origin=ANN), "couldnt_find_community"),
    "offers to succeed our community": (
        lambda there, here: act("Offer", DEN, DEN, origin=STONES), "community_not_gone"),
    "offers to succeed its own community": (
        lambda there, here: act("Offer", f"{DEN}2", f"{DEN}2", origin=DEN),
        "community_not_gone"),
    "moves another server's community": (
        lambda there, here: act("Move", EVE, MOSS, target=DEN), "foreign_object"),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_an_attack_is_refused_counted_and_harmless(town: Town, written, attack: str) -> None:
    make, code = ATTACKS[attack]
    tables = ("post", "comment", "vote", "moderator", "community_ban", "actor", "community",
              "subscription", "moderation_action", "report",
              "reaction")
    before = [await town.rows(table) for table in tables]

    await town.hear(make(*written), peer="evil.example")

    assert [await town.rows(table) for table in tables] == before
    assert town.outcomes.get(code) == 1
    assert town.ingest.position() == town.seq


async def test_a_burnt_id_does_not_keep_the_true_activity_out(town: Town, written) -> None:
    """Who vouches is part of what an activity is remembered by."""
    true = act("Like", BEN, written[0])
    await town.hear(announced(DEN, true), peer="evil.example")

    await town.hear(announced(MOSS, true))

    assert (await town.post(written[0])).post.up == 2


async def test_a_moderator_elsewhere_acts_in_our_community(town: Town, written, mira) -> None:
    here = written[1]
    await town.house.write("add_moderator", mira, (await town.post(here)).community.id,
                           await _id(town, BEN), added=True)
    answer = note(ANN, here)
    await town.hear(act("Create", ANN, answer))

    await town.hear(
        act("Lock", BEN, here, summary="calm down"),
        act("Add", BEN, here, target=f"{STONES}/featured"),
        act("Delete", BEN, answer["id"], summary="rude"),
        act("Block", BEN, EVE, target=STONES, summary="evil", endTime="2099-01-01T00:00:00Z"),
        act("Create", EVE, page(EVE, STONES), id=f"{EVE}/1"),
    )

    post = await town.post(here)
    assert (post.post.locked, post.post.featured_community) == (True, True)
    assert (await town.comment(answer["id"])).comment.removed
    assert [row.reason for row in await town.rows("community_ban")] == ["evil"]
    kinds = [row.kind for row in await town.rows("moderation_action")]
    assert kinds == ["lockPost", "featurePost", "removeComment", "banFromCommunity"]
    assert len(town.accepted()) == 6

    await town.hear(
        act("Undo", BEN, act("Lock", BEN, here)), act("Remove", BEN, here,
                                                     target=f"{STONES}/featured"),
        act("Undo", BEN, act("Delete", BEN, answer["id"], summary="rude")),
        act("Undo", BEN, act("Block", BEN, EVE, target=STONES)),
    )

    post = await town.post(here)
    assert (post.post.locked, post.post.featured_community) == (False, False)
    assert not (await town.comment(answer["id"])).comment.removed
    assert await town.rows("community_ban") == []


async def test_a_community_elsewhere_decides_about_itself(town: Town, written) -> None:
    """Its server's word counts, whoever of it says so: moderators there need not be known."""
    there = written[0]
    answer = note(BEN, there)
    await town.hear(announced(MOSS, act("Create", BEN, answer)))

    await town.hear(announced(MOSS, act("Add", ANN, BEN, target=f"{MOSS}/moderators")),
                    announced(MOSS, act("Delete", ANN, answer["id"], summary="off topic")),
                    announced(MOSS, act("Lock", ANN, there)),
                    announced(MOSS, act("Block", ANN, BEN, target=MOSS, removeData=True)))

    assert (await town.comment(answer["id"])).comment.removed
    assert (await town.post(there)).post.locked
    assert {row.person_id for row in await town.rows("community_ban")} == {await _id(town, BEN)}
    assert town.accepted()[-1].row == 2  # of our own community alone


async def test_a_server_bans_its_own_people_with_their_words(town: Town, written) -> None:
    block = act("Block", BEN, ANN, target=PEER, removeData=True, summary="spam")

    await town.hear(block)
    posts = [await town.post(one) for one in written]

    assert all(view.post.removed for view in posts)
    assert [row.banned for row in await town.rows("actor") if row.ap_id == ANN] == [True]

    await town.hear(act("Undo", BEN, block))

    assert [row.banned for row in await town.rows("actor") if row.ap_id == ANN] == [False]


async def test_whom_we_have_banned_is_not_heard(town: Town, written, mira) -> None:
    here = written[1]
    community = (await town.post(here)).community.id
    await town.house.write("ban_from_community", mira, community, await _id(town, BEN), banned=True)

    await town.hear(act("Create", BEN, note(BEN, here)), act("Like", BEN, here))

    assert (await town.post(here)).post.comments == 0
    assert town.outcomes["banned_from_community"] == 2


async def test_a_locked_post_takes_no_comment_here_but_what_its_home_took(
    town: Town, written, mira
) -> None:
    there, here = written
    await town.hear(announced(MOSS, act("Lock", ANN, there)))
    number = await town.ids_of(here)
    await town.house.store.write(
        lambda unit: town.moderation.lock_post(unit, mira, number, locked=True))

    await town.hear(announced(MOSS, act("Create", BEN, note(BEN, there))),
                    act("Create", BEN, note(BEN, here)))

    assert (await town.post(there)).post.comments == 1
    assert (await town.post(here)).post.comments == 0
    assert town.outcomes["locked"] == 1


async def test_a_report_reaches_our_moderators_once(town: Town, written) -> None:
    flag = act("Flag", BEN, written[1], summary="Not nice.")
    mastodon = act("Flag", EVE, [ANN, written[1]], content="Spam")

    await town.hear(flag, {**flag, "id": flag["id"] + "0"})
    await town.hear(mastodon)

    assert sorted(row.reason for row in await town.rows("report")) == ["Not nice.", "Spam"]


async def _id(town: Town, ap_id: str) -> int:
    found = await town.house.store.read(
        lambda unit: town.house.accounts.actors_by_ap_id(unit, [ap_id]))
    return found[ap_id].id
