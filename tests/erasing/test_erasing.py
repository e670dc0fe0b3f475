"""What is erased is nowhere: everything is decoded before it is searched."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from lichen.erasing import Kind, Step
from lichen.erasing import eraser as erasing
from lichen.erasing.eraser import SWEPT
from lichen.erasing.limits import REST_S
from lichen.moderation import RemarkDraft, RemarkKind
from lichen.store import set_stamp, stamp_of
from tests.erasing.decoding import traces
from tests.faces.house_api.test_rules import ask
from tests.faces.lemmy_v3.town import PAGE_URL, PASSWORD, Person, Town, browse

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Place = tuple[Town, Path, str]
MARKER = "quokkaphonix"
KEPT = "wombatilde"  # what others wrote, which must stay


async def id_of(person: Person) -> int:
    found = (await person.get("/site")).json()["my_user"]["local_user_view"]["person"]["id"]
    return int(found)


async def write_everything(town: Town, author: Person, other: Person) -> dict[str, int]:
    """Write the marker through every text field that a person has, and change each once."""
    mark = iter(f"{MARKER}{number:02}" for number in range(99))
    await author.put(
        "/user/save_user_settings", display_name=next(mark), bio=f"I am {next(mark)}",
        email=f"{next(mark)}@example.org", avatar=f"https://example.org/{next(mark)}.png",
        banner=f"https://example.org/{next(mark)}.png", theme=next(mark),
        matrix_user_id=f"@{next(mark)}:example.org",
    )
    community = await town.community(other)
    post = await town.post(
        author, community, name=f"About {next(mark)}", body=f"Body {next(mark)}",
        url=f"{PAGE_URL}?{next(mark)}", alt_text=f"Shows {next(mark)}",
    )
    gone = await town.post(author, community, name=f"Gone {next(mark)}", body=next(mark))
    theirs = await town.post(other, community, name=f"About {KEPT}", body=f"Body {KEPT}")
    comment = await town.comment(author, theirs, content=f"Says {next(mark)}")
    answer = await town.comment(other, theirs, content=f"Answers {KEPT}", parent_id=comment)
    below = await town.comment(other, post, content=f"Below {KEPT}")
    await author.put("/post", post_id=post, name=f"Edited {next(mark)}", body=next(mark))
    await author.put("/comment", comment_id=comment, content=f"Edited {next(mark)}")
    await author.post("/post/delete", post_id=gone, deleted=True)
    await author.post("/post/like", post_id=theirs, score=1)
    await author.put("/post/save", post_id=theirs, save=True)
    await author.post("/community/follow", community_id=community, follow=True)
    await author.post("/user/block", person_id=await id_of(other), block=True)
    await author.post("/user/block", person_id=await id_of(other), block=False)
    sent = await author.post(
        "/private_message", recipient_id=await id_of(other), content=f"Psst {next(mark)}")
    message = sent.json()["private_message_view"]["private_message"]["id"]
    await author.put("/private_message", private_message_id=message, content=next(mark))
    await other.post(
        "/private_message", recipient_id=await id_of(author), content=f"Reply {KEPT}")
    proposal = await propose(author, community, f"Change {next(mark)}", f"Because {next(mark)}")
    wish = await propose(other, community, f"Change {KEPT}", f"Because {KEPT}")
    for voice, number in ((other, proposal), (author, wish)):
        await ask(voice, "POST", "/proposal/support", proposal_id=number)
    await ask(other, "POST", "/proposal/pass_up", proposal_id=proposal, reason="Look at it.")
    return {"post": post, "comment": comment, "answer": answer, "below": below, "theirs": theirs,
            "message": message, "community": community, "proposal": proposal, "wish": wish}


async def propose(author: Person, community: int, title: str, text: str) -> int:
    """Propose something and return its number."""
    made = await ask(author, "POST", "/proposal", community_id=community, title=title, text=text)
    return int(made.json()["proposal"]["id"])


async def be_judged(town: Town, author: Person, other: Person, made: dict[str, int]) -> None:
    """Let moderators deal with a person's words: what they write about them quotes the words."""
    mark = iter(f"{MARKER}j{number:02}" for number in range(99))
    rooms, write = town.house.rooms, town.house.store.write
    viewer, moderator = [await rooms.accounts.viewer(one.headers["authorization"][7:])
                         for one in (author, other)]
    assert viewer is not None and moderator is not None
    for reporter, word in ((author, next(mark)), (other, KEPT)):
        await reporter.post("/post/report", reason=word, post_id=made[
            "theirs" if reporter is author else "post"])
        await reporter.post("/comment/report", reason=word, comment_id=made[
            "answer" if reporter is author else "comment"])
    await other.post("/private_message/report", private_message_id=made["message"], reason=KEPT)
    rule = {"community_id": made["community"], "name": f"Rule {KEPT}", "mode": "on",
            "action": "report", "program": f"contains(text, {{'{MARKER}'}})"}
    await other.client.post("/api/lichen/rule", headers=other.headers, json=rule | {
        "program": "matches(text, 'quokka[a-z]+')"})
    caught = await town.post(author, made["community"], name=f"Caught {next(mark)}")
    await other.post("/post/remove", post_id=caught, removed=True, reason=f"Because {KEPT}")
    (action, *_) = await town.house.store.read(
        lambda unit: rooms.moderation.actions_about(unit, viewer, page=1, limit=9))
    await write(lambda unit: rooms.moderation.appeal(
        unit, viewer.actor, action.action.id, f"But {next(mark)}"))
    await write(lambda unit: rooms.moderation.remark(unit, moderator, RemarkDraft(
        person_id=viewer.id, kind=RemarkKind.NOTE, text=f"Says {next(mark)}",
        community_id=made["community"])))
    await write(lambda unit: rooms.accounts.go_away(
        unit, viewer, f"Gone {next(mark)}", until_us=unit.clock_us + 86_400_000_000))
    await other.post("/comment", post_id=made["post"], content=f"@{author.name} {KEPT}")
    await author.client.post(
        "/pictrs/image", headers=author.headers, files={"images[]": (f"{next(mark)}.png", made_png())})
    await browse(author, "POST", "/settings/export")
    await town.house.exports.work()


