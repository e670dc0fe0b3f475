"""What moderators and those moderated see: the queue, notes and strikes, holds, a ban's appeal."""

import re
from typing import Any

import msgspec
import pytest

from lichen.accounts import Viewer
from lichen.kit import Reason, Term
from lichen.moderation import BanOrder, Why
from tests.faces.pages.garden import PASSWORD, Garden, Guest, words

pytestmark = pytest.mark.anyio


async def viewer_of(garden: Garden, guest: Guest) -> Viewer:
    viewer = await garden.house.rooms.accounts.viewer(guest.http.cookies["lichen_session"])
    assert viewer is not None
    return viewer


async def keeper(garden: Garden) -> Guest:
    """Return somebody new who administers the site."""
    person = await garden.person()
    number = (await viewer_of(garden, person)).id
    accounts = garden.house.rooms.accounts
    await garden.house.store.write(
        lambda unit: accounts.promote(unit, None, number, admin=True))
    return person


async def number_of(garden: Garden, name: str) -> int:
    """Return the number of a community."""
    forum = garden.house.rooms.forum
    return int((await garden.house.store.read(
        lambda unit: forum.community(unit, None, name=name))).community.id)


async def site(garden: Garden, judge: Guest, **choices: Any) -> None:
    accounts = garden.house.rooms.accounts
    viewer = await viewer_of(garden, judge)
    settings = msgspec.structs.replace(accounts.current_site.settings, **choices)
    await garden.house.store.write(lambda unit: accounts.edit_site(unit, viewer, settings))


# Notes and strikes

async def test_a_strike_is_kept_told_appealed_and_a_note_is_for_moderators(garden: Garden) -> None:
    moderator, author = await garden.person(), await garden.person()
    name = await garden.community(moderator)
    place, path = str(await number_of(garden, name)), f"/u/{author.name}"

    for kind, text in (("note", "Was rude <b>once</b>."), ("strike", "Sold lamps.")):
        answer = await moderator.send(
            f"{path}/remark", {"kind": kind, "community": place, "text": text, "days": "30"})
        assert (303, f"{path}#remarks") == (answer.status_code, answer.headers["location"])
    shown = await moderator.see(path)
    own, strangers = await author.see(path), await garden.stranger().see(path)
    inbox, mine = await author.see("/inbox"), await author.see("/moderation/mine")
    log = await author.see("/modlog")
    back = re.search(rf'action="({path}/remark/\d+/take-back)"', shown.text)
    assert back is not None
    await moderator.send(back[1])
    left, told = await moderator.see(path), await author.see("/moderation/mine")

    assert "&lt;b&gt;once&lt;/b&gt;" in shown.text
    assert "Sold lamps." in words(shown.text)
    assert "Notes and strikes" not in own.text + strangers.text
    assert "A moderator decided something about you" in words(inbox.text)
    assert "A strike" in words(mine.text) and "Sold lamps." in words(mine.text)
    assert re.search(r'action="/moderation/mine/\d+/appeal"', mine.text)
    assert "Was rude" not in words(mine.text)
    assert "Sold lamps." not in words(log.text)
    assert "Sold lamps." not in words(left.text) and "Was rude" in words(left.text)
    assert "Undone: A strike" in words(told.text)


async def test_remarks_are_refused_to_others_and_where_they_are_wrong(garden: Garden) -> None:
    moderator, author = await garden.person(), await garden.person()
    place = str(await number_of(garden, await garden.community(moderator)))
    path = f"/u/{author.name}/remark"
    fields = {"kind": "note", "community": place, "text": "x"}

    for guest, change, status in (
        (author, {}, 403), (garden.stranger(), {}, 303), (moderator, {"community": "0"}, 403),
        (moderator, {"kind": "medal"}, 400), (moderator, {"text": " "}, 400),
        (moderator, {"kind": "strike", "days": "99999"}, 400),
        (moderator, {"community": "99999"}, 404),
    ):
        assert status == (await guest.send(path, fields | change)).status_code, change
    kept = await moderator.send(path, fields | {"kind": "strike", "text": "Sold lamps.",
                                                "days": "0"})
    assert (400, True) == (kept.status_code, ">Sold lamps.</textarea>" in kept.text)
    assert "Nothing is kept." in words((await moderator.see(f"/u/{author.name}")).text)


