"""A queue worked through by keyboard alone, in a real browser: every key of its legend, once."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.house.test_one_evening import DESK, PASSWORD, Guest, browser, folder, site

__all__ = ["browser", "folder", "site"]

pytestmark = pytest.mark.slow


class Docket:
    """A queue on a running server, with what came of each thing in it."""

    def __init__(self, browser: Browser, site: str) -> None:
        self._browser, self.site = browser, site
        self.judge = self._guest("gardener", join=False)
        self.moderator, self.author = self._guest("mod_keys"), self._guest("author_keys")
        self.reader = self._guest("reader_keys")
        self.send(self.moderator, "/create_community", name="docket", title="Docket")

    def _guest(self, name: str, *, join: bool = True) -> Guest:
        guest = Guest(self._browser.new_context(viewport=DESK), self.site)
        path = "/signup" if join else "/login"
        self.send(guest, path, name=name, password=PASSWORD)
        return guest

    def send(self, guest: Guest, path: str, **fields: str) -> str:
        """Send a form past the page; return the path it led to."""
        answer = guest.page.request.post(self.site + path, form=fields,
                                         headers={"origin": self.site})
        assert answer.ok, (path, answer.status, answer.text()[:300])
        return answer.url.removeprefix(self.site)

    def post(self, title: str) -> str:
        """Write a post and report it; return its path."""
        path = self.send(self.author, "/create_post", community="docket", name=title)
        self.send(self.reader, f"{path}/report", reason=f"About {title}.")
        return path

    def removed(self, title: str, text: str) -> str:
        """Write a post, have it removed and appeal against that; return its path."""
        path = self.send(self.author, "/create_post", community="docket", name=title)
        number = int(path.rpartition("/")[2])
        token = next(one["value"] for one in self.judge.page.context.cookies()
                     if one["name"] == "lichen_session")
        self.judge.page.request.post(
            f"{self.site}/api/v3/post/remove",
            data=json.dumps({"post_id": number, "removed": True, "reason": "Off topic."}),
            headers={"authorization": f"Bearer {token}"})
        self.author.go("/moderation/mine")
        form = self.author.page.locator("form[action$='/appeal']").first
        self.send(self.author, str(form.get_attribute("action")), text=text)
        return path


@pytest.fixture(scope="module")
def docket(browser: Browser, site: str) -> Iterator[Docket]:
    yield Docket(browser, site)


def test_a_moderator_works_through_the_queue_by_keys(docket: Docket) -> None:
    paths = {title: docket.post(title) for title in ("Kept", "Thrown", "Heated", "Grave")}
    for title, text in (("Right", "It is on topic."), ("Wrong", "Pretty please.")):
        paths[title] = docket.removed(title, text)
    page = docket.moderator.page
    docket.moderator.go("/moderation")
    keys = page.keyboard

    keys.press("j")
    keys.press("j")
    expect(item(page, "Thrown")).to_be_focused()
    keys.press("k")
    expect(item(page, "Kept")).to_be_focused()
    keys.press("p")
    expect(item(page, "Kept")).to_have_count(0)

    keys.press("j")
    expect(item(page, "Thrown")).to_be_focused()
    keys.press("i")
    keys.type("No lamps here.")
    keys.press("Enter")  # chooses nothing
    expect(item(page, "Thrown").locator("input[name=reason]")).to_have_value("No lamps here.")
    keys.press("Escape")
    expect(item(page, "Thrown")).to_be_focused()
    with page.expect_navigation():
        keys.press("x")
    expect(item(page, "Thrown")).to_have_count(0)

    for key, sign in (("l", "locked"), ("b", "banned")):
        keys.press("j")
        expect(item(page, "Heated")).to_be_focused()
        with page.expect_navigation():
            keys.press(key)
        assert sign in outcome(docket, paths["Heated"], sign)
    keys.press("j")
    with page.expect_navigation():
        keys.press("p")
    keys.press("j")
    expect(item(page, "Grave")).to_be_focused()
    with page.expect_navigation():
        keys.press("e")
    expect(item(page, "Grave")).to_have_count(0)

    for key in "ud":
        keys.press("j")
        with page.expect_navigation():
            keys.press(key)
    expect(page.get_by_text("Nothing waits")).to_be_visible()

    assert opens(docket, paths["Kept"]) and opens(docket, paths["Grave"])
    assert not opens(docket, paths["Thrown"])
    assert opens(docket, paths["Right"]) and not opens(docket, paths["Wrong"])
    docket.author.go("/moderation/mine")
    expect(docket.author.page.get_by_text("No lamps here.")).to_be_visible()
    for word in ("appeal upheld", "appeal denied"):
        expect(docket.author.page.get_by_text(word)).to_be_visible()
    docket.judge.go("/moderation?escalated=1")
    expect(item(docket.judge.page, "Grave")).to_be_visible()
    legend = page.locator(".side dl.keys kbd").all_inner_texts()
    assert set(legend) == {"j", "k", "i", "esc", "p", "x", "l", "b", "e", "u", "d"}
    assert docket.moderator.complaints == []


def test_an_administrator_decides_applications_by_keys(docket: Docket) -> None:
    judge = docket.judge
    change_site(docket, registration_mode="RequireApplication", application_question="Why?")
    for name in ("hopeful", "hasty"):
        answer = judge.page.request.post(
            f"{docket.site}/signup", headers={"origin": docket.site},
            form={"name": name, "password": PASSWORD, "answer": f"I am {name}."})
        assert answer.status == 202
    change_site(docket, registration_mode="Open")
    judge.go("/moderation?kind=application")
    keys = judge.page.keyboard

    keys.press("j")
    with judge.page.expect_navigation():
        keys.press("p")
    keys.press("j")
    keys.press("i")
    keys.type("Write more.")
    keys.press("Escape")
    with judge.page.expect_navigation():
        keys.press("d")
    expect(judge.page.get_by_text("Nothing waits")).to_be_visible()

    doors = [judge.page.request.post(f"{docket.site}/login", max_redirects=0, form={
        "name": name, "password": PASSWORD}, headers={"origin": docket.site})
        for name in ("hasty", "hopeful")]
    assert "Write more." in doors[0].text()
    assert doors[1].status == 303


def change_site(docket: Docket, **choices: str) -> None:
    """Change what the site asks of newcomers, as an app does."""
    token = next(one["value"] for one in docket.judge.page.context.cookies()
                 if one["name"] == "lichen_session")
    answer = docket.judge.page.request.put(
        f"{docket.site}/api/v3/site", data=json.dumps(choices),
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"})
    assert answer.ok, answer.text()


def item(page: Page, title: str):
    """Return what waits about a post with a title."""
    return page.locator("article.post", has=page.locator("h2", has_text=re.compile(f"^{title}$")))


def opens(docket: Docket, path: str) -> bool:
    """Say whether a reader can read a post."""
    return docket.reader.page.request.get(docket.site + path).ok


def outcome(docket: Docket, path: str, sign: str) -> str:
    """Return what a post's page, or the log for a ban, says of what was done."""
    where = path if sign == "locked" else "/c/docket/modlog?kind=banFromCommunity"
    return docket.reader.page.request.get(docket.site + where).text().lower()
