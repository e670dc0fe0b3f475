"""Administration by pages: groups of settings, emoji, switches; and what everybody sees of them."""

import pytest

from tests.faces.pages.garden import PASSWORD, Garden, Guest, words

pytestmark = pytest.mark.anyio

PATHS = (
    "/admin", "/admin/about", "/admin/legal", "/admin/joining", "/admin/words", "/admin/look",
    "/admin/languages", "/admin/servers", "/admin/limits", "/admin/emoji", "/admin/flags",
)
EMOJI = {"shortcode": ":Fern:", "image_url": "https://pictures.example/f.png", "alt_text": "Fern",
         "category": "plants", "keywords": "green, leaf"}


@pytest.fixture
async def keeper(garden: Garden) -> Guest:
    guest = Guest(garden.house, "gardener")
    answer = await guest.send("/login", {"name": "gardener", "password": PASSWORD})
    assert answer.status_code == 303
    return guest


@pytest.mark.parametrize("path", PATHS)
async def test_the_pages_are_for_administrators_alone(
    garden: Garden, keeper: Guest, path: str
) -> None:
    member = await garden.person()
    await garden.community(member)  # moderates something

    strange = await garden.stranger().see(path)
    refused = await member.see(path)
    sent = await member.send(path, {"name": "Mine", "flag": "live_previews", **EMOJI})
    shown = await keeper.see(path)

    assert strange.status_code == 303
    assert strange.headers["location"].startswith("/login?next=")
    assert refused.status_code == 403
    assert sent.status_code in (403, 404)
    assert shown.status_code == 200
    assert shown.text.count("<h1") == 1


async def test_only_administrators_are_shown_the_way(garden: Garden, keeper: Guest) -> None:
    assert "/admin" in (await keeper.see("/")).text
    assert "/admin" not in (await (await garden.person()).see("/")).text
    assert (await keeper.see("/admin/nothing")).status_code == 404


async def test_what_is_kept_is_seen_by_everybody(garden: Garden, keeper: Guest) -> None:
    about = {"name": "Garden", "description": "A place.", "sidebar": "Be *kind*.",
             "taglines": "Grow slowly.\n\nGrow slowly."}

    kept = await keeper.send("/admin/about", about)
    legal = await keeper.send("/admin/legal", {"legal_information": "The **law**."})
    front = (await garden.stranger().see("/")).text

    assert (kept.status_code, kept.headers["location"]) == (303, "/admin/about?done=1")
    assert legal.status_code == 303
    assert "Garden</title>" in front and "<em>kind</em>" in front and "Grow slowly." in front
    assert 'href="/legal"' in front
    assert "<strong>law</strong>" in (await garden.stranger().see("/legal")).text
    await keeper.send("/admin/legal", {"legal_information": ""})
    assert (await garden.stranger().see("/legal")).status_code == 404


async def test_a_refused_form_comes_back_as_it_was_typed(keeper: Guest) -> None:
    answer = await keeper.send("/admin/words", {
        "slur_filter_regex": "(unclosed", "blocked_urls": "typed.example",
    })

    assert answer.status_code == 400
    assert "(unclosed" in answer.text and "typed.example" in answer.text
    assert "no pattern" in words(answer.text)


async def test_a_filter_is_tried_before_it_is_kept(garden: Garden, keeper: Guest) -> None:
    asked = {"slur_filter_regex": "sl[i1]me", "blocked_urls": "", "try": "1"}

    caught = await keeper.send("/admin/words", asked | {"sample": "Such Sl1me"})
    fine = await keeper.send("/admin/words", asked | {"sample": "Such moss"})
    wrong = await keeper.send("/admin/words", asked | {"slur_filter_regex": ".*"})

    assert "It would refuse this text for: Sl1me" in words(caught.text)
    assert "It would let this text through." in words(fine.text)
    assert wrong.status_code == 400
    assert garden.house.rooms.accounts.current_site.settings.slur_filter_regex is None


async def test_the_other_groups_leave_what_they_do_not_show(garden: Garden, keeper: Guest) -> None:
    rates = {f"rate_limit_{kind}{end}": "700" for end in ("", "_per_second")
             for kind in ("message", "post", "comment", "register", "image", "search")}

    answers = [
        await keeper.send("/admin/limits", rates),
        await keeper.send("/admin/servers", {"federation_enabled": "1",
                                             "blocked_instances": "far.example"}),
        await keeper.send("/admin/languages", {"languages": "37"}),
        await keeper.send("/admin/look", {
            "default_theme": "dark", "default_post_listing_type": "All",
            "default_sort_type": "New", "default_post_listing_mode": "Card"}),
        await keeper.send("/admin/joining", {
            "registration_mode": "Open", "captcha_difficulty": "easy",
            "actor_name_max_length": "25"}),
    ]

    assert [one.status_code for one in answers] == [303] * 5
    accounts = garden.house.rooms.accounts
    settings = accounts.current_site.settings
    assert settings.rate_limit_search_per_second == 700
    assert accounts.current_lists.blocked_instances == ("far.example",)
    assert (settings.languages, settings.default_theme) == ((37,), "dark")
    assert (settings.actor_name_max_length, settings.captcha_difficulty) == (25, "easy")
    assert settings.enable_downvotes
    await keeper.send("/admin/languages", {})


