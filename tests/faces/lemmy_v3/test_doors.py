"""The calls at the doors, as clients make them: applications, bans, leaving, letters, import."""

import msgspec
import pytest

from lichen.accounts.totp import code_at
from tests.faces.lemmy_v3.town import PASSWORD, Person, Town, fresh_name

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "another long password"


async def administrator(town: Town) -> Person:
    """Return somebody who administers the town."""
    person = await town.person("admin")
    mine = await id_of(person)
    accounts = town.house.rooms.accounts
    await town.house.store.write(lambda unit: accounts.promote(unit, None, mine, admin=True))
    return person


async def id_of(person: Person) -> int:
    answer = await person.get("/site")
    return int(answer.json()["my_user"]["local_user_view"]["person"]["id"])


async def ask(town: Town, **choices: object) -> None:
    accounts = town.house.rooms.accounts
    settings = msgspec.structs.replace(accounts.current_site.settings, **choices)
    await town.house.store.write(lambda unit: accounts.edit_site(unit, None, settings))


async def test_an_application_is_listed_denied_and_approved(town: Town) -> None:
    admin = await administrator(town)
    await ask(town, registration_mode="RequireApplication", application_question="Why?")
    name = fresh_name("applicant")
    words = {"username": name, "password": PASSWORD, "password_verify": PASSWORD}

    registered = await town.stranger.post("/user/register", **words, answer="Because.")
    await ask(town, registration_mode="Open")
    count = await admin.get("/admin/registration_application/count")
    listed = await admin.get("/admin/registration_application/list", unread_only="true")
    (view,) = listed.json()["registration_applications"]
    number = view["registration_application"]["id"]
    denied = await admin.put("/admin/registration_application/approve",
                             id=number, approve=False, deny_reason="Too short.")
    door = await town.stranger.post(
        "/user/login", username_or_email=name, password=PASSWORD
    )
    approved = await admin.put(
        "/admin/registration_application/approve", id=number, approve=True
    )
    one = await admin.get(
        "/admin/registration_application", person_id=view["creator"]["id"]
    )
    entered = await town.stranger.post(
        "/user/login", username_or_email=name, password=PASSWORD
    )

    assert registered.json() == {"registration_created": True, "verify_email_sent": False}
    assert count.json() == {"registration_applications": 1}
    assert view["creator"]["name"] == name and "admin" not in view
    assert denied.json()["registration_application"]["admin"]["name"] == admin.name
    assert door.json() == {"error": "registration_denied", "message": "Too short."}
    assert approved.status_code == 200
    assert one.json()["registration_application"]["creator_local_user"]["accepted_application"]
    assert entered.json()["jwt"]


async def test_a_person_is_banned_with_what_they_wrote_and_let_in_again(town: Town) -> None:
    admin, troll = await administrator(town), await town.person("troll")
    community = await town.community(await town.person())
    post = await town.post(troll, community)
    comment = await town.comment(troll, post)
    person_id = await id_of(troll)

    banned = await admin.post("/user/ban", person_id=person_id, ban=True, remove_data=True,
                              reason="spam", expires=4_000_000_000)
    gone = await town.stranger.get("/post", id=post)
    listed = await admin.get("/user/banned")
    silent = await troll.post("/comment", post_id=post, content="More.")
    lifted = await admin.post("/user/ban", person_id=person_id, ban=False, remove_data=True)
    back = await town.stranger.get("/comment", id=comment)

    assert banned.json()["banned"] and banned.json()["person_view"]["person"]["banned"]
    assert gone.json()["error"] == "couldnt_find_post"
    assert person_id in [one["person"]["id"] for one in listed.json()["banned"]]
    assert silent.status_code == 401
    assert not lifted.json()["person_view"]["person"]["banned"]
    assert back.json()["comment_view"]["comment"]["removed"] is False


async def test_only_who_may_ban_bans_or_lists(town: Town) -> None:
    person, other = await town.person(), await town.person()

    banned = await person.post("/user/ban", person_id=await id_of(other), ban=True)
    listed = await person.get("/user/banned")

    assert (banned.status_code, banned.json()["error"]) == (403, "not_an_admin")
    assert listed.status_code == 403


async def test_an_account_is_deleted_for_ever(town: Town) -> None:
    person = await town.person("leaver")
    community = await town.community(await town.person())
    posts = [await town.post(person, community) for _ in range(3)]
    comment = await town.comment(person, posts[0])

    wrong = await person.post("/user/delete_account", password="no", delete_content=True)
    done = await person.post("/user/delete_account", password=PASSWORD, delete_content=True)
    nobody = await person.get("/user/validate_auth")
    shown = await town.stranger.get("/comment", id=comment)
    place = await town.stranger.get("/community", id=community)
    again = await town.stranger.post(
        "/user/register", username=person.name.upper(), password=PASSWORD,
        password_verify=PASSWORD,
    )
    door = await town.stranger.post(
        "/user/login", username_or_email=person.name, password=PASSWORD
    )

    assert (wrong.json()["error"], done.json()) == ("incorrect_login", {"success": True})
    assert nobody.status_code == 401
    assert shown.status_code == 404
    assert place.json()["community_view"]["counts"]["posts"] == 0
    assert place.json()["community_view"]["counts"]["comments"] == 0
    assert again.json()["error"] == "user_already_exists"
    assert door.json()["error"] == "incorrect_login"


