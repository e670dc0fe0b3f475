"""Moderation rules: written from menus or as text, tried on the past, switched, looked at.

The same pages serve a community (`/c/<name>/rules`) and the whole site (`/admin/rules`). Every
button is a form; a trial's page asks for its progress by htmx, or reloads itself without a script.
"""

from typing import NamedTuple

import msgspec
from litestar import Response, get, post

from lichen.accounts import Viewer
from lichen.automod import (
    COMPARISONS,
    FACTS,
    SITE,
    Action,
    Menu,
    MenuRow,
    Mode,
    Rule,
    RuleDraft,
    menu_of,
    program_of,
)
from lichen.faces.pages.answers import fragment, page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import (
    NUMBER_MAX,
    GivenVisit,
    PageRequest,
    Typed,
    Visit,
    typed,
)
from lichen.kit import NotFound, Refused
from lichen.store import Unit

TRIAL_DAYS_DEFAULT = 7
HITS_SHOWN = 20
EMPTY_ROWS_MIN = 1  # rows to fill in below those there are

ACTION_WORDS = {
    Action.REPORT: "report it", Action.HOLD: "hold it for a moderator",
    Action.REMOVE: "remove it", Action.BAN: "remove it and ban its author",
}
MODE_WORDS = {
    Mode.OFF: "off", Mode.TRYING: "noting only", Mode.ON: "on",
}
_FACTS_BY_KIND = [
    (kind.value, [fact for fact in FACTS.values() if fact.type is kind]) for kind in COMPARISONS
]


class Place(NamedTuple):
    """Whose rules a page is about: a community, or the site."""

    owner_id: int
    path: str
    title: str


class Form(msgspec.Struct, frozen=True):
    """A rule as it stands in the form; `menu` is None in the text view."""

    name: str = ""
    program: str = ""
    action: str = Action.REPORT.value
    ban_days: str = "7"
    severity: str = "1"
    note: str = ""
    menu: Menu | None = Menu((MenuRow("text", "contains", ""),))
    days: str = str(TRIAL_DAYS_DEFAULT)

    def source(self) -> str:
        """Return the program that the form says; raises Refused."""
        if self.menu is None:
            return self.program
        return program_of(self.menu)

    def draft(self, mode: Mode | None) -> RuleDraft:
        """Return the draft that the rules judge."""
        return RuleDraft(
            name=self.name, program=self.source(), action=Action(self.action),
            ban_days=int(self.ban_days), severity=int(self.severity), note=self.note, mode=mode,
        )


