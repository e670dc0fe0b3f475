"""One person's evening in a real browser, from a shared link to closing the door behind them.

Every later room adds a step here: one login, one search box, one settings page. It runs with and
without scripts, on a phone and on a desk; axe-core looks at every page that is visited.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

pytestmark = pytest.mark.slow

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_WORDS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)
AXE = Path(__file__).parents[1] / "clients/node_modules/axe-core/axe.min.js"
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
PASSWORD = "three odd words"
READY_WITHIN_S = 30
SCREENS_MAX = 4  # issue 2: from a shared link to a visible first comment
WAIT_MS_MAX = 15_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the site keeps its data, and what it says."""
    return tmp_path_factory.mktemp("evening")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    """Serve a Lichen by its command and yield its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [
        str(Path(sys.executable).with_name("lichen")), "serve", "--data", str(folder / "data"),
        "--port", str(port), "--metrics-port", "0", "--stream-port", "0",
    ]
    environ = os.environ | {
        "LICHEN_ADMIN_NAME": "gardener", "LICHEN_ADMIN_PASSWORD": PASSWORD,
        # Five evenings in ten minutes from one address are more than one person has.
        "LICHEN_LIMITS_RATES": "false",
    }
    with (folder / "output").open("wb") as output:
        server = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(READY_WITHIN_S)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_WORDS))


@pytest.fixture(params=["script", "no_script"])
def scripted(request: pytest.FixtureRequest) -> bool:
    return request.param == "script"


@pytest.fixture(params=["phone", "desk"])
def size(request: pytest.FixtureRequest) -> dict[str, int]:
    return PHONE if request.param == "phone" else DESK


class Guest:
    """Somebody at a browser: counts the screens they see and keeps what the console says."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT_MS_MAX)
        self.site = site
        self.screens = 0
        self.complaints: list[str] = []
        self.page.on("framenavigated", lambda frame: self._saw_screen())
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, path: str) -> None:
        self.page.goto(self.site + path)

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).first.fill(text)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def join(self, name: str) -> None:
        self.go("/signup")
        self.fill("Name", name)
        self.fill("Password", PASSWORD)
        self.press("Join")
        self.page.wait_for_url(f"{self.site}/")

    def _saw_screen(self) -> None:
        self.screens += 1

    def _heard(self, message: object) -> None:
        if message.type == "error":  # type: ignore[attr-defined]
            self.complaints.append(message.text)  # type: ignore[attr-defined]


@pytest.fixture
def guests(
    browser: Browser, site: str, scripted: bool, size: dict[str, int]
) -> Iterator[tuple[Guest, Guest]]:
    contexts = [
        browser.new_context(viewport=size, java_script_enabled=scripted, color_scheme=scheme)
        for scheme in ("light", "dark")
    ]
    host, stranger = (Guest(context, site) for context in contexts)
    yield host, stranger
    assert [] == host.complaints + stranger.complaints
    for context in contexts:
        context.close()


def test_an_evening_from_a_shared_link_to_a_closed_door(
    guests: tuple[Guest, Guest], scripted: bool, size: dict[str, int]
) -> None:
    host, stranger = guests
    mark = f"{'s' if scripted else 'n'}{size['width']}"
    look = _looker(scripted)

    link = _host_opens_a_place(host, mark, look)
    _a_stranger_says_something(stranger, link, mark, look)
    _the_host_answers(host, mark, look)
    _the_stranger_makes_it_theirs(stranger, link, mark, look)
    _the_stranger_leaves(stranger)


