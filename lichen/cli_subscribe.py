"""Reading streams from the command line: one event after the other, counted, kept, by a crowd.

As in `cli`, a command imports what it needs when it runs. Any Jetstream may be read, not only ours.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from lichen.kit.clock import system_clock
from lichen.kit.errors import Refused

if TYPE_CHECKING:
    from lichen.stream.client import (
        Crowd,
        Mix,
        Open,
        Place,
        Replay,
        StreamEnded,
        Subscription,
        Tip,
        Wish,
    )

R = TypeVar("R")

LINE_US = 1_000_000  # between two lines of `count`
WAIT_S = 0.5  # one look at a socket where nothing comes
SHOWN_COLLECTIONS = 20
BAR_STEPS = 1_000
EVERYTHING = "everything"  # the mix without a filter
EXIT_FAULTS = 1  # a load test that lost, doubled or turned an event

_WISHES = (
    click.option("--collection", "collections", multiple=True, metavar="NSID",
                 help="Commits to this collection, or with a star at the end, as "
                      "app.bsky.feed.*; several."),
    click.option("--did", "dids", multiple=True, metavar="DID", help="Of this actor; several."),
    click.option("--mention", "mentions", multiple=True, metavar="DID",
                 help="That mention this actor; several."),
    click.option("--lang", "langs", multiple=True, metavar="LANG",
                 help="In this language, as de or pt-BR; several."),
    click.option("--roots", "roots_only", is_flag=True, help="Posts that answer nobody, alone."),
    click.option("--message-max", "message_bytes_max", type=click.IntRange(0), default=0,
                 metavar="N", help="Leave out what has more bytes."),
    click.option("--source", default="", metavar="NAME",
                 help="Of a house that has several streams, as atproto."),
    click.option("--cursor", type=click.IntRange(0), metavar="N",
                 help="Begin with this sequence, or this time in µs; without it: with now."),
    click.option("--compress", "is_compressed", is_flag=True, help="Have it sent compressed."),
    click.option("--dictionary", type=click.Path(path_type=Path, exists=True, dir_okay=False),
                 metavar="FILE", help="The dictionary, where the server does not name one."),
    click.option("--key", default="", envvar="LICHEN_STREAM_KEY", metavar="KEY",
                 help="A key that the server knows, for its limits."),
)


def _wishing(command: Callable[..., R]) -> Callable[..., R]:
    for option in reversed(_WISHES):
        command = option(command)
    return command


class _Asked(NamedTuple):
    """A subscription, and what opens its messages."""

    subscription: "Subscription"
    open_message: "Open | None"

    def messages(self) -> Iterator[bytes]:
        """Yield the messages of the last fill as JSON."""
        for message in self.subscription.messages():
            yield bytes(message) if self.open_message is None else self.open_message(message)


def randomness() -> Random:
    """Return this process's chance."""
    from lichen.kit.config import Config
    from lichen.kit.ground import ground_of

    return ground_of(Config()).randomness


def _ask(address: str, dictionary: Path | None, **wishes: Any) -> _Asked:
    from lichen.stream.client import Wish, endpoint_of, opener_of, subscribe

    endpoint, wish = endpoint_of(address), Wish(**wishes)
    subscription = subscribe(endpoint, wish, draw=randomness().randbytes)
    if not wish.is_compressed:
        return _Asked(subscription, None)
    given = dictionary.read_bytes() if dictionary is not None else b""
    return _Asked(subscription, opener_of(endpoint, subscription.headers, given))


def _tip(address: str, source: str) -> "Tip":
    from lichen.stream.client import Tip, endpoint_of, tip_of

    return Tip(clock=system_clock, tip=tip_of(endpoint_of(address), source))


@click.command()
@click.argument("address", default="localhost:6008")
@_wishing
@click.option("--json", "as_json", is_flag=True, help="Print events as they are, one a line.")
def tail(address: str, *, as_json: bool, dictionary: Path | None, **wishes: Any) -> None:
    """Print events of the stream at ADDRESS as they happen, one a line.

    ADDRESS is host, host:port, or a whole address as wss://host/subscribe. Ends by Ctrl-C.

    \b
    Example:  lichen stream tail localhost:6008 --collection app.bsky.feed.post --lang de
    """
    from lichen.stream.client import line_of

    asked = _ask(address, dictionary, **wishes)
    with asked.subscription as subscription, suppress(KeyboardInterrupt):
        while True:
            subscription.fill()
            lines = [message.decode(errors="replace") if as_json else line_of(message)
                     for message in asked.messages()]
            if lines:
                click.echo("\n".join(lines))


