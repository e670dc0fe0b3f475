"""What moderators do through the Lemmy API, and what the log says of it; over HTTP."""

import pytest

from tests.faces.lemmy_v3.precinct import Precinct, id_of, precinct
from tests.faces.lemmy_v3.town import Town

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(town: Town) -> Precinct:
    return await precinct(town)


async def test_a_post_is_reported_removed_with_a_reason_and_brought_back(here: Precinct) -> None:
    made = await here.member.post("/post/report", post_id=here.post_id, reason="Spam.")
    again = await here.member.post("/post/report", post_id=here.post_id, reason="Spam!")
    counts = await here.moderator.get("/user/report_count", community_id=here.community_id)
    gone = await here.moderator.post("/post/remove", post_id=here.post_id, removed=True,
                                     reason="Spam indeed.")
    seen = await here.stranger.get("/post", id=here.post_id)
    left = await here.moderator.get("/post/report/list", community_id=here.community_id,
                                    unresolved_only="true")
    every = await here.moderator.get("/post/report/list", community_id=here.community_id)
    back = await here.moderator.post("/post/remove", post_id=here.post_id, removed=False)
    log = await here.stranger.get("/modlog", community_id=here.community_id)

    assert made.json()["post_report_view"]["post_report"]["reason"] == "Spam."
    assert again.json()["error"] == "couldnt_create_report"
    assert counts.json() == {"community_id": here.community_id, "comment_reports": 0,
                             "post_reports": 1}
    assert gone.json()["post_view"]["post"]["removed"]
    assert (seen.status_code, seen.json()["error"]) == (404, "couldnt_find_post")
    assert left.json() == {"post_reports": []}
    (resolved,) = every.json()["post_reports"]
    assert resolved["post_report"]["resolved"]
    assert resolved["resolver"]["id"] == here.ids["moderator"]
    assert not back.json()["post_view"]["post"]["removed"]
    lines = log.json()["removed_posts"]
    assert [line["mod_remove_post"]["removed"] for line in lines] == [False, True]
    assert lines[1]["mod_remove_post"]["reason"] == "Spam indeed."


async def test_who_decided_is_shown_to_who_moderates_there(here: Precinct) -> None:
    await here.moderator.post("/post/lock", post_id=here.post_id, locked=True)
    asked = {"community_id": here.community_id, "type_": "ModLockPost"}

    lines = {
        name: (await person.get("/modlog", **asked)).json()["locked_posts"][0]
        for name, person in here._asdict().items() if hasattr(person, "client")
    }

    named = {name for name, line in lines.items() if "moderator" in line}
    assert named == {"moderator", "admin"}
    assert {line["mod_lock_post"]["mod_person_id"] for line in lines.values()} == {
        0, here.ids["moderator"]
    }


async def test_the_log_has_fifteen_lists_and_filters(here: Precinct) -> None:
    await here.admin.post("/post/feature", post_id=here.post_id, featured=True,
                          feature_type="Local")
    await here.moderator.post("/post/feature", post_id=here.post_id, featured=True,
                              feature_type="Community")
    await here.moderator.post("/comment/remove", comment_id=here.comment_id, removed=True)
    await here.admin.put("/community/hide", community_id=here.community_id, hidden=True,
                         reason="Quiet.")
    await here.moderator.post("/community/mod", community_id=here.community_id,
                              person_id=here.ids["member"], added=True)

    log = (await here.admin.get("/modlog", community_id=here.community_id)).json()
    about = (await here.admin.get("/modlog", other_person_id=here.ids["banned"])).json()
    by = (await here.admin.get("/modlog", mod_person_id=here.ids["admin"])).json()
    comment = (await here.admin.get("/modlog", comment_id=here.comment_id)).json()

    assert len(log) == 15
    pinned = [one["mod_feature_post"]["is_featured_community"] for one in log["featured_posts"]]
    assert pinned == [True, False]
    assert log["removed_comments"][0]["comment"]["content"] == ""
    assert log["hidden_communities"][0]["mod_hide_community"]["reason"] == "Quiet."
    assert log["added_to_community"][0]["modded_person"]["id"] == here.ids["member"]
    assert [key for key, lines in about.items() if lines] == ["banned_from_community"]
    assert {key for key, lines in by.items() if lines} == {"featured_posts", "hidden_communities"}
    assert [key for key, lines in comment.items() if lines] == ["removed_comments"]


