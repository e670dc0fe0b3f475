"""Who may do what beside moderating: every other call by everybody, and nothing changed if refused.

    call × (anonymous, person, banned, moderator elsewhere, moderator, administrator) → code

The person wrote the post and the comment that calls are about. Those whose login counts for nothing
(an account that is deleted or banned from the site, a token that was revoked) are strangers to
every call there is. An account whose address is not verified gets no token where the site wants
that; one that had a token before keeps it, as in Lemmy, and is a person to every call.
"""

from collections.abc import Mapping

import pytest

from lichen.faces.lemmy_v3.calls import CALLS
from tests.faces.lemmy_v3.precinct import Precinct, id_of, precinct
from tests.faces.lemmy_v3.test_permissions import (
    ADMIN,
    ADMINS,
    ANY,
    IN,
    JUDGES,
    MATRIX,
    OK,
    SPEAKERS,
    judged,
    numbers_in,
)
from tests.faces.lemmy_v3.town import (
    PAGE_URL,
    PASSWORD,
    Person,
    Town,
    everybody_heard,
    fresh_name,
)

pytestmark = pytest.mark.anyio

ALL = (OK,) * 6
PEOPLE = (IN, OK, OK, OK, OK, OK)
EMOJI = {"category": "plants", "image_url": "https://pictures.example/m.png", "alt_text": "moss",
         "keywords": []}