def made_png() -> bytes:
    """Return a picture with a text inside."""
    buffer, texts = io.BytesIO(), PngImagePlugin.PngInfo()
    texts.add_text("Comment", MARKER)
    Image.new("RGB", (9, 9), "green").save(buffer, "PNG", pnginfo=texts)
    return buffer.getvalue()


async def fill(town: Town, author: Person, community: int) -> None:
    """Write enough that pages of the database split and their rows move."""
    post = await town.post(author, community, name="A long thread")
    for number in range(60):
        await town.comment(author, post, content=f"{number} " + "lorem ipsum " * (number % 40))


async def erase(town: Town, kind: Kind, subject_id: int) -> None:
    await town.house.store.write(
        lambda unit: town.house.eraser.erasures.ask(unit, kind, subject_id))
    assert await town.house.eraser.work() == 1


async def test_a_person_who_is_erased_is_nowhere(place: Place) -> None:
    town, folder, url = place
    author, other = await town.person(), await town.person()
    number = await id_of(author)
    made = await write_everything(town, author, other)
    await be_judged(town, author, other, made)
    await fill(town, other, made["community"])
    before = traces(MARKER, folder, url)
    assert any("log record" in where for where in before), "the search can find it"
    assert {"the stream, plain", "the stream, compressed"} <= set(before)
    for table in ("post", "report", "appeal", "remark", "automod_hit", "moderation_item"):
        assert f"a row of {table}" in before

    await erase(town, Kind.PERSON, number)
    await town.house.close()

    assert traces(MARKER, folder, url) == []
    assert any("row of comment" in where for where in traces(KEPT, folder, url))


async def test_of_a_person_who_is_purged_a_number_is_left_and_no_name(place: Place) -> None:
    """The name is nobody's any more, in no row, and still given to nobody."""
    town, folder, url = place
    keeper, author, other = await town.keeper(), await town.person("numbat"), await town.person()
    number = await id_of(author)
    await write_everything(town, author, other)
    assert any("row of actor" in where for where in traces(author.name, folder, url))

    purged = await keeper.post("/admin/purge/person", person_id=number, reason="Spam")
    assert await town.house.eraser.work() == 1
    again = [
        (await town.stranger.post("/user/register", username=name, password=PASSWORD,
                                  password_verify=PASSWORD)).json().get("error")
        for name in (author.name, author.name.upper())
    ]
    left = (await other.get("/user", person_id=number)).json()["person_view"]["person"]
    modlog = (await keeper.get("/modlog", type_="AdminPurgePerson")).json()
    fresh = await id_of(await town.person())
    await town.house.close()

    assert 200 == purged.status_code
    assert ["user_already_exists"] * 2 == again
    assert (f"gone-{number}", True, True) == (left["name"], left["deleted"], left["banned"])
    assert "Spam" == modlog["admin_purged_persons"][-1]["admin_purge_person"]["reason"]
    assert fresh > number
    assert [] == traces(MARKER, folder, url)
    assert [] == [where for where in traces(author.name, folder, url) if "row of" in where]


