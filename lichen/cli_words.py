"""The commands about people's words: taken along, taken over, erased.

As in `cli`, a command imports what it needs when it runs.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lichen.cli_options import configured
from lichen.kit.config import Config

if TYPE_CHECKING:
    from lichen.export import Progress


@click.command("export")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE",
              help="The archive to write; a new file.")
@configured()
def export_words(config: Config, name: str, out: Path) -> None:
    """Write everything of NAME into one archive, also while the house serves.

    Posts, comments, votes, follows, saves, messages, proposals, settings, blocks and logins, as
    JSON and as pages that any browser shows without a network.

    \b
    Example:  lichen export ada --out ada.zip --data /srv/lichen
    """
    from lichen.carrying import export_person

    last = ""

    def tell(progress: "Progress") -> None:
        nonlocal last
        if progress.part != last:
            last = progress.part
            click.echo(f"{progress.part}, {progress.things} things so far", err=True)

    count = export_person(config, name, out, tell)
    click.echo(f"{out}: {count} things, {out.stat().st_size / 2**20:.1f} MiB.")


@click.command("import")
@click.argument("name")
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@configured()
def import_choices(config: Config, name: str, source: Path) -> None:
    """Take over for NAME the settings, follows, saves and blocks that SOURCE holds.

    SOURCE is what Lemmy's "Export settings" gives, or settings.json of an archive made here.

    \b
    Example:  lichen import ada lemmy-settings.json --data /srv/lichen
    """
    from lichen.carrying import import_person

    imported = import_person(config, name, source)
    click.echo(f"{imported.taken} follows, saves and blocks taken over; {len(imported.skipped)} of "
               "things that nobody here knows.")
    for address in imported.examples:
        click.echo(f"  not known here: {address}")


@click.group()
def erase() -> None:
    """Erase for good what somebody wrote, in rows, search, log and files; no way back."""


def _erase(config: Config, kind: str, subject: str) -> None:
    from lichen.erase import erase as erase_thing

    click.echo(erase_thing(config, kind, subject))


_sure = click.confirmation_option(prompt="There is no way back. Erase?")


@erase.command("person")
@click.argument("name")
@_sure
@configured()
def erase_person(config: Config, name: str) -> None:
    """Erase NAME with all that they wrote; the name is never given again.

    \b
    Example:  lichen erase person ada --yes --data /srv/lichen
    """
    _erase(config, "person", name)


@erase.command("post")
@click.argument("number")
@_sure
@configured()
def erase_post(config: Config, number: str) -> None:
    """Erase the post NUMBER with every comment below it.

    \b
    Example:  lichen erase post 4711 --yes --data /srv/lichen
    """
    _erase(config, "post", number)


@erase.command("comment")
@click.argument("number")
@_sure
@configured()
def erase_comment(config: Config, number: str) -> None:
    """Erase the comment NUMBER; the answers to it stay.

    \b
    Example:  lichen erase comment 4711 --yes --data /srv/lichen
    """
    _erase(config, "comment", number)


@erase.command("message")
@click.argument("number")
@_sure
@configured()
def erase_message(config: Config, number: str) -> None:
    """Erase the private message NUMBER, for both its people.

    \b
    Example:  lichen erase message 4711 --yes --data /srv/lichen
    """
    _erase(config, "message", number)


@erase.command("proposal")
@click.argument("number")
@_sure
@configured()
def erase_proposal(config: Config, number: str) -> None:
    """Erase the words of the proposal NUMBER; what moderators answered stays.

    \b
    Example:  lichen erase proposal 4711 --yes --data /srv/lichen
    """
    _erase(config, "proposal", number)


@erase.command("list")
@configured()
def erase_list(config: Config) -> None:
    """List the last erasures and how far they are.

    \b
    Example:  lichen erase list --data /srv/lichen
    """
    from lichen.erase import erasures

    for line in erasures(config) or ["Nothing was ever erased here."]:
        click.echo(line)
