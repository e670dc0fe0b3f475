"""The screen: unwanted words and addresses, in linear time whatever pattern and text."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from lichen.forum.markdown import links
from lichen.kit import Refused
from lichen.rules import Screen, blocked_address, check_pattern
from lichen.rules.limits import PATTERN_LENGTH_MAX, SCREEN_HITS_MAX

HOSTILE = "a" * 50_000 + "!"


def test_an_unwanted_word_is_refused_whatever_its_case_and_named() -> None:
    screen = Screen(r"\bmold\b|rot+")

    with pytest.raises(Refused) as refusal:
        screen.check_words(None, "", "Fine.", "What ROTTT and Mold")

    assert refusal.value.code == "slurs"
    assert "ROTTT" in refusal.value.text and "Mold" in refusal.value.text


def test_what_is_not_set_refuses_nothing() -> None:
    screen = Screen()

    screen.check_words("anything")
    screen.check_addresses("https://anywhere.example/")

    assert not screen.may_link_to_blocked("https://anywhere.example/")
    assert screen.hits("anything") == []


def test_a_refusal_names_some_pieces_and_no_more() -> None:
    assert len(Screen("[a-z]x").hits("ax bx cx dx ex fx gx hx")) == SCREEN_HITS_MAX


def test_a_pattern_that_would_run_for_ever_elsewhere_is_run_by_the_linear_engine() -> None:
    """`(a+)+$` on fifty thousand letters takes a backtracking engine longer than the universe."""
    screen = Screen(r"(a+)+$|(a|aa)+$|([a-z]+)*b")

    screen.check_words(HOSTILE)

    assert isinstance(screen._pattern, re2._Regexp)


@given(st.text(max_size=200), st.sampled_from([r"(x+x+)+y", r"\w+\s", "[^a]b|c{3}"]))
def test_the_engine_finds_what_pythons_own_finds(text: str, pattern: str) -> None:
    import re

    ours = bool(Screen(pattern).hits(text))

    assert ours == bool(re.search(pattern, text, re.ASCII | re.IGNORECASE)) or not text.isascii()


@pytest.mark.parametrize(("pattern", "code"), [
    ("(", "invalid_regex"),
    ("(?=a)", "invalid_regex"),
    (r"(a)\1", "invalid_regex"),
    ("(a{1000}){1000}", "invalid_regex"),
    ("a" * (PATTERN_LENGTH_MAX + 1), "invalid_regex"),
    (".*", "permissive_regex"),
    ("", "permissive_regex"),
    ("mold|", "permissive_regex"),
    ("[0-9]", "permissive_regex"),
])
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_pattern(pattern)

    assert refusal.value.code == code


@pytest.mark.parametrize("address", [
    "https://bad.example/", "http://BAD.example", "https://www.bad.example/x?y#z",
    "https://bad.example.:8443/", "https://user@bad.example/", "https:\\\\bad.example\\x",
    "https://b%61d.example/", "//bad.example/x", "https://half.example/shop",
    "https://half.example/shop/7", "https://half.example/sh%6Fp", "https://münch.example/",
    "https://xn--mnch-0ra.example/",
])
def test_a_blocked_address_is_found_however_it_is_written(address: str) -> None:
    screen = Screen(None, map(blocked_address, ["bad.example", "half.example/shop",
                                                "münch.example"]))

    with pytest.raises(Refused) as refusal:
        screen.check_addresses("https://good.example/", address)

    assert refusal.value.code == "blocked_url"


@pytest.mark.parametrize("address", [
    None, "", "https://notbad.example/", "https://bad.example.org/", "https://half.example/",
    "https://half.example/shopping", "https://good.example/?to=bad.example", "https://[", "mailto:",
])
def test_other_addresses_are_let_through(address: str | None) -> None:
    Screen(None, ["bad.example", "half.example/shop"]).check_addresses(address)


@given(st.text(max_size=100))
def test_no_text_breaks_the_list_of_addresses(text: str) -> None:
    screen = Screen(None, ["bad.example/x"])

    try:
        screen.check_addresses(text)
    except Refused as refusal:
        assert refusal.code == "blocked_url"


def test_an_entry_is_kept_in_one_form_or_refused() -> None:
    assert blocked_address(" https://Bad.Example/Shop/ ") == "bad.example/Shop"
    for wrong in ("", "no host", "/path", "localhost", "a..example", "x" * 600 + ".example"):
        with pytest.raises(Refused) as refusal:
            blocked_address(wrong)
        assert refusal.value.code == "invalid_url"


@pytest.mark.parametrize("text", [
    "See https://bad.example/x", "[a](https://www.BAD.example)", "[a](&#104;ttps://b&#97;d.example)",
    "[a](https://b%61d.example)", "[a](https://b\\ad.example)", "[a](https://b\u00e4d.example)",
    "[a](https://b\u00adad.example)", "[a](https://b%C3%A4d.example)",
])
def test_a_text_that_may_lead_to_a_blocked_place_is_looked_through(text: str) -> None:
    assert Screen(None, ["bad.example"]).may_link_to_blocked(text)


@given(st.text(st.sampled_from("bad.example/:[]()\\&#;97%61 x"), max_size=60))
def test_no_text_is_let_off_that_leads_to_a_blocked_place(text: str) -> None:
    screen = Screen(None, ["bad.example"])
    led = False
    for link in links(text):
        try:
            screen.check_addresses(link)
        except Refused:
            led = True

    assert screen.may_link_to_blocked(text) or not led


def test_a_plain_text_is_let_off() -> None:
    assert not Screen(None, ["bad.example"]).may_link_to_blocked("https://good.example " * 100)
