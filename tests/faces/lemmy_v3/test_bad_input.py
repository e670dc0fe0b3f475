"""Every field of every call, made wrong in every way: a 4xx with a stable code, nothing written.

The table is made from the messages: each field of a valid request is replaced in turn by what its
type forbids. `EXAMPLES` holds one valid request of each call that takes fields; a test sees to it
that each is valid indeed, since a request that is wrong anyway proves nothing about its fields.
"""

import json
import re
import typing
from collections.abc import Iterator
from enum import Enum

import msgspec
import pytest

from lichen.faces.lemmy_v3 import wire
from lichen.faces.lemmy_v3.calls import CALLS, Call
from lichen.faces.lemmy_v3.wire.base import PROSE_LENGTH_MAX
from tests.faces.lemmy_v3.town import PAGE_URL, PASSWORD, Person, Town, fresh_name

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

CODE = re.compile(r"[a-z][a-z0-9_]{2,60}")
BODY_BYTES = 10_000_000
OPEN_TO_STRANGERS = {
    "/modlog",
    "/site", "/search", "/resolve_object", "/federated_instances", "/community", "/community/list",
    "/post", "/post/list", "/comment", "/comment/list", "/user", "/user/get_captcha",
    "/user/register", "/user/login",
}
OPEN_POSTS = {
    "/user/register", "/user/login", "/user/verify_email", "/user/password_reset",
    "/user/password_change",
}


_EMOJI = {"category": "plants", "image_url": "https://pictures.example/moss.png",
          "alt_text": "Moss", "keywords": ["green"]}


class Place(typing.NamedTuple):
    """What the examples are about."""

    author: Person
    other: Person
    community_id: int
    post_id: int
    comment_id: int
    other_id: int
    keeper: Person


@pytest.fixture(scope="module")
async def place(town: Town) -> Place:
    author, other = await town.person(), await town.person()
    community_id = await town.community(author)
    post_id = await town.post(author, community_id)
    comment_id = await town.comment(author, post_id)
    shown = await other.get("/user", username=other.name)
    return Place(
        author, other, community_id, post_id, comment_id,
        shown.json()["person_view"]["person"]["id"], await town.keeper(),
    )


def example_of(call: Call, place: Place) -> dict[str, object] | None:
    """Return a valid request; None for calls without fields or with a precondition."""
    community, post, comment = place.community_id, place.post_id, place.comment_id
    return {
        "search": {"q": "words"},
        "get_site_metadata": {"url": PAGE_URL},
        "resolve_object": {"q": f"@{place.author.name}"},
        "create_community": {"name": fresh_name("town"), "title": "A town"},
        "get_community": {"id": community},
        "edit_community": {"community_id": community, "title": "Another title"},
        "list_communities": {},
        "follow_community": {"community_id": community, "follow": True},
        "block_community": {"community_id": community, "block": False},
        "create_post": {"name": "A title", "community_id": community},
        "get_post": {"id": post},
        "edit_post": {"post_id": post, "name": "A better title"},
        "delete_post": {"post_id": post, "deleted": False},
        "list_posts": {},
        "like_post": {"post_id": post, "score": 1},
        "save_post": {"post_id": post, "save": True},
        "hide_post": {"post_ids": [post], "hide": True},
        "mark_post_as_read": {"post_ids": [post], "read": True},
        "create_comment": {"content": "Words.", "post_id": post, "parent_id": comment},
        "get_comment": {"id": comment},
        "edit_comment": {"comment_id": comment, "content": "Other words."},
        "delete_comment": {"comment_id": comment, "deleted": False},
        "list_comments": {},
        "like_comment": {"comment_id": comment, "score": 1},
        "save_comment": {"comment_id": comment, "save": True},
        "register": {"username": fresh_name("novice"), "password": PASSWORD,
                     "password_verify": PASSWORD},
        "login": {"username_or_email": place.author.name, "password": PASSWORD},
        "get_person_details": {"username": place.author.name},
        "save_settings": {"bio": "Reads."},
        "change_password": {"old_password": PASSWORD, "new_password": PASSWORD,
                            "new_password_verify": PASSWORD},
        "block_person": {"person_id": place.other_id, "block": True},
        "get_replies": {},
        "get_mentions": {},
        "get_report_count": {},
        "list_private_messages": {},
        "create_private_message": {"content": "Hello.", "recipient_id": place.other_id},
        "create_site": {"name": "Another"},
        "edit_site": {"sidebar": "Be kind."},
        "create_custom_emoji": {**_EMOJI, "shortcode": fresh_name("moss")},
        "edit_custom_emoji": {**_EMOJI, "id": 1},
        "list_post_likes": {"post_id": post},
        "list_comment_likes": {"comment_id": comment},
        "reset_password": {"email": "somebody@example.org"},
        "import_settings": {},
        "remove_post": {"post_id": post, "removed": False, "reason": "Words."},
        "lock_post": {"post_id": post, "locked": False},
        "feature_post": {"post_id": post, "featured": False, "feature_type": "Community"},
        "remove_comment": {"comment_id": comment, "removed": False},
        "distinguish_comment": {"comment_id": comment, "distinguished": False},
        "delete_community": {"community_id": community, "deleted": False},
        "list_post_reports": {},
        "list_comment_reports": {},
        "get_modlog": {},
    }.get(call.answer.__name__)


