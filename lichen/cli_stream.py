"""The stream's own door: `lichen stream` follows and serves, its words are for who runs one.

As in `cli`, a command imports what it needs when it runs: the stream alone stays small.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lichen.cli_doctor import check_order
from lichen.cli_subscribe import count, loadtest, randomness, replay, tail
from lichen.kit.clock import system_clock

if TYPE_CHECKING:
    from lichen.stream.alone import AloneSettings

R = TypeVar("R")

PROMOTE_S_MAX = 60.0  # how long a standby has to see that it is asked, and to jump
TRAINED_ID_MIN, TRAINED_IDS = 32_768, 32_768  # zstd: what a frame spends two bytes on


_HOURS = {"m": 1 / 60, "h": 1.0, "d": 24.0, "w": 168.0}
_BYTES = {"MB": 10 ** 6, "GB": 10 ** 9, "TB": 10 ** 12}


class _Span(click.ParamType[float]):
    """A stretch of time: 90m, 36h, 7d; in hours."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None,
                ctx: click.Context | None) -> float:
        """Return the hours."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", str(value))
        if found is None:
            self.fail(f"expected a span as 90m, 36h, 7d or 4w; got {str(value)[:20]!r}", param, ctx)
        return int(found[1]) * _HOURS[found[2]]


class _Size(click.ParamType[int]):
    """A size: 500MB, 60GB, 2TB; in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,5}) ?([MGT]B)", str(value), re.IGNORECASE)
        if found is None:
            self.fail(f"expected a size as 500MB, 60GB or 2TB; got {str(value)[:20]!r}", param, ctx)
        return int(found[1]) * _BYTES[found[2].upper()]


_folder = click.option(
    "--data", "folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="The folder that the stream keeps its events in.")

_SERVING = (
    click.option("--upstream", "upstreams", multiple=True, metavar="URL",
                 help="A relay of the AT Protocol, wss://…; several: when one fails, the next."),
    click.option("--follow", "primary", default="", metavar="URL",
                 help="Another server of this kind, ws://…: be its hot standby."),
    click.option("--standby-key", default="", envvar="LICHEN_STREAM_STANDBY_KEY", metavar="KEY",
                 help="What a standby shows to the server it follows; both have the same one."),
    _folder,
    click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDR",
                 help="Address to listen on."),
    click.option("--port", type=click.IntRange(0, 65_535), default=6008, show_default=True,
                 metavar="N", help="Port to listen on; 0: any."),
    click.option("--from-start", is_flag=True,
                 help="Begin an empty folder with all that the relay still has, not with now."),
    click.option("--legacy-dictionary", type=click.Path(path_type=Path, exists=True,
                                                        dir_okay=False), metavar="FILE",
                 help="The dictionary that clients of the first wire ship; its form is kept."),
    click.option("--retention", type=_Span(), default="36h", show_default=True, metavar="SPAN",
                 help="How long events are kept: 90m, 36h, 7d."),
    click.option("--retention-bytes", type=_Size(), default="100GB", show_default=True,
                 metavar="SIZE", help="What they may take of the disk: 500MB, 60GB."),
    click.option("--metrics/--no-metrics", default=True, show_default=True,
                 help="Serve /metrics to Prometheus."),
    click.option("--subscribers-max", type=click.IntRange(1), default=10_000, show_default=True,
                 metavar="N", help="Connections at once."),
    click.option("--per-address-max", type=click.IntRange(1), default=100, show_default=True,
                 metavar="N", help="Subscribers at once from one address."),
    click.option("--connects-max", type=click.IntRange(1), default=300, show_default=True,
                 metavar="N", help="Connects a minute from one address."),
    click.option("--key", "keys", multiple=True, envvar="LICHEN_STREAM_KEYS", metavar="KEY",
                 help="Whoever shows this key is counted by it and not by address; several."),
)