TABLE: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "GET /site": ({}, ALL),
    "POST /site": ({"name": "Another"}, (IN, *(ADMIN,) * 4, "site_already_exists")),
    "PUT /site": ({"sidebar": "Be kind."}, ADMINS),
    "POST /custom_emoji": ({**EMOJI, "shortcode": "fresh"}, ADMINS),
    "PUT /custom_emoji": ({**EMOJI, "id": "emoji"}, ADMINS),
    "POST /custom_emoji/delete": ({"id": "emoji"}, ADMINS),
    "POST /site/block": (
        {"instance_id": 2_000_000, "block": True}, (IN, *("couldnt_find_object",) * 5)),
    "GET /search": ({"q": "words"}, ALL),
    "GET /resolve_object": ({"q": "https://nowhere.example/"}, ("couldnt_find_object",) * 6),
    "GET /federated_instances": ({}, ALL),
    "POST /community": ({"name": "fresh", "title": "A place"}, PEOPLE),
    "GET /community": ({"id": "community"}, ALL),
    "PUT /community": ({"community_id": "community", "title": "Another title"}, JUDGES),
    "GET /community/list": ({}, ALL),
    "POST /community/follow": ({"community_id": "community", "follow": True}, SPEAKERS),
    "POST /community/block": ({"community_id": "community", "block": False}, PEOPLE),
    "POST /post": ({"name": "A fresh title", "community_id": "community"}, SPEAKERS),
    "GET /post": ({"id": "post"}, ALL),
    "PUT /post": (
        {"post_id": "post", "body": "Other words."}, (IN, OK, *("no_post_edit_allowed",) *
         4)),
    "POST /post/delete": (
        {"post_id": "post", "deleted": True}, (IN, OK, *("no_post_edit_allowed",) * 4)),
    "GET /post/list": ({"community_id": "community"}, ALL),
    "POST /post/like": ({"post_id": "post", "score": -1}, SPEAKERS),
    "GET /post/like/list": ({"post_id": "post"}, JUDGES),
    "PUT /post/save": ({"post_id": "post", "save": True}, PEOPLE),
    "POST /post/hide": ({"post_ids": ["post"], "hide": True}, PEOPLE),
    "POST /post/mark_as_read": ({"post_ids": ["post"], "read": True}, PEOPLE),
    "GET /post/site_metadata": ({"url": PAGE_URL}, PEOPLE),
    "POST /comment": ({"post_id": "post", "content": "Words."}, SPEAKERS),
    "GET /comment": ({"id": "comment"}, ALL),
    "PUT /comment": (
        {"comment_id": "comment", "content": "Other words."}, (IN, OK,
         *("no_comment_edit_allowed",) * 4)),
    "POST /comment/delete": (
        {"comment_id": "comment", "deleted": True}, (IN, OK, *("no_comment_edit_allowed",)
         * 4)),
    "GET /comment/list": ({"post_id": "post"}, ALL),
    "POST /comment/like": ({"comment_id": "comment", "score": -1}, SPEAKERS),
    "GET /comment/like/list": ({"comment_id": "comment"}, JUDGES),
    "PUT /comment/save": ({"comment_id": "comment", "save": True}, PEOPLE),
    "POST /comment/mark_as_read": (
        {"comment_reply_id": "reply", "read": True}, (IN, OK,
         *("couldnt_find_comment_reply",) * 4)),
    "POST /user/register": (
        {"username": "fresh", "password": PASSWORD, "password_verify": PASSWORD}, ALL),
    "POST /user/login": (
        {"username_or_email": "nobody_here", "password": PASSWORD}, ("incorrect_login",) *
         6),
    "GET /user/validate_auth": ({}, PEOPLE),
    "GET /user/list_logins": ({}, PEOPLE),
    "GET /user/get_captcha": ({}, ALL),
    "GET /user": ({"person_id": "member"}, ALL),
    "PUT /user/save_user_settings": ({"bio": "Reads."}, PEOPLE),
    "POST /user/block": ({"person_id": "outsider", "block": True}, PEOPLE),
    "GET /user/replies": ({}, PEOPLE),
    "GET /user/mention": ({}, PEOPLE),
    "POST /user/mention/mark_as_read": (
        {"person_mention_id": "mention", "read": True}, (IN,
         "couldnt_find_person_mention", "couldnt_find_person_mention",
         "couldnt_find_person_mention", OK, "couldnt_find_person_mention")),
    "POST /user/mark_all_as_read": ({}, PEOPLE),
    "GET /user/unread_count": ({}, PEOPLE),
    "GET /account/list_media": ({}, PEOPLE),
    "GET /admin/list_all_media": ({}, ADMINS),
    "GET /private_message/list": ({}, PEOPLE),
    "POST /private_message": ({"content": "Hello.", "recipient_id": "outsider"}, PEOPLE),
    "PUT /private_message": (
        {"private_message_id": "message", "content": "Other."}, (IN,
         "edit_private_message_not_allowed", "couldnt_find_private_message", OK,
         "couldnt_find_private_message", "couldnt_find_private_message")),
    "POST /private_message/delete": (
        {"private_message_id": "message", "deleted": True}, (IN,
         "edit_private_message_not_allowed", "couldnt_find_private_message", OK,
         "couldnt_find_private_message", "couldnt_find_private_message")),
    "POST /private_message/mark_as_read": (
        {"private_message_id": "message", "read": True}, (IN, OK,
         "couldnt_find_private_message", "couldnt_update_private_message",
         "couldnt_find_private_message", "couldnt_find_private_message")),
    "POST /private_message/report": (
        {"private_message_id": "message", "reason": "Rude."}, (IN, OK,
         *("couldnt_find_private_message",) * 4)),
    "PUT /private_message/report/resolve": ({"report_id": "report", "resolved": True}, ADMINS),
    "GET /private_message/report/list": ({}, (IN, ANY, ANY, ADMIN, ADMIN, OK)),
    "POST /user/verify_email": ({"token": "no such token"}, ("token_not_found",) * 6),
    "POST /user/password_reset": ({"email": "somebody@example.org"}, ALL),
    "POST /user/password_change": (
         {"token": "no such token", "password": PASSWORD, "password_verify": PASSWORD},
         ("token_not_found",) * 6),
    "POST /user/totp/generate": ({}, PEOPLE),
    "POST /user/totp/update": (
        {"totp_token": "000000", "enabled": True}, (IN, *("missing_totp_secret",) * 5)),
    "POST /admin/add": ({"person_id": "outsider", "added": True}, ADMINS),
    "GET /user/export_settings": ({}, PEOPLE),
    "POST /user/import_settings": ({}, PEOPLE),
    "GET /admin/registration_application/count": ({}, ADMINS),
    "GET /admin/registration_application/list": ({}, ADMINS),
    "GET /admin/registration_application": (
        {"person_id": "outsider"}, (IN, *(ADMIN,) * 4,
         "couldnt_find_registration_application")),
    "PUT /admin/registration_application/approve": (
        {"id": 2_000_000, "approve": True}, (IN, *(ADMIN,) * 4,
         "couldnt_find_registration_application")),
    # What ends the login that asks comes last.
    "PUT /user/change_password": (
         {"old_password": "is not this one", "new_password": PASSWORD,
         "new_password_verify": PASSWORD}, (IN, *("incorrect_login",) * 5)),
    "POST /user/leave_admin": ({}, (IN, *(ADMIN,) * 4, OK)),
    "POST /user/delete_account": (
        {"password": "is not this one", "delete_content": True}, (IN,
         *("incorrect_login",) * 5)),
    "POST /user/logout": ({}, PEOPLE),
}