# The queue

async def test_applications_are_decided_in_the_queue(garden: Garden) -> None:
    judge = await keeper(garden)
    await site(garden, judge, registration_mode="RequireApplication",
               application_question="What grows at yours?")
    answers = {"hopeful": "Moss & ferns.", "hasty": "Buy lamps!"}
    for name, answer in answers.items():
        await garden.stranger().send(
            "/signup", {"name": name, "password": PASSWORD, "answer": answer})
    await site(garden, judge, registration_mode="Open")

    shown = await judge.see("/moderation?kind=application")
    forms = re.findall(r'action="(/admin/applications/\d+)"', shown.text)
    for form, approve, reason in zip(forms, "10", ("", "No shops."), strict=True):
        done = await judge.send(form, {"approve": approve, "reason": reason},
                                came_from="/moderation?kind=application")
        assert "/moderation?kind=application" == done.headers["location"]
    after = await judge.see("/moderation?kind=application")
    doors = [await garden.stranger().send("/login", {"name": name, "password": PASSWORD})
             for name in answers]

    assert "What grows at yours?" in words(shown.text)
    assert "hopeful wants to join" in words(shown.text) and "Moss & ferns." in words(shown.text)
    assert [303, 403] == [door.status_code for door in doors]
    assert "No shops." in words(doors[1].text)
    assert "wants to join" not in words(after.text)


class Wary:
    """A check that wants every new account to be looked at; a `RegistrationCheck`."""

    async def check_registration(self, **_: object) -> tuple[Reason, ...]:
        return (Reason(rule="New here", terms=(Term("letters of the name", 5),)),)


