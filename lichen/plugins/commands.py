"""Commands that plugins contribute: they stand under `lichen` beside ours.

They are loaded into the process of the command line, which an administrator runs, and only when a
word is no command of ours: nothing of a plugin is in the process that serves.
"""

import click

from lichen.plugins.child import load, register_of
from lichen.plugins.installed import Installed, installed


def commands_of_plugins() -> dict[str, click.Command]:
    """Return the commands of every installed plugin by name; the first that has a name keeps it."""
    found: dict[str, click.Command] = {}
    for one in installed().values():
        for command in commands_of(one):
            found.setdefault(command.name or "", command)
    return found


def commands_of(one: Installed) -> list[click.Command]:
    """Return the commands of a plugin; none where it cannot be loaded, which is told."""
    try:
        register = register_of(load(one.value))
        return [command for several in register.hook.commands() for command in several
                if isinstance(command, click.Command)]
    # The outermost frame around code of others: their fault must not hide the commands of the rest.
    except Exception as error:
        click.echo(f"lichen: the plugin {one.name} does not load: {type(error).__name__}", err=True)
        return []