async def test_a_ban_takes_words_and_its_end_brings_back_those_alone(
    town: Town, here: Precinct
) -> None:
    mine = await town.post(here.member, here.community_id, name="Removed before")
    await here.moderator.post("/post/remove", post_id=mine, removed=True)
    order = {"community_id": here.community_id, "person_id": here.ids["member"],
             "remove_data": True}

    out = await here.moderator.post("/community/ban_user", **order, ban=True, reason="Enough.",
                                    expires=4_000_000_000)
    while_out = await here.moderator.get("/post", id=here.post_id)
    refused = await here.member.post("/post", name="Again, again",
                                     community_id=here.community_id)
    await here.moderator.post("/community/ban_user", **order, ban=False)
    after = await here.stranger.get("/post", id=here.post_id)
    kept = await here.moderator.get("/post", id=mine)
    comments = await here.stranger.get("/comment/list", post_id=here.post_id)

    assert out.json()["banned"]
    assert while_out.json()["post_view"]["post"]["removed"]
    assert refused.json()["error"] == "banned_from_community"
    assert not after.json()["post_view"]["post"]["removed"]
    assert kept.json()["post_view"]["post"]["removed"]
    assert [one["comment"]["content"] for one in comments.json()["comments"]] == ["Some words."]
    assert after.json()["post_view"]["counts"]["comments"] == 1


async def test_the_site_bans_lists_and_lets_in_again(here: Precinct) -> None:
    person_id = here.ids["member"]

    out = await here.admin.post("/user/ban", person_id=person_id, ban=True, reason="Enough.")
    listed = await here.admin.get("/user/banned")
    token = await here.member.get("/user/validate_auth")
    back = await here.admin.post("/user/ban", person_id=person_id, ban=False)
    after = await here.admin.get("/user/banned")
    log = (await here.admin.get("/modlog", type_="ModBan", other_person_id=person_id)).json()

    assert out.json()["person_view"]["person"]["banned"]
    assert person_id in [one["person"]["id"] for one in listed.json()["banned"]]
    assert token.status_code == 401
    assert not back.json()["person_view"]["person"]["banned"]
    assert person_id not in [one["person"]["id"] for one in after.json()["banned"]]
    assert [line["mod_ban"]["banned"] for line in log["banned"]] == [False, True]


async def test_a_moderator_dismisses_only_who_came_after(here: Precinct) -> None:
    place = {"community_id": here.community_id}
    await here.moderator.post("/community/mod", **place, person_id=here.ids["member"], added=True)
    first = await here.member.post("/community/mod", **place, person_id=here.ids["moderator"],
                                   added=False)
    handed = await here.moderator.post("/community/transfer", **place,
                                       person_id=here.ids["member"])
    now = await here.member.post("/community/mod", **place, person_id=here.ids["moderator"],
                                 added=False)
    closed = await here.member.post("/community/delete", **place, deleted=True)

    assert first.json()["error"] == "not_higher_mod"
    order = [one["moderator"]["id"] for one in handed.json()["moderators"]]
    assert order == [here.ids["member"], here.ids["moderator"]]
    assert [one["moderator"]["id"] for one in now.json()["moderators"]] == [here.ids["member"]]
    assert closed.json()["community_view"]["community"]["deleted"]


async def test_the_word_of_a_moderator_is_marked_by_itself(town: Town, here: Precinct) -> None:
    word = await town.comment(here.moderator, here.post_id)

    marked = await here.moderator.post("/comment/distinguish", comment_id=word, distinguished=True)
    theirs = await here.moderator.post("/comment/distinguish", comment_id=here.comment_id,
                                       distinguished=True)

    assert marked.json()["comment_view"]["comment"]["distinguished"]
    assert theirs.json()["error"] == "no_comment_edit_allowed"