def wrong_values(hint: object, *, is_query: bool) -> Iterator[object]:
    """Yield what a field of this type forbids."""
    kind = _plain(hint)
    if kind is str:
        yield "a" * (PROSE_LENGTH_MAX + 1) if not is_query else "a" * 9_000
        yield "a\x00b"
        if not is_query:
            yield from (5, True, ["a"], {"a": "b"})
    elif kind is bool:
        yield from ("perhaps", "") if is_query else ("true", 1, [], {})
    elif kind is int:
        yield from (-2, 2**31, 2**63, "one", "", 1.5)
        if not is_query:
            yield from ("1", True, [1], {})
    elif typing.get_origin(kind) is tuple and _plain(typing.get_args(kind)[0]) is str:
        yield from (1, "1", [5], [None], {}, ["a\x00b"], ["a"] * 2_001)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from (5, "one", [], {"theme": 5}, {"theme": "a\x00b"}, {"show_nsfw": "true"})
    elif typing.get_origin(kind) is tuple:
        yield from (1, "1", ["one"], [2**31], [-1], [None], {}, list(range(1_001)))
    elif typing.get_origin(kind) is typing.Literal or issubclass(typing.cast(type, kind), Enum):
        yield from ("Nothing", "", "all") if is_query else ("Nothing", "", 5, True, ["All"], {})
    else:
        raise AssertionError(f"no wrong value for {kind}")


def _plain(hint: object) -> object:
    """Return the type of a field without `None` and bounds."""
    options = [part for part in typing.get_args(hint) if part is not type(None)]
    if type(None) in typing.get_args(hint):
        return _plain(options[0])
    if typing.get_origin(hint) is typing.Annotated:
        return _plain(options[0])
    return hint


_ENDING_LOGINS = {"change_password", "logout"}
# They are about a reply, a mention, a message, another server or a letter, which other tests make
# first, about a site that is not set up yet or an emoji, about a report or another person (see
# test_permissions), or they are an administrator's.
_PRECONDITIONED = {
    "mark_reply_as_read", "mark_mention_as_read", "block_instance", "edit_private_message",
    "delete_private_message", "mark_private_message_as_read", "create_site", "delete_custom_emoji",
    "list_all_media", "verify_email", "change_password_after_reset", "update_totp",
    "delete_account", "leave_admin", "add_admin", "count_applications", "list_applications",
    "get_application", "approve_application", "create_post_report", "resolve_post_report",
    "create_private_message_report", "resolve_private_message_report",
    "list_private_message_reports", "create_comment_report", "resolve_comment_report", "remove_community", "hide_community",
    "transfer_community", "add_mod_to_community", "ban_from_community", "ban_person",
    "get_banned_persons", "purge_person", "purge_community", "purge_post", "purge_comment",
}
_FOR_ADMINISTRATORS = {"edit_site", "create_custom_emoji", "edit_custom_emoji"}
_EXEMPLARY = [call for call in CALLS if call.answer.__name__ not in _PRECONDITIONED]


@pytest.mark.parametrize("call", _EXEMPLARY, ids=lambda call: call.answer.__name__)
async def test_an_example_is_valid(call: Call, town: Town, place: Place) -> None:
    name = call.answer.__name__
    caller = await town.person() if name in _ENDING_LOGINS else place.author
    caller = place.keeper if name in _FOR_ADMINISTRATORS else caller

    answer = await caller.call(call.method, call.path, example_of(call, place) or {})

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.answer.__name__)
async def test_a_wrong_field_is_refused_and_nothing_is_written(
    call: Call, town: Town, place: Place
) -> None:
    is_query = call.method == "GET"
    base = example_of(call, place) or _made_up(call.request)
    before = town.house.log.last_seq

    for field in msgspec.structs.fields(call.request):
        for value in wrong_values(field.type, is_query=is_query):
            asked = {**base, field.name: value}
            answer = await place.author.call(call.method, call.path, asked)
            _assert_refused(answer, f"{field.name}={value!r}"[:80])

    assert town.house.log.last_seq == before


