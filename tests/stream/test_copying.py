"""What of an event the stream carries: the log's own bytes, and who is named in them."""

import msgspec
import pytest

from lichen.events import Event, Outside, Record, accounts, deletion_of, event_of, forum
from lichen.kit import Tid
from lichen.stream.copying import House, arrival_of
from lichen.stream.model import Arrival, Operation

HOUSE = House("lichen.example", lambda name: f"did:web:lichen.example:u:{name}")
MIRA, OTTO = "did:web:lichen.example:u:mira", "did:web:lichen.example:u:otto"
STONES = "did:web:lichen.example:c:stones"
AT = "2023-11-14T22:13:20.000000Z"


def event(record: Record, *, outside: Outside = "shown", rkey: str = "3kabcdefghijk") -> Event:
    return event_of(record, id=Tid("3kzzzzzzzzzzz"), did=MIRA, operation="create", rkey=rkey,
                    row=7, origin="peer.example", outside=outside)


def copied(one: Event) -> Arrival | None:
    return arrival_of(one, HOUSE, seq=41, time_us=1_700_000_000_000_000)


def test_a_record_goes_out_byte_for_byte_with_rev_and_cid() -> None:
    one = event(forum.Post(name="A \"title\"", community=STONES, created_at=AT, langs=("en",)))

    arrival = copied(one)

    assert arrival is not None and one.cid is not None
    assert arrival.body == (
        b'{"rev":"3kzzzzzzzzzzz","operation":"create","collection":"lichen.forum.post",'
        b'"rkey":"3kabcdefghijk","record":' + bytes(one.record) + b',"cid":"' + one.cid.encode()
        + b'"}')
    assert (arrival.did, arrival.seq, arrival.time_us) == (MIRA, 41, 1_700_000_000_000_000)
    assert (arrival.operation, arrival.is_root, arrival.langs) == (Operation.CREATE, True, ("en",))


def test_neither_row_nor_origin_is_ever_in_what_goes_out() -> None:
    arrival = copied(event(forum.Post(name="Words", community=STONES, created_at=AT)))

    assert arrival is not None
    assert b"peer.example" not in arrival.body
    assert set(msgspec.json.decode(arrival.body)) == {
        "rev", "operation", "collection", "rkey", "record", "cid"}


def test_a_deletion_goes_out_without_a_record() -> None:
    gone = deletion_of("lichen.forum.post", id=Tid("3kzzzzzzzzzzz"), did=MIRA, rkey="3kabcdefghijk")

    arrival = copied(gone)

    assert arrival is not None and arrival.operation is Operation.DELETE
    assert msgspec.json.decode(arrival.body) == {
        "rev": "3kzzzzzzzzzzz", "operation": "delete", "collection": "lichen.forum.post",
        "rkey": "3kabcdefghijk"}


def test_what_is_not_public_any_more_goes_out_as_a_deletion_without_its_words() -> None:
    hidden = event(forum.Community(name="secret", created_at=AT, hidden=True), outside="ended")

    arrival = copied(hidden)

    assert arrival is not None and arrival.operation is Operation.DELETE
    assert b"secret" not in arrival.body


def test_what_is_withheld_or_private_does_not_go_out() -> None:
    held_back = event(forum.Post(name="Words", community=STONES, created_at=AT), outside="withheld")
    vote = event(forum.Vote(subject="at://x", value=1, created_at=AT))

    assert copied(held_back) is None
    assert copied(vote) is None


def test_a_record_key_that_needs_escaping_is_escaped() -> None:
    emoji = event(accounts.SiteEmoji(shortcode='a"b', image="https://a", alt_text="", category="",
                                     created_at=AT), rkey='a"b')

    arrival = copied(emoji)

    assert arrival is not None
    assert msgspec.json.decode(arrival.body)["rkey"] == 'a"b'


@pytest.mark.parametrize(("record", "named"), [
    (forum.Post(name="Hi @otto@lichen.example", community=STONES, created_at=AT), (OTTO,)),
    (forum.Post(name="Hi", body="(@otto@LICHEN.example!)", community=STONES, created_at=AT), (OTTO,)),
    (forum.Post(name="Hi @otto", body="me@otto@lichen.example", community=STONES, created_at=AT), ()),
    (forum.Post(name="Hi @otto@elsewhere.example", community=STONES, created_at=AT), ()),
    (forum.Post(name="I am @mira@lichen.example", community=STONES, created_at=AT), ()),
    (forum.Comment(post=f"at://{OTTO}/lichen.forum.post/3k", content="So.", created_at=AT), (OTTO,)),
    (forum.Comment(post=f"at://{MIRA}/lichen.forum.post/3k", content="So.", created_at=AT,
                   parent=f"at://{OTTO}/lichen.forum.comment/3k"), (OTTO,)),
    (forum.Moderator(subject=OTTO, created_at=AT), (OTTO,)),
    (accounts.SiteBan(subject=OTTO, banned=True, created_at=AT), (OTTO,)),
], ids=[
    "in a title", "in a text, whatever the case of the host", "a bare name and an address",
    "of another server", "oneself", "whose post it answers", "whose comment it answers",
    "who is appointed", "who is banned",
])
def test_a_record_names_our_people_in_its_text_whom_it_answers_and_whom_it_is_about(
    record: Record, named: tuple[str, ...]
) -> None:
    arrival = copied(event(record))

    assert arrival is not None
    assert arrival.mentions == named
