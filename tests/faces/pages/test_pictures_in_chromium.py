"""A picture's life in a real browser: uploaded, seen, put into words, deleted, gone from disk."""

import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.clients.conftest import STOPPED_WITHIN_S, _wait_until_ready
from tests.house.test_one_evening import CHROMIUM, CHROMIUM_WORDS
from tests.media.pictures import MARKER, drawn, made

pytestmark = pytest.mark.slow
PASSWORD = "three odd words"
WAIT_MS_MAX = 15_000
_NUMBERS = itertools.count(1)


class Site(NamedTuple):
    """A running Lichen and the folder of its pictures."""

    url: str
    pictures: Path

    def files(self) -> list[str]:
        return sorted(path.name for path in self.pictures.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pictures")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [
        str(Path(sys.executable).with_name("lichen")), "serve", "--data", str(folder / "data"),
        "--port", str(port), "--metrics-port", "0", "--stream-port", "0",
    ]
    environ = os.environ | {
        "LICHEN_ADMIN_NAME": "gardener", "LICHEN_ADMIN_PASSWORD": PASSWORD,
        "LICHEN_LIMITS_RATES": "false", "LICHEN_LIMITS_NEWCOMERS": "false",
    }
    with (folder / "output").open("wb") as output:
        server = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}", server, folder / "output")
            yield Site(f"http://127.0.0.1:{port}", folder / "data" / "pictures")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(STOPPED_WITHIN_S)


@pytest.fixture(params=["script", "no_script"])
def page(request: pytest.FixtureRequest, site: Site) -> Iterator[Page]:
    """Yield a page of somebody who has joined and founded a place."""
    number = next(_NUMBERS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_WORDS))
        context = browser.new_context(java_script_enabled=request.param == "script")
        context.set_default_timeout(WAIT_MS_MAX)
        page = context.new_page()
        page.goto(f"{site.url}/signup")
        page.fill("input[name=name]", f"mira_{number}")
        page.fill("input[name=password]", PASSWORD)
        page.click("main button.go")
        page.goto(f"{site.url}/create_community")
        page.fill("input[name=name]", f"moss_{number}")
        page.fill("input[name=title]", "Moss")
        page.click("main button.go")
        yield page
        browser.close()


def test_a_picture_is_uploaded_seen_deleted_and_gone_from_disk(
    page: Page, site: Site, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(made("jpg", image=drawn(900, 600), secret=True))
    before = site.files()

    page.goto(f"{site.url}/pictures")
    page.set_input_files("#f-picture", photo)
    page.click("main button.go")
    shown = page.locator(".shots img")
    expect(shown).to_have_count(1)
    expect(page.locator(".shots")).to_contain_text("900 × 600 · JPG")
    original = page.request.get(
        site.url + str(page.locator(".shots a").get_attribute("href"))).body()
    between = site.files()
    page.click(".shots button")
    expect(page.locator(".said.good")).to_contain_text("The picture is gone.")

    assert MARKER not in original
    assert len(between) == len(before) + 4
    assert site.files() == before


def test_a_picture_is_put_into_a_post_with_its_words(
    page: Page, site: Site, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(made("png", image=drawn(300, 200)))
    place = page.url.rpartition("/c/")[2]

    page.goto(f"{site.url}/create_post?community={place}&title=A+find")
    page.set_input_files(".add input[type=file]", photo)
    page.fill("input[name=picture_alt]", "A yellow disc")
    if page.evaluate("typeof htmx === 'object'"):
        page.wait_for_selector(".add[data-url]")
    page.click("button[name=picture_add]")
    expect(page.locator("input[name=alt_text]")).to_have_value("A yellow disc")
    expect(page.locator("input[name=name]")).to_have_value("A find")
    page.click("main button.go:has-text('Publish')")
    page.wait_for_url("**/post/*")
    page.goto(f"{site.url}/c/{place}")

    picture = page.locator(".shot img")
    expect(picture).to_have_attribute("alt", "A yellow disc")
    assert page.request.get(str(picture.get_attribute("src"))).status == 200