def _serving(command: Callable[..., R]) -> Callable[..., R]:
    for option in reversed(_SERVING):
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@_serving
@click.pass_context
def stream(context: click.Context, /, **given: Any) -> None:
    """Turn a relay of the AT Protocol into a light stream, and read streams.

    Without a word it serves, as `lichen stream serve` does. A house serves what is public on it by
    itself: see `lichen serve --stream-port`.

    \b
    Serve:    lichen stream --upstream wss://relay.example --data /srv/stream --port 6008
    Read:     lichen stream tail localhost:6008 --collection app.bsky.feed.post
    Measure:  lichen stream count localhost:6008 --cursor 1
    """
    if context.invoked_subcommand is not None:
        check_order(context)
        return
    _serve(**given)


@stream.command()
@_serving
def serve(**given: Any) -> None:
    """Follow relays, keep what they say, and serve it to whoever subscribes.

    Clients of Jetstream connect to it: /subscribe and its second wire, plain or compressed, with
    cursors as far back as events are kept. Says every five seconds how it goes. Told to stop, it
    says goodbye to everybody and ends within ten seconds.

    \b
    Example:  lichen stream serve --upstream wss://relay.example --data /srv/stream
    Standby:  lichen stream serve --follow ws://10.0.0.1:6008 --standby-key … --data /srv/standby
    """
    _serve(**given)


def _serve(*, folder: Path | None, upstreams: tuple[str, ...], primary: str, **given: Any) -> None:
    if not upstreams and not primary:
        raise click.UsageError("Say what to follow: --upstream wss://relay.example, or --follow "
                               "ws://10.0.0.1:6008 for a standby.")
    if folder is None:
        raise click.UsageError("Say where to keep the events: --data DIR.")
    import asyncio
    import gc
    import signal
    import sys

    import uvloop

    from lichen.kit.config import Config
    from lichen.kit.telling import tell_to
    from lichen.stream.alone import Alone

    tell_to(sys.stderr, Config().server)  # what is for people goes to the standard output
    alone = Alone(_settings(folder, upstreams, primary, given), clock=system_clock,
                  chance=randomness(), tell=click.echo)
    # What was imported stays for ever: the collector need not look at it again.
    gc.collect()
    gc.freeze()

    async def run() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await alone.run(stopping)

    uvloop.run(run())


def _settings(folder: Path, upstreams: tuple[str, ...], primary: str,
              given: dict[str, Any]) -> "AloneSettings":
    from lichen.stream.alone import HOUR_US, AloneSettings, ServerSettings

    return AloneSettings(
        folder=folder, upstreams=upstreams, primary=primary, standby_key=given["standby_key"],
        first_cursor=0 if given["from_start"] else None,
        legacy_dictionary=given["legacy_dictionary"],
        age_us_max=int(given["retention"] * HOUR_US), bytes_max=given["retention_bytes"],
        server=ServerSettings(
            host=given["host"], port=given["port"], shows_metrics=given["metrics"],
            connections_max=given["subscribers_max"], keys=given["keys"],
            subscribers_per_address_max=given["per_address_max"],
            connects_per_minute_max=given["connects_max"]))


@stream.command()
@click.argument("address", default="localhost:6008")
@click.option("--retention", type=_Span(), default="36h", show_default=True, metavar="SPAN",
              help="Predict for events that are kept so long.")
@click.option("--retention-bytes", type=_Size(), default="100GB", show_default=True,
              metavar="SIZE", help="Predict for so much room at most.")
@click.option("--rate", type=click.FloatRange(0), default=0.0, metavar="N",
              help="Predict for so many events a second, not for the rate they came in.")
