"""Documents: believed from their own address alone, bounded, signed for who asks for it."""

import pytest

from lichen.accounts import ActorKind
from lichen.federation import Gone
from lichen.federation.fetching import decoded
from lichen.federation.peers import load_peers
from lichen.federation.webfinger import Handle, fetch_ids
from lichen.kit import Refused, Unavailable
from tests.federation.conftest import House
from tests.federation.elsewhere import Elsewhere

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine() -> str:
    """Nothing here asks the rows: one engine is enough."""
    return "sqlite"


async def test_a_document_is_fetched_by_its_id(house: House, peer: Elsewhere) -> None:
    person = peer.person()

    assert await house.room.documents.fetch(person["id"] + "#main-key") == person
    assert peer.signatures == [""]


async def test_a_page_leads_to_the_id_that_it_names(house: House, peer: Elsewhere) -> None:
    """Mastodon's /@anna answers with the document of /users/anna; that one is asked itself."""
    person = peer.person()
    peer.documents["/@anna"] = person | {"name": "said by the page alone"}

    assert await house.room.documents.fetch(peer.at("/@anna")) == person
    assert peer.asked == ["/@anna", "/u/anna"]


async def test_nobody_speaks_for_another_server(
    house: House, peer: Elsewhere, other: Elsewhere
) -> None:
    """What a document says of another's id is asked there, and counts only from there."""
    theirs = other.person("victim", summary="Victim")
    peer.documents["/post/1"] = theirs | {"summary": "Mallory"}

    found = await house.room.documents.fetch(peer.at("/post/1"))

    assert found["summary"] == "Victim"


@pytest.mark.parametrize(("lie", "code"), [
    ({"id": None}, "wrong_id"), ({"id": "nowhere"}, "wrong_id"), ({"id": 7}, "wrong_id"),
    ({"id": "file:///etc/passwd"}, "wrong_id"),
])
async def test_a_document_without_an_id_is_refused(
    house: House, peer: Elsewhere, lie: dict, code: str
) -> None:
    peer.documents["/x"] = {"type": "Person"} | lie

    with pytest.raises(Refused, match=code):
        await house.room.documents.fetch(peer.at("/x"))


async def test_two_addresses_that_name_each_other_end(house: House, peer: Elsewhere) -> None:
    peer.documents["/a"] = {"id": peer.at("/b")}
    peer.documents["/b"] = {"id": peer.at("/a")}

    with pytest.raises(Refused, match="wrong_id"):
        await house.room.documents.fetch(peer.at("/a"))
    assert peer.asked == ["/a", "/b"]


async def test_a_redirect_does_not_lend_a_name(
    house: House, peer: Elsewhere, other: Elsewhere
) -> None:
    """An open redirect of a victim must not let others speak as the victim."""
    peer.documents["/u/victim"] = 302
    peer.location = other.at("/forged")
    other.documents["/forged"] = {"id": peer.at("/u/victim"), "type": "Person"}

    with pytest.raises(Refused, match="wrong_host"):
        await house.room.documents.fetch(peer.at("/u/victim"))


@pytest.mark.parametrize(("kind", "is_taken"), [
    ("application/activity+json", True),
    ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', True),
    ("application/ld+json", False), ("application/json", False), ("text/html", False),
    ("image/png", False),
])
async def test_only_documents_are_read(
    house: House, peer: Elsewhere, kind: str, is_taken: bool
) -> None:
    """A JSON that somebody uploaded somewhere is not its server's word."""
    person = peer.person()
    peer.content_type = kind

    if is_taken:
        assert await house.room.documents.fetch(person["id"]) == person
    else:
        with pytest.raises(Refused, match="wrong_content_type"):
            await house.room.documents.fetch(person["id"])


@pytest.mark.parametrize(("status", "error"), [
    (404, Gone), (410, Gone), (418, Refused), (500, Unavailable), (503, Unavailable),
    (429, Unavailable), (403, Refused),
])
async def test_a_status_is_what_it_says(
    house: House, peer: Elsewhere, status: int, error: type[Exception]
) -> None:
    peer.documents["/x"] = status

    with pytest.raises(error):
        await house.room.documents.fetch(peer.at("/x"))


async def test_who_answers_signed_questions_alone_is_asked_so(
    house: House, peer: Elsewhere
) -> None:
    """Authorised fetch: the first time twice, then signed at once."""
    peer.person()
    peer.wants_signed = True

    await house.room.documents.fetch(peer.at("/u/anna"))
    await house.room.documents.fetch(peer.at("/u/anna"))

    assert [bool(one) for one in peer.signatures] == [False, True, True]
    assert 'keyId="http://lichen.example/#main-key"' in peer.signatures[-1]


async def test_who_takes_rfc_9421_alone_is_asked_so_also_after_a_start(
    house: House, peer: Elsewhere
) -> None:
    """Double knocking costs its peer once: what it takes is kept in its row."""
    peer.person()
    peer.wants_rfc9421 = True

    await house.room.documents.fetch(peer.at("/u/anna"))
    await house.room.documents.fetch(peer.at("/u/anna"))

    assert len(peer.asked) == 4, "a stranger, in one style, in the other; then so at once"
    await house.room.peers.flush()
    (kept,) = await house.store.read(load_peers)
    assert kept.style == "rfc9421"


async def test_a_site_may_sign_all_its_questions(house: House, peer: Elsewhere) -> None:
    peer.person()
    await house.settings(federation_signed_fetch=True)

    await house.room.documents.fetch(peer.at("/u/anna"))

    assert len(peer.signatures) == 1
    assert peer.signatures[0]


async def test_lists_and_switches_decide_whom_we_talk_to(house: House, peer: Elsewhere) -> None:
    """By authority, by bare host, allowed names only, and not at all."""
    peer.person()
    allowed = house.room.peers.is_allowed

    await house.settings(blocked_instances=(peer.authority,))
    assert (allowed(peer.authority), allowed("127.0.0.1:1")) == (False, True)
    await house.settings(blocked_instances=("127.0.0.1",))
    assert (allowed(peer.authority), allowed("127.0.0.1:1")) == (False, False)
    await house.settings(blocked_instances=(), allowed_instances=("friend.example",))
    assert (allowed(peer.authority), allowed("friend.example:8443")) == (False, True)
    await house.settings(allowed_instances=(), federation_enabled=False)
    assert not allowed(peer.authority)
    await house.settings(federation_enabled=True)
    assert allowed(peer.authority)
    assert not allowed("lichen.example"), "we do not ask ourselves"


@pytest.mark.parametrize("body", [
    b"", b"[]", b'"x"', b"{", b"\xff", b'{"a":' * 100_000, b'{"a":' * 40 + b"1" + b"}" * 40,
])
async def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="invalid_json"):
        decoded(body)


@pytest.mark.parametrize(("links", "person", "community"), [
    ((("/u/anna", "Person"), ("/c/anna", "Group")), ["/u/anna"], ["/c/anna"]),
    ((("/u/anna", ""),), ["/u/anna"], ["/u/anna"]),
    ((("/c/anna", "Group"), ("/u/anna", "")), ["/u/anna"], ["/c/anna"]),
], ids=["Lemmy names both", "Mastodon names no type", "one of them untyped"])
async def test_the_right_link_of_an_answer_is_taken(
    house: House, peer: Elsewhere, links: tuple, person: list, community: list
) -> None:
    peer.finger("anna", *links)

    for kind, expected in ((ActorKind.PERSON, person), (ActorKind.COMMUNITY, community)):
        found = await fetch_ids(
            house.room.documents, "http", Handle(kind, "anna", peer.authority))
        assert found == [peer.at(path) for path in expected]
