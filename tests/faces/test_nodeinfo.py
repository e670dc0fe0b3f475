"""NodeInfo: the name apps look for, where they look for it."""

import pytest

from tests.faces.lemmy_v3.town import opened

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

RELATION = "http://nodeinfo.diaspora.software/ns/schema/"


@pytest.fixture
async def town(tmp_path):
    async with opened(tmp_path, "") as here:
        yield here


async def test_the_links_lead_to_documents_that_name_the_software(town) -> None:
    client = town.stranger.client
    links = (await client.get("/.well-known/nodeinfo")).json()["links"]
    assert {link["rel"] for link in links} == {f"{RELATION}2.0", f"{RELATION}2.1"}

    for link in links:
        assert link["href"].startswith(town.house.addresses.public_url)
        path = link["href"].removeprefix(town.house.addresses.public_url)
        document = (await client.get(path)).json()
        assert link["rel"] == RELATION + document["version"]
        assert document["software"]["name"] == "lemmy"
        assert document["software"]["version"].startswith("0.19.20-lichen.")
        assert document["openRegistrations"] is True
        assert document["metadata"]["implementation"].startswith("lichen ")


async def test_people_posts_and_comments_are_counted(town) -> None:
    author = await town.person()
    post_id = await town.post(author, await town.community(author))
    await town.comment(author, post_id)

    usage = (await town.stranger.client.get("/nodeinfo/2.0.json")).json()["usage"]

    assert usage["users"]["total"] == 1
    assert set(usage) == {"users", "localPosts", "localComments"}


async def test_the_old_address_answers_and_other_sites_may_read(town) -> None:
    """pythorhead asks for /nodeinfo/2.0.json without looking at the links."""
    answer = await town.stranger.client.get("/nodeinfo/2.0.json")

    assert answer.headers["content-type"].startswith("application/json")
    assert f"{RELATION}2.0#" in answer.headers["content-type"]
    assert answer.headers["access-control-allow-origin"] == "*"
