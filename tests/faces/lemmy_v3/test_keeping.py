"""What administrators keep through the API, who else may not, and what it does to everybody."""

import pytest

from tests.faces.lemmy_v3.town import Person, Town

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

EMOJI = {
    "shortcode": "moss", "image_url": "https://pictures.example/moss.png", "alt_text": "Moss",
    "category": "plants", "keywords": ["green", "soft"],
}
WHOLE = {
    "name": "Rock", "sidebar": "Be *kind*.", "description": "A rock.",
    "icon": "https://pictures.example/i.png", "banner": "https://pictures.example/b.png",
    "enable_downvotes": True, "enable_nsfw": False, "community_creation_admin_only": False,
    "require_email_verification": False, "application_question": "Why?",
    "private_instance": False, "default_theme": "darkly", "default_post_listing_type": "All",
    "default_sort_type": "New", "legal_information": "The law.", "application_email_admins": True,
    "hide_modlog_mod_names": False, "actor_name_max_length": 30,
    "federation_enabled": True, "captcha_enabled": False, "captcha_difficulty": "hard",
    "registration_mode": "Open", "reports_email_admins": True, "content_warning": "Rocks.",
    "default_post_listing_mode": "Card",
}
RATES = {
    f"rate_limit_{kind}{end}": 900 + number
    for number, (kind, end) in enumerate(
        (kind, end) for kind in ("message", "post", "register", "image", "comment", "search")
        for end in ("", "_per_second")
    )
}


@pytest.fixture
async def admin(town: Town) -> Person:
    return await town.keeper()


@pytest.fixture
async def clean(town: Town, admin: Person):
    """Leave the site without a filter and lists, whatever the test set."""
    yield admin
    answer = await admin.put(
        "/site", slur_filter_regex="", blocked_urls=[], taglines=[], allowed_instances=[],
        blocked_instances=[], discussion_languages=[], enable_downvotes=True,
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("method", "path", "asked"), [
    ("POST", "/site", {"name": "Mine"}),
    ("PUT", "/site", {"name": "Mine"}),
    ("POST", "/custom_emoji", EMOJI),
    ("PUT", "/custom_emoji", {"id": 1, **EMOJI}),
    ("POST", "/custom_emoji/delete", {"id": 1}),
])
async def test_only_administrators_keep_the_site(
    town: Town, method: str, path: str, asked: dict[str, object]
) -> None:
    founder = await town.person()
    await town.community(founder)  # so this one moderates
    before = (await town.stranger.get("/site")).json()

    strange = await town.stranger.call(method, path, asked)
    refused = await founder.call(method, path, asked)

    assert (strange.status_code, strange.json()["error"]) == (401, "not_logged_in")
    assert (refused.status_code, refused.json()["error"]) == (403, "not_an_admin")
    after = (await town.stranger.get("/site")).json()
    assert after["site_view"]["site"] == before["site_view"]["site"]
    assert after["custom_emojis"] == before["custom_emojis"]


async def test_a_site_that_is_set_up_is_not_created_again(town: Town, admin: Person) -> None:
    answer = await admin.post("/site", name="Another")

    assert (answer.status_code, answer.json()["error"]) == (400, "site_already_exists")


async def test_every_field_that_is_edited_is_shown(town: Town, clean: Person) -> None:
    answer = await clean.put("/site", **WHOLE, **RATES, discussion_languages=[0, 37])

    assert answer.status_code == 200, answer.text
    shown = (await town.stranger.get("/site")).json()
    view = shown["site_view"]
    for name, value in WHOLE.items():
        place = "site" if name in view["site"] else "local_site"
        assert view[place][name] == value, name
    limits = view["local_site_rate_limit"]
    assert {f"rate_limit_{name}": limits[name] for name in limits
            if f"rate_limit_{name}" in RATES} == RATES
    assert shown["discussion_languages"] == [0, 37]
    assert answer.json()["site_view"] == view
    assert view["local_site"]["site_setup"]


async def test_an_empty_text_empties_a_field_and_what_is_unset_stays(
    town: Town, clean: Person
) -> None:
    await clean.put("/site", sidebar="Words.", description="More words.")

    view = (await clean.put("/site", sidebar="")).json()["site_view"]

    assert "sidebar" not in view["site"]
    assert view["site"]["description"] == "More words."


