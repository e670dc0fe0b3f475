"""The calls about moderation rules, with their messages: what the pages do, for programs.

A rule is of a community, or with `community_id` 0 (or none) of the site.
"""

from typing import Annotated, Any

from msgspec import Meta

from lichen import automod
from lichen.automod import SITE, Action, Mode, RuleDraft
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.calls import Call
from lichen.faces.lemmy_v3.wire import Answer, Ask, SuccessResponse
from lichen.faces.lemmy_v3.wire.base import Id, PageLength, PageNumber, Prose, Time, Word, time_of
from lichen.kit import Reason, Refused
from lichen.store import Unit

HITS_DEFAULT = 20  # on a page of hits
TRIAL_DAYS_DEFAULT = 7

Days = Annotated[int, Meta(ge=0, le=100_000)]


class Row(Ask, frozen=True, kw_only=True):
    """One row of a rule from menus; several words in `value` are parted by commas."""

    fact: Word
    comparison: Word
    value: Prose = ""


class WriteRule(Ask, frozen=True, kw_only=True):
    """Write a rule (no `rule_id`) or change one; it is a `program`, or `rows` joined by `join`."""

    rule_id: Id | None = None
    community_id: Id = SITE
    name: Word | None = None
    program: Prose | None = None
    rows: Annotated[tuple[Row, ...], Meta(max_length=100)] | None = None
    join: Word = "all"
    action: Action | None = None
    ban_days: Days | None = None
    severity: Days | None = None
    mode: Mode | None = None
    note: Prose | None = None


class OfCommunity(Ask, frozen=True, kw_only=True):
    """Ask for the rules of a community, or of the site."""

    community_id: Id = SITE


class OfRule(Ask, frozen=True, kw_only=True):
    """Name a rule."""

    rule_id: Id


class GetHits(Ask, frozen=True, kw_only=True):
    """Ask for the hits of a rule, or of all rules of a community or the site."""

    rule_id: Id | None = None
    community_id: Id = SITE
    waiting_only: bool = False
    page: PageNumber = 1
    limit: PageLength = HITS_DEFAULT


class SettleHit(Ask, frozen=True, kw_only=True):
    """Say that somebody has looked at a hit."""

    hit_id: Id


class TryRule(Ask, frozen=True, kw_only=True):
    """Try a program on the last days; ask for its trial by the number that comes back."""

    program: Prose
    community_id: Id = SITE
    days: Days = TRIAL_DAYS_DEFAULT


class OfTrial(Ask, frozen=True, kw_only=True):
    """Name a trial."""

    trial_id: Id


class ShownRule(Answer, frozen=True, kw_only=True):
    """A rule; `rows` and `join` where menus can say it."""

    id: Id
    community_id: Id
    name: str
    program: str
    action: Action
    severity: int
    mode: Mode
    version: int
    published: Time
    updated: Time
    ban_days: int | None = None
    note: str | None = None
    rows: list[automod.MenuRow] | None = None
    join: str | None = None


class RuleAnswer(Answer, frozen=True, kw_only=True):
    """One rule."""

    rule: ShownRule


class Rules(Answer, frozen=True, kw_only=True):
    """Every rule of a community or of the site, the oldest first."""

    rules: list[ShownRule]


class ShownHit(Answer, frozen=True, kw_only=True):
    """A rule was true of a post or comment; `done` is left out where it was only noted."""

    id: Id
    rule_id: Id
    rule_version: int
    creator_id: Id
    mode: Mode
    waiting: bool
    reason: Reason
    published: Time
    post_id: Id | None = None
    comment_id: Id | None = None
    done: Action | None = None


class Hits(Answer, frozen=True, kw_only=True):
    """A page of hits, the newest first."""

    hits: list[ShownHit]


class HitAnswer(Answer, frozen=True, kw_only=True):
    """One hit."""

    hit: ShownHit


class Trial(Answer, frozen=True, kw_only=True):
    """What a trial has found so far; `share` is how much of the way is behind it, 0 to 1."""

    trial: automod.TrialReport
    share: float
    precision: float | None = None


async def list_rules(parts: Parts, caller: Caller, asked: OfCommunity) -> Rules:
    """Return the rules of a community or of the site."""
    viewer = caller.person()
    found = await parts.store.read(
        lambda unit: parts.automod.rules(unit, viewer, asked.community_id))
    return Rules(rules=[_shown(rule) for rule in found])


async def write_rule(parts: Parts, caller: Caller, asked: WriteRule) -> RuleAnswer:
    """Write a rule or change one."""
    viewer = caller.person()
    draft = RuleDraft(
        name=asked.name, program=_program(asked), action=asked.action, ban_days=asked.ban_days,
        severity=asked.severity, mode=asked.mode, note=asked.note,
    )

    def command(unit: Unit) -> automod.Rule:
        if asked.rule_id is None:
            return parts.automod.create_rule(unit, viewer, asked.community_id, draft)
        return parts.automod.edit_rule(unit, viewer, asked.rule_id, draft)

    return RuleAnswer(rule=_shown(await parts.store.write(command)))