def test_the_keyboard_is_enough_and_nothing_jumps(browser: Browser, site: str) -> None:
    context = browser.new_context(viewport=DESK)
    guest = Guest(context, site)
    guest.join("typist")
    thread = _plant_a_thread(guest)
    guest.page.add_init_script(_COUNT_SHIFTS)
    guest.go(thread)
    keys = guest.page.keyboard

    keys.press("j")
    expect(guest.page.locator(".whole")).to_be_focused()
    keys.press("j")
    keys.press("j")
    first, below, second = (guest.page.locator(".c").nth(at) for at in range(3))
    expect(below).to_be_focused()
    keys.press("[")
    expect(first).to_be_focused()
    keys.press("]")
    expect(second).to_be_focused()
    keys.press("z")
    expect(second.locator(".down")).to_have_attribute("aria-pressed", "true")
    keys.press("k")
    keys.press("k")
    expect(first).to_be_focused()
    keys.press("Enter")
    expect(below).not_to_be_visible()
    keys.press("Enter")
    keys.press("r")
    expect(first.locator("textarea")).to_be_focused()
    first.focus()
    keys.press("?")
    expect(guest.page.locator("dialog .keys")).to_be_visible()
    keys.press("Escape")
    keys.press("Control+k")
    guest.page.locator("dialog input").fill("settings")
    keys.press("Enter")
    guest.page.wait_for_url("**/settings")
    guest.page.locator("h1").click()
    keys.press("/")
    expect(guest.page.locator(".find input")).to_be_focused()

    guest.go(thread)
    guest.page.wait_for_load_state("networkidle")
    assert 0 == guest.page.evaluate("window.shifts")
    assert [] == guest.complaints
    context.close()


# Layout Instability API: shifts that no key or click caused.
_COUNT_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def _plant_a_thread(guest: Guest) -> str:
    """Write a post with three comments, the second below the first; return its path."""
    send = guest.page.request.post
    send(f"{guest.site}/create_community", form={"name": "keys", "title": "Keys"})
    post = send(
        f"{guest.site}/create_post", form={"community": "keys", "name": "By keys alone"}
    ).url.removeprefix(guest.site)
    send(f"{guest.site}{post}/comment", form={"content": "First"})
    guest.go(post)
    top = str(guest.page.locator(".c").first.get_attribute("id"))[1:]
    send(f"{guest.site}/comment/{top}/reply", form={"content": "Below the first"})
    send(f"{guest.site}{post}/comment", form={"content": "Second"})
    return f"{post}?sort=Old"


def _host_opens_a_place(host: Guest, mark: str, look: "Looker") -> str:
    """Join, found a community, write a post, vote on it twice; return the post's path."""
    host.go("/")
    look(host)
    host.join(f"host_{mark}")
    host.go("/create_community")
    look(host)
    host.fill("Name", f"garden_{mark}")
    host.fill("Title", f"The garden {mark}")
    host.press("Found it")
    host.page.wait_for_url("**/c/*")
    look(host)

    host.go(f"/create_post?community=garden_{mark}")
    look(host)
    host.fill("Title", "What grows on your north wall?")
    host.page.locator("[name=body]").fill("Mine has *three* kinds.")
    host.press("Publish")
    host.page.wait_for_url("**/post/*")
    expect(host.page.locator("h1")).to_have_text("What grows on your north wall?")
    expect(host.page.locator(".whole em")).to_have_text("three")
    look(host)

    score = host.page.locator(".whole .v b")
    expect(score).to_contain_text("1")
    host.page.get_by_role("button", name="Upvote").first.click()
    expect(score).to_contain_text("0")
    host.page.get_by_role("button", name="Upvote").first.click()
    expect(score).to_contain_text("1")
    return host.page.url.removeprefix(host.site).partition("#")[0]


def _a_stranger_says_something(stranger: Guest, link: str, mark: str, look: "Looker") -> None:
    """From the link to a visible comment: few screens, two fields, no e-mail."""
    stranger.go(link)
    stranger.page.locator("[name=content]").first.fill("Xanthoria, **bright** as an egg.")
    stranger.press("Publish")
    stranger.page.wait_for_selector("text=Xanthoria")
    look(stranger)
    fields = stranger.page.locator("main form:first-of-type input:visible, main textarea:visible")
    assert fields.count() == 2
    stranger.fill("Name", f"guest_{mark}")
    stranger.fill("Password", PASSWORD)
    stranger.press("Join and publish")
    stranger.page.wait_for_url("**/post/*")

    expect(stranger.page.locator(".c .text")).to_contain_text("Xanthoria, bright as an egg.")
    assert stranger.screens <= SCREENS_MAX
    look(stranger)


