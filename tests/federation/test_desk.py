"""What is answered to whoever asks for one of our ids, and what is not."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, Request, Response, get
from litestar.testing import AsyncTestClient

from lichen.accounts import ActorDraft, ActorKind, Viewer
from lichen.federation.desk import Desk
from lichen.federation.documents import OurDocuments, with_context
from lichen.federation.routes import negotiating, router, wants_document
from lichen.forum import CommunityView, NewCommunity, NewPost, PostDraft, PostView
from lichen.kit import Forbidden, Reason, Refused
from tests.federation.outward import HERE, Outward, ground, house, mira, otto, outward, post, stones

__all__ = ["ground", "house", "mira", "otto", "outward", "post", "stones"]

pytestmark = pytest.mark.anyio
GOLDEN = Path(__file__).parent / "golden"
ACTIVITY = "application/activity+json"
LD = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def engine() -> str:
    """Run on SQLite alone: what differs between the engines is below these queries."""
    return "sqlite"


class Asker:
    """Somebody who asks over HTTP."""

    def __init__(self, client: AsyncTestClient[Litestar]) -> None:
        self._client = client

    async def ask(self, path: str, accept: str = ACTIVITY) -> Any:
        """Return the answer to a request."""
        return await self._client.get(path.removeprefix(HERE), headers={"accept": accept})

    async def document(self, path: str) -> Any:
        """Return the document at an address that has one."""
        answer = await self.ask(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def refused(_request: Request[Any, Any, Any], error: Refused) -> Response[Any]:
    """Answer as the house does."""
    return Response({"error": error.code}, status_code=error.status)


@pytest.fixture
async def asker(outward: Outward) -> AsyncIterator[Asker]:
    desk = Desk(outward.house.store, outward.log, accounts=outward.house.accounts,
                forum=outward.house.forum, addresses=outward.addresses)

    @get(["/", "/u/{name:str}", "/c/{name:str}", "/post/{number:int}", "/comment/{number:int}"],
         media_type="text/html", sync_to_thread=False)
    def page() -> str:
        return "<p>A page.</p>"

    async def authorise(_method: str, target: str, headers: Any) -> None:
        if "secret" in target and "signature" not in headers:
            raise Forbidden("signature_required", "Sign this.")

    app = Litestar([page, router(desk, authorise)], middleware=[negotiating(desk, authorise)],
                   exception_handlers={Refused: refused}, openapi_config=None)
    async with AsyncTestClient(app) as client:
        yield Asker(client)


@pytest.mark.parametrize("accept, wants", [
    (ACTIVITY, True), (LD, True), (BROWSER, False), ("*/*", False), ("", False),
    (f"{LD}, {ACTIVITY}", True), (f"{ACTIVITY}, text/html;q=0.1", True),
    (f"text/html, {ACTIVITY}", False), (f"{ACTIVITY}, text/html", True),
    (f"{ACTIVITY};q=0.5, text/html;q=0.9", False), ("application/json", False),
    (f"{ACTIVITY};q=x", False),
])
def test_a_document_is_given_to_who_asks_for_it_before_a_page(accept: str, wants: bool) -> None:
    assert wants_document(accept) == wants


async def test_pages_and_documents_share_an_address(asker: Asker, post: PostView) -> None:
    for path in ("/", "/u/mira", "/c/stones", "/post/1"):
        page, document = await asker.ask(path, BROWSER), await asker.ask(path, LD)

        assert "A page." in page.text and page.headers["vary"] == "Accept"
        assert document.headers["content-type"] == ACTIVITY
        assert document.headers["vary"] == "Accept"
        assert document.json()["id"] == HERE + path


@pytest.mark.parametrize("path", ["/", "/u/mira", "/c/stones", "/post/1", "/comment/1"])
async def test_a_document_is_as_it_was(
    asker: Asker, outward: Outward, mira: Viewer, post: PostView, path: str
) -> None:
    """Golden bytes: what a peer has stored of us must not change its shape by accident."""
    await outward.remote("otto")
    await outward.house.write(
        "create_comment", mira, post.post.id, content="*Nice*, @otto@far.example")

    document = await asker.document(path)
    if "publicKey" in document:
        document["publicKey"]["publicKeyPem"] = "PUBLIC"

    golden = GOLDEN / f"{path.strip('/').replace('/', '_') or 'site'}.json"
    assert document == json.loads(golden.read_text())


async def test_collections_hold_what_everybody_may_see(
    asker: Asker, outward: Outward, mira: Viewer, post: PostView, stones: CommunityView
) -> None:
    await outward.write(outward.moderation, "feature_post", mira, post.post.id, featured=True)
    said = await outward.house.write("create_comment", mira, post.post.id, content="Nice.")

    outbox = await asker.document("/c/stones/outbox")
    mine = await asker.document("/u/mira/outbox")
    pinned = await asker.document("/c/stones/featured")
    followers = await asker.document("/c/stones/followers")
    moderators = await asker.document("/c/stones/moderators")
    context = await asker.document("/post/1/context")

    announced = outbox["orderedItems"][0]
    assert (announced["type"], announced["object"]["type"]) == ("Announce", "Create")
    assert announced["object"]["object"]["id"] == post.post.ap_id
    assert mine["orderedItems"][1:] == [announced["object"]]
    comment = mine["orderedItems"][0]  # whoever moves takes both along
    assert (comment["type"], comment["object"]["id"]) == ("Create", said.comment.ap_id)
    assert comment["object"]["inReplyTo"] == post.post.ap_id
    assert [one["id"] for one in pinned["orderedItems"]] == [post.post.ap_id]
    assert (followers["totalItems"], followers["items"]) == (1, [])
    assert moderators["orderedItems"] == [f"{HERE}/u/mira"]
    assert context["orderedItems"] == [post.post.ap_id, said.comment.ap_id]


async def walked(asker: Asker, path: str) -> list[Any]:
    """Return what stands on the pages of a collection, from its first to its last."""
    whole = await asker.document(path)
    items, following = [], whole["first"]
    while following:
        page = await asker.document(following)
        assert (page["type"], page["partOf"]) == ("OrderedCollectionPage", whole["id"])
        assert (page["id"], page["totalItems"]) == (following, whole["totalItems"])
        items += page["orderedItems"]
        following = page.get("next")
    return items


async def test_outbox_and_context_can_be_walked_to_their_ends(
    asker: Asker, outward: Outward, mira: Viewer, post: PostView, stones: CommunityView,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lichen.federation.desk.CONTEXT_ITEMS_MAX", 2)
    drafts = [PostDraft(name=f"Stone {at}", body="x" * 30_000 if at < 30 else None)
              for at in range(51)]
    await outward.house.write("create_posts", [
        NewPost(mira.id, stones.community.id, draft) for draft in drafts])
    said = [await outward.house.write("create_comment", mira, post.post.id, content=f"No. {at}")
            for at in range(4)]
    await outward.house.write("delete_comment", mira, said[1].comment.id, deleted=True)

    announced = await walked(asker, "/c/stones/outbox")
    below = await walked(asker, "/post/1/context")

    things = [one["object"]["object"] for one in announced]
    # What would make a page too large for whoever reads it is named, and has to be asked for.
    ids = [one if isinstance(one, str) else one["id"] for one in things]
    assert ids == [f"{HERE}/post/{number}" for number in range(52, 0, -1)]
    assert 0 < sum(isinstance(one, str) for one in things) < 30
    assert below == [post.post.ap_id, *(said[at].comment.ap_id for at in (0, 2, 3))]


@pytest.mark.parametrize("path", [
    "/c/stones/outbox?page=first,second", "/c/stones/outbox?page=AAAA", "/post/1/context?page=-1",
    "/post/1/context?page=9999999999999999999", "/u/mira/outbox?page=%00",
])
async def test_a_page_that_nobody_named_is_refused(
    asker: Asker, post: PostView, path: str
) -> None:
    assert (await asker.ask(path)).status_code in (400, 404)


async def test_what_was_taken_away_is_a_tombstone(
    asker: Asker, outward: Outward, mira: Viewer, otto: Viewer, post: PostView
) -> None:
    said = await outward.house.write("create_comment", otto, post.post.id, content="Rude.")
    await outward.write(
        outward.moderation, "remove_comment", mira, said.comment.id, removed=True)
    await outward.house.write("delete_post", mira, post.post.id, deleted=True)

    for path in ("/post/1", "/comment/1"):
        answer = await asker.ask(path)

        assert answer.status_code == 410
        assert answer.json()["type"] == "Tombstone" and answer.json()["id"] == HERE + path
    assert (await asker.ask("/post/1/context")).status_code == 410


async def test_what_is_not_for_everybody_is_not_there(
    asker: Asker, outward: Outward, mira: Viewer, otto: Viewer, stones: CommunityView
) -> None:
    attic = ActorDraft(kind=ActorKind.COMMUNITY, name="attic")
    (place,) = await outward.house.write("create_communities", [
        NewCommunity(actor=attic, creator_id=mira.id, local_only=True)])
    inside = await outward.house.write("create_post", mira, place.id, PostDraft(name="Boxes"))
    below = await outward.house.write("create_comment", mira, inside.post.id, content="Old.")
    (held,) = await outward.house.write("create_posts", [
        NewPost(otto.id, stones.community.id, PostDraft(name="Buy!!"),
                holds=(Reason(rule="links"),))])
    moss = await outward.remote_community()
    anna = await outward.remote("anna")
    (theirs,) = await outward.house.write("create_posts", [
        NewPost(anna.id, moss.id, PostDraft(name="Moss"), local=False,
                ap_id="https://far.example/post/9")])

    for path in ("/c/attic", "/c/attic/outbox", "/c/attic/followers", f"/post/{inside.post.id}",
                 f"/comment/{below.comment.id}", f"/post/{held.id}", f"/post/{theirs.id}",
                 f"/post/{inside.post.id}/context", "/u/nobody", "/u/stones", "/c/mira",
                 "/c/moss@far.example/outbox", "/post/999999999999999999", "/comment/77",
                 "/activities/create/nonsense", f"/activities/create/{held.tid}"):
        assert (await asker.ask(path)).status_code == 404, path
    assert "Boxes" not in (await asker.ask("/u/mira/outbox")).text
    assert "Buy!!" not in (await asker.ask("/u/otto/outbox")).text


async def test_an_activity_that_was_sent_is_found_by_its_id_unless_it_was_private(
    asker: Asker, outward: Outward, mira: Viewer, otto: Viewer, post: PostView,
    stones: CommunityView,
) -> None:
    await outward.followed(stones)
    anna = await outward.remote("anna")
    await outward.house.write("vote_post", otto, post.post.id, value=1)
    await outward.write(outward.messages, "create_message", mira, anna.id, content="Secret.")
    announce, message = await outward.activities()

    whole = await asker.document(announce["id"])
    inner = await asker.document(announce["object"]["id"])

    assert whole == announce
    assert {**inner, "@context": None} == {**announce["object"], "@context": None}
    assert (await asker.ask(message["id"])).status_code == 404


async def test_whoever_must_sign_is_told_so_and_the_sites_own_key_is_always_there(
    asker: Asker, outward: Outward
) -> None:
    await outward.house.sign_up("secret")

    assert (await asker.ask("/u/secret")).status_code == 403
    assert (await asker.ask("/u/secret/outbox")).status_code == 403
    assert (await asker.ask("/")).status_code == 200


async def test_dids_resolve_to_their_actors(
    asker: Asker, outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    anna = await outward.remote("anna")
    paths = {"/u/mira/did.json": mira.actor, "/c/stones/did.json": stones.community.actor,
             f"/r/{anna.did.rpartition(':')[2]}/did.json": anna,
             "/.well-known/did.json": outward.house.accounts.current_site.actor}

    for path, actor in paths.items():
        document = await asker.document(path)

        assert (document["id"], document["alsoKnownAs"]) == (actor.did, [actor.ap_id])
    assert (await asker.ask("/u/nobody/did.json")).status_code == 404


async def test_a_text_goes_out_as_safe_html_and_as_it_was_typed(outward: Outward) -> None:
    from msgspec.structs import replace

    site = outward.house.accounts.current_site
    hostile = replace(site, settings=replace(site.settings, sidebar="<script>x</script> *Hi*"))

    document = with_context(OurDocuments(outward.addresses).application(hostile, "PUBLIC"))

    assert "<script" not in str(document["content"]) and "<em>Hi</em>" in str(document["content"])
    assert document["source"] == {
        "content": "<script>x</script> *Hi*", "mediaType": "text/markdown"}
