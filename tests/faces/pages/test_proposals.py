"""The pages of proposals: made, supported, answered and passed up, by plain forms."""

import re

import pytest

from tests.faces.lemmy_v3.town import everybody_heard
from tests.faces.pages.garden import PASSWORD, Garden, Guest, words

pytestmark = pytest.mark.anyio

EVIL = "<script>alert(1)</script>"


class Assembly:
    """A community whose moderator, author and reader meet over a proposal."""

    def __init__(self, garden: Garden) -> None:
        self.garden = garden

    async def opened(self) -> "Assembly":
        self.moderator, self.author, self.reader = [await self.garden.person() for _ in range(3)]
        self.name = await self.garden.community(self.moderator)
        self.list = f"/c/{self.name}/proposals"
        self.path = await self.propose()
        return self

    async def propose(self, title: str = "No lamps", body: str = "They *glare*.") -> str:
        answer = await self.author.send(f"{self.list}/new", {"title": title, "body": body})
        assert 303 == answer.status_code, words(answer.text)
        return answer.headers["location"]

    async def support(self, count: int) -> list[Guest]:
        guests = [await self.garden.person() for _ in range(count)]
        for guest in guests:
            assert 303 == (await guest.send(f"{self.path}/support", {"value": "1"})).status_code
        return guests

    async def keeper(self) -> Guest:
        guest = Guest(self.garden.house, "gardener")
        await guest.send("/login", {"name": "gardener", "password": PASSWORD})
        return guest


@pytest.fixture
async def assembly(garden: Garden) -> Assembly:
    return await Assembly(garden).opened()


def main_of(html: str) -> str:
    return html.partition("<main")[2].partition("</main")[0]


async def test_a_proposal_is_supported_answered_from_the_queue_and_heard_of(
    assembly: Assembly
) -> None:
    place = await assembly.reader.see(f"/c/{assembly.name}")
    early = await assembly.reader.see(assembly.path)
    (supporter, *_) = await assembly.support(5)
    queue = await assembly.moderator.see("/moderation?kind=proposal")
    item = re.search(r'action="(/moderation/\d+)"', queue.text)
    assert item is not None
    bare = await assembly.moderator.send(item[1], {"deed": "accept"})
    await assembly.moderator.send(item[1], {"deed": "accept", "reason": "They do glare."})
    await everybody_heard(assembly.garden.house)
    shown = await assembly.garden.stranger().see(assembly.path)
    answered = await assembly.reader.see(f"{assembly.list}?show=answered")
    pages = [await guest.see(path) for guest in (assembly.author, supporter)
             for path in ("/inbox", "/moderation/mine")]
    again = await assembly.reader.send(f"{assembly.path}/support", {"value": "1"})

    assert f'href="{assembly.list}"' in place.text
    assert "With the support of 5 members it is put before the moderators" in words(early.text)
    assert "<em>glare</em>" in early.text
    assert "5 members support it" in words(queue.text)
    assert (400, 409) == (bare.status_code, again.status_code)
    text = words(main_of(shown.text))
    assert "Accepted by a moderator" in text and "They do glare." in text
    assert "Why: proposal: accepted" in text and "5 supporters then" in text
    assert assembly.moderator.name not in text, "who decided is the moderators' to know"
    assert "No lamps" in words(answered.text)
    assert ["or a proposal" in words(pages[at].text) for at in (0, 2)] == [True, True]
    assert ["They do glare." in words(pages[at].text) for at in (1, 3)] == [True, True]