@click.command()
@click.argument("address", default="localhost:6008")
@_wishing
@click.option("--for", "for_s", type=click.FloatRange(0.1), metavar="SECONDS",
              help="Count for so long; without it up to the tip with --cursor, else for ever.")
@click.option("--fast", is_flag=True,
              help="Count alone, without collections: nothing of an event is looked at.")
def count(address: str, *, for_s: float | None, fast: bool, dictionary: Path | None,
          **wishes: Any) -> None:
    """Count events a second, bytes a second, and by collection.

    Every event is counted once, none is guessed. With --fast it takes some millions a second on one
    core, so that what is measured is the server.

    \b
    Example:  lichen stream count localhost:6008 --cursor 1 --fast
    """
    from lichen.stream.client import place_of

    asked = _ask(address, dictionary, **wishes)
    counting = _Counting(asked, is_fast=fast)
    ends_at_tip = for_s is None and wishes["cursor"] is not None
    begun_us, tip = system_clock(), _tip(address, wishes["source"]) if ends_at_tip else None
    with asked.subscription, suppress(KeyboardInterrupt):
        while for_s is None or system_clock() - begun_us < for_s * 1e6:
            came, last = counting.look()
            counting.tell(system_clock())
            cursor, time_us = place_of(last)
            if tip is not None and tip.is_reached(came=came, cursor=cursor, time_us=time_us):
                break
    counting.tell_all(begun_us)


class _Counting:
    """What was counted, and what was told of it."""

    def __init__(self, asked: _Asked, *, is_fast: bool) -> None:
        self._asked = asked
        self._is_fast = is_fast
        self._by_collection: Counter[bytes] = Counter()
        self._events = 0
        self._told = (system_clock(), 0, 0)
        self._heard_us = system_clock()

    def look(self) -> tuple[int, bytes]:
        """Take what is there; return how many events came, and the last one."""
        subscription = self._asked.subscription
        subscription.fill(WAIT_S)
        if self._is_fast:
            came, last = subscription.count(), subscription.last
            if came and self._asked.open_message is not None:
                last = self._asked.open_message(last)
        else:
            messages = list(self._asked.messages())
            came, last = len(messages), messages[-1] if messages else b""
            self._by_collection.update(map(_collection_of, messages))
        self._events += came
        self._heard_us = system_clock() if came else self._heard_us
        return came, last

    def tell(self, now_us: int) -> None:
        """Print a line each second."""
        then_us, events, size = self._told
        passed_us = now_us - then_us
        if passed_us < LINE_US:
            return
        received = self._asked.subscription.bytes_received
        self._told = (now_us, self._events, received)
        click.echo(f"{(self._events - events) / passed_us * 1e6:>12,.0f} events/s "
                   f"{(received - size) / passed_us:>9,.2f} MB/s {self._events:>14,} so far")

    def tell_all(self, begun_us: int) -> None:
        """Print the sums, over the time up to the last event."""
        seconds = max(self._heard_us - begun_us, 1) / 1e6
        received = self._asked.subscription.bytes_received
        click.echo(f"{self._events:,} events in {seconds:,.2f} s: {self._events / seconds:,.0f} "
                   f"events/s, {received / seconds / 1e6:,.2f} MB/s.")
        for name, events in self._by_collection.most_common(SHOWN_COLLECTIONS):
            click.echo(f"{events:>12,} {100 * events / self._events:>6.2f} %  {name.decode()}")
        rest = len(self._by_collection) - SHOWN_COLLECTIONS
        if rest > 0:
            click.echo(f"{'':12}           and {rest} more")


def _collection_of(message: bytes) -> bytes:
    """Return the collection of a commit, the kind of anything else."""
    kind = message.partition(b'"kind":"')[2]
    if not kind.startswith(b"commit"):
        return kind.partition(b'"')[0] or b"(no kind)"
    return kind.partition(b'"collection":"')[2].partition(b'"')[0]


