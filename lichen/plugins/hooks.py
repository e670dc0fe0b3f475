"""The hooks as rooms call them: every plugin that is on is asked in its order.

    subject ──▶ plugin a: Change ──▶ plugin b: Hold ──▶ plugin c: Allow ──▶ ruling
                                        └─ Refuse ──▶ RefusedByPlugin, nobody else is asked

The house's own checks come first, then plugins by name, but for what they say with pluggy's
`tryfirst` and `trylast`. Hooks are asked before a unit of work begins, never inside one: a slow
plugin keeps neither a lock nor the writer. The one exception, `judge_written`, is for the house's
own checks alone, whose rows belong to the command. A plugin that fails is passed over and counted;
a check of the house that fails stops what it was to check.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from lichen.kit import Reason, Unavailable
from lichen.plugins.errors import PluginFailed, RefusedByPlugin
from lichen.plugins.limits import REASON_LENGTH_MAX
from lichen.plugins.model import (
    CHANGEABLE,
    HOLDABLE,
    Change,
    Hold,
    Message,
    Person,
    Picture,
    Refuse,
    Registration,
    Report,
    Subject,
    Verdict,
    Vote,
    Writing,
    email_domain,
)
from lichen.plugins.running import PluginBusy
from lichen.plugins.specifications import BEFORE, HOUSE, fresh_plugins

S = TypeVar("S", bound=Subject)

_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")


class Ruling(NamedTuple, Generic[S]):
    """What came of asking: the subject, changed perhaps, and why it has to wait, if it has to."""

    subject: S
    holds: tuple[Reason, ...] = ()


class Judge(Protocol):
    """Who is asked: a plugin in its process, or a check of the house.

    pluggy finds the hooks that it implements by their marks; it is called by `ask` alone.
    """

    name: str
    is_house: bool

    async def ask(self, hook: str, arguments: Mapping[str, object]) -> Verdict | None:
        """Return what it says; raises PluginFailed."""


class Hooks:
    """What rooms are given: one line asks every plugin. Costs a dictionary's look where none is."""

    def __init__(
        self, failed: Callable[[str, PluginFailed], Awaitable[None]] | None = None
    ) -> None:
        """Take who is told of failures of plugins."""
        self._failed = failed
        self._register = fresh_plugins()
        self._judges: dict[str, tuple[Judge, ...]] = {}
        self.passed_over = 0  # calls that a busy plugin was not asked

    def join(self, judge: Judge) -> None:
        """Let a judge be asked from now on; its hooks bear pluggy's marks."""
        self._register.register(judge, judge.name)
        self._renew()

    def leave(self, name: str) -> None:
        """Ask a judge no longer; twice is once."""
        if self._register.has_plugin(name):
            self._register.unregister(name=name)
            self._renew()

    def asks(self, hook: str) -> bool:
        """Say whether anybody wants to be asked."""
        return hook in self._judges

    async def before_create(self, person: Person, writing: Writing) -> Ruling[Writing]:
        """Ask about a post or comment that is about to be written."""
        return await self._ask("before_create", writing, {"person": person}, named="writing")

    async def before_edit(self, person: Person, writing: Writing) -> Ruling[Writing]:
        """Ask about a post or comment that is about to be changed."""
        return await self._ask("before_edit", writing, {"person": person}, named="writing")

    async def before_vote(self, person: Person, vote: Vote) -> Ruling[Vote]:
        """Ask about a vote."""
        return await self._ask("before_vote", vote, {"person": person}, named="vote")

    async def before_report(self, person: Person, report: Report) -> Ruling[Report]:
        """Ask about a report."""
        return await self._ask("before_report", report, {"person": person}, named="report")

    async def before_registration(self, registration: Registration) -> Ruling[Registration]:
        """Ask about an account that is about to be made."""
        return await self._ask("before_registration", registration, {}, named="registration")

    async def before_picture(self, person: Person, picture: Picture) -> Ruling[Picture]:
        """Ask about a picture that is about to be stored."""
        return await self._ask("before_picture", picture, {"person": person}, named="picture")

    async def before_message(self, person: Person, message: Message) -> Ruling[Message]:
        """Ask about a private message that is about to be sent."""
        return await self._ask("before_message", message, {"person": person}, named="message")

    def judge_written(self, unit: object, written: Sequence[object]) -> list[list[Any]]:
        """Ask the house's own checks inside a command; return each one's verdicts, in order.

        Whatever one raises ends the command: what could not be checked is not written.
        """
        checks = self._judges.get("judge_written", ())
        answers = [check.judge_written(unit, written) for check in checks]  # type: ignore[attr-defined]
        assert all(len(one) == len(written) for one in answers), "a verdict for each"
        return answers

    async def check_registration(
        self, *, name: str, email: str | None, answer: str | None, address: str | None
    ) -> tuple[Reason, ...]:
        """Return why a new account waits for an administrator, if at all; raises RefusedByPlugin.

        This is the port that `accounts` asks through, which may not import this room.
        """
        if not self.asks("before_registration"):
            return ()
        ruling = await self.before_registration(Registration(
            name=name, email_domain=email_domain(email), answer=answer or "", address=address or "",
        ))
        return tuple(ruling.holds)

    async def _ask(
        self, hook: str, subject: S, around: Mapping[str, object], *, named: str
    ) -> Ruling[S]:
        holds: list[Reason] = []
        for judge in self._judges.get(hook, ()):
            try:
                verdict = await judge.ask(hook, {**around, named: subject})
                if isinstance(verdict, Hold) and hook not in HOLDABLE:
                    raise PluginFailed(f"said hold in {hook}, where nothing can wait")
                if isinstance(verdict, Change):
                    subject = _changed(hook, subject, verdict)
            except PluginFailed as failure:
                if judge.is_house:
                    raise Unavailable(f"The check {judge.name} does not answer.") from failure
                await self._note(judge.name, failure)
                continue
            if isinstance(verdict, Refuse):
                raise _refusal(judge.name, verdict)
            if isinstance(verdict, Hold):
                holds.append(_signed(judge.name, verdict.reason))
        return Ruling(subject, tuple(holds))

    async def _note(self, name: str, failure: PluginFailed) -> None:
        if isinstance(failure, PluginBusy):
            self.passed_over += 1
        elif self._failed is not None:
            await self._failed(name, failure)

    def _renew(self) -> None:
        # pluggy keeps them in the reverse of the order in which they are called. What the house
        # refuses is shown to no plugin, whatever one says of its place.
        asked = {
            hook: tuple(sorted(
                (one.plugin
                 for one in reversed(getattr(self._register.hook, hook).get_hookimpls())),
                key=lambda judge: not judge.is_house,
            ))
            for hook in (*BEFORE, *HOUSE)
        }
        self._judges = {hook: judges for hook, judges in asked.items() if judges}


def _changed(hook: str, subject: S, change: Change) -> S:
    """Return the subject as a plugin wants it; raises PluginFailed for what it may not touch."""
    if not change.fields.keys() <= CHANGEABLE.get(hook, frozenset()):
        raise PluginFailed(f"changed what {hook} does not let change")
    try:
        return msgspec.convert({**msgspec.structs.asdict(subject), **change.fields}, type(subject))
    except msgspec.ValidationError:
        raise PluginFailed("changed a field into another type") from None


def _refusal(name: str, verdict: Refuse) -> RefusedByPlugin:
    code = verdict.code if _CODE.fullmatch(verdict.code) else "refused_by_plugin"
    text = verdict.text[:REASON_LENGTH_MAX] or "A rule of this site does not allow this."
    return RefusedByPlugin(code, text, reason=_signed(name, verdict.reason))


def _signed(name: str, reason: Reason) -> Reason:
    """Return the reason with who decided, where it does not say so."""
    return reason if reason.decided_by else msgspec.structs.replace(reason, decided_by=name)
