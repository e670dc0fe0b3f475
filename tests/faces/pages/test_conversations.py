"""Messages as pages: without a script, between two, and never as anything but text."""

import re

import pytest

from tests.faces.pages.garden import Garden, words

pytestmark = pytest.mark.anyio

SCRIPTS = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[press](javascript:alert(1))",
    "[press](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](javascript:alert(1))",
    '"><svg onload=alert(1)>',
    "</textarea><script>alert(1)</script>",
    "<a href='vbscript:x'>y</a>",
    "`</code><script>alert(1)</script>`",
]


async def test_people_write_to_each_other_without_a_script(garden: Garden) -> None:
    mira, otto = await garden.person(), await garden.person()

    profile = await mira.see(f"/u/{otto.name}")
    answer = await mira.send(f"/messages/{otto.name}", {"content": "Shall we *meet*?"})
    lines = await otto.see("/messages")
    page = await otto.see(f"/messages/{mira.name}")
    again = await otto.see("/messages")

    assert f'href="/messages/{otto.name}"' in profile.text
    assert answer.status_code == 303
    assert re.fullmatch(rf"/messages/{otto.name}#m\d+", answer.headers["location"])
    assert "1 new" in words(lines.text) and "Shall we meet?" in words(lines.text)
    assert "Shall we <em>meet</em>?" in page.text
    assert "1 new" not in words(again.text), "what was shown was read"


async def test_the_inbox_leads_to_messages_and_back(garden: Garden) -> None:
    mira = await garden.person()

    assert 'href="/messages"' in (await mira.see("/inbox")).text
    assert 'href="/inbox?show=mention"' in (await mira.see("/messages")).text


async def test_what_was_typed_is_kept_when_it_is_refused(garden: Garden) -> None:
    mira, otto = await garden.person(), await garden.person()
    await otto.send(f"/u/{mira.name}/block", {"value": "1"})

    answer = await mira.send(f"/messages/{otto.name}", {"content": "Please read me."})

    assert answer.status_code == 403
    assert "This person has blocked you." in words(answer.text)
    assert "Please read me.</textarea>" in answer.text


async def test_a_preview_sends_nothing(garden: Garden) -> None:
    mira, otto = await garden.person(), await garden.person()

    answer = await mira.send(f"/messages/{otto.name}", {"content": "*soon*", "preview": "1"})

    assert "<em>soon</em>" in answer.text
    assert "Nobody has written yet" in words((await otto.see("/messages")).text)


async def test_a_message_is_changed_taken_away_and_brought_back(garden: Garden) -> None:
    mira, otto = await garden.person(), await garden.person()
    sent = await mira.send(f"/messages/{otto.name}", {"content": "Frist"})
    path = sent.headers["location"].replace("#m", "/")
    there = f"/messages/{mira.name}"

    form = await mira.see(f"{path}/edit")
    await mira.send(f"{path}/edit", {"content": "First"})
    edited = words((await otto.see(there)).text)
    await mira.send(f"{path}/delete", {"value": "1"})
    gone = words((await otto.see(there)).text)
    await mira.send(f"{path}/delete", {"value": "0"})
    back = words((await otto.see(there)).text)

    assert "Frist</textarea>" in form.text
    assert "First" in edited and "edited" in edited
    assert "First" not in gone and "taken away" in gone
    assert "First" in back


async def test_nobody_opens_or_changes_what_others_wrote(garden: Garden) -> None:
    mira, otto, anna = [await garden.person() for _ in range(3)]
    sent = await mira.send(f"/messages/{otto.name}", {"content": "Between us"})
    path = sent.headers["location"].replace("#m", "/")

    for answer in (
        await anna.see(f"{path}/edit"),
        await otto.see(f"{path.replace(otto.name, mira.name)}/edit"),
        await anna.send(f"{path}/edit", {"content": "Forged"}),
        await anna.send(f"{path}/delete", {"value": "1"}),
    ):
        assert answer.status_code == 404
        assert "Between us" not in answer.text
    assert "Between us" not in (await anna.see(f"/messages/{mira.name}")).text
    assert "Between us" in (await otto.see(f"/messages/{mira.name}")).text


@pytest.mark.parametrize("content", SCRIPTS)
async def test_no_script_comes_out_of_a_message(garden: Garden, content: str) -> None:
    mira, otto = await garden.person(), await garden.person()
    sent = await mira.send(f"/messages/{otto.name}", {"content": content})
    path = sent.headers["location"].replace("#m", "/")

    for answer in (
        await otto.see(f"/messages/{mira.name}"), await otto.see("/messages"),
        await mira.see(f"{path}/edit"),
        await mira.send(f"/messages/{otto.name}", {"content": content, "preview": "1"}),
    ):
        assert answer.status_code == 200
        text = re.sub(r'<script src="/static/[^"]+" defer></script>', "", answer.text)
        assert not re.search(r"<script|<svg onload|<img[^>]+onerror", text, re.IGNORECASE)
        assert not re.search(r"""<[^>]*(href|src)=["']?\s*(javascript|data:text|vbscript)""", text)


async def test_strangers_are_shown_the_door(garden: Garden) -> None:
    mira = await garden.person()

    for path in ("/messages", f"/messages/{mira.name}"):
        answer = await garden.stranger().see(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")


async def test_other_sites_cannot_send_in_my_name(garden: Garden) -> None:
    mira, otto = await garden.person(), await garden.person()

    answer = await mira.send(
        f"/messages/{otto.name}", {"content": "Spam"},
        **{"origin": "https://evil.example", "sec-fetch-site": "cross-site"})

    assert answer.status_code == 403
    assert "Spam" not in (await otto.see("/messages")).text


async def test_a_person_who_is_not_there_has_no_conversation(garden: Garden) -> None:
    mira = await garden.person()

    assert (await mira.see("/messages/nobody_at_all")).status_code == 404
    assert (await mira.send("/messages/nobody_at_all", {"content": "Hi"})).status_code == 404


async def test_long_conversations_are_turned_page_by_page(garden: Garden) -> None:
    mira, otto = await garden.person(), await garden.person()
    for number in range(31):
        await mira.send(f"/messages/{otto.name}", {"content": f"word-{number}."})

    newest = await otto.see(f"/messages/{mira.name}")
    older = await otto.see(f"/messages/{mira.name}?page_number=2")

    assert "word-30." in newest.text and "word-0." not in newest.text
    assert newest.text.index("word-5.") < newest.text.index("word-30.")
    assert "page_number=2" in newest.text
    assert "word-0." in older.text and "page_number=3" not in older.text