# Somebody who is not verified, where that is another answer than the author's of what is asked about.
UNVERIFIED = {
    "POST /user/register": "email_required",  # of everybody, while the site wants an address
    "POST /comment/distinguish": "no_comment_edit_allowed",
    **dict.fromkeys(("PUT /post", "POST /post/delete"), "no_post_edit_allowed"),
    **dict.fromkeys(("PUT /comment", "POST /comment/delete"), "no_comment_edit_allowed"),
    "POST /comment/mark_as_read": "couldnt_find_comment_reply",
    **dict.fromkeys(
        ("PUT /private_message", "POST /private_message/delete",
         "POST /private_message/mark_as_read", "POST /private_message/report"),
        "couldnt_find_private_message"),
    # One person makes all calls in turn: it has founded a community and has asked for a secret.
    "GET /private_message/report/list": ADMIN,
    "POST /user/totp/update": "incorrect_totp_token",
}


@pytest.mark.parametrize("call", TABLE)
async def test_everybody_may_do_what_the_table_says(call: str, town: Town) -> None:
    here = await precinct(town)
    asked, expected = TABLE[call]
    method, path = call.split()
    numbers = await numbers_of(here, town)
    people = (here.stranger, here.member, here.banned, here.elsewhere, here.moderator, here.admin)

    codes = [
        await judged(town, person, method, path, filled(asked, numbers)) for person in people
    ]

    assert tuple(codes) == expected


def test_every_call_is_in_one_of_the_tables() -> None:
    written = {" ".join(call.split()[:2]) for call in [*TABLE, *MATRIX]}

    assert written == {f"{call.method} {call.path}" for call in CALLS}


async def test_whose_login_counts_for_nothing_is_a_stranger_to_every_call(town: Town) -> None:
    ghosts = {kind: await make(town) for kind, make in GHOSTS.items()}
    here = await precinct(town)
    numbers = await numbers_of(here, town)

    for call, (asked, _) in {**TABLE, **MATRIX}.items():
        method, path = call.split()[:2]
        known = {"post_report": 1, "comment_report": 1, "post": here.post_id,
                 "comment": here.comment_id, "community": here.community_id}
        words = [filled(asked, {**numbers, **known}) for _ in (town.stranger, *ghosts)]
        expected = await judged(town, town.stranger, method, path, words[0])
        for (kind, ghost), said in zip(ghosts.items(), words[1:], strict=True):
            assert await judged(town, ghost, method, path, said) == expected, (call, kind)


