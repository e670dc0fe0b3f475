"""What moderation rules cost: 200 rules for a new comment, and a rule tried on 100,000 comments.

    python -m bench.automod [comments]

The floor of the first is 200 searches with Python's `re` in the same texts; of the second, sqlite3
reading the same rows and making nothing of them. Both in the same run, on one core.
"""

import asyncio
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

from bench.forum import create_tables
from bench.results import record
from lichen.accounts import Actor, ActorDraft, ActorKind, Viewer
from lichen.accounts.passwords import Passwords
from lichen.accounts.room import build as build_accounts
from lichen.automod import Action, Automod, Mode, Rule
from lichen.automod.facts import Around, Item, facts_of
from lichen.automod.room import build as build_automod
from lichen.automod.room import build_check
from lichen.automod.rulebook import in_force
from lichen.enforcing import ModerationEnforcement
from lichen.forum import CommunityDraft, Forum, NewComment, PostDraft
from lichen.forum.room import build
from lichen.kit.config import Config, Identity
from lichen.kit.ground import ground_of
from lichen.moderation.room import build as build_moderation
from lichen.store import Store, open_store
from lichen.web import Addresses

RULES = 200
COMMENTS = 100_000
PEOPLE = 1_000
ROUNDS = 500
WORDS = 80  # of a comment; the demo's are shorter
BATCH = 5_000

_chance = random.Random(5)
VOCABULARY = ["".join(_chance.choices("abcdefghijklmnop", k=6)) for _ in range(4_000)]


def text() -> str:
    """Return a comment of made-up words, some with links."""
    words = _chance.choices(VOCABULARY, k=WORDS)
    return " ".join([*words, f"https://{words[0]}.example/{words[1]}"])


def program(number: int) -> str:
    """Return one of many rules as moderators write them: words, patterns, domains, numbers."""
    some = _chance.choices(VOCABULARY, k=8)
    return (
        f"contains(text, {{{', '.join(map(repr, sorted(set(some))))}}}) and author_age_days < 30",
        f"matches(text, '(?i){some[0]}[0-9]+ ?{some[1]}') and not author_is_moderator",
        f"overlaps(domains, {{'{some[0]}.example', '{some[1]}.example'}}) and rate > {number}",
        f"capitals > 0.7 and words > {number} or links > 20 or mentions > 10",
    )[number % 4]


def rule(number: int) -> Rule:
    """Return a rule that is on."""
    return Rule(
        id=number, tid="", owner_id=1, name=f"Rule {number}", program=program(number),
        action=Action.REPORT, ban_days=1, severity=1, mode=Mode.ON, note="", created_by=1,
        switched_by=1, created_us=0, updated_us=0, version=1,
    )


def times_ms(run: Callable[[], object]) -> list[float]:
    """Return the milliseconds of many runs."""
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        found.append((time.perf_counter() - start) * 1e3)
    return found


def live(author: Actor) -> dict[str, float]:
    """Measure facts and 200 rules for one comment after another, and the floor."""
    book = in_force([rule(number) for number in range(RULES)])
    texts = iter([text() for _ in range(ROUNDS)])
    found: list[int] = []

    def judge() -> None:
        item = Item(
            is_post=False, id=1, title="", body=next(texts), url=None, nsfw=False, language_id=0,
            depth=1, author=author, moderates=False, community_id=1, community="stones",
            at_us=author.published_us + 1,
        )
        facts = facts_of(item, Around(lately=3), book.bundle.fields)
        found.append(len(book.bundle.matching(facts)))

    patterns = [re.compile(rf"\b{word}\b", re.IGNORECASE) for word in VOCABULARY[:RULES]]
    ours = times_ms(judge)
    one = text()
    floor = times_ms(lambda: [each.search(one) for each in patterns])
    return {"rules": RULES, "p50_ms": round(median(ours), 3),
            "p99_ms": round(quantiles(ours, n=100)[98], 3), "floor_ms": round(median(floor), 3)}


