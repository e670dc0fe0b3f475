"""Round trips of requests: a house whose PostgreSQL is behind a proxy, far away.

Counted by the store for the request that caused them, the relay, readers and jobs apart; that the
store counts as the socket does is shown in tests/store/test_round_trips.py.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from lichen.drill.distance import distant
from lichen.forum import NewComment, NewPost, PostDraft
from lichen.house import House
from lichen.kit.config import Config
from lichen.store import Store
from tests.faces.lemmy_v3.town import Person, Town, database
from tests.houses import opened_house

pytestmark = [pytest.mark.anyio, pytest.mark.postgresql, pytest.mark.slow]

SHORT, LONG = 3, 300  # comments; the long thread takes more than one page of anything
DELAY_MS = 10.0  # each way; see lichen/drill/distance.py


class Far(NamedTuple):
    """A house far from its database, somebody in it, and what they wrote."""

    store: Store
    person: Person
    posts: dict[int, int]

    async def trips(self, *paths: str, **asked: object) -> int:
        """Return the round trips of asking some paths, once everything is warm."""
        headers = {**self.person.headers, **self.cookie}
        for _ in range(3):
            before = self.store.round_trips
            for path in paths:
                answer = await (
                    self.person.client.post(path, json=asked, headers=headers) if asked
                    else self.person.client.get(path, headers=headers)
                )
                assert 200 == answer.status_code, answer.text[:200]
        return self.store.round_trips - before

    @property
    def cookie(self) -> dict[str, str]:
        """Return what makes pages know the person, too."""
        return {"cookie": f"lichen_session={self.person.headers['authorization'][7:]}"}


@pytest.fixture(scope="module")
async def far(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Far]:
    with database("postgresql") as url:
        parts = urlsplit(url)
        async with distant(
            "127.0.0.1", parts.port or 5432, delay_ms=DELAY_MS
        ) as distance:
            near = f"postgresql://postgres@127.0.0.1:{distance.port}{parts.path}"
            house = await opened_house(Config.load(words={
                "server.data": tmp_path_factory.mktemp("far"), "server.metrics_port": 0, "server.stream_port": 0,
                "database.url": near,
            }))
            transport = httpx.ASGITransport(app=house.application)
            async with httpx.AsyncClient(transport=transport, base_url="http://far.test") as http:
                yield await _settled(house, Town(house, Person(http)))
            await house.close()


async def _settled(house: House, town: Town) -> Far:
    """Let somebody write two threads, and the house come to rest."""
    person = await town.person()
    community_id = await town.community(person)
    me = (await person.get("/site")).json()["my_user"]["local_user_view"]["person"]["id"]
    forum, posts = house.rooms.forum, {}
    for comments in (SHORT, LONG):
        draft = PostDraft(name=f"With {comments} comments", url="https://example.org/same")
        (post,) = await house.store.write(
            lambda unit, draft=draft: forum.create_posts(unit, [NewPost(me, community_id, draft)])
        )
        new = [NewComment(me, post.id, f"Number {number}.") for number in range(comments)]
        for start in range(0, comments, 100):
            batch = new[start:start + 100]
            await house.store.write(lambda unit, batch=batch: forum.create_comments(unit, batch))
        posts[comments] = int(post.id)
    await house.followers.wait_applied(house.log.last_seq, timeout_ms=10_000)
    await house.relay.drain()
    return Far(house.store, person, posts)


@pytest.mark.parametrize("limit", [1, 50])
async def test_a_list_of_posts_takes_three_round_trips_at_most(far: Far, limit: int) -> None:
    path = f"/api/v3/post/list?type_=All&sort=Hot&limit={limit}"

    assert await far.trips(path) <= 3


@pytest.mark.parametrize("comments", [SHORT, LONG])
async def test_a_post_with_its_comments_takes_four_round_trips_at_most(
    far: Far, comments: int
) -> None:
    post_id = far.posts[comments]
    tree = f"/api/v3/comment/list?post_id={post_id}&max_depth=8&type_=All"

    assert await far.trips(f"/api/v3/post?id={post_id}", tree) <= 4
    assert await far.trips(f"/post/{post_id}") <= 4


async def test_the_front_page_takes_three_round_trips_at_most(far: Far) -> None:
    assert await far.trips("/") <= 3


async def test_a_vote_takes_two_round_trips_at_most(far: Far) -> None:
    post_id = far.posts[LONG]

    assert await far.trips("/api/v3/post/like", post_id=post_id, score=-1) <= 2


async def test_a_comment_takes_two_round_trips_at_most(far: Far) -> None:
    post_id = far.posts[LONG]

    assert await far.trips("/api/v3/comment", post_id=post_id, content="One more.") <= 2