@click.command()
@click.argument("address", default="localhost:6008")
@_wishing
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write events there, one a line; nowhere without it.")
def replay(address: str, *, out: Path | None, dictionary: Path | None, **wishes: Any) -> None:
    """Take everything from a cursor up to the tip, into FILE or nowhere.

    A FILE that is there is gone on with behind its last whole event, so that a replay which was cut
    off is simply started again. Without --cursor it begins with the oldest event that is kept.

    \b
    Example:  lichen stream replay localhost:6008 --out events.jsonl
    """
    from lichen.stream.client import Replay, resume_file

    resumed = resume_file(out) if out is not None and out.exists() else 0
    if resumed and wishes["cursor"] is not None:
        raise click.UsageError(f"{out} goes on behind {resumed}: leave --cursor out, or name "
                               "another file.")
    if wishes["cursor"] is None:
        wishes["cursor"] = resumed + 1
    asked = _ask(address, dictionary, **wishes)
    begun_us, tip = system_clock(), _tip(address, wishes["source"])
    ended: StreamEnded | None = None
    with (asked.subscription as subscription, suppress(KeyboardInterrupt),
          out.open("ab") if out is not None else nullcontext() as file):
        taking = Replay(subscription, tip, open_message=asked.open_message, out=file)
        ended = _with_bar(taking)
    place, seconds = taking.place, (system_clock() - begun_us) / 1e6
    click.echo(f"{place.events:,} events up to cursor {place.cursor} in {seconds:,.1f} s: "
               f"{place.events / seconds:,.0f} events/s, "
               f"{place.bytes_received / seconds / 1e6:,.1f} MB/s.")
    if ended is not None:
        raise ended


def _with_bar(taking: "Replay") -> "StreamEnded | None":
    """Take everything, showing how far it is by the times of the events."""
    from lichen.stream.client import replay as take_all

    begun_us, first_us = system_clock(), 0
    with click.progressbar(length=BAR_STEPS, label="Replaying", item_show_func=_shown) as bar:

        def show(place: "Place") -> None:
            nonlocal first_us
            first_us = first_us or place.time_us
            share = (place.time_us - first_us) / max(1, begun_us - first_us)
            step = BAR_STEPS if place.is_at_tip else int(min(share, 1.0) * BAR_STEPS)
            bar.update(max(0, step - bar.pos), place)

        return take_all(taking.steps(), show)


def _shown(place: "Place | None") -> str:
    return "" if place is None else f"{place.events:,} events, cursor {place.cursor}"


@click.command()
@click.argument("address", default="localhost:6008")
@click.option("--subscribers", type=click.IntRange(1, 50_000), default=100, show_default=True,
              metavar="N", help="How many at once.")
@click.option("--everything", type=click.IntRange(0), default=5, show_default=True, metavar="N",
              help="How many of them take everything; the others have filters.")
@click.option("--collection", "collections", multiple=True, metavar="NSID",
              help="What others want; several. Without --collection and --did it is learned from "
                   "the stream: collections and actors with at most 2 % of it.")
@click.option("--did", "dids", multiple=True, metavar="DID", help="Whom others want; several.")
@click.option("--for", "for_s", type=click.FloatRange(1), default=10.0, show_default=True,
              metavar="SECONDS", help="How long they listen.")
@click.option("--key", default="", envvar="LICHEN_STREAM_KEY", metavar="KEY",
              help="A key that the server knows: addresses have limits, see `lichen stream serve`.")
def loadtest(address: str, *, subscribers: int, everything: int, for_s: float,
             collections: tuple[str, ...], dids: tuple[str, ...], key: str) -> None:
    """Let a crowd subscribe at ADDRESS, and account for each event of each one.

    Lost, doubled and turned events are found by their sequences: subscribers that want the same
    have to get the same. Delays are from the event's time to here, so both clocks have to agree.
    The exit code is 1 where an event was lost, doubled or turned, or a subscriber was hung up.

    \b
    Example:  lichen stream loadtest localhost:6008 --subscribers 500 --everything 20 --for 30
    """
    from lichen.stream.client import Crowd, Wish, endpoint_of

    endpoint = endpoint_of(address)
    wishes = [Wish(collections=(one,)) for one in collections]
    wishes += [Wish(dids=(one,)) for one in dids]
    if not wishes and subscribers > everything:
        wishes = _learned(address, key)
    _allow_files(subscribers)
    crowd = Crowd(endpoint, _mixes(subscribers, min(everything, subscribers), wishes),
                  clock=system_clock, draw=randomness().randbytes, headers=Wish(key=key).headers)
    try:
        with click.progressbar(length=subscribers, label="Subscribing") as bar:
            crowd.gather(lambda opened: bar.update(opened - bar.pos))
        with suppress(KeyboardInterrupt):
            seconds = _listen(crowd, for_s)
        is_well = _tell_crowd(crowd, seconds)
    finally:
        crowd.close()
    if not is_well:
        raise SystemExit(EXIT_FAULTS)


