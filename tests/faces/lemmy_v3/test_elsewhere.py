"""Other servers through the Lemmy API: found by name and address, listed with what they run."""

from collections.abc import AsyncIterator

import pytest

from tests.faces.lemmy_v3.town import Town
from tests.federation.elsewhere import Elsewhere

pytestmark = pytest.mark.anyio


@pytest.fixture
async def peer() -> AsyncIterator[Elsewhere]:
    """A server with a community, a person and a thread."""
    one = Elsewhere()
    stop = await one.start()
    one.person()
    one.group()
    one.finger("garden", ("/c/garden", "Group"))
    one.finger("anna", ("/u/anna", "Person"))
    one.note(1, one.page()["id"])
    one.collection("/c/garden/moderators", [one.at("/u/anna")])
    one.collection("/c/garden/outbox", [one.documents["/post/1"]])
    yield one
    await stop()


async def test_what_others_have_is_resolved_for_people_who_are_logged_in(
    town: Town, peer: Elsewhere
) -> None:
    person = await town.person()

    async def resolve(text: str) -> dict:
        answer = await person.get("/resolve_object", q=text)
        assert answer.status_code == 200, answer.text
        return answer.json()

    stranger = await town.stranger.get("/resolve_object", q=f"!garden@{peer.authority}")
    assert (stranger.status_code, stranger.json()["error"]) == (404, "couldnt_find_object")
    assert peer.asked == []

    community = (await resolve(f"!garden@{peer.authority}"))["community"]["community"]
    assert (community["name"], community["local"]) == ("garden", False)
    assert community["actor_id"] == peer.at("/c/garden")
    found = (await resolve(f"@anna@{peer.authority}"))["person"]["person"]
    assert (found["name"], found["local"]) == ("anna", False)
    comment = (await resolve(peer.at("/comment/1")))["comment"]
    assert comment["comment"]["content"] == "Answer 1."
    assert comment["creator"]["id"] == found["id"]
    assert (await resolve(peer.at("/post/1")))["post"]["post"]["id"] == comment["post"]["id"]

    await town.house.rooms.federation.resolver.communities.settled()
    there = await person.get("/community", id=community["id"])
    assert [one["moderator"]["name"] for one in there.json()["moderators"]] == ["anna"]
    missing = await person.get("/resolve_object", q=peer.at("/post/404"))
    assert (missing.status_code, missing.json()["error"]) == (404, "couldnt_find_object")
    # What is known by now a stranger may see too.
    known = await town.stranger.get("/resolve_object", q=peer.at("/post/1"))
    assert known.status_code == 200


async def test_servers_are_listed_with_what_they_run(town: Town, peer: Elsewhere) -> None:
    person = await town.person()
    peers = town.house.rooms.federation.peers
    peer.documents["/.well-known/nodeinfo"] = {"links": [{
        "rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": peer.at("/nodeinfo/2.1"),
    }]}
    peer.documents["/nodeinfo/2.1"] = {"software": {"name": "lemmy", "version": "0.19.9"}}
    await person.get("/resolve_object", q=peer.at("/u/anna"))
    await peers.asked(peer.authority)
    peers.note_failure(peer.authority, "It answers 500.", retry_at_us=1_700_000_000_000_000)

    listed = (await town.stranger.get("/federated_instances")).json()["federated_instances"]

    (one,) = [one for one in listed["linked"] if one["domain"] == peer.authority]
    assert (one["software"], one["version"]) == ("lemmy", "0.19.9")
    assert one["federation_state"]["fail_count"] == 1
    assert one["federation_state"]["next_retry"] == "2023-11-14T22:13:20Z"


async def test_a_server_that_is_blocked_is_not_asked(town: Town, peer: Elsewhere) -> None:
    """The lists of Lemmy's EditSite count at once, by authority and by bare host."""
    keeper = await town.keeper()
    for listed in (peer.authority, "127.0.0.1"):
        await keeper.put("/site", blocked_instances=[listed])
        answer = await keeper.get("/resolve_object", q=peer.at("/u/anna"))
        assert answer.status_code == 404
    assert peer.asked == []

    await keeper.put("/site", blocked_instances=[])
    assert (await keeper.get("/resolve_object", q=peer.at("/u/anna"))).status_code == 200
