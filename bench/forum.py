"""What pages and commands of the forum cost on SQLite, beside the bare statements they run.

    python -m bench.forum

CPU time of the thread that answers, the median of many; the floor is sqlite3 executing the same
statements in the same run and making nothing of their rows. No HTTP, no rendering.
"""

import asyncio
import importlib
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import sqlalchemy as sa

import lichen
from bench.results import record
from lichen.accounts import ActorDraft, ActorKind, Viewer
from lichen.accounts.passwords import Passwords
from lichen.accounts.room import build as build_accounts
from lichen.events import Event
from lichen.forum import (
    CommentQuery,
    CommunityDraft,
    Forum,
    Listing,
    NewComment,
    NewPost,
    PostDraft,
    PostQuery,
    Sort,
    SubjectKind,
    Vote,
)
from lichen.forum.room import build
from lichen.kit.config import Config, Identity, Limits
from lichen.kit.ground import ground_of
from lichen.store import Query, Store, Unit, metadata, open_store
from lichen.web import Addresses

POSTS = 5_000
COMMENTS = 500
PEOPLE = 1_000
VOTES = 5_000
ROUNDS = 100


def create_tables(folder: Path) -> None:
    """Create every room's tables in the folder's database."""
    for path in sorted(Path(lichen.__path__[0]).glob("*/tables.py")):
        importlib.import_module(f"lichen.{path.parent.name}.tables")
    metadata.create_all(sa.create_engine(f"sqlite:///{folder / 'lichen.sqlite'}"))


async def filled(folder: Path) -> tuple[Store, Forum, Viewer]:
    """Return a forum with posts, a thread and votes, and somebody who looks at it."""
    create_tables(folder)
    ground = ground_of(Config(
        identity=Identity(public_url="https://lichen.example"), limits=Limits(newcomers=False)
    ))
    store = open_store("", folder=folder, clock=ground.clock)
    addresses = Addresses(ground.config.public_url)
    accounts = await build_accounts(
        ground, store, addresses=addresses, log_seq=0, passwords=Passwords(memory_kib=64)
    )
    room = await build(ground, store, accounts=accounts, addresses=addresses, folder=folder,
                       log_first_seq=0, log_last_seq=0)

    async def settle(events: Sequence[Event]) -> None:
        room.standings.follow(events)
        await room.rank_reader.follow(events)

    store.settle = settle
    login = await accounts.register("mira", "correct horse battery", address="::1", agent="bench")
    viewer = await accounts.viewer(login.token)
    assert viewer is not None
    drafts = [ActorDraft(kind=ActorKind.PERSON, name=f"p{at:04}") for at in range(PEOPLE)]
    people = await store.write(lambda unit: accounts.create_actors(unit, drafts))
    await write(store, room.forum, viewer, [person.id for person in people])
    return store, room.forum, viewer


async def write(store: Store, forum: Forum, viewer: Viewer, people: list[int]) -> None:
    """Fill the forum and print how fast batches are written."""
    chance = random.Random(1)
    around = await store.write(
        lambda unit: forum.create_community(unit, viewer, "stones", CommunityDraft(title="Stones"))
    )
    community_id = around.community.id
    drafts = [NewPost(chance.choice(people), community_id,
                      PostDraft(name=f"Post number {at}", body="Some text. " * 20))
              for at in range(POSTS)]
    posts = await timed("posts", POSTS, store, lambda unit: forum.create_posts(unit, drafts))
    thread: list[NewComment] = []
    for at in range(COMMENTS):
        parent = chance.choice(thread).id if thread and chance.random() < 0.7 else None
        thread.append(NewComment(chance.choice(people), posts[0].id, "A comment. " * 15,
                                 parent_id=parent, id=at + 1))
    await timed("comments", COMMENTS, store, lambda unit: forum.create_comments(unit, thread))
    votes = [Vote(chance.choice(people), SubjectKind.POST, chance.choice(posts).id, 1)
             for _ in range(VOTES)]
    await timed("votes", VOTES, store, lambda unit: forum.cast_votes(unit, votes))


async def timed(name: str, count: int, store: Store, command: Callable[[Unit], list]) -> list:
    """Run a batch and print how many it wrote a second, durable and applied."""
    start = time.perf_counter()
    result = await store.write(command)
    print(f"{count:6} {name:9} {count / (time.perf_counter() - start):9,.0f}/s")
    return result


def cpu_ms(run: Callable[[], object]) -> float:
    """Return the median CPU time of a run."""
    run()
    times = []
    for _ in range(ROUNDS):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return median(times) * 1e3


def measure(unit: Unit, page: Callable[[Unit], object]) -> tuple[float, float]:
    """Return the CPU time of a page, and of its bare statements, in ms."""
    asked: list[Query] = []
    fetch_all = unit.fetch_all

    def listen(*queries: Query) -> list:
        asked.extend(queries)
        return fetch_all(*queries)

    unit.fetch_all = listen  # type: ignore[method-assign]
    page(unit)
    unit.fetch_all = fetch_all  # type: ignore[method-assign]
    bound = [(form.sql, form.bind(parameters)) for statement, parameters in asked
             for form in [statement.compiled("sqlite")]]
    connection = unit.connection  # type: ignore[attr-defined]
    floor = cpu_ms(lambda: [connection.execute(*one).fetchall() for one in bound])
    return cpu_ms(lambda: page(unit)), floor


async def main() -> None:
    """Fill a forum, measure its pages, print the table and keep it."""
    with tempfile.TemporaryDirectory() as folder:
        store, forum, viewer = await filled(Path(folder))
        hot = PostQuery(listing=Listing.ALL, sort=Sort.HOT, limit=20)
        tree = CommentQuery(depth_max=50)
        pages: dict[str, Callable[[Unit], object]] = {
            "list, nobody": lambda unit: forum.post_list(unit, None, hot),
            "list, logged in": lambda unit: forum.post_list(unit, viewer, hot),
            "thread of 500": lambda unit: forum.post_thread(unit, viewer, 1, tree),
            "post alone": lambda unit: forum.post_view(unit, viewer, 1),
        }
        figures: dict[str, object] = {}
        print(f"{'page':16} {'ms':>8} {'bare':>8} {'ratio':>6}")
        for name, page in pages.items():
            ours, floor = await store.read(lambda unit: measure(unit, page))  # noqa: B023
            figures[name] = {"ms": round(ours, 2), "bare_ms": round(floor, 2),
                             "ratio": round(ours / floor, 2)}
            print(f"{name:16} {ours:8.2f} {floor:8.2f} {ours / floor:6.2f}")
        record("forum", figures)
        await store.close()


if __name__ == "__main__":
    asyncio.run(main())