@pytest.mark.parametrize("call", [call for call in CALLS if call.method != "GET"],
                         ids=lambda call: call.answer.__name__)
async def test_a_wrong_body_is_refused_and_nothing_is_written(
    call: Call, town: Town, place: Place
) -> None:
    if not any(field.required for field in msgspec.structs.fields(call.request)):
        return  # an empty body is a whole request here
    before = town.house.log.last_seq
    fields = msgspec.structs.fields(call.request)
    first = next(field.name for field in fields if field.required)
    bodies = [
        b"", b"{}", b"null", b"[]", b'"text"', b"{", b"\xff\xfe", b"[" * 100_000,
        b'{"deep":' * 100_000, json.dumps({first: None}).encode(),
        f'{{"{first}":"\\ud800"}}'.encode(), f'{{"{first}":'.encode() + b"[" * 100_000,
    ]

    for body in bodies:
        answer = await place.author.client.request(
            call.method, f"/api/v3{call.path}", content=body, headers=place.author.headers
        )
        _assert_refused(answer, repr(body[:40]))

    assert town.house.log.last_seq == before


async def test_a_body_of_ten_megabytes_is_refused(town: Town, place: Place) -> None:
    before = town.house.log.last_seq

    for call in CALLS:
        if call.method == "GET":
            continue
        body = b'{"name":"' + b"a" * BODY_BYTES + b'"}'
        answer = await place.author.client.request(
            call.method, f"/api/v3{call.path}", content=body, headers=place.author.headers
        )
        assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")

    assert town.house.log.last_seq == before


async def test_what_needs_a_login_is_refused_to_strangers(town: Town, place: Place) -> None:
    before = town.house.log.last_seq

    for call in CALLS:
        if call.method == "GET" and call.path in OPEN_TO_STRANGERS:
            continue
        if call.path in OPEN_POSTS:
            continue
        asked = example_of(call, place) or _made_up(call.request)
        answer = await town.stranger.call(call.method, call.path, asked)
        assert (answer.status_code, answer.json()["error"]) == (401, "not_logged_in"), call.path

    assert town.house.log.last_seq == before


@pytest.mark.parametrize(("path", "method", "field", "length", "code"), [
    ("/community", "POST", "name", 21, "invalid_name"),
    ("/community", "POST", "title", 101, "invalid_community_title"),
    ("/community", "POST", "description", 10_001, "invalid_body_field"),
    ("/community", "POST", "icon", 2_001, "url_length_overflow"),
    ("/post", "POST", "name", 201, "invalid_post_title"),
    ("/post", "POST", "body", 50_001, "invalid_body_field"),
    ("/post", "POST", "url", 2_001, "url_length_overflow"),
    ("/post", "POST", "alt_text", 1_501, "alt_text_length_overflow"),
    ("/comment", "POST", "content", 10_001, "invalid_body_field"),
    ("/private_message", "POST", "content", 10_001, "invalid_body_field"),
    ("/user/register", "POST", "username", 21, "invalid_name"),
    ("/user/save_user_settings", "PUT", "bio", 1_001, "bio_length_overflow"),
    ("/user/save_user_settings", "PUT", "display_name", 51, "invalid_display_name"),
    ("/user/save_user_settings", "PUT", "matrix_user_id", 200, "invalid_matrix_id"),
])
async def test_a_text_that_is_too_long_is_refused_by_lemmys_code(
    town: Town, place: Place, path: str, method: str, field: str, length: int, code: str
) -> None:
    call = next(call for call in CALLS if (call.path, call.method) == (path, method))
    before = town.house.log.last_seq
    text = "https://example.org/" + "a" * length if field in ("url", "icon") else "a" * length

    asked = {**(example_of(call, place) or {}), field: text}
    answer = await place.author.call(method, path, asked)

    assert (answer.status_code, answer.json()["error"]) == (400, code)
    assert town.house.log.last_seq == before


