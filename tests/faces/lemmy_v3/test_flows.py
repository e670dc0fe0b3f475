"""What people do through the API, in order, and what they are shown for it."""

import pytest

from tests.faces.lemmy_v3.town import PAGE_URL

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_what_is_shown_has_no_nulls(town) -> None:
    """Lemmy leaves out what is unset, and clients test for undefined."""
    author = await town.person()
    post_id = await town.post(author, await town.community(author))

    shown = (await town.stranger.get("/post", id=post_id)).text

    assert "null" not in shown


async def test_a_bad_token_is_nobody_and_not_an_error(town) -> None:
    headers = {"authorization": "Bearer nonsense"}

    listed = await town.stranger.client.get("/api/v3/post/list", headers=headers)
    asked = await town.stranger.client.get("/api/v3/user/validate_auth", headers=headers)

    assert listed.status_code == 200
    assert (asked.status_code, asked.json()["error"]) == (401, "not_logged_in")


async def test_a_new_post_has_its_authors_vote(town) -> None:
    author = await town.person()
    post_id = await town.post(author, await town.community(author))

    view = (await author.get("/post", id=post_id)).json()["post_view"]

    assert (view["counts"]["score"], view["my_vote"]) == (1, 1)


async def test_the_next_call_sees_what_was_written(town) -> None:
    author = await town.person()
    community_id = await town.community(author)

    for number in range(5):
        post_id = await town.post(author, community_id)
        listed = await author.get("/post/list", community_id=community_id, sort="New")
        posts = listed.json()["posts"]
        assert posts[0]["post"]["id"] == post_id
        assert len(posts) == number + 1


async def test_a_page_goes_on_by_its_cursor_without_a_gap(town) -> None:
    author = await town.person()
    community_id = await town.community(author)
    ids = [await town.post(author, community_id) for _ in range(7)]

    found: list[int] = []
    asked: dict[str, object] = {}
    for _ in range(10):
        answer = (await author.get(
            "/post/list", community_id=community_id, sort="Old", limit=3, **asked
        )).json()
        found += [view["post"]["id"] for view in answer["posts"]]
        if "next_page" not in answer:
            break
        asked = {"page_cursor": answer["next_page"]}

    assert found == ids


async def test_looking_at_a_post_marks_it_as_read(town) -> None:
    author, reader = await town.person(), await town.person()
    post_id = await town.post(author, await town.community(author))

    first = (await reader.get("/post", id=post_id)).json()["post_view"]
    second = (await reader.get("/post", id=post_id)).json()["post_view"]

    assert (first["read"], second["read"]) == (False, True)


async def test_a_post_is_found_by_one_of_its_comments(town) -> None:
    author = await town.person()
    post_id = await town.post(author, await town.community(author))
    comment_id = await town.comment(author, post_id)

    found = (await town.stranger.get("/post", comment_id=comment_id)).json()

    assert found["post_view"]["post"]["id"] == post_id


async def test_a_deleted_post_is_there_for_its_author_alone(town) -> None:
    author, reader = await town.person(), await town.person()
    post_id = await town.post(author, await town.community(author))

    await author.post("/post/delete", post_id=post_id, deleted=True)
    to_author = await author.get("/post", id=post_id)
    to_reader = await reader.get("/post", id=post_id)

    assert to_author.json()["post_view"]["post"]["deleted"] is True
    assert (to_reader.status_code, to_reader.json()["error"]) == (404, "couldnt_find_post")


async def test_the_same_link_posted_twice_is_shown_as_crossed(town) -> None:
    author = await town.person()
    community_id = await town.community(author)
    url = f"https://example.org/{community_id}"
    first = await town.post(author, community_id, url=url)
    second = await town.post(author, community_id, url=url)

    shown = (await author.get("/post", id=second)).json()

    assert [view["post"]["id"] for view in shown["cross_posts"]] == [first]


async def test_what_has_an_address_is_found_by_it(town) -> None:
    author = await town.person()
    community_id = await town.community(author)
    post_id = await town.post(author, community_id)
    comment_id = await town.comment(author, post_id)
    post = (await author.get("/post", id=post_id)).json()["post_view"]
    comment = (await author.get("/comment", id=comment_id)).json()["comment_view"]
    community = post["community"]

    async def found(address: str) -> dict[str, object]:
        return (await author.get("/resolve_object", q=address)).json()

    assert (await found(post["post"]["ap_id"]))["post"]["post"]["id"] == post_id
    assert (await found(comment["comment"]["ap_id"]))["comment"]["comment"]["id"] == comment_id
    for address in (community["actor_id"], f"!{community['name']}"):
        assert (await found(address))["community"]["community"]["id"] == community_id
    for address in (post["creator"]["actor_id"], f"@{author.name}"):
        assert (await found(address))["person"]["person"]["name"] == author.name


@pytest.mark.parametrize("address", [
    "https://elsewhere.example/post/1", "!nobody_was_here", "@nobody_was_here", "words", "!", "[",
])
async def test_an_address_of_nothing_is_refused(town, address: str) -> None:
    person = await town.person()

    answer = await person.get("/resolve_object", q=address)

    assert (answer.status_code, answer.json()["error"]) == (404, "couldnt_find_object")