async def test_what_is_passed_up_is_for_administrators(assembly: Assembly) -> None:
    keeper = await assembly.keeper()
    await assembly.moderator.send(
        f"{assembly.path}/answer", {"deed": "pass_up", "reason": "Not ours to say."})
    left = await assembly.moderator.see(assembly.path)
    up = await keeper.see("/admin/proposals")
    refused = await assembly.moderator.see("/admin/proposals")
    kept = await keeper.send(f"{assembly.path}/answer", {"deed": "decline", "reason": " "})
    await keeper.send(f"{assembly.path}/answer", {"deed": "hand_back", "reason": "It is yours."})
    back = await assembly.moderator.see(assembly.path)

    assert "Answer it" not in words(left.text)
    assert "No lamps" in words(up.text)
    assert (403, 400) == (refused.status_code, kept.status_code)
    assert "Answer it" in words(back.text)
    assert "Handed back to the moderators by an administrator" in words(back.text)


async def test_a_support_is_taken_back_and_a_proposal_withdrawn(assembly: Assembly) -> None:
    await assembly.reader.send(f"{assembly.path}/support", {"value": "1"})
    behind = await assembly.reader.see(assembly.list)
    await assembly.reader.send(f"{assembly.path}/support", {"value": "0"})
    without = await assembly.reader.see(assembly.path)
    own = await assembly.author.see(assembly.path)
    await assembly.author.send(f"{assembly.path}/withdraw")
    gone = await assembly.reader.see(assembly.list)
    ended = await assembly.reader.see(f"{assembly.list}?show=ended")

    assert "1 member supports it · you too" in words(behind.text)
    assert "0 members support this" in words(without.text)
    assert "Withdraw my proposal" in words(own.text) and "/support" not in main_of(own.text)
    assert "No lamps" not in words(main_of(gone.text))
    assert "No lamps" in words(ended.text)


async def test_what_was_typed_is_kept_when_it_is_refused(assembly: Assembly) -> None:
    form = f"{assembly.list}/new"
    refused = await assembly.author.send(form, {"title": "No", "body": "A long text."})
    preview = await assembly.author.send(
        form, {"title": "No lamps", "body": "They *glare*.", "preview": "1"})
    answer = await assembly.reader.send(
        f"{assembly.path}/answer", {"deed": "accept", "reason": "I would like it."})
    stranger = await assembly.garden.stranger().see(form)

    assert 400 == refused.status_code and "A long text." in refused.text
    assert "<em>glare</em>" in preview.text
    assert 403 == answer.status_code
    assert stranger.status_code in (303, 401)


async def test_what_people_write_is_never_markup(assembly: Assembly) -> None:
    path = await assembly.propose(f"Evil {EVIL}", f"Text {EVIL} [x](javascript:alert(1))")
    await assembly.moderator.send(f"{path}/answer", {"deed": "pass_up", "reason": EVIL})
    await everybody_heard(assembly.garden.house)
    keeper = await assembly.keeper()
    pages = [await guest.see(where) for guest, where in (
        (assembly.reader, path), (assembly.reader, assembly.list), (keeper, "/admin/proposals"),
        (keeper, "/moderation?escalated=1"), (assembly.author, "/moderation/mine"),
    )]
    await keeper.send(f"{path}/answer", {"deed": "decline", "reason": EVIL})
    pages.append(await assembly.reader.see(path))
    typed = await assembly.author.send(f"{assembly.list}/new", {"title": EVIL * 9, "body": EVIL})

    for answer in (*pages, typed):
        assert "<script>alert" not in answer.text
        assert 'href="javascript' not in answer.text
        assert "&lt;script&gt;alert" in answer.text


async def test_addresses_of_nothing_are_refused_in_the_frame(assembly: Assembly) -> None:
    answers = [await assembly.reader.see(path) for path in (
        "/proposal/999999", "/proposal/99999999999999999999", f"{assembly.list}?page_number=0",
        f"{assembly.list}?show=nothing", "/c/nowhere_at_all/proposals",
    )]
    deed = await assembly.moderator.send(f"{assembly.path}/answer", {"deed": "explode"})

    assert [404, 400, 400, 400, 404] == [answer.status_code for answer in answers]
    assert 400 == deed.status_code
    assert all("<main" in answer.text for answer in answers)