async def opened(folder: Path) -> tuple[Store, Forum, Automod, Viewer, list[Actor], int]:
    """Return a house's rooms over an empty database, a moderator and people."""
    create_tables(folder)
    ground = ground_of(Config(identity=Identity(public_url="https://lichen.example")))
    store = open_store("", folder=folder, clock=ground.clock)
    addresses = Addresses(ground.config.public_url)
    accounts = await build_accounts(ground, store, addresses=addresses, log_seq=0,
                                    passwords=Passwords(memory_kib=64))
    check = build_check(ground, log_last_seq=0)
    room = await build(ground, store, accounts=accounts, addresses=addresses, folder=folder,
                       log_first_seq=0, log_last_seq=0)
    moderation = build_moderation(
        ground, forum=room.forum, accounts=accounts, addresses=addresses)
    automod = build_automod(
        ground, store, accounts=accounts, forum=room.forum, check=check, addresses=addresses,
        enforcement=ModerationEnforcement(accounts=accounts, moderation=moderation))
    login = await accounts.register("mira", "correct horse battery", address="::1", agent="bench")
    viewer = await accounts.viewer(login.token)
    assert viewer is not None
    drafts = [ActorDraft(kind=ActorKind.PERSON, name=f"p{at:04}") for at in range(PEOPLE)]
    people = await store.write(lambda unit: accounts.create_actors(unit, drafts))
    forum = room.forum
    around = await store.write(
        lambda unit: forum.create_community(unit, viewer, "stones", CommunityDraft(title="Stones")))
    await store.write(lambda unit: forum.create_post(
        unit, viewer, around.community.id, PostDraft(name="A lichen on granite")))
    return store, forum, automod, viewer, people, around.community.id


async def tried(
    store: Store, automod: Automod, viewer: Viewer, source: str, *, owner_id: int,
    folder: Path,
) -> dict[str, object]:
    """Measure a trial of a program on everything, and how often its progress could be seen."""
    trials = automod.trials
    trial_id = await store.read(lambda unit: automod.begin_trial(
        unit, viewer, owner_id, source, days=30))
    start, cpu = time.perf_counter(), time.process_time()
    trials.start(trial_id)
    seen: set[float] = set()
    while trials.of(trial_id).running:
        seen.add(trials.of(trial_id).share)
        await asyncio.sleep(0.05)
    took_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    report = trials.of(trial_id)
    start = time.perf_counter()
    with sqlite3.connect(folder / "lichen.sqlite") as connection:
        connection.execute("SELECT id, creator_id, content, path FROM comment").fetchall()
    floor_s = time.perf_counter() - start
    return {"program": source, "judged": report.judged, "matches": report.matches,
            "s": round(took_s, 2), "cpu_s": round(cpu_s, 2), "floor_s": round(floor_s, 2),
            "progress_steps": len(seen)}


async def run(comments: int) -> dict[str, object]:
    """Measure both figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, forum, automod, viewer, people, stones = await opened(folder)
        figures: dict[str, object] = {"live": live(people[0])}
        for _ in range(0, comments, BATCH):
            batch = [NewComment(_chance.choice(people).id, 1, text()) for _ in range(BATCH)]
            await store.write(lambda unit, batch=batch: forum.create_comments(unit, batch))  # type: ignore[misc]
        figures["trials"] = [
            await tried(store, automod, viewer, source, owner_id=stones, folder=folder)
            for source in (program(0), f"({program(1)}) or rate > 5 or duplicates > 2")
        ]
        figures["live_p50_ms"] = figures["live"]["p50_ms"]  # type: ignore[index]
        figures["trial_s_max"] = max(trial["s"] for trial in figures["trials"])  # type: ignore[attr-defined]
        await automod.trials.close()
        await store.close()
    return figures


def main() -> None:
    """Measure, print and keep."""
    comments = int(sys.argv[1]) if len(sys.argv) > 1 else COMMENTS
    figures = asyncio.run(run(comments))
    one = figures["live"]
    assert isinstance(one, dict)
    print(f"{one['rules']} rules for a new comment of {WORDS} words: p50 {one['p50_ms']} ms, "
          f"p99 {one['p99_ms']} ms; {RULES} searches with re: {one['floor_ms']} ms")
    for trial in figures["trials"]:  # type: ignore[attr-defined]
        print(f"tried on {trial['judged']:,} things: {trial['s']} s ({trial['cpu_s']} s of one "
              f"core), {trial['matches']} hits, {trial['progress_steps']} steps of progress "
              f"seen; rows alone {trial['floor_s']} s"
              f"   {trial['program'][:60]}")
    record("automod", figures)


if __name__ == "__main__":
    main()