async def test_what_others_wrote_stays_where_it_was(place: Place) -> None:
    town, _, _ = place
    author, other = await town.person(), await town.person()
    number = await id_of(author)
    made = await write_everything(town, author, other)

    await erase(town, Kind.PERSON, number)

    comments = (await other.get("/comment/list", post_id=made["theirs"])).json()["comments"]
    texts = {view["comment"]["id"]: view["comment"]["content"] for view in comments}
    profile = (await other.get("/user", person_id=number)).json()["person_view"]
    assert texts[made["answer"]] == f"Answers {KEPT}"
    assert texts.get(made["comment"], "") == ""
    assert (profile["person"]["deleted"], profile["counts"]) == (
        True, {"person_id": number, "post_count": 0, "comment_count": 0})
    assert (await author.get("/user/unread_count")).status_code == 401, "their login has ended"
    login = await town.stranger.post(
        "/user/login", username_or_email=author.name, password="correct horse battery")
    assert login.status_code in (401, 403)
    community = (await other.get("/community", id=made["community"])).json()["community_view"]
    assert community["counts"]["posts"] == 1
    ended = (await ask(other, "GET", "/proposal", proposal_id=made["proposal"])).json()
    wish = (await ask(other, "GET", "/proposal", proposal_id=made["wish"])).json()["proposal"]
    assert (ended["proposal"]["state"], ended["proposal"]["title"]) == ("withdrawn", "")
    assert ended["steps"][0]["reason"] == "Look at it."
    assert (wish["title"], wish["supports"]) == (f"Change {KEPT}", 0)
    found = (await other.get("/search", q=MARKER, type_="All")).json()
    assert [found[kind] for kind in ("posts", "comments", "users")] == [[], [], []]


@pytest.mark.parametrize(("kind", "subject", "also_kept"), [
    (Kind.POST, "post", ""), (Kind.COMMENT, "comment", KEPT), (Kind.MESSAGE, "message", KEPT),
    (Kind.PROPOSAL, "proposal", KEPT),
])
async def test_a_single_thing_that_is_erased_is_nowhere(
    place: Place, kind: Kind, subject: str, also_kept: str
) -> None:
    town, folder, url = place
    author, other = await town.person(), await town.person()
    community = await town.community(other)
    theirs = await town.post(other, community, name=f"About {KEPT}")
    made = {
        "post": await town.post(author, community, name=f"T {MARKER}post", body=f"{MARKER}post"),
        "comment": await town.comment(author, theirs, content=f"{MARKER}comment"),
        "proposal": await propose(author, community, f"T {MARKER}proposal", f"{MARKER}proposal"),
    }
    below = await town.comment(other, made["post"], content=f"Below the {MARKER}post")
    sent = await author.post(
        "/private_message", recipient_id=await id_of(other), content=f"{MARKER}message")
    made["message"] = sent.json()["private_message_view"]["private_message"]["id"]
    for name, asked in (("post", "post_id"), ("comment", "comment_id"),
                        ("private_message", "private_message_id")):
        number = made[name.removeprefix("private_")]
        await other.post(f"/{name}/report", reason=KEPT, **{asked: number})
    quoted = "a row of report" if kind is not Kind.PROPOSAL else "a row of proposal"
    assert quoted in traces(f"{MARKER}{subject}", folder, url)

    await erase(town, kind, made[subject])
    answer = await town.stranger.get("/comment", id=below)
    await town.house.close()

    assert traces(f"{MARKER}{subject}", folder, url) == []
    others = [name for name in made if name != subject]
    assert all(traces(f"{MARKER}{name}", folder, url) for name in others)
    assert bool(also_kept) == (answer.status_code == 200)


async def test_what_was_purged_from_the_rows_leaves_the_log_within_a_day(place: Place) -> None:
    """Whoever purges drops rows in a transaction of their own; the daily sweep finds it."""
    town, folder, url = place
    author, other = await town.person(), await town.person()
    sent = await author.post(
        "/private_message", recipient_id=await id_of(other), content=f"Psst {MARKER}")
    number = sent.json()["private_message_view"]["private_message"]["id"]
    await town.house.store.write(
        lambda unit: town.house.rooms.messages.erase_messages(unit, [number]))

    now_us = town.house.store.clock()
    await town.house.store.write(lambda unit: set_stamp(unit, SWEPT, str(now_us)))
    assert await town.house.eraser.work() == 0
    assert traces(MARKER, folder, url), "no day has passed"
    await town.house.store.write(lambda unit: set_stamp(unit, SWEPT, "0"))
    await town.house.eraser.work()
    await town.house.close()

    assert traces(MARKER, folder, url) == []


