"""Reading requests: what is taken, and with which code what is wrong is refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.faces.lemmy_v3 import wire
from lichen.faces.lemmy_v3.asking import (
    QUERY_BYTES_MAX,
    asked_in_body,
    asked_in_query,
    token_of,
)
from lichen.kit import Refused

POSTS = msgspec.json.Decoder(wire.CreatePost)


def test_a_query_is_read_by_the_types_of_its_fields() -> None:
    asked = asked_in_query(b"type_=All&sort=TopDay&limit=20&saved_only=True&page=2", wire.GetPosts)

    assert asked == wire.GetPosts(type_="All", sort="TopDay", limit=20, saved_only=True, page=2)


def test_fields_that_nobody_knows_are_passed_over() -> None:
    assert asked_in_query(b"auth=x&no_comments_only=true", wire.GetPosts) == wire.GetPosts()
    assert asked_in_body(b'{"name":"abc","community_id":1,"new":[{}]}', POSTS).name == "abc"


@pytest.mark.parametrize(("query", "code"), [
    (b"limit=51", "invalid_field"),
    (b"limit=0", "invalid_field"),
    (b"page=0", "invalid_field"),
    (b"page=99999999999999999999", "invalid_field"),
    (b"limit=", "invalid_field"),
    (b"limit=ten", "invalid_field"),
    (b"sort=Best", "invalid_field"),
    (b"sort=", "invalid_field"),
    (b"saved_only=perhaps", "invalid_field"),
    (b"community_id=-1", "invalid_field"),
    (b"community_name=" + b"a" * 257, "invalid_field"),
    (b"community_name=a%00b", "invalid_text"),
    (b"community_name=%ff", "invalid_query"),
    (b"community_name=%ED%A0%80", "invalid_query"),
    (b"community_name=\xe2", "invalid_query"),
    (b"&".join(b"a=1" for _ in range(65)), "invalid_query"),
    (b"a=" + b"1" * QUERY_BYTES_MAX, "invalid_query"),
])
def test_a_wrong_query_is_refused(query: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        asked_in_query(query, wire.GetPosts)

    assert (refusal.value.code, refusal.value.status) == (code, 400)


@pytest.mark.parametrize(("body", "code"), [
    (b"", "invalid_field"),
    (b"{}", "invalid_field"),
    (b"[]", "invalid_field"),
    (b"null", "invalid_field"),
    (b'{"name":null,"community_id":1}', "invalid_field"),
    (b'{"name":"abc","community_id":"1"}', "invalid_field"),
    (b'{"name":"abc","community_id":1.5}', "invalid_field"),
    (b'{"name":"abc","community_id":true}', "invalid_field"),
    (b'{"name":"abc","community_id":1,"nsfw":"yes"}', "invalid_field"),
    (b'{"name":"abc","community_id":2147483648}', "invalid_field"),
    (b'{"name":"a\\u0000c","community_id":1}', "invalid_text"),
    (b'{"name":"\\ud800","community_id":1}', "invalid_json"),
    (b'{"name":"\\ud800abc","community_id":1}', "invalid_json"),
    (b'{"name":"\\udc00","community_id":1}', "invalid_json"),
    (b'{"name":"\xed\xa0\x80","community_id":1}', "invalid_json"),
    (b'{"name":"\xff","community_id":1}', "invalid_json"),
    (b'{"name":"abc"', "invalid_json"),
    (b"name=abc", "invalid_json"),
    (b'{"name":"abc","community_id":1,"deep":' + b"[" * 100_000, "invalid_json"),
    (b'{"deep":' * 100_000, "invalid_json"),
])
def test_a_wrong_body_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        asked_in_body(body, POSTS)

    assert (refusal.value.code, refusal.value.status) == (code, 400)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for read in (lambda: asked_in_query(raw, wire.GetPosts), lambda: asked_in_body(raw, POSTS)):
        try:
            read()
        except Refused as refusal:
            assert refusal.status == 400


def test_the_refusal_of_a_text_never_says_the_text() -> None:
    """A password of a wrong form must not come back in an error, which clients log."""
    logins = msgspec.json.Decoder(wire.Login)

    with pytest.raises(Refused) as refusal:
        asked_in_body(b'{"username_or_email":"a","password":"' + b"secret" * 100 + b'"}', logins)

    assert "secret" not in refusal.value.text


@pytest.mark.parametrize(("method", "headers", "cookies", "token"), [
    ("GET", {"authorization": "Bearer abc"}, {}, "abc"),
    ("POST", {"authorization": "bearer  abc "}, {}, "abc"),
    ("POST", {"authorization": "Basic abc"}, {}, None),
    ("POST", {"authorization": "Bearer"}, {"jwt": "abc"}, None),
    ("GET", {}, {"jwt": "abc"}, "abc"),
    ("POST", {}, {"jwt": "abc"}, None),
    ("PUT", {}, {"jwt": "abc"}, None),
    ("GET", {"authorization": "Bearer abc"}, {"jwt": "def"}, "abc"),
])
def test_a_token_comes_by_header_and_for_reading_by_cookie(
    method: str, headers: dict[str, str], cookies: dict[str, str], token: str | None
) -> None:
    assert token_of(method, headers, cookies) == token


@given(st.integers(min_value=-10**15, max_value=7_258_118_400_000_000))
def test_a_time_keeps_its_microseconds(time_us: int) -> None:
    moment = wire.time_of(time_us)

    assert (moment - wire.time_of(0)) // (wire.time_of(1) - wire.time_of(0)) == time_us
