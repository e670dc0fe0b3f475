"""Must show of federation: one of three peers stops and starts again, and a page says all of it.

Four Lichens on one machine by settings alone; `/federation` of the first stays open in Chromium and
is never loaded anew: it draws itself.
"""

import json
import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.clients.conftest import ADMIN_NAME, ADMIN_PASSWORD, free_port, serving
from tests.house.test_one_evening import Browser, browser

__all__ = ["browser"]

pytestmark = pytest.mark.slow
SAID_WITHIN_MS = 30_000


class Server:
    """One of the four, over its lives."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder, self._port = folder, free_port()
        self._life: AbstractContextManager[str] = serving(folder, port=self._port)
        self.url = f"http://127.0.0.1:{self._port}"
        self.token = ""

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        self._life = serving(self._folder, port=self._port)
        self._life.__enter__()
        self.token = self.ask("user/login", {
            "username_or_email": ADMIN_NAME, "password": ADMIN_PASSWORD})["jwt"]

    def stop(self) -> None:
        self._life.__exit__(None, None, None)

    def ask(self, path: str, body: dict[str, object] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/v3/{path}", data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json",
                     **({"authorization": f"Bearer {self.token}"} if self.token else {})})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


def test_a_peer_that_stops_is_said_to_be_behind_and_catches_up(
    tmp_path: Path, browser: Browser
) -> None:
    home, *peers = (Server(tmp_path / name) for name in ("home", "near", "far", "away"))
    away = peers[-1]
    with ExitStack() as running, ThreadPoolExecutor() as threads:
        for server in (home, *peers):
            running.callback(server.stop)
        list(threads.map(Server.start, (home, *peers)))
        stones = home.ask("community", {"name": "stones", "title": "Stones"})["community_view"]
        for peer in peers:
            found = peer.ask(f"resolve_object?q=!stones@{home.authority}")["community"]
            peer.ask("community/follow", {
                "community_id": found["community"]["id"], "follow": True})
        page = browser.new_page()
        page.goto(f"{home.url}/federation")
        said = page.locator("main")
        expect(said).to_contain_text("3 servers, all up to date.", timeout=SAID_WITHIN_MS)

        away.stop()
        home.ask("post", {"community_id": stones["community"]["id"], "name": "While you slept"})
        expect(said).to_contain_text("1 server of 3 behind.", timeout=SAID_WITHIN_MS)
        asleep = page.locator("article", has_text=away.authority)
        expect(asleep).to_contain_text(
            re.compile(r"It does not answer, and is behind by \d+ activit"), timeout=SAID_WITHIN_MS)

        away.start()
        page.request.post(f"{home.url}/login", form={
            "name": ADMIN_NAME, "password": ADMIN_PASSWORD}, headers={"origin": home.url})
        page.request.post(f"{home.url}/federation/{away.authority}/try",
                          headers={"origin": home.url})
        expect(said).to_contain_text("3 servers, all up to date.", timeout=SAID_WITHIN_MS)
        posts = away.ask("post/list?type_=All&sort=New")["posts"]

    assert ["While you slept"] == [one["post"]["name"] for one in posts]