@asynccontextmanager
async def a_daily_sweep_that_rests(
    town: Town, patch: pytest.MonkeyPatch
) -> AsyncIterator[tuple["asyncio.Queue[float]", "asyncio.Queue[None]"]]:
    """Let a sweep of many small batches begin; yield its rests, and what ends one of them."""
    rests: asyncio.Queue[float] = asyncio.Queue()
    wake: asyncio.Queue[None] = asyncio.Queue()

    async def rest(pause_s: float) -> None:
        rests.put_nowait(pause_s)
        await wake.get()

    eraser = town.house.eraser
    patch.setattr(erasing, "SWEEP_RECORDS_MAX", 3)
    patch.setattr(eraser, "_rest", rest)
    await town.house.store.write(lambda unit: set_stamp(unit, SWEPT, "0"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(eraser.work())
        yield rests, wake


async def test_the_daily_sweep_rests_between_its_batches(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, _, _ = place
    await town.community(await town.person())
    batches = -(-town.house.log.last_seq // 3)
    assert batches > 2

    async with a_daily_sweep_that_rests(town, monkeypatch) as (rests, wake):
        for _ in range(batches - 1):
            assert await rests.get() == REST_S > 0
            assert rests.empty(), "it goes on when the rest ends, not before"
            wake.put_nowait(None)

    assert rests.empty(), "no rest after the last batch"
    stamp = await town.house.store.read(lambda unit: stamp_of(unit, SWEPT))
    assert int(stamp or 0) > 0


async def test_an_erasure_does_not_wait_for_the_daily_sweep(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep rested through minutes of a long log while a person's request waited for its end."""
    town, folder, url = place
    author, other = await town.person(), await town.person()
    sent = await author.post(
        "/private_message", recipient_id=await id_of(other), content=f"Psst {MARKER}purged")
    purged = sent.json()["private_message_view"]["private_message"]["id"]
    post = await town.post(author, await town.community(other), name=f"About {MARKER}asked")
    await town.house.store.write(
        lambda unit: town.house.rooms.messages.erase_messages(unit, [purged]))

    async with a_daily_sweep_that_rests(town, monkeypatch) as (rests, wake):
        await rests.get()
        await town.house.store.write(
            lambda unit: town.house.eraser.erasures.ask(unit, Kind.POST, post))
        wake.put_nowait(None)
    assert rests.empty(), "whoever asked waits for no further rest"
    (done,) = await town.house.store.read(town.house.eraser.erasures.newest)
    await town.house.close()

    assert done.step == Step.DONE
    assert traces(MARKER, folder, url) == []


async def test_a_cut_off_erasure_goes_on_where_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, folder, url = place
    author, other = await town.person(), await town.person()
    number = await id_of(author)
    await write_everything(town, author, other)
    eraser = town.house.eraser
    asked = await town.house.store.write(
        lambda unit: eraser.erasures.ask(unit, Kind.PERSON, number))

    async def cut_off(_: Any, **__: Any) -> int:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(eraser, "_sweep", cut_off)
        with pytest.raises(ConnectionError):
            await eraser.work()
    (half,) = await town.house.store.read(eraser.erasures.unfinished)
    assert (half.id, half.step) == (asked.id, Step.LOG)
    assert half.things >= 5

    assert await eraser.work() == 1
    assert await eraser.work() == 0
    (done,) = await town.house.store.read(eraser.erasures.newest)
    await town.house.close()

    assert (done.step, done.done_us is not None) == (Step.DONE, True)
    assert traces(MARKER, folder, url) == []


async def test_asked_twice_it_is_done_once(place: Place) -> None:
    town, _, _ = place
    author, other = await town.person(), await town.person()
    number = await id_of(author)
    await write_everything(town, author, other)
    await erase(town, Kind.PERSON, number)
    before = town.house.log.last_seq

    await erase(town, Kind.PERSON, number)

    assert _deletions(town, before) == []


async def test_what_an_upgrade_left_as_its_way_back_is_removed(place: Place) -> None:
    town, folder, url = place
    author = await town.person()
    post = await town.post(author, await town.community(author), name=f"About {MARKER}")
    point, own = folder / "backups" / "2026-01-01-before-0002", folder / "backups" / "mine"
    for kept in (point, own):
        kept.mkdir(parents=True)
        (kept / "rows").write_text("rows")
    (point / "rows").write_text(MARKER)

    await erase(town, Kind.POST, post)
    await town.house.close()

    assert (point.exists(), own.exists()) == (False, True)
    assert traces(MARKER, folder, url) == []


async def test_what_is_asked_about_something_that_never_was_ends_all_the_same(
    place: Place
) -> None:
    town, _, _ = place

    for kind in (Kind.POST, Kind.COMMENT, Kind.MESSAGE, Kind.PROPOSAL):
        await erase(town, kind, 999_999)


def _deletions(town: Town, after_seq: int) -> list[str]:
    batch = town.house.log.read(after_seq + 1)
    return [entry.payload.decode() for entry in batch.entries() if b'"delete"' in entry.payload]
