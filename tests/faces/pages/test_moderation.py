"""The pages of moderation: reported, removed with a reason, appealed, restored; by plain forms."""

import re

import pytest

from tests.faces.pages.garden import Garden, Guest, words

pytestmark = pytest.mark.anyio


class Trial:
    """A post in a community, with its author, its moderators and somebody who reads."""

    def __init__(self, garden: Garden) -> None:
        self.garden = garden

    async def opened(self) -> "Trial":
        self.moderator, self.second = await self.garden.person(), await self.garden.person()
        self.author, self.reader = await self.garden.person(), await self.garden.person()
        self.name = await self.garden.community(self.moderator)
        await self._appoint()
        answer = await self.author.send("/create_post", {
            "community": self.name, "name": "Cheap lamps", "body": "Buy my lamps.",
        })
        self.path = answer.headers["location"]
        return self

    async def _appoint(self) -> None:
        rooms = self.garden.house.rooms
        token = self.moderator.http.cookies["lichen_session"]
        viewer = await rooms.accounts.viewer(token)
        assert viewer is not None

        def command(unit):
            place = rooms.forum.community(unit, viewer, name=self.name)
            person = rooms.forum.person(unit, viewer, name=self.second.name).person
            rooms.forum.add_moderator(
                unit, viewer, place.community.id, person.id, added=True
            )

        await self.garden.house.store.write(command)

    async def item(self, guest: Guest) -> str:
        """Return the path of the first thing that waits."""
        shown = await guest.see("/moderation")
        found = re.search(r'action="(/moderation/\d+)"', shown.text)
        assert found is not None, words(shown.text)
        return found[1]


@pytest.fixture
async def trial(garden: Garden) -> Trial:
    return await Trial(garden).opened()


async def test_a_post_is_reported_removed_appealed_and_restored(trial: Trial) -> None:
    await trial.reader.send(f"{trial.path}/report", {"reason": "An advertisement."})
    waiting = await trial.moderator.see("/moderation")
    await trial.moderator.send(
        await trial.item(trial.moderator), {"deed": "remove", "reason": "No advertisements."}
    )
    gone = await trial.reader.see(trial.path)
    inbox = await trial.author.see("/inbox")
    mine = await trial.author.see("/moderation/mine")
    appeal = re.search(r'action="(/moderation/mine/\d+/appeal)"', mine.text)
    assert appeal is not None
    await trial.author.send(appeal[1], {"text": "The lamps are of stone."})
    against = await trial.second.see("/moderation")
    own = await trial.moderator.send(await trial.item(trial.moderator), {"deed": "uphold"})
    await trial.second.send(
        await trial.item(trial.second), {"deed": "uphold", "reason": "So they are."}
    )
    back = await trial.reader.see(trial.path)
    decided = await trial.author.see("/moderation/mine")
    log = await trial.garden.stranger().see(f"/c/{trial.name}/modlog")

    assert "An advertisement." in words(waiting.text)
    assert "Cheap lamps" in words(waiting.text)
    assert 404 == gone.status_code
    assert "A moderator decided something about you" in words(inbox.text)
    assert "No advertisements." in words(mine.text)
    assert "The lamps are of stone." in words(against.text)
    assert 403 == own.status_code
    assert 200 == back.status_code
    assert "So they are." in words(decided.text)
    assert "Undone: Post removed" in words(log.text)
    assert trial.moderator.name not in words(log.text.partition("<main")[2].partition("</main")[0])


async def test_every_line_has_a_way_back_for_who_may(trial: Trial) -> None:
    await trial.reader.send(f"{trial.path}/report", {"reason": "An advertisement."})
    await trial.moderator.send(await trial.item(trial.moderator), {"deed": "lock"})
    log = await trial.second.see(f"/c/{trial.name}/modlog?kind=lockPost")
    undo = re.search(r'action="(/modlog/\d+/undo)"', log.text)
    assert undo is not None
    stranger = await trial.reader.send(undo[1])
    done = await trial.second.send(undo[1])
    after = await trial.second.see(f"/c/{trial.name}/modlog")

    assert 403 == stranger.status_code
    assert 303 == done.status_code
    assert "Undone: Post locked" in words(after.text)


async def test_figures_are_there_as_json(trial: Trial) -> None:
    await trial.reader.send(f"{trial.path}/report", {"reason": "An advertisement."})

    figures = (await trial.garden.stranger().see(f"/c/{trial.name}/statistics.json")).json()

    assert (figures["reports"], figures["reports_waiting"]) == (1, 1)


async def test_the_queue_is_for_who_moderates(trial: Trial) -> None:
    reader = await trial.reader.see("/moderation")
    stranger = await trial.garden.stranger().see("/moderation")
    wrong = await trial.moderator.see("/moderation?kind=nothing")
    again = [await trial.reader.send(f"{trial.path}/report", {"reason": "Spam."})
             for _ in range(2)]

    assert 403 == reader.status_code
    assert stranger.status_code in (303, 401)
    assert 400 == wrong.status_code
    assert [303, 400] == [answer.status_code for answer in again]


async def test_what_people_write_is_never_markup(trial: Trial) -> None:
    evil = '<script>alert(1)</script>'
    await trial.reader.send(f"{trial.path}/report", {"reason": evil})
    shown = await trial.moderator.see("/moderation")
    await trial.moderator.send(
        await trial.item(trial.moderator), {"deed": "remove", "reason": evil}
    )
    pages = [shown, await trial.author.see("/moderation/mine"),
             await trial.author.see(f"/c/{trial.name}/modlog"),
             await trial.author.see("/modlog")]

    assert all("<script>alert" not in page.text for page in pages)
    assert all("&lt;script&gt;alert" in page.text for page in pages)
