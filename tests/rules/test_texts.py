"""Words, patterns and bundles: what is found, what is refused, and that together is as one by one."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.rules import Bundle, FieldType, RuleRefused, compile_program, limits
from lichen.rules.texts import Sieve, is_found, pattern_of, words_of

from .programs import FIELDS, VALUES, conditions

TEXT = {"text": FieldType.TEXT, "domains": FieldType.SET_OF_TEXT}


def says(source, **facts):
    return compile_program(source, TEXT).value({"text": "", "domains": frozenset(), **facts})


@pytest.mark.parametrize(("source", "text", "found"), [
    ("contains(text, 'casino')", "The Casino is open", True),
    ("contains(text, 'casino')", "casinos", False),
    ("contains(text, 'free money')", "FREE, money!", True),
    ("contains(text, 'free money')", "free of money", False),
    ("contains(text, {'viagra', 'casino'})", "a casino", True),
    ("contains(text, 'straße')", "STRASSE", True),
    ("contains(text, 'ﬁne')", "fine", True),
    ("contains(text, 'лишай')", "Это Лишай.", True),
    ("contains(text, 'a')", "", False),
    ("matches(text, 'fr[e3]+')", "get fr3e", True),
    ("matches(text, 'FREE')", "free", False),
    ("matches(text, '(?i)FREE')", "free", True),
    ("matches(text, '^$')", "", True),
    ("not matches(text, '[0-9]{4}')", "in 2024", False),
])
def test_words_are_whole_and_patterns_are_as_written(source, text, found):
    assert says(source, text=text) is found


def test_sets_overlap_where_they_have_a_member_in_common():
    domains = frozenset({"www.spam.example", "spam.example"})

    assert says("overlaps(domains, {'spam.example', 'other.example'})", domains=domains) is True
    assert says("overlaps(domains, {'example'})", domains=domains) is False


@pytest.mark.parametrize("source", [
    "contains(text)", "contains(text, text)", "contains(text, '!!')", "contains(text, {1})",
    "contains(domains, 'a')", "matches(text, '(')", "matches(text, '(?=a)')", "matches(text, '')",
    r"matches(text, '(a)\\1')", "matches(text, text)", "overlaps(domains, 'a')",
    "matches(text, 'a{1000}{1000}')", f"matches(text, '{'a' * 501}')",
    " or ".join(f"matches(text, 'a{n}')" for n in range(limits.PATTERNS_MAX + 1)),
    "contain(text, 'a')",
])
def test_what_is_no_words_or_no_pattern_is_refused(source):
    with pytest.raises(RuleRefused):
        compile_program(source, TEXT)


def test_a_pattern_that_explodes_elsewhere_takes_linear_time_here():
    program = compile_program("matches(text, '^(a+)+$')", TEXT)
    text = "a" * 50_000 + "!"

    start = time.process_time()
    found = program.value({"text": text})

    assert found is False
    assert time.process_time() - start < 5, "others would take longer than the sun will burn"


@given(st.lists(conditions(3), min_size=1, max_size=8), st.data())
def test_a_bundle_says_of_each_program_what_the_program_says(sources, data):
    programs = []
    for source in sources:
        try:
            programs.append(compile_program(source, FIELDS))
        except RuleRefused:
            continue
    facts = {name: data.draw(VALUES[name]) for name in FIELDS}

    assert Bundle(programs).matching(facts) == [
        place for place, program in enumerate(programs) if program.value(facts)]


FRAGMENTS = st.sampled_from(["a", "b", "ab", "[a-c]", "x+", "(?i)AB", "a|b", ".", "cab", "^a", "c$", "ü"])


@given(st.lists(st.lists(FRAGMENTS, min_size=1, max_size=3).map("".join), max_size=40),
       st.text("abcxüAB ", max_size=30))
def test_a_sieve_finds_what_each_pattern_finds(patterns, text):
    expected = {source for source in patterns if is_found(pattern_of(source), text)}

    assert Sieve(patterns).found_in(text) == expected


def test_only_conditions_are_bundled():
    with pytest.raises(RuleRefused):
        Bundle([compile_program("1 + 1", TEXT)])


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_plain_texts_have_the_same_normal_form_either_way(text):
    assert words_of(text) == words_of(text + "\u00a0"), "a space that is no ASCII changes the way"