async def test_lists_are_shown_and_an_entry_that_stays_keeps_its_number(
    town: Town, clean: Person
) -> None:
    first = (await clean.put(
        "/site", taglines=["One.", "Two."], blocked_urls=["https://Bad.example/", "bad.example"],
        allowed_instances=["near.example"], blocked_instances=["HTTPS://far.example:8443/"],
    )).json()["taglines"]

    then = (await clean.put("/site", taglines=["Two.", "Three."])).json()["taglines"]

    assert [line["content"] for line in then] == ["Two.", "Three."]
    assert then[0]["id"] == first[1]["id"]
    shown = (await town.stranger.get("/site")).json()
    assert shown["taglines"] == then
    assert [one["url"] for one in shown["blocked_urls"]] == ["bad.example"]
    servers = (await town.stranger.get("/federated_instances")).json()["federated_instances"]
    assert [one["domain"] for one in servers["allowed"]] == ["near.example"]
    assert [one["domain"] for one in servers["blocked"]] == ["far.example:8443"]


@pytest.mark.parametrize(("asked", "code"), [
    ({"name": ""}, "site_name_required"),
    ({"name": "x" * 21}, "site_name_length_overflow"),
    ({"slur_filter_regex": "("}, "invalid_regex"),
    ({"slur_filter_regex": ".*"}, "permissive_regex"),
    ({"blocked_urls": ["no address"]}, "invalid_url"),
    ({"blocked_instances": ["a b"]}, "invalid_url"),
    ({"taglines": ["x" * 1_001]}, "invalid_body_field"),
    ({"taglines": [f"Line {number}." for number in range(101)]}, "too_many_items"),
    ({"discussion_languages": [9_999]}, "language_not_allowed"),
    ({"rate_limit_post": 0}, "invalid_field"),
    ({"default_post_listing_type": "Subscribed"}, "invalid_default_post_listing_type"),
    ({"private_instance": True, "federation_enabled": True},
     "cant_enable_private_instance_and_federation_together"),
    ({"registration_mode": "RequireApplication", "application_question": ""},
     "application_question_required"),
    ({"icon": "javascript:alert(1)"}, "invalid_url"),
    ({"actor_name_max_length": 2}, "invalid_name"),
])
async def test_what_cannot_be_is_refused_and_changes_nothing(
    town: Town, clean: Person, asked: dict[str, object], code: str
) -> None:
    before = (await town.stranger.get("/site")).json()

    answer = await clean.put("/site", sidebar="Changed.", **asked)

    assert (answer.status_code, answer.json()["error"]) == (400, code)
    after = (await town.stranger.get("/site")).json()
    for kept in ("site_view", "taglines", "blocked_urls", "discussion_languages"):
        if kept == "site_view":
            assert after[kept]["local_site"] == before[kept]["local_site"]
            assert after[kept]["site"] == before[kept]["site"]
        else:
            assert after[kept] == before[kept]


async def test_the_slur_filter_holds_for_everything_that_people_write(
    town: Town, clean: Person
) -> None:
    author = await town.person()
    community_id = await town.community(author)
    post_id = await town.post(author, community_id)
    comment_id = await town.comment(author, post_id)
    await clean.put("/site", slur_filter_regex=r"slime|m[o0]ld")
    bad = "What SLIME it is"

    answers = [
        await town.stranger.post("/user/register", username="slimey_one",
                                 password="correct horse", password_verify="correct horse"),
        await author.put("/user/save_user_settings", display_name="Slime"),
        await author.put("/user/save_user_settings", bio=bad),
        await author.post("/community", name="slime_place", title="A place"),
        await author.post("/community", name="good_place", title=bad),
        await author.put("/community", community_id=community_id, description=bad),
        await author.post("/post", community_id=community_id, name=bad),
        await author.post("/post", community_id=community_id, name="Good", body=bad),
        await author.put("/post", post_id=post_id, name=bad),
        await author.post("/comment", post_id=post_id, content=bad),
        await author.put("/comment", comment_id=comment_id, content="m0ld"),
        await clean.post("/comment", post_id=post_id, content=bad),
    ]

    assert [(one.status_code, one.json()["error"]) for one in answers] == [
        (400, "slurs") for _ in answers
    ]
    await clean.put("/site", slur_filter_regex="")
    assert (await author.post("/comment", post_id=post_id, content=bad)).status_code == 200


async def test_blocked_addresses_are_neither_posted_nor_linked(
    town: Town, clean: Person
) -> None:
    author = await town.person()
    community_id = await town.community(author)
    post_id = await town.post(author, community_id)
    await clean.put("/site", blocked_urls=["bad.example", "half.example/shop"])
    url = "https://www.bad.example/x"

    answers = [
        await author.post("/post", community_id=community_id, name="A link", url=url),
        await author.put("/post", post_id=post_id, url="https://half.example/shop/1"),
        await author.post("/post", community_id=community_id, name="A link", body=f"See {url}."),
        await author.post("/comment", post_id=post_id, content=f"[here]({url})"),
        await author.post("/comment", post_id=post_id, content=f"![]({url})"),
        await author.post("/comment", post_id=post_id, content="[a][b]\n\n[b]: //bad.example"),
        await author.post("/comment", post_id=post_id, content="[a](&#104;ttps://bad.example)"),
    ]
    fine = await author.post("/comment", post_id=post_id, content="`https://bad.example` is bad")

    assert [one.json().get("error") for one in answers] == ["blocked_url" for _ in answers]
    assert fine.status_code == 200