async def test_an_account_that_a_plugin_holds_reads_why_and_waits_in_the_queue(
    garden: Garden, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a question there was no application, so whom a plugin held waited for ever."""
    judge = await keeper(garden)
    monkeypatch.setattr(garden.house.rooms.accounts, "_registration_check", Wary())

    told = await garden.stranger().send("/signup", {"name": "newby", "password": PASSWORD})
    shown = await judge.see("/moderation?kind=application")
    await judge.send(re.findall(r'action="(/admin/applications/\d+)"', shown.text)[-1],
                     {"approve": "1"})
    door = await garden.stranger().send("/login", {"name": "newby", "password": PASSWORD})

    assert 202 == told.status_code and "Why: New here" in words(told.text)
    assert "newby wants to join" in words(shown.text)
    assert 303 == door.status_code


async def test_the_queue_is_filtered_by_community_beside_the_other_filters(garden: Garden) -> None:
    moderator, reader, judge = await garden.person(), await garden.person(), await keeper(garden)
    places = {}
    for title in ("Lamps", "Candles"):
        path = await garden.post(moderator, title=f"{title} for sale")
        places[title] = (await moderator.see(path)).text
        assert 303 == (await reader.send(f"{path}/report", {"reason": "Spam."})).status_code
    names = {title: re.findall(r'href="(?:/c/)(place_\d+)/modlog"', text)[0]
             for title, text in places.items()}
    lamps = await number_of(garden, names["Lamps"])

    for guest in (moderator, judge):
        everything = await guest.see("/moderation")
        one = await guest.see(f"/moderation?kind=report&community={lamps}")
        assert f'<option value="{lamps}">{names["Lamps"]} (1)</option>' in everything.text
        assert "Candles for sale" in everything.text
        assert "Lamps for sale" in one.text and "Candles for sale" not in one.text
        assert f'<option value="{lamps}" selected>' in one.text
        assert f"/moderation?kind=held&amp;community={lamps}" in one.text
    elsewhere = await garden.person()
    await garden.community(elsewhere)
    theirs = await elsewhere.see(f"/moderation?community={lamps}")
    assert "Lamps for sale" not in theirs.text and names["Lamps"] not in theirs.text


async def test_a_history_leads_to_what_is_kept_of_its_person(garden: Garden) -> None:
    moderator, author = await garden.person(), await garden.person()
    name = await garden.community(moderator)
    written = await author.send("/create_post", {"community": name, "name": "Lamps"})
    await moderator.send(f"{written.headers['location']}/report", {"reason": "Spam."})

    shown = await moderator.see("/moderation")

    assert f'href="/u/{author.name}#remarks">0 strikes, 0 notes</a>' in shown.text
    assert 'id="remarks"' in (await moderator.see(f"/u/{author.name}")).text


# What is held, for its author

async def test_the_author_of_what_is_held_reads_why_and_who_decides(garden: Garden) -> None:
    founder, author = await garden.person(), await garden.person()
    name = await garden.community(founder)
    await founder.send(f"/c/{name}/rules/new", {
        "view": "text", "name": "Gambling", "action": "hold", "ban_days": "7", "severity": "2",
        "note": "", "days": "7", "do": "on",
        "program": "contains(text, {'casino', 'mallory'}) and words < 90",
    })
    post = await author.send("/create_post", {"community": name, "name": "My casino"})
    open_post = await founder.send("/create_post", {"community": name, "name": "Talk"})
    comment = await author.send(
        f"{open_post.headers['location']}/comment", {"content": "A casino!"})
    number = comment.headers["location"].rpartition("#c")[2]

    pages = {path: words((await author.see(path)).text)
             for path in (post.headers["location"], f"/comment/{number}", "/moderation/mine")}
    thread = await author.see(open_post.headers["location"])
    judge = words((await founder.see(post.headers["location"])).text)
    queue = words((await founder.see("/moderation?kind=held")).text)

    for path, said in pages.items():
        assert "Why: Gambling" in said, path
        assert "number of words" in said, path
        assert "mallory" not in said, path
    assert "Your post waits" in pages[post.headers["location"]]
    assert f"the moderators of {name}" in pages[post.headers["location"]]
    assert "Your comment waits" in pages[f"/comment/{number}"]
    assert "My casino" in pages["/moderation/mine"]
    assert f'href="/comment/{number}#held-heading"' in thread.text
    assert "This post waits" in judge
    assert "Held: Gambling" in queue
    assert "A casino!" not in (await garden.stranger().see(open_post.headers["location"])).text


# Banned from the site

async def test_who_is_banned_reads_why_at_the_door_and_appeals_once(garden: Garden) -> None:
    judge, second, person = await keeper(garden), await keeper(garden), await garden.person()
    door = {"name": str(person.name), "password": PASSWORD}
    await ban(garden, judge, person, reason="Sold <i>lamps</i>.")
    guest = garden.stranger()

    told = await guest.send("/login", door)
    ticket = re.search(r'name="ticket" value="([^"]+)"', told.text)
    assert ticket is not None
    empty = await guest.send("/login/appeal", {"ticket": ticket[1], "text": " "})
    sent = await guest.send("/login/appeal", {"ticket": ticket[1], "text": "They were candles."})
    again = await guest.send("/login/appeal", {"ticket": ticket[1], "text": "Please."})
    forged = await guest.send("/login/appeal", {"ticket": "a.b.c", "text": "Please."})
    me = await guest.see("/settings")
    shown = await second.see("/moderation?kind=appeal")
    item = re.findall(r'action="(/moderation/\d+)"', shown.text)[-1]
    own = await judge.send(item, {"deed": "uphold"})
    await second.send(item, {"deed": "deny", "reason": "They were lamps."})
    later = await guest.send("/login", door)
    wrong = await guest.send("/login", door | {"password": "not the password"})

    assert 403 == told.status_code and "Sold &lt;i&gt;lamps&lt;/i&gt;." in told.text
    assert "no-store" == told.headers["cache-control"]
    assert 400 == empty.status_code and 'name="ticket"' in empty.text
    assert "Your appeal waiting" in words(sent.text) and 'name="ticket"' not in sent.text
    assert 409 == again.status_code and "They were candles." in words(again.text)
    assert 401 == forged.status_code and ">Please.</textarea>" in forged.text
    assert "lichen_session" not in guest.http.cookies and 303 == me.status_code
    assert "They were candles." in words(shown.text)
    assert 403 == own.status_code
    assert "denied" in words(later.text) and "They were lamps." in words(later.text)
    assert 401 == wrong.status_code and "lamps" not in wrong.text


async def ban(garden: Garden, judge: Guest, person: Guest, *, reason: str) -> None:
    viewer, number = await viewer_of(garden, judge), (await viewer_of(garden, person)).id
    moderation = garden.house.rooms.moderation
    await garden.house.store.write(lambda unit: moderation.ban(
        unit, viewer, BanOrder(number, banned=True), why=Why(reason)))
