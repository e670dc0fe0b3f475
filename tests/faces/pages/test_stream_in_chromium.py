"""The page of the public stream in a real browser: what is written appears while it is open."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.clients.conftest import STOPPED_WITHIN_S, _wait_until_ready
from tests.house.test_one_evening import CHROMIUM, CHROMIUM_WORDS

pytestmark = pytest.mark.slow
PASSWORD = "three odd words"
WAIT_MS_MAX = 15_000


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("stream"), free_port()
    command = [
        str(Path(sys.executable).with_name("lichen")), "serve", "--data", str(folder / "data"),
        "--port", str(port), "--metrics-port", "0", "--stream-port", str(free_port()),
    ]
    environ = os.environ | {
        "LICHEN_ADMIN_NAME": "gardener", "LICHEN_ADMIN_PASSWORD": PASSWORD,
        "LICHEN_LIMITS_RATES": "false", "LICHEN_LIMITS_NEWCOMERS": "false",
    }
    with (folder / "output").open("wb") as output:
        server = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}", server, folder / "output")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(STOPPED_WITHIN_S)


@pytest.fixture(scope="module")
def page(site: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_WORDS)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(WAIT_MS_MAX)
        send(page, site, "/login", name="gardener", password=PASSWORD)
        send(page, site, "/create_community", name="moss", title="Moss")
        yield page
        browser.close()


def send(page: Page, site: str, path: str, **fields: str) -> None:
    answer = page.request.post(site + path, form=fields, headers={"origin": site})
    assert answer.ok, (path, answer.status, answer.text()[:300])


def test_a_post_appears_on_the_open_page(page: Page, site: str) -> None:
    page.goto(f"{site}/stream?collection=lichen.forum.post")
    expect(page.locator("#stream-state")).to_have_text("live")

    send(page, site, "/create_post", community="moss", name="Written just now")

    first = page.locator("#events > li").first
    expect(first).to_contain_text("create forum.post")
    expect(first).to_contain_text("Written just now")
    expect(page.locator("#nothing")).to_have_count(0)


def test_nothing_is_shown_twice_where_the_page_ends_and_the_stream_begins(
    page: Page, site: str
) -> None:
    send(page, site, "/create_post", community="moss", name="Before the page")
    page.goto(f"{site}/stream?collection=lichen.forum.post")
    expect(page.locator("#stream-state")).to_have_text("live")
    send(page, site, "/create_post", community="moss", name="After the page")
    expect(page.locator("#events > li").first).to_contain_text("After the page")

    numbers = page.locator("#events > li").evaluate_all("rows => rows.map(row => +row.dataset.seq)")

    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) >= 2


@pytest.mark.parametrize("width", [390, 1_280])
def test_the_page_fits_a_phone_and_a_desk(page: Page, site: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{site}/stream?did=did:web:{'x' * 120}")

    wide = page.evaluate("document.documentElement.scrollWidth")
    folder = os.environ.get("PICTURES_FOLDER")
    if folder:
        page.goto(f"{site}/stream")
        page.screenshot(path=f"{folder}/stream-{width}.png", full_page=True)

    assert wide <= width