@pytest.mark.parametrize(("password", "again", "code"), [
    ("a" * 61, "a" * 61, "invalid_password"),
    ("a" * 9, "a" * 9, "invalid_password"),
    (PASSWORD, PASSWORD + ".", "passwords_do_not_match"),
])
async def test_a_wrong_password_is_refused_at_signing_up_and_at_changing_it(
    town: Town, place: Place, password: str, again: str, code: str
) -> None:
    before = town.house.log.last_seq

    signing_up = await town.stranger.post(
        "/user/register", username=fresh_name("novice"), password=password, password_verify=again
    )
    changing = await place.author.put(
        "/user/change_password", old_password=PASSWORD, new_password=password,
        new_password_verify=again,
    )

    for answer in (signing_up, changing):
        assert (answer.status_code, answer.json()["error"]) == (400, code)
    assert town.house.log.last_seq == before


@pytest.mark.parametrize(("path", "method", "field"), [
    ("/search", "GET", "q"), ("/resolve_object", "GET", "q"), ("/community", "POST", "name"),
    ("/community", "POST", "title"), ("/post", "POST", "name"), ("/comment", "POST", "content"),
    ("/private_message", "POST", "content"), ("/comment", "PUT", "content"), ("/post", "PUT", "name"),
    ("/user/register", "POST", "username"), ("/user/login", "POST", "username_or_email"),
    ("/user/login", "POST", "password"),
    ("/user/change_password", "PUT", "old_password"), ("/user", "GET", "username"),
])
async def test_an_empty_text_where_one_is_needed_is_refused(
    town: Town, place: Place, path: str, method: str, field: str
) -> None:
    call = next(call for call in CALLS if (call.path, call.method) == (path, method))
    before = town.house.log.last_seq

    answer = await place.author.call(method, path, {**(example_of(call, place) or {}), field: ""})

    _assert_refused(answer, path)
    assert town.house.log.last_seq == before


async def test_what_belongs_to_others_cannot_be_changed(town: Town) -> None:
    author, other = await town.person(), await town.person()
    community_id = await town.community(author)
    post_id = await town.post(author, community_id)
    comment_id = await town.comment(author, post_id)
    await town.comment(other, post_id)
    reply = (await author.get("/user/replies")).json()["replies"][0]["comment_reply"]["id"]
    before = town.house.log.last_seq

    refused = {
        "no_post_edit_allowed": [
            await other.put("/post", post_id=post_id, name="Not mine"),
            await other.post("/post/delete", post_id=post_id, deleted=True),
        ],
        "no_comment_edit_allowed": [
            await other.put("/comment", comment_id=comment_id, content="Not mine."),
            await other.post("/comment/delete", comment_id=comment_id, deleted=True),
        ],
        "not_a_moderator": [
            await other.put("/community", community_id=community_id, title="Not mine"),
        ],
        "couldnt_find_comment_reply": [
            await other.post("/comment/mark_as_read", comment_reply_id=reply, read=True),
        ],
    }

    for code, answers in refused.items():
        for answer in answers:
            assert answer.json()["error"] == code
            assert 400 <= answer.status_code < 500
    assert town.house.log.last_seq == before


async def test_what_is_not_there_cannot_be_changed(town: Town, place: Place) -> None:
    before = town.house.log.last_seq
    ids = {"post_id", "comment_id", "community_id", "person_id", "instance_id", "parent_id", "id",
           "comment_reply_id", "person_mention_id", "private_message_id", "recipient_id"}

    for call in CALLS:
        base = example_of(call, place) or _made_up(call.request)
        fields = msgspec.structs.fields(call.request)
        needed = {field.name: base[field.name] for field in fields if field.required}
        for field in fields:
            if field.name not in ids or call.answer.__name__ in _FILTERS:
                continue
            asked = {**needed, field.name: wire.ID_MAX}
            answer = await place.author.call(call.method, call.path, asked)
            _assert_refused(answer, f"{call.path} {field.name}")

    assert town.house.log.last_seq == before


# For these an id narrows a list down, and nothing there is an empty list.
_FILTERS = {"list_posts", "list_comments", "search", "get_report_count", "list_private_messages",
            "get_person_details", "list_post_reports", "list_comment_reports", "get_modlog"}


def _made_up(request: type[msgspec.Struct]) -> dict[str, object]:
    """Return values of the right types for the required fields."""
    values: dict[object, object] = {int: 1, bool: True, str: "a"}
    return {
        field.name: values[_plain(field.type)]
        for field in msgspec.structs.fields(request) if field.required
    }


def _assert_refused(answer: typing.Any, what: str) -> None:
    assert 400 <= answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:200]}"
    refusal = answer.json()
    assert CODE.fullmatch(refusal["error"]), what
    assert set(refusal) == {"error", "message"}
