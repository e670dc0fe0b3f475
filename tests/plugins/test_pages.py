"""Pages and commands that plugins contribute, by HTTP and in the shell."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lichen.cli import main
from lichen.forum import PostRuling
from lichen.plugins.framing import framed_html
from tests.faces.pages.garden import PASSWORD, URL, Guest, opened, words
from tests.plugins.planting import plant

pytestmark = pytest.mark.anyio

HOME = "/x/keeping"


@pytest.fixture
def site(tmp_path: Path, monkeypatch) -> None:
    for name in ("keeping", "judging"):
        plant(tmp_path / "site", name, f"tests.plugins.wild.{name}", version="1.2")
    plant(tmp_path / "site", "broken", "tests.plugins.wild.nowhere")
    plant(tmp_path / "site", "No Name", "tests.plugins.wild.keeping")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr("lichen.plugins.judges.PAGE_MS_MAX", 20_000)
    monkeypatch.setenv("LICHEN_PLUGINS_ON", "keeping")


@pytest.fixture
async def garden(site, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("lichen.plugins.judges.BEFORE_MS_MAX", 20_000)
    async with opened(tmp_path / "house") as garden:
        gardener = Guest(garden.house, "gardener")
        await gardener.send("/login", {"name": "gardener", "password": PASSWORD})
        garden.gardener = gardener
        for name in ("keeping", "judging"):
            await gardener.send("/admin/plugins", {"name": name, "on": "1"})
        yield garden


@pytest.mark.slow
async def test_a_plugins_page_stands_in_the_frame_and_is_cleaned(garden):
    page = await garden.stranger().see(HOME + "/wild")

    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    main = page.text.partition("<h1")[2].partition("</main>")[0]
    assert "&lt;b&gt;Wild&lt;/b&gt;" in main
    assert 'class="skip go"' in page.text  # our frame around it
    for wrong in ("<script", "<style", "<img", "<iframe", "<meta", "onclick", "style=", "alert",
                  "javascript", "/admin/plugins", 'type="password"', 'id="main"', "bottom",
                  "elsewhere.example"):
        assert wrong not in main, wrong
    assert 'class="card"' in main and 'action="/x/keeping/more"' in main
    assert '<a href="/post/1"' in main


@pytest.mark.slow
async def test_forms_and_redirects_stay_at_home(garden):
    member = await garden.person()

    kept = await member.send(HOME, {"key": "colour", "value": "<i>moss</i>"})
    away = await member.see(HOME + "/away")
    back = await member.see(HOME + "/back")
    foreign = await member.http.post(
        HOME, data={"key": "a", "value": "b"}, headers={"origin": "https://elsewhere.example"})

    assert (303, HOME + "?key=colour") == (kept.status_code, kept.headers["location"])
    assert "moss" in words((await member.see(HOME + "?key=colour")).text)
    assert (200, True) == (away.status_code, "stayed" in away.text)
    assert (303, HOME) == (back.status_code, back.headers["location"])
    assert 403 == foreign.status_code


@pytest.mark.slow
async def test_pages_that_are_not_there_keep_the_frame(garden):
    stranger = garden.stranger()

    for path in (HOME + "/nowhere", "/x/unheard-of", "/x/judging", HOME + "/%00"):
        assert (await stranger.see(path)).status_code in (400, 404), path
    many = "&".join(f"f{number}=1" for number in range(60))
    assert 400 == (await stranger.see(f"{HOME}?{many}")).status_code


@pytest.mark.slow
async def test_links_stand_in_the_list_of_everything_here(garden):
    stranger, gardener = garden.stranger(), garden.gardener

    for guest, sees in ((stranger, False), (gardener, True)):
        page = (await guest.see("/places")).text
        assert f'href="{HOME}"' in page and f'href="{HOME}/back"' in page
        assert sees == ('href="/admin/plugins"' in page)


@pytest.mark.slow
async def test_administrators_alone_see_and_switch_plugins(garden):
    member, gardener = await garden.person(), garden.gardener

    seen = words((await gardener.see("/admin/plugins")).text)
    assert "keeping 1.2" in seen and "before_create" in seen and "Switch keeping off" not in seen
    broken = await gardener.send("/admin/plugins", {"name": "broken", "on": "1"})
    assert 303 == broken.status_code
    assert "could not be loaded: ModuleNotFoundError" in (
        await gardener.see("/admin/plugins")).text
    # A stranger is sent to the login page.
    for guest, status in ((member, 403), (garden.stranger(), 303)):
        assert status == (await guest.see("/admin/plugins")).status_code
        assert status == (await guest.send("/admin/plugins", {"name": "keeping"})).status_code
    assert 200 == (await member.see(HOME)).status_code
    await gardener.send("/admin/plugins", {"name": "keeping", "on": "0"})
    assert 404 == (await member.see(HOME)).status_code
    assert 404 == (await gardener.send("/admin/plugins", {"name": "x", "on": "1"})).status_code


@pytest.mark.slow
async def test_a_refusal_reaches_whoever_wrote_on_pages_and_by_the_api(garden):
    member = await garden.person()
    place = await garden.community(member)

    page = await member.send(
        "/create_post", {"community": place, "name": "Something forbidden", "body": "kept text"})
    answer = await member.http.post(
        f"{URL}/api/v3/user/register", json={
            "username": "robot_7", "password": PASSWORD, "password_verify": PASSWORD,
            "show_nsfw": False})

    assert 400 == page.status_code
    assert "That word is not said here." in words(page.text) and "kept text" in page.text
    assert (400, "refused_by_plugin") == (answer.status_code, answer.json()["error"])


@pytest.mark.slow
async def test_what_is_held_is_there_for_its_author_and_moderators_until_it_is_restored(garden):
    founder, author = await garden.person(), await garden.person()
    place = await garden.community(founder)

    written = await author.send(
        "/create_post", {"community": place, "name": "A doubtful lichen"})
    path = written.headers["location"]

    assert 200 == (await author.see(path)).status_code
    assert 404 == (await garden.stranger().see(path)).status_code
    assert "doubtful" not in (await garden.stranger().see(f"/c/{place}")).text
    restored = await garden.gardener.http.post(f"{URL}/api/v3/user/login", json={
        "username_or_email": "gardener", "password": PASSWORD})
    assert 200 == restored.status_code
    await _restore(garden, int(path.rpartition("/")[2]))
    assert 200 == (await garden.stranger().see(path)).status_code
    assert "doubtful" in (await garden.stranger().see(f"/c/{place}")).text


@pytest.mark.slow
async def test_an_account_that_is_held_waits_for_an_administrator(garden):
    answer = await garden.stranger().http.post(f"{URL}/api/v3/user/register", json={
        "username": "odd_one", "password": PASSWORD, "password_verify": PASSWORD,
        "show_nsfw": False})

    assert (200, True) == (answer.status_code, answer.json()["registration_created"])
    assert "jwt" not in answer.json()


async def _restore(garden, post_id):
    forum, accounts, store = (
        garden.house.rooms.forum, garden.house.rooms.accounts, garden.house.store)
    login = await accounts.log_in("gardener", PASSWORD, address=None, agent=None)
    viewer = await accounts.viewer(login.token)
    await store.write(lambda unit: forum.rule_post(
        unit, viewer, post_id, PostRuling(removed=False)))


@pytest.mark.parametrize("html", [
    '<a href="&#106;avascript:alert(1)">x</a>', '<a href="/\\elsewhere.example">x</a>',
    "<svg><script>alert(1)</script></svg>", '<form action="/x/keeping/../../settings">',
    '<form action="/x/keepingmore"><button formaction="/settings">x</button></form>',
    '<input type="image" src="//a.example">', "<math><mtext></form><form><style></math>",
    '<p class="bottom top frame">x</p>', '<label for="q">x</label>', "<noscript><p title=\"</noscript>",
])
def test_nothing_leads_out_of_a_plugins_page(html):
    clean = framed_html(html, "keeping")

    assert not re.search(r"script|alert|settings|keepingmore|elsewhere|a\.example|<style|image|"
                         r"bottom|for=|\.\.", clean), clean


def _run(*words: str, folder: Path | None = None) -> Result:
    where = ["--data", str(folder)] if folder else []
    return CliRunner().invoke(main, [*words, *where])


def test_a_plugins_command_stands_beside_ours(site):
    done = _run("dust", "shelf")

    assert 0 == done.exit_code
    assert done.stdout.endswith("The shelf is clean.\n")
    assert "the plugin broken does not load: ModuleNotFoundError" in done.stderr
    assert 0 != _run("dusty").exit_code


def test_the_shell_lists_and_switches_plugins(site, tmp_path):
    listed = _run("plugins", folder=tmp_path / "data").stdout

    assert "keeping 1.2  on\n    hooks: after_create, commands, pages, show_page\n" in listed
    assert "    page: The shelf\n" in listed and "    command: lichen dust\n" in listed
    assert "judging 1.2  off\n" in listed
    assert "broken 1.0  off  It does not start: could not be loaded: ModuleNotFoundError." in listed
    assert "No Name 1.0" not in listed
    off = _run("plugins", "--off", "keeping", "--on", "judging", folder=tmp_path / "data").stdout
    assert "keeping 1.2  off  An administrator switched it off.\n" in off
    assert "judging 1.2  on\n" in off
    assert 1 == _run("plugins", "--on", "unheard-of", folder=tmp_path / "data").exit_code