async def test_only_the_sites_languages_are_written_in(town: Town, clean: Person) -> None:
    author = await town.person()
    post_id = await town.post(author, await town.community(author))
    await clean.put("/site", discussion_languages=[0, 37])

    english = await author.post("/comment", post_id=post_id, content="Yes.", language_id=37)
    german = await author.post("/comment", post_id=post_id, content="Ja.", language_id=32)

    assert english.status_code == 200
    assert german.json()["error"] == "language_not_allowed"


async def test_an_emoji_is_created_changed_and_taken_away(town: Town, admin: Person) -> None:
    made = (await admin.post("/custom_emoji", **EMOJI)).json()["custom_emoji"]
    again = await admin.post("/custom_emoji", **EMOJI)
    number = made["custom_emoji"]["id"]

    changed = (await admin.put(
        "/custom_emoji", id=number, category="lichens", image_url=EMOJI["image_url"],
        alt_text="Soft", keywords=["Soft", "soft", " "],
    )).json()["custom_emoji"]

    assert made["custom_emoji"]["shortcode"] == "moss"
    assert (again.status_code, again.json()["error"]) == (409, "custom_emoji_already_exists")
    assert changed["custom_emoji"]["category"] == "lichens"
    assert changed["keywords"] == [{"custom_emoji_id": number, "keyword": "soft"}]
    assert changed in (await town.stranger.get("/site")).json()["custom_emojis"]
    assert (await admin.post("/custom_emoji/delete", id=number)).json() == {"success": True}
    assert changed not in (await town.stranger.get("/site")).json()["custom_emojis"]
    missing = await admin.post("/custom_emoji/delete", id=number)
    assert (missing.status_code, missing.json()["error"]) == (404, "couldnt_find_custom_emoji")


@pytest.mark.parametrize("wrong", [
    {"shortcode": "no spaces"}, {"image_url": "javascript:alert(1)"}, {"image_url": ""},
    {"alt_text": "x" * 201}, {"keywords": ["w"] * 21},
])
async def test_an_emoji_that_cannot_be_is_refused(
    admin: Person, wrong: dict[str, object]
) -> None:
    assert (await admin.post("/custom_emoji", **(EMOJI | wrong))).status_code == 400


async def test_moderators_see_who_voted_and_others_do_not(town: Town, admin: Person) -> None:
    founder, voter, other = [await town.person() for _ in range(3)]
    community_id = await town.community(founder)
    post_id = await town.post(founder, community_id)
    comment_id = await town.comment(founder, post_id)
    await voter.post("/post/like", post_id=post_id, score=-1)
    await voter.post("/comment/like", comment_id=comment_id, score=1)

    for path, asked, name in (
        ("/post/like/list", {"post_id": post_id}, "post_likes"),
        ("/comment/like/list", {"comment_id": comment_id}, "comment_likes"),
    ):
        seen = [(await one.get(path, **asked)).json()[name] for one in (founder, admin)]
        second = (await founder.get(path, **asked, page=2, limit=1)).json()[name]
        strange, refused = await town.stranger.get(path, **asked), await other.get(path, **asked)

        assert seen[0] == seen[1] and len(seen[0]) == 2
        assert seen[0][0]["creator"]["name"] == voter.name
        assert seen[0][0]["score"] == (-1 if name == "post_likes" else 1)
        assert not seen[0][0]["creator_banned_from_community"]
        assert second == seen[0][1:]
        assert strange.status_code == 401
        assert (refused.status_code, refused.json()["error"]) == (403, "not_a_moderator")
    missing = await founder.get("/post/like/list", post_id=999_999)
    assert missing.status_code == 404


async def test_programs_are_marked_and_can_be_left_out_of_lists(town: Town) -> None:
    reader, program = await town.person(), await town.person()
    community_id = await town.community(reader)
    await program.put("/user/save_user_settings", bot_account=True)
    post_id = await town.post(program, community_id)
    comment_id = await town.comment(program, await town.post(reader, community_id))

    async def shown() -> tuple[bool, bool]:
        posts = (await reader.get("/post/list", community_id=community_id)).json()["posts"]
        found = (await reader.get("/comment/list", community_id=community_id)).json()["comments"]
        return (post_id in [one["post"]["id"] for one in posts],
                comment_id in [one["comment"]["id"] for one in found])

    before = await shown()
    await reader.put("/user/save_user_settings", show_bot_accounts=False)

    assert before == (True, True)
    assert await shown() == (False, False)
    view = (await reader.get("/post", id=post_id)).json()["post_view"]
    assert view["creator"]["bot_account"]