@pytest.mark.parametrize(("path", "fields"), [
    ("/admin/limits", {"rate_limit_post": "-1"}),
    ("/admin/look", {"default_theme": "neon"}),
    ("/admin/languages", {"languages": "9999"}),
    ("/admin/about", {"name": " "}),
])
async def test_what_cannot_be_is_refused_in_words(
    keeper: Guest, path: str, fields: dict[str, str]
) -> None:
    answer = await keeper.send(path, fields)

    assert answer.status_code == 400
    assert "That did not work." in words(answer.text)


async def test_emoji_are_added_changed_and_taken_away(garden: Garden, keeper: Guest) -> None:
    added = await keeper.send("/admin/emoji", EMOJI)
    again = await keeper.send("/admin/emoji", EMOJI)
    page = (await keeper.see("/admin/emoji")).text
    emoji = garden.house.rooms.accounts.current_emoji["fern"]

    changed = await keeper.send(f"/admin/emoji/{emoji.id}", EMOJI | {"category": "ferns"})
    after = garden.house.rooms.accounts.current_emoji["fern"]
    gone = await keeper.send(f"/admin/emoji/{emoji.id}", {"delete": "1"})

    assert (added.status_code, again.status_code) == (303, 409)
    assert ":fern:" in page and emoji.keywords == ("green", "leaf")
    assert (changed.status_code, after.category) == (303, "ferns")
    assert gone.status_code == 303
    assert garden.house.rooms.accounts.current_emoji == {}
    assert (await keeper.send(f"/admin/emoji/{emoji.id}", {"delete": "1"})).status_code == 404


async def test_a_part_of_the_house_is_switched_off_and_on(garden: Garden, keeper: Guest) -> None:
    from lichen.kit.flags import Flag

    flags = garden.house.ground.flags
    off = await keeper.send("/admin/flags", {"flag": "live_previews", "on": "0"})
    was_on = flags.is_on(Flag.LIVE_PREVIEWS)
    page = words((await keeper.see("/admin/flags")).text)
    await keeper.send("/admin/flags", {"flag": "live_previews", "on": "1"})

    assert off.status_code == 303
    assert not was_on and flags.is_on(Flag.LIVE_PREVIEWS)
    assert "Live previews off safe" in page
    assert (await keeper.send("/admin/flags", {"flag": "nothing"})).status_code == 404


async def test_whoever_is_away_says_so_and_finds_a_digest(garden: Garden) -> None:
    mira, otto = await garden.person(), await garden.person()
    path = await garden.post(mira)
    later = await mira.send("/settings/away", {"note": "On a mountain", "until": "2020-01-01"})
    kept = await mira.send("/settings/away", {"note": "On a mountain", "until": "2027-06-01"})
    await garden.comment(otto, path, "Nice.")
    await garden.comment(otto, path, "What is it?")
    profile = words((await garden.stranger().see(f"/u/{mira.name}")).text)
    held = words((await mira.see("/inbox")).text)

    back = await mira.send("/settings/away", {"back": "1"})
    digest = words((await mira.see("/inbox")).text)

    assert later.status_code == 400
    assert kept.headers["location"] == "/settings?done=away"
    assert "away until 2027-06-01: On a mountain" in profile
    assert "Nice." not in held and "All quiet" in held
    assert back.headers["location"] == "/inbox"
    assert "While you were away" in digest
    assert digest.index("What is it?") < digest.index("Nice.")


async def test_nothing_is_counted_beside_the_inbox_unless_one_asks(garden: Garden) -> None:
    mira, otto = await garden.person(), await garden.person()
    path = await garden.post(mira)
    await garden.comment(otto, path, "Nice.")
    look = {"theme": "browser", "density": "card", "listing": "Local", "sort": "Hot"}

    quiet = (await mira.see("/")).text
    await mira.send("/settings/look", look | {"show_unread": "1"})

    assert "unread</span>" not in quiet
    assert '1</span><span class="vh"> unread</span>' in (await mira.see("/")).text


async def test_strangers_see_the_sites_own_theme_and_members_theirs(
    garden: Garden, keeper: Guest
) -> None:
    member = await garden.person()
    await member.send("/settings/look", {"theme": "light", "density": "card", "listing": "Local",
                                         "sort": "Hot"})
    await keeper.send("/admin/look", {
        "default_theme": "dark", "default_post_listing_type": "Local",
        "default_sort_type": "Active", "default_post_listing_mode": "List"})

    assert 'data-theme="dark"' in (await garden.stranger().see("/")).text
    assert 'data-theme="light"' in (await member.see("/")).text
