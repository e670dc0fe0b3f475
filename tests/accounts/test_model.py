"""What may be said of names, profiles, settings and the site; and how DIDs are made."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.accounts import (
    ProfileDraft,
    Settings,
    SiteSettings,
    check_name,
    remote_did,
    site_did,
)
from lichen.accounts.model import (
    check_email,
    check_password,
    check_profile,
    check_settings,
    check_site,
)
from lichen.kit import Refused


@pytest.mark.parametrize("name", ["mira", "Mira_7", "___", "x" * 20, "Людмила", "مريم", "123"])
def test_a_name_of_one_script_is_a_name(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "ab", "a" * 21, "two words", "naïve", "мираmira", "a/b", "x@y", "mira\n", "a-b"]
)
def test_a_name_that_breaks_the_rule_is_refused(name):
    with pytest.raises(Refused) as refusal:
        check_name(name)

    assert refusal.value.code == "invalid_name"


@given(st.text(max_size=25))
def test_a_name_that_is_accepted_can_stand_in_any_address(name):
    try:
        check_name(name)
    except Refused:
        return

    assert name.isprintable()
    assert not set(name) & set("/@:%?#& <>\"'\\")


def test_an_administrator_may_allow_longer_names():
    assert check_name("a" * 30, length_max=30) == "a" * 30


@pytest.mark.parametrize("password", ["", "x" * 9, "x" * 61])
def test_a_password_too_short_or_too_long_is_refused(password):
    with pytest.raises(Refused) as refusal:
        check_password(password)

    assert refusal.value.code == "invalid_password"
    assert "x" * 9 not in refusal.value.text


def test_a_password_counts_characters_not_bytes():
    assert check_password("ä" * 60) == "ä" * 60


@pytest.mark.parametrize("email", ["mira", "mira@", "@example.org", "mira@host", "a b@example.org",
                                   "mira@example..org", "x" * 250 + "@example.org"])
def test_what_is_no_email_address_is_refused(email):
    with pytest.raises(Refused) as refusal:
        check_email(email)

    assert refusal.value.code == "invalid_email"


def test_an_email_address_is_kept_in_lower_case_and_an_empty_one_is_none():
    assert check_email("Mira+moss@Example.ORG") == "mira+moss@example.org"
    assert check_email("") is None
    assert check_email(None) is None


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        (ProfileDraft(display_name="x" * 51), "invalid_display_name"),
        (ProfileDraft(display_name="@admin"), "invalid_display_name"),
        (ProfileDraft(display_name=" "), "invalid_display_name"),
        (ProfileDraft(display_name="two\nlines"), "invalid_display_name"),
        (ProfileDraft(bio="x" * 1_001), "bio_length_overflow"),
        (ProfileDraft(matrix_user_id="mira"), "invalid_matrix_id"),
        (ProfileDraft(avatar="javascript:alert(1)"), "invalid_url"),
        (ProfileDraft(avatar="https://["), "invalid_url"),
        (ProfileDraft(banner="https://a.example/" + "x" * 2_000), "url_length_overflow"),
    ],
)
def test_a_profile_that_breaks_a_rule_is_refused(draft, code):
    with pytest.raises(Refused) as refusal:
        check_profile(draft)

    assert refusal.value.code == code


def test_a_display_name_may_be_in_any_script():
    draft = ProfileDraft(display_name="👩‍🌾 Mira – 苔", matrix_user_id="@mira:matrix.example")

    assert check_profile(draft) is draft


@pytest.mark.parametrize("wish", [{"email": "no address"}, {"theme": "x" * 61},
                                  {"languages": tuple(range(185))}])
def test_settings_that_break_a_limit_are_refused(wish):
    with pytest.raises(Refused):
        check_settings(msgspec.structs.replace(Settings(), **wish))


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"name": " "}, "site_name_required"),
        ({"name": "A\nBcc: b@c.d"}, "site_name_required"),
        ({"name": "x" * 21}, "site_name_length_overflow"),
        ({"description": "x" * 151}, "site_description_length_overflow"),
        ({"sidebar": "x" * 10_001}, "invalid_body_field"),
        ({"icon": "ftp://a.example/x"}, "invalid_url"),
        ({"registration_mode": "RequireApplication"}, "application_question_required"),
        ({"private_instance": True},
         "cant_enable_private_instance_and_federation_together"),
        ({"default_post_listing_type": "Subscribed"}, "invalid_default_post_listing_type"),
        ({"actor_name_max_length": 2}, "invalid_name"),
    ],
)
def test_site_settings_that_break_a_rule_are_refused(wish, code):
    with pytest.raises(Refused) as refusal:
        check_site(msgspec.structs.replace(SiteSettings(), **wish))

    assert refusal.value.code == code


def test_a_port_is_part_of_a_did():
    assert site_did("127.0.0.1:8536") == "did:web:127.0.0.1%3A8536"


@given(st.sampled_from(["https://far.example/u/a", "https://far.example/u/A"]),
       st.sampled_from(["https://far.example/u/a", "https://far.example/u/A"]))
def test_a_remote_did_names_one_id(one, other):
    ours = remote_did("lichen.example", one)

    assert ours.startswith("did:web:lichen.example:r:")
    assert len(ours.rpartition(":")[2]) == 26
    assert (ours == remote_did("lichen.example", other)) == (one == other)