async def test_who_is_not_verified_gets_no_token_and_keeps_the_one_it_has(town: Town) -> None:
    """Lemmy 0.19 asks for a verified address at the login alone (`check_email_verified`)."""
    here = await precinct(town)
    numbers = {**await numbers_in(here, await town.person()), **await numbers_of(here, town)}
    person = await town.person("unverified")
    address = f"{person.name}@example.org"
    assert (await person.put("/user/save_user_settings", email=address)).status_code == 200

    await here.admin.put("/site", require_email_verification=True)
    try:
        login = await town.stranger.post(
            "/user/login", username_or_email=person.name, password=PASSWORD)
        joined = await town.stranger.post(
            "/user/register", username=fresh_name("unverified"), password=PASSWORD,
            password_verify=PASSWORD, email=f"again_{address}")
        codes = {
            call: await judged(town, person, *call.split()[:2], filled(asked, numbers))
            for call, (asked, _) in {**MATRIX, **TABLE}.items()
        }
    finally:
        await here.admin.put("/site", require_email_verification=False)

    assert (login.status_code, login.json()["error"]) == (403, "email_not_verified")
    assert joined.json() == {"registration_created": True, "verify_email_sent": False}
    assert codes == {call: UNVERIFIED.get(call, expected[1])
                     for call, (_, expected) in {**MATRIX, **TABLE}.items()}


def filled(asked: Mapping[str, object], numbers: Mapping[str, int]) -> dict[str, object]:
    """Return the request with numbers for the names that stand for them, and names never had."""
    def value(one: object) -> object:
        if isinstance(one, list):
            return [value(each) for each in one]
        return fresh_name("fresh") if one == "fresh" else numbers.get(str(one), one)

    return {name: value(one) for name, one in asked.items()}


async def numbers_of(here: Precinct, town: Town) -> dict[str, int]:
    """Return the numbers of what calls are about: an emoji, a message, a reply, a mention …"""
    outsider = await town.person("outsider")
    emoji = await here.admin.post("/custom_emoji", **EMOJI, shortcode=fresh_name("moss"))
    sent = await here.elsewhere.post(
        "/private_message", content="Hello.", recipient_id=here.ids["member"])
    message_id = sent.json()["private_message_view"]["private_message"]["id"]
    told = await here.elsewhere.post(
        "/private_message", content="Rude.", recipient_id=here.ids["member"])
    told_id = told.json()["private_message_view"]["private_message"]["id"]
    report = await here.member.post(
        "/private_message/report", private_message_id=told_id, reason="Look.")
    host = town.house.addresses.authority
    await here.elsewhere.post("/comment", post_id=here.post_id, parent_id=here.comment_id,
                              content=f"@{here.member.name}@{host}, no.")
    await here.elsewhere.post("/comment", post_id=here.post_id,
                              content=f"Well, @{here.moderator.name}@{host}.")
    await everybody_heard(town.house)  # an answer waits 200 ms for that, which may be too short
    replies = await here.member.get("/user/replies")
    mentions = await here.moderator.get("/user/mention")
    return here.ids | {
        "post": here.post_id, "comment": here.comment_id, "community": here.community_id,
        "outsider": await id_of(outsider), "message": message_id,
        "emoji": emoji.json()["custom_emoji"]["custom_emoji"]["id"],
        "report": report.json()["private_message_report_view"]["private_message_report"]["id"],
        "reply": replies.json()["replies"][0]["comment_reply"]["id"],
        "mention": mentions.json()["mentions"][0]["person_mention"]["id"],
    }


async def _deleted(town: Town) -> Person:
    person = await town.person("deleted")
    gone = await person.post("/user/delete_account", password=PASSWORD, delete_content=False)
    assert gone.status_code == 200, gone.text
    return person


async def _revoked(town: Town) -> Person:
    person = await town.person("revoked")
    assert (await person.post("/user/logout")).status_code == 200
    return person


async def _banned(town: Town) -> Person:
    person, keeper = await town.person("banished"), await town.keeper()
    banned = await keeper.post("/user/ban", person_id=await id_of(person), ban=True)
    assert banned.status_code == 200, banned.text
    return person


GHOSTS = {"deleted": _deleted, "revoked": _revoked, "banned from the site": _banned}