async def delete_rule(parts: Parts, caller: Caller, asked: OfRule) -> SuccessResponse:
    """Delete a rule with its hits."""
    viewer = caller.person()
    await parts.store.write(lambda unit: parts.automod.delete_rule(unit, viewer, asked.rule_id))
    return SuccessResponse(success=True)


async def list_hits(parts: Parts, caller: Caller, asked: GetHits) -> Hits:
    """Return a page of hits."""
    viewer = caller.person()
    found = await parts.store.read(lambda unit: parts.automod.hits(
        unit, viewer, owner_id=asked.community_id, rule_id=asked.rule_id,
        waiting_only=asked.waiting_only, page=asked.page, limit=asked.limit,
    ))
    return Hits(hits=[_shown_hit(hit) for hit in found])


async def settle_hit(parts: Parts, caller: Caller, asked: SettleHit) -> HitAnswer:
    """Note that somebody has looked at a hit."""
    viewer = caller.person()
    hit = await parts.store.write(
        lambda unit: parts.automod.settle_hit(unit, viewer, asked.hit_id))
    return HitAnswer(hit=_shown_hit(hit))


async def try_rule(parts: Parts, caller: Caller, asked: TryRule) -> Trial:
    """Begin a trial of a program on the past."""
    viewer = caller.person()
    trial_id = await parts.store.read(lambda unit: parts.automod.begin_trial(
        unit, viewer, asked.community_id, asked.program, days=asked.days))
    parts.automod.trials.start(trial_id)
    return _shown_trial(parts, trial_id)


async def get_trial(parts: Parts, caller: Caller, asked: OfTrial) -> Trial:
    """Return what a trial has found so far."""
    viewer = caller.person()
    await parts.store.read(lambda unit: parts.automod.check_trial(unit, viewer, asked.trial_id))
    return _shown_trial(parts, asked.trial_id)


async def stop_trial(parts: Parts, caller: Caller, asked: OfTrial) -> Trial:
    """Stop a trial."""
    viewer = caller.person()
    await parts.store.read(lambda unit: parts.automod.check_trial(unit, viewer, asked.trial_id))
    parts.automod.trials.stop(asked.trial_id)
    return _shown_trial(parts, asked.trial_id)


def _program(asked: WriteRule) -> str | None:
    """Return the program that is asked for, from rows where they were sent."""
    if asked.rows is None:
        return asked.program
    if asked.program is not None or asked.join not in ("all", "any"):
        raise Refused("invalid_field", "Send a program, or rows with join all or any.")
    rows = tuple(automod.MenuRow(row.fact, row.comparison, row.value) for row in asked.rows)
    return automod.program_of(automod.Menu(rows, any_row=asked.join == "any"))


def _shown(rule: automod.Rule) -> ShownRule:
    menu = automod.menu_of(rule.program)
    return ShownRule(
        id=rule.id, community_id=rule.owner_id, name=rule.name, program=rule.program,
        action=rule.action, severity=rule.severity, mode=rule.mode, version=rule.version,
        published=time_of(rule.created_us), updated=time_of(rule.updated_us),
        ban_days=rule.ban_days if rule.action is Action.BAN else None, note=rule.note or None,
        rows=list(menu.rows) if menu else None,
        join=("any" if menu.any_row else "all") if menu else None,
    )


def _shown_hit(hit: automod.Hit) -> ShownHit:
    return ShownHit(
        id=hit.id, rule_id=hit.rule_id, rule_version=hit.rule_version, creator_id=hit.creator_id,
        mode=hit.mode, waiting=hit.waiting, reason=hit.reason, published=time_of(hit.created_us),
        post_id=hit.subject_id if hit.kind == 0 else None,
        comment_id=hit.subject_id if hit.kind == 1 else None, done=hit.done,
    )


def _shown_trial(parts: Parts, trial_id: int) -> Trial:
    report = parts.automod.trials.of(trial_id)
    return Trial(trial=report, share=report.share, precision=report.precision)


CALLS: tuple[Call[Any, Any], ...] = (
    Call("GET", "/rule/list", OfCommunity, Rules, list_rules),
    Call("POST", "/rule", WriteRule, RuleAnswer, write_rule),
    Call("POST", "/rule/delete", OfRule, SuccessResponse, delete_rule),
    Call("GET", "/rule/hits", GetHits, Hits, list_hits),
    Call("POST", "/rule/hit/settle", SettleHit, HitAnswer, settle_hit),
    Call("POST", "/rule/trial", TryRule, Trial, try_rule),
    Call("GET", "/rule/trial", OfTrial, Trial, get_trial),
    Call("POST", "/rule/trial/stop", OfTrial, Trial, stop_trial),
)
