"""Rules: who may write and see them, within which limits; menus say what programs say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.automod import (
    COMPARISONS,
    FACTS,
    SITE,
    Action,
    Menu,
    MenuRow,
    Mode,
    RuleDraft,
    limits,
    menu_of,
    program_of,
)
from lichen.automod.service import checked_program
from lichen.forum import CommunityDraft
from lichen.kit import Forbidden, NotFound, Refused
from lichen.rules import FieldType, RuleRefused

asynchronous = pytest.mark.anyio


@asynchronous
async def test_only_those_who_moderate_there_see_and_change_rules(house, head, mira, otto, stones):
    elsewhere = await house.sign_up("elsa")
    await house.write("create_community", elsewhere, "moss", CommunityDraft(title="Moss"))
    rule = await house.rule(mira, stones, "words > 3")
    of_the_site = await house.rule(head, SITE, "words > 3")
    calls = {
        "list": lambda one: house.ask("rules", one, stones),
        "counts": lambda one: house.ask("rule_counts", one, stones),
        "read": lambda one: house.ask("rule", one, rule.id),
        "write": lambda one: house.rule(one, stones, "words > 4"),
        "edit": lambda one: house.ask("edit_rule", one, rule.id, RuleDraft(name="Else")),
        "hits": lambda one: house.hits(one, owner_id=stones),
        "hits of a rule": lambda one: house.hits(one, rule_id=rule.id),
        "try": lambda one: house.ask("begin_trial", one, stones, "words > 3", days=1),
    }
    of_site = {
        "list": lambda one: house.ask("rules", one, SITE),
        "write": lambda one: house.rule(one, SITE, "words > 4"),
        "edit": lambda one: house.ask("edit_rule", one, of_the_site.id, RuleDraft(name="Else")),
        "delete": lambda one: house.ask("delete_rule", one, of_the_site.id),
        "try": lambda one: house.ask("begin_trial", one, SITE, "words > 3", days=1),
    }

    for may_not, asked in ((otto, calls), (elsewhere, calls), (otto, of_site), (mira, of_site)):
        for name, call in asked.items():
            with pytest.raises(Forbidden):
                await call(may_not)
            assert (await house.ask("rule", mira, rule.id)).name == "A rule", name
    for may in (mira, head):
        for call in calls.values():
            await call(may)
    await house.ask("delete_rule", head, of_the_site.id)
    with pytest.raises(NotFound):
        await house.ask("rule", head, of_the_site.id)


@asynchronous
@pytest.mark.parametrize("draft", [
    RuleDraft(name="", program="words > 1"), RuleDraft(name="x" * 81, program="words > 1"),
    RuleDraft(name="Rule", program="words > 1", severity=11),
    RuleDraft(name="Rule", program="words > 1", ban_days=0),
    RuleDraft(name="Rule", program="words > 1", note="x" * 2_001),
    RuleDraft(name="Rule", program=""), RuleDraft(name="Rule", program="words + 1"),
    RuleDraft(name="Rule", program="password == 'x'"),
    RuleDraft(name="Rule", program="matches(text, '(')"),
    RuleDraft(name="Rule", program="words > 1 #" + "x" * 4_000),
])
async def test_what_is_out_of_bounds_is_refused(house, mira, stones, draft):
    with pytest.raises(Refused):
        await house.ask("create_rule", mira, stones, draft)

    assert await house.ask("rules", mira, stones) == []


@asynchronous
async def test_a_community_has_so_many_rules_and_no_more(house, mira, stones, monkeypatch):
    monkeypatch.setattr(limits, "RULES_PER_OWNER_MAX", 2)
    await house.rule(mira, stones, "words > 1")
    await house.rule(mira, stones, "words > 2")

    with pytest.raises(Refused) as caught:
        await house.rule(mira, stones, "words > 3")

    assert caught.value.code == "too_many_rules"


@asynchronous
async def test_a_new_rule_is_off_and_edits_leave_what_they_do_not_name(house, mira, stones):
    rule = await house.ask("create_rule", mira, stones,
                           RuleDraft(name=" Long ", program="words > 9"))

    renamed = await house.ask("edit_rule", mira, rule.id, RuleDraft(name="Longer"))

    assert (rule.mode, rule.action, rule.name, rule.version) == (Mode.OFF, Action.REPORT, "Long", 1)
    assert (renamed.program, renamed.version, renamed.name) == ("words > 9", 1, "Longer")


WORDS = st.text("abcxyz äß", min_size=1, max_size=8).map(str.strip).filter(bool)
LISTS = st.lists(WORDS, min_size=1, max_size=3, unique=True).map(sorted).map(", ".join)


@st.composite
def rows(draw):
    fact = FACTS[draw(st.sampled_from(sorted(FACTS)))]
    comparison = draw(st.sampled_from(COMPARISONS[fact.type]))
    if fact.type is FieldType.NUMBER:
        value = str(draw(st.integers(-50, 5_000)))
    elif fact.type is FieldType.BOOLEAN:
        value = ""
    elif "match" in comparison:
        value = draw(st.sampled_from(["a+", "(?i)b[0-9]", "it's", '"', "\\bx\\b"]))
    else:
        value = draw(LISTS)
    return MenuRow(fact.name, comparison, value)


@given(st.lists(rows(), min_size=1, max_size=5), st.booleans())
def test_every_menu_is_a_program_and_comes_back_as_it_was(some, any_row):
    menu = Menu(tuple(some), any_row=any_row and len(some) > 1)

    program = checked_program(program_of(menu))

    assert menu_of(program) == menu
    assert program_of(menu_of(program)) == program


@pytest.mark.parametrize("program", [
    "words > 1 and (links > 2 or has_link)", "words > links", "words + 1 > 2", "1 < words",
    "1 if has_link else 2", "words >", "contains(text, {'a, b'})",
])
def test_what_no_menu_says_is_left_as_text(program):
    assert menu_of(program) is None


@pytest.mark.parametrize("row", [
    MenuRow("nothing", "<", "1"), MenuRow("words", "contains", "1"), MenuRow("words", "<", "many"),
    MenuRow("text", "contains", " , "), MenuRow("words", "<", "1e99"),
])
def test_a_row_that_is_wrong_is_refused(row):
    with pytest.raises(Refused):
        program_of(Menu((row,)))


def test_a_wrong_pattern_is_refused_when_the_program_is_checked():
    with pytest.raises(RuleRefused):
        checked_program(program_of(Menu((MenuRow("text", "matches", "("),))))
