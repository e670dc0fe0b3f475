"""Private messages over HTTP, as apps send them: what is refused, what others see."""

from typing import Any

import pytest

from tests.faces.lemmy_v3.town import Person, Town

pytestmark = pytest.mark.anyio


async def id_of(person: Person) -> int:
    found = (await person.get("/site")).json()["my_user"]["local_user_view"]["person"]["id"]
    return int(found)


async def sent(sender: Person, to: Person, content: str = "Hello.") -> dict[str, Any]:
    answer = await sender.post(
        "/private_message", recipient_id=await id_of(to), content=content)
    assert answer.status_code == 200, answer.text
    message: dict[str, Any] = answer.json()["private_message_view"]["private_message"]
    return message


async def listed(person: Person, **asked: object) -> list[dict[str, Any]]:
    answer = await person.get("/private_message/list", **asked)
    return [view["private_message"] for view in answer.json()["private_messages"]]


async def test_a_message_waits_unread_until_its_recipient_marks_it(town: Town) -> None:
    sender, reader = await town.person(), await town.person()
    number = (await sent(sender, reader))["id"]

    before = (await reader.get("/user/unread_count")).json()
    await reader.post("/private_message/mark_as_read", private_message_id=number, read=True)
    after = (await reader.get("/user/unread_count")).json()
    await reader.post("/private_message/mark_as_read", private_message_id=number, read=False)
    await reader.post("/user/mark_all_as_read")
    at_last = (await reader.get("/user/unread_count")).json()

    assert before == {"replies": 0, "mentions": 0, "private_messages": 1}
    assert after["private_messages"] == at_last["private_messages"] == 0


async def test_other_peoples_messages_are_as_if_they_were_not(town: Town) -> None:
    sender, reader, other = [await town.person() for _ in range(3)]
    number = (await sent(sender, reader, "Between us."))["id"]
    before = town.house.log.last_seq

    answers = [
        await other.put("/private_message", private_message_id=number, content="Forged."),
        await other.post("/private_message/delete", private_message_id=number, deleted=True),
        await other.post("/private_message/mark_as_read", private_message_id=number, read=True),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["error"]) == (404, "couldnt_find_private_message")
        assert "Between us." not in answer.text
    assert await listed(other) == []
    assert await listed(other, creator_id=await id_of(sender)) == []
    assert town.house.log.last_seq == before


async def test_a_recipient_cannot_change_what_they_were_sent(town: Town) -> None:
    sender, reader = await town.person(), await town.person()
    number = (await sent(sender, reader))["id"]

    edited = await reader.put("/private_message", private_message_id=number, content="No.")
    marked = await sender.post(
        "/private_message/mark_as_read", private_message_id=number, read=True)

    assert (edited.status_code, edited.json()["error"]) == (403, "edit_private_message_not_allowed")
    assert (marked.status_code, marked.json()["error"]) == (403, "couldnt_update_private_message")


async def test_whoever_is_blocked_is_told_so(town: Town) -> None:
    sender, reader = await town.person(), await town.person()
    await reader.post("/user/block", person_id=await id_of(sender), block=True)

    answer = await sender.post(
        "/private_message", recipient_id=await id_of(reader), content="Hello?")

    assert (answer.status_code, answer.json()["error"]) == (403, "person_is_blocked")


async def test_an_edit_and_a_deletion_reach_the_recipient(town: Town) -> None:
    sender, reader = await town.person(), await town.person()
    number = (await sent(sender, reader, "Frist!"))["id"]

    await sender.put("/private_message", private_message_id=number, content="First!")
    (edited,) = await listed(reader)
    await sender.post("/private_message/delete", private_message_id=number, deleted=True)
    (gone,) = await listed(reader)

    assert edited["content"] == "First!"
    assert edited["updated"]
    assert (gone["deleted"], gone["content"]) == (True, "")


async def test_a_private_message_is_on_no_page_that_anybody_can_ask_for(town: Town) -> None:
    """Law 6: not in the search, the feeds, the site, a list or an error."""
    sender, reader = await town.person(), await town.person()
    await sent(sender, reader, "xylophonic secrets")

    asked = [
        await town.stranger.get("/search", q="xylophonic"),
        await reader.get("/search", q="xylophonic"),
        await town.stranger.get("/user", username=sender.name),
        await town.stranger.get("/comment/list"),
        await town.stranger.client.get("/feeds/all.xml"),
        await town.stranger.client.get(f"/u/{sender.name}"),
        await town.stranger.client.get(f"/messages/{sender.name}"),
        await town.stranger.client.get("/metrics"),
    ]

    assert [answer.url.path for answer in asked if "xylophonic secrets" in answer.text] == []