async def test_a_report_of_something_just_deleted_finds_nothing(here: Precinct) -> None:
    await here.member.post("/post/delete", post_id=here.post_id, deleted=True)

    by_reader = await here.elsewhere.post("/post/report", post_id=here.post_id, reason="Late.")
    by_moderator = await here.moderator.post("/post/report", post_id=here.post_id, reason="Late.")

    assert by_reader.json()["error"] == "couldnt_find_post"
    assert by_moderator.json()["error"] == "deleted"


async def test_a_comment_report_keeps_the_text_as_it_was(here: Precinct) -> None:
    made = await here.elsewhere.post("/comment/report", comment_id=here.comment_id,
                                     reason="Rude.")
    await here.member.put("/comment", comment_id=here.comment_id, content="Kind words.")
    listed = await here.moderator.get("/comment/report/list", unresolved_only="true")
    report_id = made.json()["comment_report_view"]["comment_report"]["id"]
    done = await here.moderator.put("/comment/report/resolve", report_id=report_id, resolved=True)
    other = await here.elsewhere.put("/comment/report/resolve", report_id=report_id,
                                     resolved=False)

    (view,) = listed.json()["comment_reports"]
    assert view["comment_report"]["original_comment_text"] == "Some words."
    assert view["comment"]["content"] == "Kind words."
    assert done.json()["comment_report_view"]["comment_report"]["resolved"]
    assert other.json()["error"] == "not_a_moderator"


async def test_purges_leave_no_row_and_a_line_in_the_log(town: Town, here: Precinct) -> None:
    reply = await town.comment(here.elsewhere, here.post_id, parent_id=here.comment_id)
    await here.elsewhere.post("/comment/report", comment_id=here.comment_id, reason="Rude.")

    purged = await here.admin.post("/admin/purge/comment", comment_id=here.comment_id,
                                   reason="The law.")
    post = await here.admin.get("/post", id=here.post_id)
    gone = [await here.admin.get("/comment", id=one) for one in (here.comment_id, reply)]
    reports = await here.admin.get("/comment/report/list", community_id=here.community_id)
    await here.admin.post("/admin/purge/post", post_id=here.post_id)
    missing = await here.admin.get("/post", id=here.post_id)
    listed = await here.admin.get("/post/list", community_id=here.community_id)
    community = await here.admin.get("/community", id=here.community_id)
    log = (await here.admin.get("/modlog", community_id=here.community_id)).json()

    assert purged.json() == {"success": True}
    assert post.json()["post_view"]["counts"]["comments"] == 0
    assert [one.status_code for one in gone] == [404, 404]
    assert reports.json() == {"comment_reports": []}
    assert missing.status_code == 404
    assert listed.json()["posts"] == []
    counts = community.json()["community_view"]["counts"]
    assert (counts["posts"], counts["comments"]) == (0, 0)
    assert len(log["admin_purged_posts"]) == 1


async def test_people_and_communities_are_purged_with_all_they_hold(
    town: Town, here: Precinct
) -> None:
    answer = await town.comment(here.elsewhere, here.post_id)

    person = await here.admin.post("/admin/purge/person", person_id=here.ids["member"])
    post = await here.admin.get("/post", id=here.post_id)
    below = await here.admin.get("/comment", id=answer)
    token = await here.member.get("/user/validate_auth")
    await town.post(here.moderator, here.community_id)
    community = await here.admin.post("/admin/purge/community", community_id=here.community_id)
    missing = await here.admin.get("/community", id=here.community_id)
    log = (await here.admin.get("/modlog", other_person_id=here.ids["member"])).json()

    assert person.json() == community.json() == {"success": True}
    assert [post.status_code, below.status_code, missing.status_code] == [404, 404, 404]
    assert token.status_code == 401
    assert len(log["admin_purged_persons"]) == 1


async def test_an_admin_is_not_banned_by_another(town: Town, here: Precinct) -> None:
    refused = await here.admin.post("/user/ban", person_id=await id_of(here.admin), ban=True)

    assert refused.json()["error"] == "not_higher_admin"