def sizes(address: str, *, retention: float, retention_bytes: int, rate: float) -> None:
    """Say what the stream at ADDRESS keeps, and what it will take of the disk.

    \b
    Example:  lichen stream sizes localhost:6008 --retention 24h --rate 1500
    """
    from lichen.kit.clock import from_isoformat
    from lichen.stream.client import (
        HOUR_US,
        Sizes,
        at_rate,
        endpoint_of,
        overview_of,
        predict,
        told,
        told_sizes,
    )

    age_us_max = int(retention * HOUR_US)
    for kept in overview_of(endpoint_of(address)).sources:
        oldest, newest = (from_isoformat(one) if one else 0 for one in (kept.oldest, kept.newest))
        found = Sizes(kept.events, kept.plain_bytes, kept.compressed_bytes, kept.index_bytes,
                      oldest, newest)
        click.echo(f"{kept.source}: sequences {kept.floor} to {kept.tip}.")
        click.echo("\n".join(told_sizes(found)))
        base = at_rate(found, rate) if rate and found.events else found
        click.echo(told(predict(base, age_us_max=age_us_max, bytes_max=retention_bytes),
                        age_us_max=age_us_max, bytes_max=retention_bytes))


@stream.command()
@_folder
@click.option("--wait/--no-wait", default=True, show_default=True,
              help="Wait until the standby was promoted.")
def promote(folder: Path | None, *, wait: bool) -> None:
    """Make the standby that keeps DIR the server; then point clients and relays at it.

    It stops following, goes on far behind the sequences that the lost server may have given, and
    never follows again with this folder. Stop the old server first: two that go on are two streams.

    \b
    Example:  lichen stream promote --data /srv/standby
    """
    if folder is None or not folder.is_dir():
        raise click.UsageError("Say which folder the standby keeps: --data DIR.")
    import asyncio

    from lichen.stream.standby.promotion import Promotion

    promotion = Promotion(folder)
    promotion.ask()
    if not wait:
        click.echo("Asked. The standby sees it within a second, or when it starts.")
        return
    seq = asyncio.run(promotion.wait(timeout_s=PROMOTE_S_MAX))
    click.echo(f"Promoted: the next event is {seq}. It is the server now.")


@stream.command()
@_folder
@click.option("--from", "address", default="localhost:6008", show_default=True, metavar="ADDRESS",
              help="The stream whose events are looked at.")
@click.option("--events", type=click.IntRange(1_000, 100_000), default=6_000, show_default=True,
              metavar="N", help="How many are looked at, the oldest ones that are kept.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same dictionary.")
def train(folder: Path | None, *, address: str, events: int, seed: int) -> None:
    """Train a dictionary of our own on a stream's events and keep it in DIR.

    Keys, lexicons and shapes are learned; what people wrote, and who they are, is replaced by
    random words first. The server uses it from its next start on; older ones stay for as long as
    events are kept that were compressed with them.

    \b
    Example:  lichen stream train --data /srv/stream --from localhost:6008
    """
    if folder is None:
        raise click.UsageError("Say where the dictionary is kept: --data DIR.")
    from itertools import islice

    from lichen.stream import Dictionaries
    from lichen.stream.training import train as train_on

    sample = list(islice(_messages(address), events))
    click.echo(f"{len(sample):,} events of {address} are looked at; this takes some seconds.")
    known = Dictionaries(folder)
    number = next(one for one in range(TRAINED_ID_MIN + seed % TRAINED_IDS,
                                       TRAINED_ID_MIN + TRAINED_IDS) if one not in known.ids)
    known.add(train_on(sample, seed=seed, id=number))
    click.echo(f"Dictionary {number} is kept in {folder}; start the server again to use it.")


def _messages(address: str) -> Iterator[bytes]:
    """Yield messages of a stream from the oldest on, up to the tip."""
    from lichen.stream.client import QUIET_S_MAX, Wish, endpoint_of, subscribe

    endpoint = endpoint_of(address)
    with subscribe(endpoint, Wish(cursor=1), draw=randomness().randbytes) as subscription:
        while subscription.fill(QUIET_S_MAX):
            yield from map(bytes, subscription.messages())


for word in (tail, count, replay, loadtest):
    stream.add_command(word)