def _learned(address: str, key: str) -> "list[Wish]":
    """Return filters that match at most 2 %, from the oldest events that are kept."""
    from lichen.stream.client import (
        SAMPLE_EVENTS_MAX,
        SAMPLE_S_MAX,
        Wish,
        endpoint_of,
        sampled,
        subscribe,
    )

    click.echo(f"Learning from the stream what may be asked for, {SAMPLE_S_MAX:.0f} s at most.")
    with subscribe(endpoint_of(address), Wish(cursor=1, key=key),
                   draw=randomness().randbytes) as subscription:
        collections, dids = sampled(subscription, _tip(address, ""), clock=system_clock,
                                    for_s=SAMPLE_S_MAX, events_max=SAMPLE_EVENTS_MAX)
    wishes = [Wish(collections=(one,)) for one in collections]
    wishes += [Wish(dids=(one,)) for one in dids]
    if not wishes:
        raise Refused("loadtest_sample", "Nothing came from which filters could be learned; name "
                      "some with --collection and --did.")
    return wishes


def _allow_files(subscribers: int) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = subscribers + 100
    if soft < needed <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    elif soft < needed:
        raise click.UsageError(f"This process may open {hard} files; {subscribers} subscribers "
                               f"need {needed}. Raise it (ulimit -n) or take fewer.")


def _mixes(subscribers: int, everything: int, wishes: "list[Wish]") -> "list[Mix]":
    from lichen.stream.client import Mix

    found = [Mix(EVERYTHING, "", everything)] if everything else []
    rest = subscribers - everything
    for place, wish in enumerate(wishes[:rest]):
        members = rest // len(wishes) + (place < rest % len(wishes))
        name = wish.collections[0] if wish.collections else wish.dids[0]
        found.append(Mix(name, wish.query, members))
    return found


def _listen(crowd: "Crowd", for_s: float) -> float:
    begun_us = told_us = system_clock()
    messages = crowd.messages
    while (now_us := system_clock()) - begun_us < for_s * 1e6 and not crowd.is_full:
        crowd.look()
        if now_us - told_us >= LINE_US:
            click.echo(f"{(crowd.messages - messages) / (now_us - told_us) * 1e6:>12,.0f} events/s "
                       f"to all of them, {crowd.messages:,} so far")
            told_us, messages = now_us, crowd.messages
    return (system_clock() - begun_us) / 1e6


def _tell_crowd(crowd: "Crowd", seconds: float) -> bool:
    """Print what came of it; say whether all was well."""
    from lichen.stream.client import all_faults, expected_by_others, faults_of

    expected = expected_by_others(crowd.members)
    faults = all_faults(faults_of(member, expected[place])
                        for place, member in enumerate(crowd.members))
    hung_up = [member.ended for member in crowd.members if member.ended]
    click.echo(f"{len(crowd.members):,} subscribers got {crowd.messages:,} events in "
               f"{seconds:,.1f} s: {crowd.messages / seconds:,.0f} events/s, "
               f"{crowd.bytes_received / seconds / 1e6:,.1f} MB/s.")
    for name, delays in (("everything", crowd.delays_of(EVERYTHING.__eq__)),
                         ("filtered", crowd.delays_of(EVERYTHING.__ne__))):
        if delays.count:
            p50, p99 = delays.percentile_ms(50), delays.percentile_ms(99)
            click.echo(f"  {name:11} {delays.count:>12,} events  p50 {p50:,.1f} ms  "
                       f"p99 {p99:,.1f} ms")
    click.echo(f"  lost {faults.lost:,}, doubled {faults.doubled:,}, turned {faults.turned:,}, "
               f"hung up {len(hung_up):,}.")
    if crowd.unnumbered:
        click.echo(f"  {crowd.unnumbered:,} events had no cursor: nothing can be said of them.")
    if hung_up:
        click.echo(f"  The first one that was hung up: {hung_up[0]}")
    return not (faults.lost or faults.doubled or faults.turned or hung_up)
