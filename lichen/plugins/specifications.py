"""The hooks: what a plugin may implement, as pluggy specifications.

A plugin is a module (or an object) whose functions are marked with `hookimpl` and named like these;
each takes those of the arguments that it wants, by name. docs/hooks.md is made from this file.
"""

from collections.abc import Sequence

import click
import pluggy

from lichen.plugins.model import (
    Message,
    PageAsked,
    PageLink,
    PageShown,
    Person,
    Picture,
    Registration,
    Report,
    Told,
    Verdict,
    Vote,
    Writing,
)
from lichen.plugins.shelf import Shelf

PROJECT = "lichen"
hookimpl = pluggy.HookimplMarker(PROJECT)
_hookspec = pluggy.HookspecMarker(PROJECT)


class Specifications:
    """Every hook. Those named `before_…` decide, those named `after_…` are told."""

    @_hookspec
    def before_create(self, person: Person, writing: Writing) -> Verdict | None:
        """Judge a post or comment before it is written."""

    @_hookspec
    def after_create(self, told: Told, shelf: Shelf) -> None:
        """Hear of a post or comment that was written, here or elsewhere."""

    @_hookspec
    def before_edit(self, person: Person, writing: Writing) -> Verdict | None:
        """Judge an edit of a post or comment; what it leaves as it is, is None."""

    @_hookspec
    def after_edit(self, told: Told, shelf: Shelf) -> None:
        """Hear of a post or comment that was changed or brought back, as it is now."""

    @_hookspec
    def before_vote(self, person: Person, vote: Vote) -> Verdict | None:
        """Judge a vote before it is cast."""

    @_hookspec
    def after_vote(self, told: Told, shelf: Shelf) -> None:
        """Hear of a vote that was cast, changed or taken back. Votes are private: keep them so."""

    @_hookspec
    def before_report(self, person: Person, report: Report) -> Verdict | None:
        """Judge a report before it reaches the moderators."""

    @_hookspec
    def after_report(self, told: Told, shelf: Shelf) -> None:
        """Hear of a report that was made."""

    @_hookspec
    def before_registration(self, registration: Registration) -> Verdict | None:
        """Judge an account before it is made; one that is held waits for an administrator."""

    @_hookspec
    def after_registration(self, told: Told, shelf: Shelf) -> None:
        """Hear of a person who has an account from now on."""

    @_hookspec
    def before_picture(self, person: Person, picture: Picture) -> Verdict | None:
        """Judge a picture before it is stored."""

    @_hookspec
    def after_picture(self, told: Told, shelf: Shelf) -> None:
        """Hear of a picture that was stored."""

    @_hookspec
    def before_message(self, person: Person, message: Message) -> Verdict | None:
        """Judge a private message before it is sent."""

    @_hookspec
    def after_message(self, told: Told, shelf: Shelf) -> None:
        """Hear that a private message was sent; its text is not told."""

    @_hookspec
    def judge_written(self, unit: object, written: Sequence[object]) -> list[object]:
        """Judge what is about to be published, inside the command that writes it.

        For the house's own checks alone, which run in its process: their rows and events are
        written with the thing itself, or not at all. Takes the open unit of work and each
        `forum.Written`, and returns a `forum.Verdict` for each.
        """
        return []

    @_hookspec
    def pages(self) -> list[PageLink]:
        """Return the plugin's pages, for the list of everything here; asked once, at its start."""
        return []

    @_hookspec(firstresult=True)
    def show_page(self, asked: PageAsked, shelf: Shelf) -> PageShown | None:
        """Show one of the plugin's pages below /x/<plugin>; None says that there is no such page.

        Without JavaScript: forms that are sent and links that are followed. A GET changes nothing.
        """

    @_hookspec
    def commands(self) -> list[click.Command]:
        """Return commands to stand under `lichen`; asked when one is called that is not ours.

        They run in the administrator's shell, with the administrator's rights and without limits.
        """
        return []


HOOKS = tuple(name for name, value in vars(Specifications).items()
              if not name.startswith("_") and callable(value))
BEFORE = tuple(name for name in HOOKS if name.startswith("before_"))
HOUSE = ("judge_written",)  # for the house's own alone
AFTER = tuple(name for name in HOOKS if name.startswith("after_"))


def fresh_plugins() -> pluggy.PluginManager:
    """Return a register of plugins that knows every hook and holds no plugin."""
    register = pluggy.PluginManager(PROJECT)
    register.add_hookspecs(Specifications)
    return register