def _the_host_answers(host: Guest, mark: str, look: "Looker") -> None:
    """Find the answer in the inbox, answer it in its thread, keep it, ask why, fold it."""
    host.go("/inbox")
    expect(host.page.locator(".post .text")).to_contain_text("bright as an egg")
    look(host)
    host.page.get_by_role("link", name="What grows on your north wall?").first.click()
    host.page.wait_for_url("**/comment/*")
    look(host)
    host.page.locator(".c .acts").get_by_role("link", name="reply").first.click()
    host.page.locator(".c textarea, .panel textarea").first.fill("Show us a picture!")
    look(host)
    host.page.locator(".c form.reply, .panel form.reply").first.get_by_role(
        "button", name="Publish"
    ).click()
    expect(host.page.locator(".c .c .text").first).to_contain_text("Show us a picture!")

    first = host.page.locator(".c").first
    first.locator(".acts").first.get_by_role("button", name="Upvote").click()
    expect(first.locator(".v b").first).to_contain_text("2")
    first.locator(".acts").first.get_by_role("button", name="save").click()
    expect(first.locator(".s").first).to_have_text("saved")
    first.locator("summary .n").first.click()
    expect(host.page.locator(".c .c")).not_to_be_visible()

    host.go(f"/c/garden_{mark}")
    host.page.get_by_role("link", name="why?").first.click()
    expect(host.page.locator(".reason")).to_contain_text("Why")
    look(host)
    host.go("/saved?show=comments")
    expect(host.page.locator(".post .text")).to_contain_text("bright as an egg")
    look(host)


def _the_stranger_makes_it_theirs(
    stranger: Guest, link: str, mark: str, look: "Looker"
) -> None:
    """Read the answer, find the place by the one search box, join it, choose a look."""
    stranger.go(link)
    expect(stranger.page.locator(".word.author").first).to_be_visible()
    look(stranger)
    box = stranger.page.locator(".find input")
    box.fill(f"garden_{mark}")
    box.press("Enter")
    stranger.page.wait_for_url("**/search?q=*")
    look(stranger)
    stranger.page.get_by_role("button", name="Join").first.click()
    expect(stranger.page.get_by_role("button", name="Leave").first).to_be_visible()

    stranger.go("/settings")
    look(stranger)
    stranger.page.get_by_label("Light", exact=True).check()
    stranger.page.get_by_label("Compact", exact=True).check()
    stranger.page.get_by_role("button", name="Keep").first.click()
    stranger.page.wait_for_url("**/settings?done=look")
    assert stranger.page.locator("html").get_attribute("data-theme") == "light"
    stranger.go("/?listing=Subscribed")
    expect(stranger.page.locator(".as-compact .post h2")).to_have_text(
        "What grows on your north wall?"
    )
    look(stranger)
    for path in (f"/u/guest_{mark}", "/communities", "/shortcuts", "/places"):
        stranger.go(path)
        look(stranger)
    assert [] == stranger.complaints
    stranger.go("/nothing-here")
    look(stranger)
    stranger.complaints.clear()  # the browser itself complains of the 404


def _the_stranger_leaves(stranger: Guest) -> None:
    """Log out: the inbox shows the door."""
    assert "lichen_session" in {one.get("name") for one in stranger.page.context.cookies()}
    stranger.go(_my_page(stranger))
    stranger.press("Log out")
    stranger.page.wait_for_url(f"{stranger.site}/")
    stranger.go("/inbox")
    expect(stranger.page.locator("h1")).to_have_text("Log in")


def _my_page(guest: Guest) -> str:
    links = guest.page.locator("nav a[href^='/u/']")
    return str(links.first.get_attribute("href"))


class Looker:
    """Looks at a page with axe-core and for what a browser must not do: scroll sideways."""

    def __init__(self, source: str | None) -> None:
        self._source = source

    def __call__(self, guest: Guest) -> None:
        assert guest.page.locator("h1").count() == 1
        if self._source is None:
            return
        width = guest.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{guest.page.url} scrolls sideways by {width} px"
        guest.page.evaluate(self._source)
        found = guest.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            (violation["id"], [node["html"][:160] for node in violation["nodes"][:3]])
            for violation in found["violations"] if violation["impact"] in ("serious", "critical")
        ]
        assert [] == serious, f"{guest.page.url}: {serious}"


def _looker(scripted: bool) -> Looker:
    return Looker(AXE.read_text() if scripted else None)


def _wait_until_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end and server.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{url}/ready", timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(f"Lichen did not become ready within {READY_WITHIN_S} s.")
