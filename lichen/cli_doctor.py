"""The commands that look and tell: the doctor, and what it has a word for.

As in `cli`, a command imports what it needs when it runs.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from lichen.cli_options import configured
from lichen.kit.clock import system_clock
from lichen.kit.config import Config

if TYPE_CHECKING:
    from lichen.doctor import Finding

EXIT_ILL = 1  # something is ill; worries alone are 0

as_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for machines.")


@click.group(invoke_without_command=True)
@configured("host", "port", "stream_port", "metrics_port")
@click.pass_context
def doctor(context: click.Context, config: Config) -> None:
    """Look at disk, database, clock, permissions, names and ports; say what to do.

    Changes nothing. The exit code is 1 when something is ill, 0 when there are only worries.

    \b
    Example:  lichen doctor --data /srv/lichen
    """
    if context.invoked_subcommand is not None:
        check_order(context)
        return
    from lichen.doctor import examine

    _tell(examine(config, clock=system_clock))


def check_order(context: click.Context) -> None:
    """Refuse options before the word: they would silently be of no use to it."""
    before = [name for name in context.params if name != "config" and
              context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if before:
        raise click.UsageError(f"Put the options after `{context.invoked_subcommand}`.")


def _tell(findings: Iterable["Finding"]) -> None:
    """Print findings as they come, and end with 1 where something is ill."""
    from lichen.doctor import is_ill, lines_of

    told = []
    for finding in findings:
        told.append(finding)
        click.echo("\n".join(lines_of(finding)))
    if is_ill(told):
        sys.exit(EXIT_ILL)


def _tell_json(findings: list["Finding"], figures: object = None) -> None:
    """Print findings and figures as JSON, and end with 1 where something is ill."""
    from lichen.doctor import is_ill
    from lichen.doctor.findings import json_of

    click.echo(json_of(findings, figures))
    if is_ill(findings):
        sys.exit(EXIT_ILL)


@doctor.command()
@as_json
@configured()
def database(config: Config, *, as_json: bool) -> None:
    """Measure the way to the database and say what it costs.

    The round trip, a durable write, settings that matter, the largest tables, its clock; and how
    long a page, a vote and an incoming activity wait for it. Changes nothing.

    \b
    Example:  lichen doctor database --data /srv/lichen
    """
    from lichen.doctor.database import findings_of, measure

    found = measure(config, clock=system_clock)
    findings = list(findings_of(found))
    if as_json:
        _tell_json(findings, found)
    else:
        _tell(findings)


@doctor.command()
@click.argument("host")
@as_json
@configured()
def federation(config: Config, host: str, *, as_json: bool) -> None:
    """Walk the way to another server step by step; say which step fails and what to do.

    Name, connection, certificate, WebFinger, NodeInfo, the site's key, our signature, clock, how
    fast its inbox answers, our lists, and how far behind it is both ways. HOST is host or
    host:port. The house may be running or not.

    \b
    Example:  lichen doctor federation lemmy.example --data /srv/lichen
    """
    from lichen.doctor.visit import visit

    _told_as_it_comes(visit(config, host), as_json=as_json)


@doctor.command()
@click.argument("address")
@click.option("--database", "url", metavar="URL", envvar="LICHEN_FOREIGN_DATABASE_URL",
              help="Its PostgreSQL, opened to read only: postgresql://reader:…@host/lemmy.")
@click.option("--trips", type=click.IntRange(1, 1_000), metavar="N",
              help="Round trips for one incoming activity there, where you know better.")
@as_json
@configured()
def foreign(config: Config, address: str, *, url: str | None, trips: int | None,
            as_json: bool) -> None:
    """Examine a Lemmy or a PieFed that lags, at ADDRESS; nothing is installed or changed.

    Over HTTP: what it runs and how far behind each server is that it sends to. With its database,
    read only: the round trip, queues, rates, and whether one incoming activity after another keeps
    up at that distance. Run it on the forum's own machine.

    \b
    Example:  lichen doctor foreign lemmy.example --database postgresql://reader@10.0.0.2/lemmy
    """
    from lichen.doctor.visit import visit_foreign

    _told_as_it_comes(visit_foreign(config, address, url=url or "", trips=trips or 0),
                      as_json=as_json)


def _told_as_it_comes(findings: Iterable["Finding"], *, as_json: bool) -> None:
    if as_json:
        _tell_json(list(findings))
    else:
        _tell(findings)


@click.group("federation")
def among_others() -> None:
    """Look at what goes to other servers and comes from them."""


@among_others.command()
@click.argument("id")
@click.option("--token", metavar="TOKEN", envvar="LICHEN_TOKEN", default="",
              help="An administrator's session: then also what is not public.")
@as_json
@configured("host", "port")
def activity(config: Config, id: str, *, token: str, as_json: bool) -> None:
    """Follow one activity through every step, with the time and round trips of each.

    ID is an activity's id, or the address of a post or a comment. The house must be running: only
    it remembers what became of an activity.

    \b
    Example:  lichen federation activity https://peer.example/post/4711 --data /srv/lichen
    """
    from lichen.doctor.trail import ask_trail, lines_of

    found = ask_trail(config, id, token=token)
    click.echo(found.decode() if as_json else "\n".join(lines_of(found)))


@click.group()
def drill() -> None:
    """Play a catastrophe on this machine, to see that its cause is named."""


@drill.command("post-mortem")
@click.option("--database", "url", metavar="URL", default="",
              help="An empty PostgreSQL to play on; a private one is started without it.")
@click.option("--seconds", type=click.FloatRange(2, 600), default=20.0, show_default=True,
              help="How long the peers send.")
def post_mortem(url: str, *, seconds: float) -> None:
    """Move a database away, let a peer send one after another, and name what falls behind.

    Needs PostgreSQL on this machine, or an empty database. Nothing leaves the machine and nothing
    is left on it. The exit code is 1 where the cause is not named or Lichen does not keep up.

    \b
    Example:  lichen drill post-mortem
    """
    import asyncio

    from lichen.drill import lines_of, play
    from lichen.drill.report import is_named

    outcome = asyncio.run(play(url, play_s=seconds, tell=lambda line: click.echo(line, err=True)))
    click.echo("\n".join(lines_of(outcome)))
    if not is_named(outcome):
        sys.exit(EXIT_ILL)


@doctor.command()
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE",
              default="lichen-bundle.tar.gz", show_default=True, help="A new file.")
@click.option("--log", "told", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              metavar="FILE", help="What the server told, where it is kept; its last lines.")
@configured()
def bundle(config: Config, *, output: Path, told: Path | None) -> None:
    """Write one redacted file from which a stranger can diagnose.

    Configuration, findings, peers both ways, logs, checkpoints, database and machine: without
    secrets, names of people, e-mail or network addresses, or anything that people wrote. Read it
    before you hand it on. The house may be running or not.

    \b
    Example:  lichen doctor bundle --output bundle.tar.gz --data /srv/lichen
    """
    from lichen.doctor.bundle import write_bundle

    write_bundle(config, output, clock=system_clock, told=told)
    click.echo(f"{output}: read it, then hand it on.")
