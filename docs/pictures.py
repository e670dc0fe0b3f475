"""Takes the pictures of docs/pictures: `python -m docs.pictures`, after a page has changed.

It fills the small demo, serves it, logs in as its administrator and looks at the pages with
Chromium, as wide as a desk and a phone, light and dark. Look at each picture afterwards.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright

FOLDER = Path(__file__).parent / "pictures"
LICHEN = str(Path(sys.executable).with_name("lichen"))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 360, "height": 740}}
PASSWORD = "lichen demo"  # of everybody in the demo
READY_S_MAX = 60.0
DRAFT = {
    "name": "What grows on your north wall?",
    "body": "Mine has **three** kinds by now:\n\n1. *Xanthoria parietina*, yellow as an egg\n"
            "2. *Parmelia sulcata*, grey\n3. one that I cannot name\n\n> Slow is fine.",
}
RULE = {"name": "New accounts that gamble", "action": "hold", "mode": "on", "community_id": 0,
        "rows": [{"fact": "author_age_days", "comparison": "<", "value": "2"},
                 {"fact": "text", "comparison": "contains", "value": "casino, jackpot"}],
        "note": "They come in waves on Sundays."}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Fill the small demo, serve it and yield its address."""
    environ = os.environ | {
        "LICHEN_LIMITS_RATES": "false", "LICHEN_LIMITS_NEWCOMERS": "false",
        # Lichens grow from ids, so these have to stay for the pictures to stay.
        "LICHEN_PUBLIC_URL": "http://lichen.example",
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    words = ["--data", str(folder)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environ}
    subprocess.run([LICHEN, "demo", *words], check=True, **quiet)  # type: ignore[call-overload]
    server = subprocess.Popen(  # type: ignore[call-overload]
        [LICHEN, "serve", *words, "--port", str(port), "--metrics-port", "0",
         "--stream-port", "0"], **quiet)
    try:
        end = time.monotonic() + READY_S_MAX
        while time.monotonic() < end:
            with suppress(OSError), urllib.request.urlopen(f"{url}/ready", timeout=1):
                break
            time.sleep(0.1)
        yield url
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(READY_S_MAX)


def prepare(person: BrowserContext, url: str) -> dict[str, str]:
    """Log in as the administrator, let something wait, write a rule; return the pages' paths."""
    def call(path: str, method: str = "POST", **asked: object) -> dict[str, object]:
        answer = person.request.fetch(f"{url}/api{path}", method=method, data=asked or None,
                                      headers={"authorization": f"Bearer {token}"})
        assert answer.ok, answer.text()
        return dict(answer.json())

    token = ""
    admins = call("/v3/site", "GET")["admins"]
    assert isinstance(admins, list)
    name = admins[0]["person"]["name"]
    token = str(call("/v3/user/login", username_or_email=name, password=PASSWORD)["jwt"])
    person.add_cookies([{"name": "lichen_session", "value": token, "url": url}])
    posts = call("/v3/post/list?sort=MostComments&limit=20", "GET")["posts"]
    assert isinstance(posts, list)
    for view, reason in zip(posts, ("An advertisement.", "Not about plants.", "Rude.", "A copy."),
                            strict=False):
        call("/v3/post/report", post_id=view["post"]["id"], reason=reason)
    call("/lichen/rule", **RULE)
    draft = "&".join(f"{name}={urllib.request.quote(text)}" for name, text in (
        ("title", DRAFT["name"]), ("text", DRAFT["body"])))
    return {
        "front": "/", "post": f"/post/{posts[0]['post']['id']}",
        "submit": f"/create_post?community={posts[0]['community']['name']}&{draft}",
        "queue": "/moderation", "rule": "/admin/rules/1",
    }


def take(browser: Browser, url: str) -> None:
    """Take every picture: of the first three pages all four, of the others one."""
    context = browser.new_context()
    paths = prepare(context, url)
    state = context.storage_state()
    for size, viewport in SIZES.items():
        for scheme in ("light", "dark"):
            person = browser.new_context(
                viewport=viewport, color_scheme=scheme, storage_state=state)  # type: ignore[arg-type]
            page = person.new_page()
            for name, path in paths.items():
                if name in ("queue", "rule") and (size, scheme) != ("desk", "light"):
                    continue
                page.goto(url + path, wait_until="networkidle")
                page.screenshot(path=FOLDER / f"{name}-{size}-{scheme}.png")
            person.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as data, served(Path(data)) as address, \
            sync_playwright() as playwright:
        take(playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]), address)