@get(["/c/{name:str}/rules", "/admin/rules"])
async def rules_page(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """List the rules of a community or of the site."""
    viewer = visit.required()

    def query(unit: Unit) -> tuple[Place, dict[str, object]]:
        place = _place(unit, parts, viewer, request)
        return place, {
            "rules": parts.automod.rules(unit, viewer, place.owner_id),
            "counts": parts.automod.rule_counts(unit, viewer, place.owner_id),
            "waiting": parts.automod.hits(unit, viewer, owner_id=place.owner_id,
                                          waiting_only=True, limit=HITS_SHOWN),
        }

    (place, values), frame = await parts.framed(visit, query)
    return await page(parts, visit, frame, "rules.html", values={
        "place": place, "action_words": ACTION_WORDS, "mode_words": MODE_WORDS,
        "now_us": parts.now_us(), **values})


@get(["/c/{name:str}/rules/new", "/admin/rules/new"])
async def new_rule(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Offer the form for a new rule."""
    viewer = visit.required()
    place = await parts.store.read(lambda unit: _place(unit, parts, viewer, request))
    return await _form(parts, visit, place, Form())


@get(["/c/{name:str}/rules/{rule:int}", "/admin/rules/{rule:int}"])
async def rule_page(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Show a rule, to be changed, and its newest hits."""
    viewer = visit.required()

    def query(unit: Unit) -> tuple[Place, Rule]:
        place = _place(unit, parts, viewer, request)
        return place, _rule(unit, parts, viewer, place, request)

    place, rule = await parts.store.read(query)
    return await _form(parts, visit, place, _form_of(rule), rule=rule)


@post(["/c/{name:str}/rules/new", "/admin/rules/new"], status_code=200)
async def create_rule(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Write a rule, try it, or change how the form looks."""
    return await _answer(request, parts, visit, is_new=True)


@post(["/c/{name:str}/rules/{rule:int}", "/admin/rules/{rule:int}"], status_code=200)
async def change_rule(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Change a rule, switch it, delete it, try it, or change how the form looks."""
    return await _answer(request, parts, visit, is_new=False)


@get(["/c/{name:str}/rules/trials/{trial:int}", "/admin/rules/trials/{trial:int}"])
async def trial_page(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Show how far a trial is and what it has found; to htmx only the piece that changes."""
    viewer = visit.required()
    trial_id = _number(request, "trial")

    def query(unit: Unit) -> Place:
        parts.automod.check_trial(unit, viewer, trial_id)
        return _place(unit, parts, viewer, request)

    place = await parts.store.read(query)
    values = {
        "trial": parts.automod.trials.of(trial_id), "place": place, "now_us": parts.now_us(),
        "visit": visit,
    }
    if visit.is_fragment:
        return fragment(parts, parts.drawing.draw("pieces/trial.html", **values), target=None)
    frame = await parts.frame(visit)
    del values["visit"]
    return await page(parts, visit, frame, "trial.html", values=values)


@post(["/c/{name:str}/rules/trials/{trial:int}", "/admin/rules/trials/{trial:int}"],
      status_code=200)
async def stop_trial(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Stop a trial."""
    viewer = visit.required()
    trial_id = _number(request, "trial")
    await parts.store.read(lambda unit: parts.automod.check_trial(unit, viewer, trial_id))
    parts.automod.trials.stop(trial_id)
    return see_other(visit, visit.path)


@post(["/c/{name:str}/rules/hits/{hit:int}", "/admin/rules/hits/{hit:int}"], status_code=200)
async def settle_hit(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Note that somebody has looked at a hit."""
    viewer = visit.required()
    hit_id = _number(request, "hit")
    await parts.store.write(lambda unit: parts.automod.settle_hit(unit, viewer, hit_id))
    return see_other(visit, visit.path.rpartition("/hits/")[0])


async def _answer(
    request: PageRequest, parts: Parts, visit: Visit, *, is_new: bool
) -> Response[bytes]:
    """Do what the pressed button says, or show the form again with what was wrong."""
    viewer = visit.required()
    place = await parts.store.read(lambda unit: _place(unit, parts, viewer, request))
    rule = None if is_new else await parts.store.read(
        lambda unit: _rule(unit, parts, viewer, place, request))
    fields = await typed(request)
    deed, form = fields.text("do"), _typed_form(fields)
    try:
        if deed in ("row", "text", "menu"):
            return await _form(parts, visit, place, _reshaped(form, deed), rule=rule)
        if deed == "try":
            return await _tried(parts, visit, viewer, place, form)
        await parts.store.write(lambda unit: _kept(unit, parts, viewer, place, rule, deed, form))
    except Refused as refused:
        return await _form(parts, visit, place, form, rule=rule, refused=refused)
    return see_other(visit, place.path)


def _kept(
    unit: Unit, parts: Parts, viewer: Viewer, place: Place, rule: Rule | None, deed: str,
    form: Form,
) -> None:
    """Keep, switch or delete a rule."""
    if rule is not None and deed == "delete":
        parts.automod.delete_rule(unit, viewer, rule.id)
        return
    if rule is not None and deed in set(Mode):
        parts.automod.edit_rule(unit, viewer, rule.id, form.draft(Mode(deed)))
    elif rule is not None:
        parts.automod.edit_rule(unit, viewer, rule.id, form.draft(None))
    else:
        mode = Mode(deed) if deed in set(Mode) else Mode.OFF
        parts.automod.create_rule(unit, viewer, place.owner_id, form.draft(mode))


async def _tried(
    parts: Parts, visit: Visit, viewer: Viewer, place: Place, form: Form
) -> Response[bytes]:
    days = int(form.days) if form.days.isascii() and form.days.isdecimal() else 0
    trial_id = await parts.store.read(lambda unit: parts.automod.begin_trial(
        unit, viewer, place.owner_id, form.source(), days=days))
    parts.automod.trials.start(trial_id)
    return see_other(visit, f"{place.path}/trials/{trial_id}")


async def _form(
    parts: Parts, visit: Visit, place: Place, form: Form, *, rule: Rule | None = None,
    refused: Refused | None = None,
) -> Response[bytes]:
    viewer, frame = visit.required(), await parts.frame(visit)
    hits = [] if rule is None else await parts.store.read(
        lambda unit: parts.automod.hits(unit, viewer, rule_id=rule.id, limit=HITS_SHOWN))
    try:
        program = form.source()
    except Refused:
        program = form.program
    rows = form.menu.rows if form.menu else ()
    return await page(parts, visit, frame, "rule.html", values={
        "place": place, "rule": rule, "form": form, "program": program, "hits": hits,
        "rows": [*rows, *([MenuRow("", "", "")] * EMPTY_ROWS_MIN)] if form.menu else [],
        "facts": _FACTS_BY_KIND, "comparisons": COMPARISONS, "all_facts": FACTS,
        "action_words": ACTION_WORDS, "mode_words": MODE_WORDS, "now_us": parts.now_us(),
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


def _place(unit: Unit, parts: Parts, viewer: Viewer, request: PageRequest) -> Place:
    """Return whose rules the address names; whether the viewer may, the room says."""
    name = request.path_params.get("name")
    if name is None:
        parts.automod.rules(unit, viewer, SITE)
        return Place(SITE, "/admin/rules", parts.accounts.current_site.settings.name)
    actor = parts.forum.community(unit, viewer, name=str(name)).community.actor
    parts.automod.rules(unit, viewer, actor.id)
    return Place(actor.id, f"{parts.drawing.path_of(actor)}/rules", actor.shown_name)


def _rule(
    unit: Unit, parts: Parts, viewer: Viewer, place: Place, request: PageRequest
) -> Rule:
    found = parts.automod.rule(unit, viewer, _number(request, "rule"))
    if found.owner_id != place.owner_id:
        raise NotFound("couldnt_find_rule", "There is no such rule here.")
    return found


def _form_of(rule: Rule) -> Form:
    return Form(
        name=rule.name, program=rule.program, action=rule.action.value,
        ban_days=str(rule.ban_days), severity=str(rule.severity), note=rule.note,
        menu=menu_of(rule.program),
    )


def _reshaped(form: Form, deed: str) -> Form:
    """Return the form as text, as menus where they can say it, or with what was filled in."""
    if deed == "text":
        return msgspec.structs.replace(form, program=form.source(), menu=None)
    if deed == "menu":
        menu = menu_of(form.program)
        if menu is None:
            raise Refused("no_menu", "Menus cannot say this; it stays as text.")
        return msgspec.structs.replace(form, menu=menu)
    return form


def _typed_form(fields: Typed) -> Form:
    menu = None
    if fields.text("view") != "text":
        triples = zip(fields.many("fact"), fields.many("comparison"), fields.many("value"),
                      strict=False)
        rows = (_typed_row(*triple) for triple in triples)
        menu = Menu(tuple(row for row in rows if row.fact),
                    any_row=fields.text("join") == "any")
    return Form(
        name=fields.text("name"), program=fields.raw("program").strip(),
        action=fields.one_of("action", tuple(Action)),
        ban_days=str(fields.number("ban_days") if fields.text("ban_days") else 1),
        severity=str(fields.number("severity") if fields.text("severity") else 1),
        note=fields.raw("note").strip(), menu=menu, days=fields.text("days"),
    )


def _typed_row(fact: str, comparison: str, value: str) -> MenuRow:
    """Return a row; a comparison that was not chosen is the first that fits the fact."""
    if fact in FACTS and not comparison:
        comparison = COMPARISONS[FACTS[fact].type][0]
    return MenuRow(fact, comparison, value.strip())


def _number(request: PageRequest, name: str) -> int:
    """Return a number of the path; larger ones than a row's are nobody's."""
    number = int(request.path_params[name])
    if not 0 <= number <= NUMBER_MAX:
        raise NotFound("couldnt_find_rule", "There is no such rule.")
    return number


HANDLERS = (
    rules_page, new_rule, rule_page, create_rule, change_rule, trial_page, stop_trial, settle_hit,
)
