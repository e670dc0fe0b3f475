"""What moderators and those moderated live through in a real browser, in one walk.

An application is approved; a post is reported, removed with a reason, appealed and restored by
another moderator; a rule is tried on the past, switched on and seen to act; a picture is uploaded,
seen, deleted and gone from disk. Issue 3, "must show" 2: with scripts on a desk, without on a phone.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.house.test_one_evening import (
    DESK,
    PASSWORD,
    PHONE,
    Guest,
    Looker,
    _looker,
    browser,
    folder,
    site,
)
from tests.media.pictures import drawn, made

__all__ = ["browser", "folder", "site"]

pytestmark = pytest.mark.slow

class People:
    """Everybody of the walk, each in a browser of their own, opened when they first come."""

    def __init__(self, browser: Browser, site: str, *, scripted: bool) -> None:
        self._browser = browser
        self._site = site
        self._scripted = scripted
        self._guests: dict[str, Guest] = {}
        self.look = _looker(scripted)
        self.mark = "s" if scripted else "n"

    def __getitem__(self, name: str) -> Guest:
        if name not in self._guests:
            context = self._browser.new_context(
                viewport=DESK if self._scripted else PHONE, java_script_enabled=self._scripted,
                color_scheme="light" if len(self._guests) % 2 else "dark",
            )
            self._guests[name] = Guest(context, self._site)
        return self._guests[name]

    def name(self, name: str) -> str:
        """Return the name that somebody has on this walk."""
        return f"{name}_{self.mark}"

    def comes(self, name: str) -> Guest:
        """Let somebody join."""
        self[name].join(self.name(name))
        return self[name]

    def end(self) -> list[str]:
        """Close every browser; return what they complained of."""
        complaints = [one for guest in self._guests.values() for one in guest.complaints]
        for guest in self._guests.values():
            guest.page.context.close()
        return complaints


@pytest.fixture(params=["script on a desk", "no script on a phone"])
def people(request: pytest.FixtureRequest, browser: Browser, site: str) -> Iterator[People]:
    people = People(browser, site, scripted=request.param.startswith("script"))
    yield people
    assert [] == people.end()


def test_a_trial_from_an_application_to_a_picture_that_is_gone(
    people: People, folder: Path, tmp_path: Path
) -> None:
    keeper = people["keeper"]
    keeper.go("/login")
    keeper.page.locator("main [name=name]").fill("gardener")
    keeper.fill("Password", PASSWORD)
    keeper.press("Log in")
    keeper.page.wait_for_url(f"{keeper.site}/")

    _a_place_with_two_moderators(people)
    _an_application_is_approved(people)
    post = _a_post_is_reported_and_removed(people)
    _the_author_appeals_and_another_restores(people, post)
    _a_rule_is_tried_and_acts(people)
    _a_picture_is_gone_from_disk(people["author"], people.look, folder / "data" / "pictures", tmp_path)


def _a_place_with_two_moderators(people: People) -> None:
    """The author writes what is judged; two people moderate."""
    first, second = people.comes("first"), people.comes("second")
    people.comes("author")
    send = first.page.request
    token = next(one["value"] for one in first.page.context.cookies()
                 if one["name"] == "lichen_session")
    headers = {"authorization": f"Bearer {token}"}
    place = send.post(f"{first.site}/api/v3/community", headers=headers, data={
        "name": people.name("court"), "title": "The court"}).json()
    other = send.get(f"{first.site}/api/v3/user?username={people.name('second')}").json()
    appointed = send.post(f"{first.site}/api/v3/community/mod", headers=headers, data={
        "community_id": place["community_view"]["community"]["id"], "added": True,
        "person_id": other["person_view"]["person"]["id"]})
    assert appointed.ok, appointed.text()
    second.go(f"/c/{people.name('court')}")


def _an_application_is_approved(people: People) -> None:
    """Somebody applies with an answer, reads that it waits, is let in and comes in."""
    keeper, applicant = people["keeper"], people["applicant"]
    keeper.go("/admin/joining")
    people.look(keeper)
    keeper.page.get_by_label("Who may join").select_option("RequireApplication")
    keeper.page.locator("[name=application_question]").fill("Why here?")
    keeper.press("Keep")
    keeper.page.wait_for_url("**/admin/joining?done=1")

    applicant.go("/signup")
    applicant.fill("Name", people.name("applicant"))
    applicant.fill("Password", PASSWORD)
    applicant.page.locator("[name=answer]").fill("Because of the **moss**.")
    people.look(applicant)
    applicant.press("Join")
    expect(applicant.page.locator("main")).to_contain_text(people.name("applicant"))
    people.look(applicant)

    keeper.go("/admin/applications")
    people.look(keeper)
    expect(keeper.page.locator("main")).to_contain_text("Because of the **moss**.")
    keeper.page.get_by_role("button", name=f"Let in {people.name('applicant')}").click()
    expect(keeper.page.locator("main")).not_to_contain_text("Because of the **moss**.")
    applicant.go("/login")
    applicant.page.locator("main [name=name]").fill(people.name("applicant"))
    applicant.fill("Password", PASSWORD)
    applicant.press("Log in")
    applicant.page.wait_for_url(f"{applicant.site}/")

    keeper.go("/admin/joining")
    keeper.page.get_by_label("Who may join").select_option("Open")
    keeper.press("Keep")
    keeper.page.wait_for_url("**/admin/joining?done=1")


def _a_post_is_reported_and_removed(people: People) -> str:
    """The applicant, now a member, reports a post; a moderator removes it; return its path."""
    author, reader, first = people["author"], people["applicant"], people["first"]
    author.go(f"/create_post?community={people.name('court')}")
    author.fill("Title", "Cheap lamps")
    author.page.locator("[name=body]").fill("Buy my lamps, they are of stone.")
    author.press("Publish")
    author.page.wait_for_url("**/post/*")
    post = author.page.url.removeprefix(author.site)

    reader.go(post)
    reader.page.locator(".whole").get_by_role("link", name=re.compile("more", re.I)).first.click()
    reader.page.get_by_role("link", name=re.compile("report", re.I)).first.click()
    reader.page.locator("[name=reason]").fill("An advertisement.")
    people.look(reader)
    reader.page.locator("form.form").get_by_role("button", name=re.compile("Report")).click()
    reader.page.wait_for_url(f"**{post}")

    first.go("/moderation")
    people.look(first)
    item = first.page.locator("article", has_text="Cheap lamps")
    expect(item).to_contain_text("An advertisement.")
    item.get_by_label("Reason, which the person is told").fill("No advertisements here.")
    item.get_by_role("button", name="remove").click()
    expect(first.page.locator("article", has_text="Cheap lamps")).to_have_count(0)
    assert reader.page.request.get(reader.site + post).status == 404
    return post


def _the_author_appeals_and_another_restores(people: People, post: str) -> None:
    """The author reads why, and asks for another look; who removed it may not give that look."""
    author, first, second = people["author"], people["first"], people["second"]
    author.go("/inbox")
    people.look(author)
    expect(author.page.locator("main")).to_contain_text("decided something about you")
    author.go("/moderation/mine")
    people.look(author)
    expect(author.page.locator("main")).to_contain_text("No advertisements here.")
    author.page.locator("summary", has_text="Appeal").click()
    author.page.get_by_label("Why should it be decided otherwise?").fill("The lamps are a gift.")
    author.press("Appeal")
    expect(author.page.locator("article").first).to_contain_text("appeal open")

    second.go("/moderation?kind=appeal")
    people.look(second)
    item = second.page.locator("article", has_text="The lamps are a gift.")
    item.get_by_label("Reason, which the person is told").fill("A gift is no advertisement.")
    item.get_by_role("button", name="uphold").click()
    expect(second.page.locator("article", has_text="The lamps are a gift.")).to_have_count(0)

    author.go("/moderation/mine")
    expect(author.page.locator("main")).to_contain_text("A gift is no advertisement.")
    author.go(post)
    expect(author.page.locator("h1")).to_have_text("Cheap lamps")
    first.go(f"/c/{people.name('court')}/modlog")
    people.look(first)
    expect(first.page.locator("main")).to_contain_text("Undone: Post removed")


def _a_rule_is_tried_and_acts(people: People) -> None:
    """A rule from menus: tried on the past, switched on, and seen to act on what comes."""
    first, author = people["first"], people["author"]
    rules = f"/c/{people.name('court')}/rules"
    first.go(rules)
    people.look(first)
    first.go(f"{rules}/new")
    first.fill("Name", "No lamps")
    first.page.get_by_label("Fact 1").select_option("text")
    first.page.get_by_label("Comparison 1").select_option("contains")
    first.page.get_by_label("Value 1").fill("lamps")
    first.page.get_by_label("Then").select_option("hold")
    people.look(first)
    first.press("Try on the past")
    first.page.wait_for_url("**/rules/trials/*")
    for _ in range(50):  # without a script one asks again
        if "Cheap lamps" in first.page.locator("main").inner_text():
            break
        first.page.reload()
    expect(first.page.locator("main")).to_contain_text("Cheap lamps")
    people.look(first)

    first.go(f"{rules}/new")
    first.fill("Name", "No lamps")
    first.page.get_by_label("Fact 1").select_option("text")
    first.page.get_by_label("Comparison 1").select_option("contains")
    first.page.get_by_label("Value 1").fill("lamps")
    first.page.get_by_label("Then").select_option("hold")
    first.press("Switch on")
    first.page.wait_for_url(f"**{rules}")
    expect(first.page.locator("main")).to_contain_text("No lamps")
    first.page.get_by_role("link", name="No lamps").first.click()
    people.look(first)

    author.go(f"/create_post?community={people.name('court')}")
    author.fill("Title", "More lamps")
    author.press("Publish")
    author.page.wait_for_url("**/post/*")
    held = author.page.url.removeprefix(author.site)
    assert people["applicant"].page.request.get(author.site + held).status == 404
    first.go("/moderation?kind=held")
    people.look(first)
    item = first.page.locator("article", has_text="More lamps")
    item.get_by_role("button", name="approve").click()
    expect(first.page.locator("article", has_text="More lamps")).to_have_count(0)
    assert people["applicant"].page.request.get(author.site + held).status == 200


def _a_picture_is_gone_from_disk(
    author: Guest, look: Looker, pictures: Path, tmp_path: Path
) -> None:
    """Uploaded, seen in the list, deleted: the folder holds what it held before."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(made("jpg", image=drawn(900, 600)))
    before = _files(pictures)
    author.go("/pictures")
    look(author)
    author.page.set_input_files("#f-picture", photo)
    author.press("Upload")
    expect(author.page.locator(".shots img")).to_have_count(1)
    look(author)
    between = _files(pictures)
    author.page.locator(".shots button").click()
    expect(author.page.locator(".said.good")).to_contain_text("The picture is gone.")

    assert len(between) == len(before) + 4
    assert _files(pictures) == before


def _files(pictures: Path) -> list[str]:
    return sorted(str(path) for path in pictures.rglob("*") if path.is_file())
