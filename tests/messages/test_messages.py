"""Messages: written, seen by two, changed, taken away, counted, refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.accounts import Viewer
from lichen.events.messages import Message as MessageRecord
from lichen.events.messages import Read
from lichen.kit import Forbidden, NotFound, Refused, TooMany
from lichen.messages.limits import MESSAGE_LENGTH_MAX, MESSAGES_PER_DAY_MAX, PAGE_NUMBER_MAX
from lichen.messages.model import Message, MessageId, check_content, seen_by
from tests.messages.conftest import Few, Post, limited

pytestmark = pytest.mark.anyio


async def test_a_message_is_seen_by_its_two_people_and_by_nobody_else(
    office: Post, mira: Viewer, otto: Viewer, anna: Viewer
) -> None:
    sent = await office.send(mira, otto, "Between us.")

    assert sent.message.ap_id == f"https://lichen.example/private_message/{sent.message.id}"
    assert (sent.creator.name, sent.recipient.name) == ("mira", "otto")
    assert await office.texts(mira) == await office.texts(otto) == ["Between us."]
    assert await office.texts(anna) == []
    assert await office.texts(anna, creator_id=mira.id) == []


async def test_the_newest_comes_first_and_pages_join_without_a_seam(
    office: Post, mira: Viewer, otto: Viewer, anna: Viewer, clock
) -> None:
    for number in range(7):
        clock.advance(seconds=1)
        await office.send(*((mira, otto) if number % 2 else (otto, mira)), str(number))
    await office.send(anna, mira, "aside")

    assert await office.texts(mira, limit=3) == ["aside", "6", "5"]
    assert await office.texts(mira, limit=3, page=2) == ["4", "3", "2"]
    assert await office.texts(mira, creator_id=otto.id, limit=50) == list("6543210")
    assert await office.texts(otto, limit=50, unread_only=True) == ["5", "3", "1"]
    assert await office.texts(mira, unread_only=True, creator_id=anna.id) == ["aside"]


async def test_an_edit_is_seen_by_the_recipient_as_an_edit(
    office: Post, mira: Viewer, otto: Viewer, clock
) -> None:
    sent = await office.send(mira, otto)
    clock.advance(seconds=5)
    await office.write("edit_message", mira, sent.message.id, content="Good day.")

    (seen,) = await office.read("message_list", otto)

    assert (seen.message.content, seen.message.updated_us) == ("Good day.", clock.now_us)


async def test_what_is_taken_away_has_no_text_for_the_recipient_until_it_is_back(
    office: Post, mira: Viewer, otto: Viewer
) -> None:
    sent = await office.send(mira, otto, "Oh no.")

    await office.write("delete_message", mira, sent.message.id, deleted=True)
    (gone,) = await office.read("message_list", otto)
    mine = await office.texts(mira)
    unread = await office.unread(otto)
    await office.write("delete_message", mira, sent.message.id, deleted=False)

    assert (gone.message.content, gone.message.deleted, unread) == ("", True, 0)
    assert mine == ["Oh no."]
    assert await office.texts(otto) == ["Oh no."]


async def test_every_change_is_told_once_and_whole(
    office: Post, mira: Viewer, otto: Viewer
) -> None:
    office.told()
    sent = await office.send(mira, otto, "Between us.")
    number = sent.message.id
    (created,) = [e for e in office.journal.events if e.collection == "lichen.message.message"]
    await office.write("edit_message", mira, number, content="Other words.")
    for deleted in (True, True, False):
        await office.write("delete_message", mira, number, deleted=deleted)
    for read in (True, True, False):
        await office.write("mark_read", otto, number, read=read)

    record = msgspec.json.decode(created.record, type=MessageRecord)
    assert (created.did, created.row) == (mira.actor.did, number)
    assert (record.recipient, record.content) == (otto.actor.did, "Between us.")
    assert office.told() == [
        "create lichen.message.message", "update lichen.message.message",
        "delete lichen.message.message", "update lichen.message.message",
        "create lichen.message.read", "create lichen.message.read",
    ]


async def test_a_read_mark_is_the_recipients_alone(
    office: Post, mira: Viewer, otto: Viewer, anna: Viewer
) -> None:
    sent = await office.send(mira, otto)
    number = sent.message.id

    assert sent.message.read, "to its sender it says nothing"
    assert await office.unread(otto) == 1
    with pytest.raises(Forbidden, match="couldnt_update_private_message"):
        await office.write("mark_read", mira, number, read=True)
    with pytest.raises(NotFound, match="couldnt_find_private_message"):
        await office.write("mark_read", anna, number, read=True)
    marked = await office.write("mark_read", otto, number, read=True)
    assert marked.message.read
    assert await office.unread(otto) == 0


async def test_everything_is_marked_at_once_or_one_persons(
    office: Post, mira: Viewer, otto: Viewer, anna: Viewer
) -> None:
    for sender in (otto, otto, anna):
        await office.send(sender, mira)
    office.told()

    await office.write("mark_conversation_read", mira, otto.actor)
    after_one = await office.unread(mira)
    last = [e for e in office.journal.events if e.collection == "lichen.message.read"][-1]
    await office.write("mark_all_read", mira)
    await office.write("mark_all_read", mira)

    assert after_one == 1
    assert msgspec.json.decode(last.record, type=Read).sender == otto.actor.did
    assert await office.unread(mira) == 0
    assert office.told() == ["create lichen.message.read"] * 2


async def test_only_its_sender_changes_a_message(
    office: Post, mira: Viewer, otto: Viewer, anna: Viewer
) -> None:
    number = (await office.send(mira, otto)).message.id
    office.told()

    for viewer, refusal, code in (
        (otto, Forbidden, "edit_private_message_not_allowed"),
        (anna, NotFound, "couldnt_find_private_message"),
    ):
        with pytest.raises(refusal, match=code):
            await office.write("edit_message", viewer, number, content="Forged.")
        with pytest.raises(refusal, match=code):
            await office.write("delete_message", viewer, number, deleted=True)

    assert await office.texts(otto) == ["Hello."]
    assert office.told() == []


async def test_whoever_is_blocked_can_neither_write_nor_be_read(
    office: Post, mira: Viewer, otto: Viewer
) -> None:
    await office.send(otto, mira, "Buy this!")
    await office.store.write(
        lambda unit: office.accounts.block_person(unit, mira, otto.id, blocked=True))

    with pytest.raises(Forbidden, match="person_is_blocked"):
        await office.send(otto, mira, "Buy it!")

    assert await office.texts(mira) == []
    assert await office.texts(mira, creator_id=otto.id) == []
    assert await office.read("conversations", mira) == []
    assert await office.unread(mira) == 0
    await office.send(mira, otto, "No.")
    await office.store.write(
        lambda unit: office.accounts.block_person(unit, mira, otto.id, blocked=False))
    assert await office.texts(mira) == ["No.", "Buy this!"]


async def test_who_was_banned_since_they_logged_in_cannot_write(
    office: Post, mira: Viewer, otto: Viewer, admin: Viewer
) -> None:
    number = (await office.send(mira, otto)).message.id
    await office.store.write(
        lambda unit: office.accounts.ban(unit, admin, mira.id, banned=True))

    with pytest.raises(Forbidden, match="site_ban"):
        await office.send(mira, otto)
    with pytest.raises(Forbidden, match="site_ban"):
        await office.write("edit_message", mira, number, content="Anyway.")


async def test_nobody_writes_to_a_community_a_number_or_to_others_of_a_house_by_itself(
    office: Post, mira: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lichen.accounts import ActorDraft, ActorKind

    drafts = [
        ActorDraft(kind=ActorKind.PERSON, name="far", domain="far.example",
                   ap_id="https://far.example/u/far", inbox="https://far.example/inbox"),
        ActorDraft(kind=ActorKind.COMMUNITY, name="place"),
    ]
    far, place = await office.store.write(
        lambda unit: office.accounts.create_actors(unit, drafts))
    site = office.accounts.current_site
    alone = msgspec.structs.replace(site.settings, federation_enabled=False)
    written = await office.write("create_message", mira, far.id, content="Hello?")
    assert written.recipient.ap_id == "https://far.example/u/far"
    monkeypatch.setattr(
        type(office.accounts), "current_site",
        property(lambda _: msgspec.structs.replace(site, settings=alone)),
    )

    for number, code in ((far.id, "federation_disabled"), (place.id, "couldnt_find_person"),
                         (999_999, "couldnt_find_person")):
        with pytest.raises(Refused, match=code):
            await office.write("create_message", mira, number, content="Hello?")


@pytest.mark.parametrize("content", ["", " \n\t", "a" * (MESSAGE_LENGTH_MAX + 1)])
async def test_an_empty_or_endless_message_is_refused(content: str) -> None:
    with pytest.raises(Refused, match="invalid_body_field"):
        check_content(content)


async def test_a_message_may_be_as_long_as_the_limit(
    office: Post, mira: Viewer, otto: Viewer
) -> None:
    assert await office.send(mira, otto, "ä" * MESSAGE_LENGTH_MAX)


async def test_the_house_limits_messages_a_day_and_a_day_later_they_fit_again(
    office: Post, ground, accounts, addresses, mira: Viewer, otto: Viewer, clock
) -> None:
    office.room = limited(ground, accounts, addresses, Few(2))
    for _ in range(2):
        await office.send(mira, otto)

    with pytest.raises(TooMany, match="rate_limit_error"):
        await office.send(mira, otto)
    clock.advance(days=1, seconds=1)

    assert await office.send(mira, otto)


async def test_no_allowance_lifts_the_rooms_own_limit(
    office: Post, ground, accounts, addresses, mira: Viewer, otto: Viewer
) -> None:
    room = limited(ground, accounts, addresses, Few(10**9))

    with pytest.raises(TooMany):
        room._check_allowance(mira, sent=MESSAGES_PER_DAY_MAX, now_us=0)


@pytest.mark.parametrize(("asked", "code"), [
    ({"page": 0}, "invalid_page"), ({"page": PAGE_NUMBER_MAX + 1}, "invalid_page"),
    ({"limit": 0}, "invalid_limit"), ({"limit": 51}, "invalid_limit"),
])
async def test_pages_have_bounds(
    office: Post, mira: Viewer, asked: dict[str, int], code: str
) -> None:
    with pytest.raises(Refused, match=code):
        await office.read("message_list", mira, **asked)


async def test_a_conversation_is_one_line_a_person_with_the_newest_first(
    office: Post, mira: Viewer, otto: Viewer, anna: Viewer, clock
) -> None:
    for sender, to, content in ((otto, mira, "one"), (mira, anna, "two"), (otto, mira, "three")):
        clock.advance(seconds=1)
        await office.send(sender, to, content)

    found = await office.read("conversations", mira)

    assert [(one.other.name, one.last.content, one.unread) for one in found] == [
        ("otto", "three", 2), ("anna", "two", 0),
    ]


async def test_a_note_to_oneself_waits_for_nobody(office: Post, mira: Viewer) -> None:
    await office.send(mira, mira, "Milk.")

    assert await office.texts(mira) == ["Milk."]
    assert await office.unread(mira) == 0
    assert [one.other.name for one in await office.read("conversations", mira)] == ["mira"]


async def test_a_report_takes_a_message_from_its_recipient_alone(
    office: Post, mira: Viewer, otto: Viewer, anna: Viewer
) -> None:
    number = (await office.send(mira, otto, "Rude.")).message.id

    view = await office.read("message_for_report", otto, number)

    assert view.message.content == "Rude."
    for viewer in (mira, anna):
        with pytest.raises(NotFound, match="couldnt_find_private_message"):
            await office.read("message_for_report", viewer, number)
    assert [one.message.id for one in await office.read("messages_by_id", [999, number])] == [number]


async def test_what_is_erased_is_gone_for_both_and_told_as_gone(
    office: Post, mira: Viewer, otto: Viewer
) -> None:
    numbers = [(await office.send(mira, otto, text)).message.id for text in ("one", "two")]
    await office.write("delete_message", mira, numbers[1], deleted=True)
    office.told()

    await office.write("erase_messages", await office.read("sent_ids", mira.id))

    assert await office.texts(mira) == await office.texts(otto) == []
    (line,) = await office.read("conversations", otto)
    assert (line.other.name, line.last) == ("mira", None)
    assert office.told() == ["delete lichen.message.message"], "once for each that was there"
    await office.write("forget_conversations", mira.id)
    assert await office.read("conversations", mira) == []


async def test_an_export_finds_everything_in_order(
    office: Post, mira: Viewer, otto: Viewer, anna: Viewer
) -> None:
    await office.send(mira, otto, "one")
    await office.send(otto, anna, "not mine")
    gone = await office.send(otto, mira, "taken away")
    await office.write("delete_message", otto, gone.message.id, deleted=True)

    views = await office.read("messages_after", mira.id, after_id=0)
    first = views[0].message.id
    rest = await office.read("messages_after", mira.id, after_id=first)

    assert [view.message.content for view in views] == ["one", ""]
    assert rest == views[1:]


@pytest.mark.parametrize(("verb", "arguments", "trips"), [
    ("create_message", {"recipient_id": 0, "content": "Hi."}, 2),
    ("edit_message", {"message_id": 0, "content": "Ho."}, 2),
    ("mark_all_read", {}, 2),
])
async def test_commands_wait_twice_however_much_there_is(
    office: Post, mira: Viewer, otto: Viewer, verb: str, arguments: dict[str, object], trips: int
) -> None:
    first = (await office.send(otto, mira)).message.id
    for _ in range(5):
        await office.send(otto, mira)
    names = {"recipient_id": mira.id, "message_id": first}
    bound = {name: names.get(name, value) for name, value in arguments.items()}
    units = []

    def counted(unit):
        units.append(unit)
        who = mira if verb == "mark_all_read" else otto
        return getattr(office.room, verb)(unit, who, **bound)

    await office.store.write(counted)

    assert units[-1].round_trips <= trips


@given(creator=st.integers(1, 3), viewer=st.integers(1, 3), deleted=st.booleans(), read=st.booleans())
def test_property_a_recipient_never_sees_what_was_taken_away(
    creator: int, viewer: int, deleted: bool, read: bool
) -> None:
    message = Message(
        id=MessageId(1), tid="t", ap_id="a", local=True, creator_id=creator, recipient_id=2,
        content="words", deleted=deleted, read=read, published_us=1, updated_us=None,
    )

    seen = seen_by(message, viewer)

    assert seen.content == ("" if deleted and viewer != creator else "words")
    assert seen_by(seen, viewer) == seen
