"""The command line: `lichen serve` and what an administrator needs around it.

Each command teaches its own use. Only click and the configuration are imported here; a command
imports what it needs when it runs, because the parent process of a serving house stays in memory.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lichen import __version__
from lichen.cli_doctor import among_others, doctor, drill
from lichen.cli_graph import graph
from lichen.cli_options import configured
from lichen.cli_stream import stream
from lichen.cli_timeline import timeline
from lichen.cli_words import erase, export_words, import_choices
from lichen.kit.clock import system_clock
from lichen.kit.config import Config
from lichen.kit.errors import LichenError

if TYPE_CHECKING:
    from lichen.upgrade import Move

EXIT_REFUSED = 1


class _Commands(click.Group):
    """A group that tells what went wrong in one line, not by a traceback.

    What is no command of ours may be one of a plugin's.
    """

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of ours, else one that an installed plugin contributes."""
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        from lichen.plugins.commands import commands_of_plugins

        return commands_of_plugins().get(cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LichenError as error:
            click.echo(f"lichen: {getattr(error, 'text', error)}", err=True)
            ctx.exit(EXIT_REFUSED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lichen")
def main() -> None:
    """Lichen: a community server that one command starts.

    \b
    Start one, here and now:   lichen serve
    See what may be set:       lichen config
    See whether all is well:   lichen doctor
    """


@main.command()
@configured("host", "port", "stream_port", "metrics_port")
def serve(config: Config) -> None:
    """Start the house and serve until it is told to stop.

    The first start makes the data folder and prints a link to set the house up.

    \b
    Example:  lichen serve --data /srv/lichen --host 0.0.0.0 --port 8536
    """
    from lichen.serving import serve as serve_house

    serve_house(config)


@main.command("plugins")
@click.option("--on", "switched_on", metavar="NAME", help="Switch this plugin on.")
@click.option("--off", "switched_off", metavar="NAME", help="Switch this plugin off.")
@click.option("--network", metavar="NAME", help="Let this plugin use the network, if it asks.")
@click.option("--no-network", metavar="NAME", help="Keep this plugin from the network.")
@configured()
def show_plugins(
    config: Config, *, switched_on: str | None, switched_off: str | None, network: str | None,
    no_network: str | None,
) -> None:
    """List the installed plugins with version, hooks and commands; switch them.

    A house that serves hears of a switch within a second. Each plugin is started for a moment, in a
    process of its own, to learn what it implements.

    \b
    Example:  lichen plugins --on emoji-puzzle --data /srv/lichen
    """
    from lichen.administration import list_plugins, switch_plugin

    for name, on in ((switched_on, True), (switched_off, False)):
        if name is not None:
            switch_plugin(config, name, on=on)
    for name, may in ((network, True), (no_network, False)):
        if name is not None:
            switch_plugin(config, name, network=may)
    for line in list_plugins(config):
        click.echo(line)


@main.command("config")
@configured("host", "port", "stream_port", "metrics_port")
def show_config(config: Config) -> None:
    """Print the whole configuration, every option explained.

    Secrets are left out; what is printed can be saved and used.

    \b
    Example:  lichen config > data/lichen.toml
    """
    from lichen.kit.annotated import annotated

    click.echo(annotated(config), nl=False)


@main.command()
@click.argument("room", required=False)
def limits(room: str | None) -> None:
    """Print every limit of the house with its reason, or those of one ROOM.

    \b
    Example:  lichen limits forum
    """
    import lichen
    from lichen.kit.limits import as_table, limits_of

    found = limits_of(Path(lichen.__file__).parent)
    shown = [one for one in found if room in (None, one.room)]
    if not shown:
        raise click.UsageError(f"Known rooms: {', '.join(sorted({one.room for one in found}))}.")
    click.echo(as_table(shown))


@main.command()
@click.argument("reader")
@configured()
def rebuild(config: Config, reader: str) -> None:
    """Build what a READER derives anew, from the rows. The house must not be running.

    \b
    Example:  lichen rebuild search --data /srv/lichen
    """
    from lichen.rebuild import rebuild as rebuild_reader

    click.echo(rebuild_reader(config, reader))


@main.command()
@click.argument("target", type=click.Path(path_type=Path))
@configured()
def backup(config: Config, target: Path) -> None:
    """Write a backup into the new folder TARGET, also while the house serves.

    It holds keys and password hashes: keep it as you keep the house.

    \b
    Example:  lichen backup /backups/lichen-$(date +%F) --data /srv/lichen
    """
    from lichen.backup import back_up

    manifest = back_up(config, target, clock=system_clock)
    size = sum(seal.bytes for seal in manifest.files.values())
    click.echo(f"{target}: {len(manifest.files)} files, {size / 2**20:.1f} MiB, "
               f"the log up to {manifest.log_last_seq}.")


@main.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@configured()
def restore(config: Config, source: Path) -> None:
    """Restore the backup SOURCE into an empty data folder (and an empty database).

    Every checksum is verified first. Ids and sequences go on a million higher, so that nothing
    given after the backup is given again.

    \b
    Example:  lichen restore /backups/lichen-2026-11-01 --data /srv/lichen
    """
    from lichen.kit.ground import ground_of
    from lichen.restore import restore as restore_house

    ground = ground_of(config)
    manifest = restore_house(config, source, clock=ground.clock, epoch=ground.tids.next())
    click.echo(f"Restored what stood at {manifest.made_at} into {config.server.data}.")
    if manifest.public_url != config.public_url:
        click.echo(f"Its ids begin with {manifest.public_url}: set LICHEN_PUBLIC_URL to that.")


@main.command()
@configured()
def upgrade(config: Config) -> None:
    """Bring the tables to this release: a restorable point, the migration, a check.

    The house must not be running. `lichen serve` does without a point what is needed.

    \b
    Example:  lichen upgrade --data /srv/lichen
    """
    from lichen.upgrade import upgrade as upgrade_house

    _tell_move(upgrade_house(config, clock=system_clock))


@main.command()
@configured()
def downgrade(config: Config) -> None:
    """Bring the tables one release back, after a restorable point. Then start that release.

    \b
    Example:  lichen downgrade --data /srv/lichen
    """
    from lichen.upgrade import downgrade as downgrade_house

    _tell_move(downgrade_house(config, clock=system_clock))


def _tell_move(move: "Move") -> None:
    if move.before == move.after:
        click.echo(f"The tables are of version {move.after} already; nothing to do.")
        return
    click.echo(f"The tables went from version {move.before} to {move.after}.")
    if move.point is not None:
        click.echo(f"The way back: lichen restore {move.point} --data <an empty folder>")


@main.command()
@click.option("--size", type=click.Choice(["small", "large"]), default="small", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same community.")
@configured()
def demo(config: Config, size: str, seed: int) -> None:
    """Fill an empty data folder with a believable community.

    \b
    Example:  lichen demo --size small --data /tmp/demo && lichen serve --data /tmp/demo
    """
    from lichen.demo import fill

    fill(config, size=size, seed=seed)


main.add_command(doctor)
main.add_command(drill)
main.add_command(among_others)
main.add_command(export_words)
main.add_command(import_choices)
main.add_command(erase)
main.add_command(stream)
main.add_command(graph)
main.add_command(timeline)


@main.group()
def federation() -> None:
    """Ask other servers for what was missed; also while the house serves."""


@federation.command("catch-up")
@click.argument("host")
@configured()
def federation_catch_up(config: Config, host: str) -> None:
    """Ask HOST for the posts and comments that were missed, as its page's button does.

    What is new, edited or deleted in its communities that somebody here follows; votes cannot be
    asked for. A house that serves begins within seconds, any other at its next start. HOST is host
    or host:port.

    
    Example:  lichen federation catch-up lemmy.example --data /srv/lichen
    """
    from lichen.administration import ask_to_catch_up

    page = ask_to_catch_up(config, host)
    click.echo(f"Asked. The house that serves begins within seconds; {page} says how it goes.")


@main.group()
def admin() -> None:
    """Create, promote and ban people; also while the house serves."""


_password = click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True,
    help="Asked for when it is not given; given here, others on this machine can see it.")


@admin.command("create")
@click.argument("name")
@_password
@configured()
def admin_create(config: Config, name: str, password: str) -> None:
    """Create the administrator NAME.

    \b
    Example:  lichen admin create ada --data /srv/lichen
    """
    from lichen.administration import create_admin

    create_admin(config, name, password)
    click.echo(f"{name} is an administrator.")


@admin.command("password")
@click.argument("name")
@_password
@configured()
def admin_password(config: Config, name: str, password: str) -> None:
    """Give NAME a new password; all their sessions end.

    \b
    Example:  lichen admin password ada --data /srv/lichen
    """
    from lichen.administration import set_password

    set_password(config, name, password)
    click.echo(f"{name} has a new password.")


@admin.command("promote")
@click.argument("name")
@click.option("--undo", is_flag=True, help="Make NAME an ordinary member again.")
@configured()
def admin_promote(config: Config, name: str, *, undo: bool) -> None:
    """Make NAME an administrator.

    \b
    Example:  lichen admin promote ada --data /srv/lichen
    """
    from lichen.administration import promote

    promote(config, name, admin=not undo)
    click.echo(f"{name} is {'an ordinary member' if undo else 'an administrator'}.")


@admin.command("ban")
@click.argument("name")
@click.option("--reason", help="Shown in the moderation log.")
@click.option("--for", "span", metavar="SPAN", help="30m, 12h, 7d, 4w; for good without it.")
@click.option("--undo", is_flag=True, help="Let NAME in again.")
@configured()
def admin_ban(config: Config, name: str, *, reason: str | None, span: str | None,
              undo: bool) -> None:
    """Ban NAME, or NAME@DOMAIN, from this site.

    \b
    Example:  lichen admin ban spammer --for 7d --reason "Advertising"
    """
    from lichen.administration import ban, seconds_of

    for_s = None if span is None else seconds_of(span)
    ban(config, name, banned=not undo, reason=reason, for_s=for_s)
    click.echo(f"{name} is {'welcome again' if undo else 'banned'}.")
