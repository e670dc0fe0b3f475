"""Writing: what was typed is kept, the preview tells the truth, only authors edit."""

import re
from html import unescape

import pytest

from tests.faces.pages.garden import Garden, words

pytestmark = pytest.mark.anyio


async def test_a_refused_post_keeps_everything_that_was_typed(garden: Garden) -> None:
    person = await garden.person()
    typed = {
        "community": await garden.community(person), "name": "No", "body": "A long *text* <b>.",
        "url": "https://example.org/a", "alt_text": 'A "picture"', "nsfw": "1", "language": "37",
    }

    page = await person.send("/create_post", typed)

    assert 400 == page.status_code
    assert 'role="alert"' in page.text
    kept = unescape(page.text)
    for name in ("community", "url"):
        assert f'value="{typed[name]}"' in kept
    assert ">A long *text* <b>.</textarea>" in kept
    assert "A &#34;picture&#34;" in page.text
    assert 'name="nsfw" value="1" checked' in page.text
    assert '<option value="37" selected>' in page.text


async def test_a_preview_without_a_script_shows_the_text_and_publishes_nothing(
    garden: Garden,
) -> None:
    person = await garden.person()
    community = await garden.community(person)

    page = await person.send(
        "/create_post",
        {"community": community, "name": "Soon", "body": "With **marks**", "preview": "1"},
    )
    listed = await person.see(f"/c/{community}")

    assert "With <strong>marks</strong>" in page.text
    assert "Soon" not in words(listed.text)


async def test_the_live_preview_is_safe_html(garden: Garden) -> None:
    piece = await (await garden.person()).send(
        "/preview", {"content": "**Bold** <script>alert(1)</script>"}, htmx=True
    )

    assert "<strong>Bold</strong>" in piece.text
    assert "<script" not in piece.text


async def test_an_edit_is_offered_to_the_author_alone(garden: Garden) -> None:
    author, other = await garden.person(), await garden.person()
    path = await garden.post(author, title="Before", body="Old words")
    comment = await garden.comment(author, path, "Old comment")

    for page in (f"{path}/edit", f"/comment/{comment}/edit"):
        assert 403 == (await other.see(page)).status_code
    await author.send(f"{path}/edit", {"name": "After", "body": "New words"})
    await author.send(f"/comment/{comment}/edit", {"content": "New comment"})
    refused = await other.send(f"{path}/edit", {"name": "Mine now", "body": ""})
    page = await garden.stranger().see(path)

    assert 403 == refused.status_code
    assert "<p>New words</p>" in page.text
    assert "<p>New comment</p>" in page.text
    assert "After" in words(page.text)


async def test_an_answer_by_htmx_stands_below_what_it_answers(garden: Garden) -> None:
    person = await garden.person()
    path = await garden.post(person)
    comment = await garden.comment(person, path, "First")

    form = await person.see(f"/comment/{comment}/reply", **{"HX-Request": "true"})
    piece = await person.send(f"/comment/{comment}/reply", {"content": "Second"}, htmx=True)
    top = await person.send(f"{path}/comment", {"content": "Third"}, htmx=True)

    assert "<form" in form.text and "next .u" == form.headers["hx-retarget"]
    assert piece.text.startswith('<div class="u"></div><div class="c"')
    assert "closest .u" == piece.headers["hx-retarget"]
    assert ("#thread", "afterbegin") == (top.headers["hx-retarget"], top.headers["hx-reswap"])


@pytest.mark.parametrize("content", ["", "   \n ", "x" * 10_001, "a\x00b"])
async def test_a_comment_that_cannot_be_is_refused_and_kept(garden: Garden, content: str) -> None:
    person = await garden.person()
    path = await garden.post(person)

    page = await person.send(f"{path}/comment", {"content": content})
    thread = await person.see(path)

    assert 400 == page.status_code
    assert 'class="c"' not in thread.text


async def test_an_answer_reaches_the_inbox_and_can_be_marked(garden: Garden) -> None:
    author, other = await garden.person(), await garden.person()
    path = await garden.post(author)
    await garden.comment(other, path, "An answer for you")

    inbox = await author.see("/inbox")
    number = re.search(r'formaction="/inbox/(\d+)/read"', inbox.text)
    assert number is not None
    await author.send(f"/inbox/{number[1]}/read", {"value": "1"})
    after = await author.see("/inbox")
    theirs = await other.send(f"/inbox/{number[1]}/read", {"value": "0"})

    assert "<p>An answer for you</p>" in inbox.text
    assert "mark as read" in words(inbox.text)
    assert "mark as unread" in words(after.text)
    assert 404 == theirs.status_code


async def test_what_came_since_my_last_visit_is_marked_new(garden: Garden) -> None:
    author, other = await garden.person(), await garden.person()
    path = await garden.post(author)
    await garden.comment(other, path, "Seen already")
    await author.see(path)

    await garden.comment(other, path, "Fresh words")
    page = await author.see(path)

    fresh = re.search(r'<div class="c new"[^>]*>.*?<p>([^<]*)</p>', page.text, re.DOTALL)
    assert fresh is not None and "Fresh words" == fresh[1]
    assert 1 == page.text.count('class="c new"')


async def test_only_moderators_change_what_is_said_of_a_community(garden: Garden) -> None:
    founder, other = await garden.person(), await garden.person()
    name = await garden.community(founder)
    said = {"title": "Better", "description": "With *rules*"}

    refused = await other.send(f"/c/{name}/edit", said)
    await founder.send(f"/c/{name}/edit", said)
    page = await garden.stranger().see(f"/c/{name}")

    assert 403 == refused.status_code
    assert "With <em>rules</em>" in page.text


async def test_a_community_name_that_is_taken_keeps_the_rest(garden: Garden) -> None:
    person = await garden.person()
    name = await garden.community(person)

    page = await person.send("/create_community", {
        "name": name, "title": "Once more", "description": "A description",
    })

    assert 409 == page.status_code or 400 == page.status_code
    assert 'value="Once more"' in page.text
    assert ">A description</textarea>" in page.text