async def test_what_is_taken_away_is_taken_in_batches(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lichen.forum.departures.DEPARTURE_BATCH", 2)
    person = await town.person("leaver")
    community = await town.community(await town.person())
    posts = [await town.post(person, community) for _ in range(5)]

    await person.post("/user/delete_account", password=PASSWORD, delete_content=True)
    answers = [await town.stranger.get("/post", id=post) for post in posts]

    assert [404] * 5 == [answer.status_code for answer in answers]


async def test_administrators_come_and_go_but_the_last_stays(town: Town) -> None:
    admin, other = await administrator(town), await town.person()

    added = await admin.post("/admin/add", person_id=await id_of(other), added=True)
    left = await admin.post("/user/leave_admin")
    refused = await admin.post("/admin/add", person_id=await id_of(other), added=False)

    assert other.name in [one["person"]["name"] for one in added.json()["admins"]]
    assert left.json()["my_user"]["local_user_view"]["local_user"]["admin"] is False
    assert refused.status_code == 403


async def test_a_second_factor_is_set_up_by_its_calls(town: Town) -> None:
    person = await town.person()
    made = await person.post("/user/totp/generate")
    secret = made.json()["totp_secret_url"].partition("secret=")[2].partition("&")[0]
    now = town.house.ground.clock() // 30_000_000
    wrong = await person.post("/user/totp/update", totp_token="abcdef", enabled=True)

    on = await person.post("/user/totp/update", totp_token=code_at(secret, now), enabled=True)
    words = {"username_or_email": person.name, "password": PASSWORD}
    missing = await town.stranger.post("/user/login", **words)
    next_code = code_at(secret, now + 1)
    entered = await town.stranger.post("/user/login", **words, totp_2fa_token=next_code)
    site = await person.get("/site")

    assert wrong.json()["error"] == "incorrect_totp_token"
    assert on.json() == {"enabled": True}
    assert missing.json()["error"] == "missing_totp_token"
    assert entered.json()["jwt"]
    assert site.json()["my_user"]["local_user_view"]["local_user"]["totp_2fa_enabled"]


async def test_a_captcha_is_given_where_the_site_asks_one(town: Town) -> None:
    none = await town.stranger.get("/user/get_captcha")
    await ask(town, captcha_enabled=True)
    given = await town.stranger.get("/user/get_captcha")
    name = fresh_name("robot")
    refused = await town.stranger.post(
        "/user/register", username=name, password=PASSWORD, password_verify=PASSWORD,
        captcha_uuid=given.json()["ok"]["uuid"], captcha_answer="0",
    )
    await ask(town, captcha_enabled=False)

    assert none.json() == {}
    assert set(given.json()["ok"]) == {"png", "wav", "uuid"}
    assert refused.json()["error"] == "captcha_incorrect"


async def test_choices_are_exported_and_imported_and_the_unknown_is_said(town: Town) -> None:
    first, second = await town.person(), await town.person()
    community = await town.community(first)
    post = await town.post(first, community)
    comment = await town.comment(first, post)
    await first.put("/post/save", post_id=post, save=True)
    await first.put("/comment/save", comment_id=comment, save=True)
    await first.put("/user/save_user_settings", theme="darkly", bio="Likes rocks.")
    exported = (await first.get("/user/export_settings")).json()

    exported["followed_communities"].append("https://far.example/c/rocks")
    report = await second.post("/user/import_settings", **exported)
    again = (await second.get("/user/export_settings")).json()

    assert report.json() == {"success": True, "skipped": ["https://far.example/c/rocks"]}
    assert again["saved_posts"] == exported["saved_posts"] != []
    assert again["saved_comments"] == exported["saved_comments"] != []
    assert again["bio"] == "Likes rocks."
    assert again["settings"]["theme"] == "darkly"


async def test_old_tokens_are_dead_after_a_new_password(town: Town) -> None:
    """Whoever stole a token is out the moment its owner changes the password."""
    person = await town.person()
    stolen = await town.stranger.post(
        "/user/login", username_or_email=person.name, password=PASSWORD
    )
    thief = Person(town.stranger.client, person.name,
                   {"authorization": f"Bearer {stolen.json()['jwt']}"})

    changed = await person.put("/user/change_password", old_password=PASSWORD,
                               new_password=NEW_PASSWORD, new_password_verify=NEW_PASSWORD)
    owner = Person(town.stranger.client, person.name,
                   {"authorization": f"Bearer {changed.json()['jwt']}"})

    assert (await thief.get("/user/validate_auth")).status_code == 401
    assert (await person.get("/user/validate_auth")).status_code == 401
    assert (await owner.get("/user/validate_auth")).json() == {"success": True}


async def test_a_reset_says_the_same_of_every_address(town: Town) -> None:
    answers = [
        await town.stranger.post("/user/password_reset", email=email)
        for email in ("somebody@example.org", "x\r\nBcc: all@example.org", "")
    ]

    assert [{"success": True}] * 3 == [answer.json() for answer in answers]


async def test_a_wrong_link_is_refused(town: Town) -> None:
    verify = await town.stranger.post("/user/verify_email", token="nothing")
    change = await town.stranger.post(
        "/user/password_change", token="nothing", password=NEW_PASSWORD,
        password_verify=NEW_PASSWORD,
    )

    assert ("token_not_found", "token_not_found") == (
        verify.json()["error"], change.json()["error"]
    )
