"""WebFinger and NodeInfo, asked and answered."""

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from lichen.accounts import ActorKind
from lichen.federation.discovery import router
from lichen.federation.nodeinfo import described_in
from lichen.federation.webfinger import Handle, handle_in
from lichen.forum import CommunityDraft
from lichen.web import Addresses
from tests.federation.conftest import House
from tests.federation.elsewhere import Elsewhere

pytestmark = pytest.mark.anyio
HERE = "http://lichen.example"


@pytest.mark.parametrize(("text", "handle"), [
    ("@anna@peer.example", Handle(ActorKind.PERSON, "anna", "peer.example")),
    ("!Garden@Peer.Example:8443", Handle(ActorKind.COMMUNITY, "Garden", "peer.example:8443")),
    ("@a.b-c@127.0.0.1:1", Handle(ActorKind.PERSON, "a.b-c", "127.0.0.1:1")),
    ("@anna@[::1]:80", Handle(ActorKind.PERSON, "anna", "[::1]:80")),
    ("@anna", None), ("anna@peer.example", None), ("@@peer.example", None), ("@a b@c.de", None),
    ("@anna@peer.example/x", None), ("@anna@peer.example#x", None), ("", None),
    ("@" + "a" * 300 + "@peer.example", None),
])
async def test_a_handle_is_a_mark_a_name_and_a_server(text: str, handle: Handle | None) -> None:
    assert handle_in(text) == handle


async def test_others_find_our_people_and_communities(house: House) -> None:
    mira = await house.sign_up("mira")
    await house.store.write(lambda unit: house.forum.create_community(
        unit, mira, "mira", CommunityDraft(title="Of Mira")))
    await house.sign_up("otto")
    application = Litestar(route_handlers=[router(
        store=house.store, accounts=house.accounts, addresses=Addresses(HERE))])

    async with AsyncTestClient(application) as client:
        async def ask(resource: str) -> tuple[int, dict]:
            answer = await client.get("/.well-known/webfinger", params={"resource": resource})
            return answer.status_code, answer.json()

        status, both = await ask("acct:Mira@lichen.example")
        assert status == 200
        assert both["subject"] == "acct:mira@lichen.example"
        kind = "https://www.w3.org/ns/activitystreams#type"
        assert [(one["href"], one["properties"][kind]) for one in both["links"]
                if one["rel"] == "self"] == [
            (f"{HERE}/u/mira", "Person"), (f"{HERE}/c/mira", "Group")]
        assert (await ask("acct:@otto@lichen.example"))[1]["aliases"] == [f"{HERE}/u/otto"]
        assert (await ask("acct:!mira@lichen.example"))[0] == 200
        assert (await ask(f"{HERE}/u/otto"))[1]["subject"] == "acct:otto@lichen.example"
        assert (await ask("acct:lichen.example@lichen.example"))[1]["aliases"] == [f"{HERE}/"]
        for resource, expected in (
            ("acct:nobody@lichen.example", 404), ("acct:mira@elsewhere.example", 404),
            ("https://elsewhere.example/u/mira", 404), ("mira", 400), ("", 400),
            ("acct:" + "a" * 3_000, 400),
        ):
            assert (await ask(resource))[0] == expected, resource
        meta = await client.get("/.well-known/host-meta")
        assert f'template="{HERE}/.well-known/webfinger?resource={{uri}}"' in meta.text


@pytest.mark.parametrize("document", [
    {}, {"software": None, "metadata": []}, {"software": "lemmy"},
    {"software": {"name": 7}, "metadata": {"capabilities": {"a": 1}}},
])
async def test_a_shy_server_is_a_peer_too(document: dict) -> None:
    assert described_in(document) == ("", "", ())


async def test_a_peer_is_asked_once_what_it_runs_and_remembered(
    house: House, peer: Elsewhere
) -> None:
    peer.content_type = "application/json"
    peer.documents["/.well-known/nodeinfo"] = {"links": [
        {"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": peer.at("/n/2.0")},
        {"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1",
         "href": "http://victim.example/n/2.1"},
    ]}
    peer.documents["/n/2.0"] = {
        "software": {"name": "PieFed", "version": "1.6"},
        "metadata": {"capabilities": ["fep-1b12", "fep-1a11", 7]},
    }
    peers = house.room.peers

    first = await peers.peer(peer.authority)
    await peers.ask_due()
    found = await peers.asked(peer.authority)

    assert not first.software
    assert (found.software, found.version, found.takes_batches) == ("piefed", "1.6", True)
    assert found.capabilities == ("fep-1b12", "fep-1a11")
    assert peer.asked == ["/.well-known/nodeinfo", "/n/2.0"]
