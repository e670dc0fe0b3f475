"""What moderators and administrators elsewhere decide, as it comes in."""

import pytest

from tests.federation.incoming import (
    ANN,
    BEN,
    MOSS,
    STONES,
    Town,
    act,
    announced,
    ground,
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
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
PEER = "https://peer.example/"
CAT = "https://third.example/u/cat"


@on_sqlite
async def test_an_undone_ban_says_itself_whether_words_come_back(town: Town, stones) -> None:
    written = page(ANN, STONES)
    await town.hear(act("Create", ANN, written))
    took = act("Block", BEN, ANN, target=PEER, removeData=True)
    for restores in (True, False):
        await town.hear({**took, "id": f"{took['id']}{restores:d}"})

        await town.hear(act("Undo", BEN, took, restoreData=restores))

        assert (await town.post(written["id"])).post.removed != restores


async def seated(town: Town, mira, stones) -> str:
    """Let ben moderate our stones, where ann has written; return the id of that."""
    written = page(ANN, STONES)
    await town.meet(person("cat", "third.example"))
    await town.hear(act("Create", ANN, written))
    accounts = town.house.accounts
    known = await town.house.store.read(lambda unit: accounts.actors_by_ap_id(unit, [BEN]))
    await town.house.write("add_moderator", mira, stones.community.id, known[BEN].id, added=True)
    return written["id"]


def resolve(by: str, flag: dict) -> dict:
    """Return what Lemmy 1.0 says: the whole Flag, with an id of its own, and no reason."""
    made_anew = {**flag, "id": act("Flag", by, "")["id"], "summary": None, "content": None}
    return act("Resolve", by, made_anew)


async def reports(town: Town) -> list[tuple[str, bool]]:
    return [(row.reason, row.resolved) for row in await town.rows("report")]


async def waiting(town: Town) -> list[str]:
    return [row.state for row in await town.rows("moderation_item") if row.kind == "report"]


@pytest.mark.parametrize("first", ["Flag", "Resolve"])
async def test_a_report_and_that_it_was_dealt_with_come_in_either_order(
    town: Town, mira, stones, first: str
) -> None:
    """They come from two servers: whose comes first must not decide what a moderator sees."""
    written = await seated(town, mira, stones)
    flag = act("Flag", CAT, written, summary="Spam.")
    settled = resolve(BEN, flag)
    both = [flag, settled] if first == "Flag" else [settled, flag]

    for one in (*both, flag, settled):
        await town.hear(one)

    assert await reports(town) == [("Spam.", True)]
    assert "open" not in await waiting(town)

    await town.hear(act("Undo", BEN, settled))

    assert await reports(town) == [("Spam.", False)]


@on_sqlite
async def test_a_report_that_is_opened_before_it_comes_waits(town: Town, mira, stones) -> None:
    written = await seated(town, mira, stones)
    flag = act("Flag", CAT, written, summary="Spam.")
    settled = resolve(BEN, flag)

    await town.hear(settled, act("Undo", BEN, settled))
    await town.hear(flag)

    assert await reports(town) == [("Spam.", False)]
    assert await waiting(town) == ["open"]


@on_sqlite
async def test_what_moderators_of_ours_elsewhere_must_know_is_passed_on_to_them_alone(
    town: Town, mira, stones
) -> None:
    written = await seated(town, mira, stones)
    flag = act("Flag", CAT, written, summary="Spam.")

    await town.hear(flag, resolve(BEN, flag))

    passed_on = [b'"judgesOnly":true' in bytes(event.record) for event in town.accepted()]
    assert passed_on == [False, True, True]


@on_sqlite
async def test_a_report_of_ours_is_settled_where_its_community_lives(town: Town, mira) -> None:
    """By its community's word, or by a moderator of it on a third server that tells us itself."""
    await town.meet(person("cat", "third.example"))
    written = page(ANN, MOSS)
    answer = note(BEN, written["id"])
    await town.hear(announced(MOSS, act("Create", ANN, written)),
                    announced(MOSS, act("Create", BEN, answer)),
                    announced(MOSS, act("Add", ANN, CAT, target=f"{MOSS}/moderators")))
    post, comment = [await town.ids_of(one["id"]) for one in (written, answer)]
    ours = f"https://lichen.example/u/{mira.actor.name}"
    for kind, number in (("post", post), ("comment", comment)):
        report = getattr(town.moderation, f"report_{kind}")
        await town.house.store.write(
            lambda unit, report=report, number=number: report(unit, mira, number, "Hm."))

    await town.hear(announced(MOSS, resolve(ANN, act("Flag", ours, written["id"]))))
    await town.hear(resolve(CAT, act("Flag", ours, answer["id"])))
    await town.hear(resolve(CAT, act("Flag", "https://lichen.example/u/otto", answer["id"])))

    assert await reports(town) == [("Hm.", True), ("Hm.", True)]
    assert town.outcomes["couldnt_find_person"] == 1


@on_sqlite
async def test_a_community_is_changed_by_its_server_and_ours_by_a_moderator_elsewhere(
    town: Town, mira, stones
) -> None:
    await seated(town, mira, stones)

    def said(group: str, name: str) -> dict:
        return {"type": "Group", "id": group, "preferredUsername": group.rpartition("/")[2],
                "inbox": f"{group}/inbox", "name": name, "sensitive": True}

    await town.hear(announced(MOSS, act("Update", ANN, said(MOSS, "All moss"))),
                    act("Update", BEN, said(STONES, "All stones")))

    names = {row.display_name for row in await town.rows("actor") if row.kind == "Group"}
    assert {"All moss", "All stones"} <= names
    assert all(row.nsfw for row in await town.rows("community"))


@on_sqlite
async def test_a_feed_is_nobody_here(town: Town) -> None:
    """PieFed's (FEP-1d80): it is no community, and nothing of it is kept."""
    feed = {"type": "Feed", "id": "https://peer.example/f/all", "preferredUsername": "all",
            "inbox": "https://peer.example/f/all/inbox"}

    await town.hear(act("Update", ANN, feed), act("Create", ANN, feed))

    assert town.outcomes["couldnt_find_object"] == 2