async def test_settings_that_are_left_out_stay(town) -> None:
    person = await town.person()

    await person.put("/user/save_user_settings", theme="darkly", bio="Reads.", show_nsfw=True)
    await person.put("/user/save_user_settings", default_sort_type="New", display_name="A. Reader")
    mine = (await person.get("/site")).json()["my_user"]["local_user_view"]

    assert mine["local_user"]["theme"] == "darkly"
    assert mine["local_user"]["show_nsfw"] is True
    assert mine["local_user"]["default_sort_type"] == "New"
    assert (mine["person"]["bio"], mine["person"]["display_name"]) == ("Reads.", "A. Reader")


async def test_saved_things_are_listed_with_their_keeper(town) -> None:
    author, keeper = await town.person(), await town.person()
    post_id = await town.post(author, await town.community(author))
    comment_id = await town.comment(author, post_id)

    await keeper.put("/post/save", post_id=post_id, save=True)
    await keeper.put("/comment/save", comment_id=comment_id, save=True)
    kept = (await keeper.get("/user", username=keeper.name, saved_only=True)).json()

    assert [view["post"]["id"] for view in kept["posts"]] == [post_id]
    assert [view["comment"]["id"] for view in kept["comments"]] == [comment_id]


async def test_an_answer_waits_in_the_inbox_until_it_is_read(town) -> None:
    author, replier = await town.person(), await town.person()
    post_id = await town.post(author, await town.community(author))
    comment_id = await town.comment(replier, post_id, content="Hello.")

    counts = (await author.get("/user/unread_count")).json()
    replies = (await author.get("/user/replies", unread_only=True)).json()["replies"]
    reply_id = replies[0]["comment_reply"]["id"]
    await author.post("/comment/mark_as_read", comment_reply_id=reply_id, read=True)
    after = (await author.get("/user/unread_count")).json()

    assert counts == {"replies": 1, "mentions": 0, "private_messages": 0}
    assert replies[0]["comment"]["id"] == comment_id
    assert after["replies"] == 0


async def test_a_mention_is_no_reply_to_the_calls_about_replies(town) -> None:
    author, named = await town.person(), await town.person()
    handle = f"@{named.name}@{town.house.addresses.authority}"
    post_id = await town.post(author, await town.community(author))
    await town.comment(author, post_id, content=f"Look, {handle}!")
    mentions = (await named.get("/user/mention")).json()["mentions"]
    mention_id = mentions[0]["person_mention"]["id"]

    wrong = await named.post("/comment/mark_as_read", comment_reply_id=mention_id, read=True)
    right = await named.post(
        "/user/mention/mark_as_read", person_mention_id=mention_id, read=True
    )

    assert (wrong.status_code, wrong.json()["error"]) == (404, "couldnt_find_comment_reply")
    assert right.json()["person_mention_view"]["person_mention"]["read"] is True


async def test_a_page_is_asked_what_it_says_of_itself(town) -> None:
    person = await town.person()

    found = await person.get("/post/site_metadata", url=PAGE_URL)

    assert found.json() == {"metadata": {"title": "A page", "content_type": "text/html"}}


async def test_strangers_lists_are_kept_for_a_moment_and_peoples_are_not(town) -> None:
    author = await town.person()
    community_id = await town.community(author)
    before = await town.stranger.get("/post/list", community_id=community_id, sort="New")

    post_id = await town.post(author, community_id)
    mine = await author.get("/post/list", community_id=community_id, sort="New")

    assert before.json()["posts"] == []
    assert [view["post"]["id"] for view in mine.json()["posts"]] == [post_id]


async def test_a_call_of_lemmy_that_is_not_spoken_says_so(town) -> None:
    missing = await town.stranger.get("/user/donation_dialog_shown")
    other_method = await town.stranger.put("/search", q="Mine")

    assert (missing.status_code, missing.json()["error"]) == (404, "not_implemented")
    assert (other_method.status_code, other_method.json()["error"]) == (405, "not_implemented")
    assert other_method.headers["allow"] == "GET"


async def test_pages_of_other_sites_may_call(town) -> None:
    """Apps that run in browsers come from addresses of their own."""
    preflight = await town.stranger.client.options("/api/v3/post", headers={
        "origin": "https://app.example", "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    })
    answer = await town.stranger.get("/site")

    assert preflight.status_code == 204
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(("call", "most"), [
    ("/post/list", 3), ("/post", 4), ("/comment/list", 3), ("/community", 3),
])
async def test_a_call_costs_few_round_trips_whatever_its_length(
    town, call: str, most: int
) -> None:
    author = await town.person()
    community_id = await town.community(author)
    post_id = await town.post(author, community_id)
    for _ in range(5):
        await town.post(author, community_id)
        await town.comment(author, post_id)
    asked = {"/post": {"id": post_id}, "/community": {"id": community_id},
             "/post/list": {"community_id": community_id, "limit": 5},
             "/comment/list": {"post_id": post_id, "max_depth": 8}}[call]
    await author.get(call, **asked)

    before = town.house.store.round_trips
    answer = await author.get(call, **asked)

    assert answer.status_code == 200
    assert town.house.store.round_trips - before <= most


@pytest.mark.parametrize("path", ["/post/like", "/comment/like"])
async def test_a_vote_costs_two_round_trips(town, path: str) -> None:
    author = await town.person()
    post_id = await town.post(author, await town.community(author))
    comment_id = await town.comment(author, post_id)
    voter = await town.person()
    subject = {"post_id": post_id} if path == "/post/like" else {"comment_id": comment_id}
    await voter.post(path, score=-1, **subject)

    before = town.house.store.round_trips
    answer = await voter.post(path, score=1, **subject)

    assert answer.json().popitem()
    assert town.house.store.round_trips - before <= 2
