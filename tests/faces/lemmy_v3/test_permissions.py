"""Who may moderate: every call by everybody, and nothing changed where it is refused.

    call × (anonymous, person, banned, moderator elsewhere, moderator, administrator) → code

Somebody banned from the site is anonymous: their logins count for nothing (test_moderation).
"""

import pytest

from tests.faces.lemmy_v3.precinct import Precinct, precinct
from tests.faces.lemmy_v3.town import Person, Town

pytestmark = pytest.mark.anyio

OK = ""
IN, MOD, ADMIN, ANY = "not_logged_in", "not_a_moderator", "not_an_admin", "not_a_mod_or_admin"
OUT = "banned_from_community"
JUDGES = (IN, MOD, MOD, MOD, OK, OK)
ADMINS = (IN, ADMIN, ADMIN, ADMIN, ADMIN, OK)
SPEAKERS = (IN, OK, OUT, OK, OK, OK)
SOME = (IN, ANY, ANY, OK, OK, OK)

# What stands for a number is filled in by its name.
MATRIX = {
    "POST /post/remove": ({"post_id": "post", "removed": True}, JUDGES),
    "POST /post/lock": ({"post_id": "post", "locked": True}, JUDGES),
    "POST /post/feature": (
        {"post_id": "post", "featured": True, "feature_type": "Community"}, JUDGES),
    "POST /post/feature Local": (
        {"post_id": "post", "featured": True, "feature_type": "Local"},
        (IN, MOD, MOD, MOD, ADMIN, OK)),
    "POST /post/report": ({"post_id": "post", "reason": "Rude."}, SPEAKERS),
    "PUT /post/report/resolve": ({"report_id": "post_report", "resolved": True}, JUDGES),
    "GET /post/report/list": ({}, SOME),
    "POST /comment/remove": ({"comment_id": "comment", "removed": True}, JUDGES),
    "POST /comment/distinguish": (
        {"comment_id": "comment", "distinguished": True},
        (IN, MOD, "banned_from_community", "no_comment_edit_allowed", "no_comment_edit_allowed",
         "no_comment_edit_allowed")),
    "POST /comment/report": ({"comment_id": "comment", "reason": "Rude."}, SPEAKERS),
    "PUT /comment/report/resolve": ({"report_id": "comment_report", "resolved": True}, JUDGES),
    "GET /comment/report/list": ({}, SOME),
    "GET /user/report_count": ({}, SOME),
    "POST /community/remove": ({"community_id": "community", "removed": True}, ADMINS),
    "POST /community/delete": (
        {"community_id": "community", "deleted": True}, (IN, MOD, MOD, MOD, OK, "not_top_mod")),
    "PUT /community/hide": ({"community_id": "community", "hidden": True}, ADMINS),
    "POST /community/transfer": (
        {"community_id": "community", "person_id": "moderator"}, JUDGES),
    "POST /community/mod": (
        {"community_id": "community", "person_id": "member", "added": True}, JUDGES),
    "POST /community/ban_user": (
        {"community_id": "community", "person_id": "member", "ban": True, "remove_data": True},
        JUDGES),
    "POST /user/ban": ({"person_id": "moderator", "ban": True, "remove_data": True}, ADMINS),
    "GET /user/banned": ({}, ADMINS),
    "POST /admin/purge/comment": ({"comment_id": "comment"}, ADMINS),
    "POST /admin/purge/post": ({"post_id": "post"}, ADMINS),
    "POST /admin/purge/person": ({"person_id": "member"}, ADMINS),
    "POST /admin/purge/community": ({"community_id": "community"}, ADMINS),
    "GET /modlog": ({"community_id": "community"}, (OK,) * 6),
}


@pytest.fixture
async def here(town: Town) -> Precinct:
    return await precinct(town)


@pytest.mark.parametrize("call", MATRIX)
async def test_everybody_may_do_what_the_table_says(
    call: str, town: Town, here: Precinct
) -> None:
    """The moderator comes before the administrator: what is so already is no error."""
    asked, expected = MATRIX[call]
    method, path = call.split()[:2]
    numbers = await numbers_in(here, await town.person())
    filled = {name: numbers.get(str(value), value) for name, value in asked.items()}
    people = (here.stranger, here.member, here.banned, here.elsewhere, here.moderator, here.admin)

    codes = [await judged(town, person, method, path, filled) for person in people]

    assert tuple(codes) == expected


async def judged(
    town: Town, person: Person, method: str, path: str, asked: dict[str, object]
) -> str:
    """Return the code that a call is refused with, nothing where it is not."""
    before = town.house.log.last_seq
    answer = await person.call(method, path, asked)
    if answer.status_code == 200:
        return OK
    assert 400 <= answer.status_code < 500
    assert town.house.log.last_seq == before, "nothing is changed by what is refused"
    return str(answer.json()["error"])


async def numbers_in(here: Precinct, other: Person) -> dict[str, int]:
    """Return the numbers of what calls are about, with a report of each kind by somebody else."""
    post = await other.post("/post/report", post_id=here.post_id, reason="Look.")
    comment = await other.post("/comment/report", comment_id=here.comment_id, reason="Look.")
    reports = {
        "post_report": post.json()["post_report_view"]["post_report"]["id"],
        "comment_report": comment.json()["comment_report_view"]["comment_report"]["id"],
    }
    return here.ids | reports | {
        "post": here.post_id, "comment": here.comment_id, "community": here.community_id
    }
