"""Stored script: spells in every text field and file name of a running house, then every page read.

Issue 3 §6. Whoever adds a field without a spell here fails the first two tests: the fields are those
of the OpenAPI description and of the forms that stand on the pages.
"""

import asyncio
import io
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zipfile import ZipFile

import aiohttp
import pytest
import yarl
from playwright.async_api import Browser, Page, Route, async_playwright

from tests.faults.casting import cast_everything
from tests.faults.serving import PUBLIC_URL, Serving, place_of
from tests.faults.spells import LOOK, MARK
from tests.faults.stage import PASSWORD, Stage, route_of
from tests.faults.test_hostile_input import routes
from tests.house.test_one_evening import CHROMIUM, CHROMIUM_WORDS
from tests.plugins.planting import plant

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
VIEWERS = ("", "poet", "warden", "gardener")  # a stranger, a person, a moderator, an administrator
AT_ONCE = 8
PAGES_MAX = 2_000  # of one viewer; a walk that does not end has found a trap

# Fields of calls that cannot hold what a page shows, and why.
EXCUSED = {
    "password": "kept as a hash alone", "password_verify": "as above", "old_password": "as above",
    "new_password": "as above", "new_password_verify": "as above",
}
# Calls whose texts name what must be known, or are kept by a command of others.
CALLS_EXCUSED = {
    "POST /federation/accepts": "names a server that is known, or is refused",
    "POST /federation/catch-up": "as above",
    "POST /federation/resend": "as above",
    "POST /federation/try": "as above",
    "POST /user/elsewhere": "names somebody elsewhere, who has to be found there",
    "POST /user/aliases": "as above",
    "POST /user/move": "as above",
    "POST /user/elsewhere/code": "compared and forgotten",
    "POST /user/elsewhere/enter": "kept by the command of /user/register, which has its spells",
    "POST /succession/found": "kept by the command of /community; no server is gone here",
    "POST /succession/claim": "looked up; the id of the community that was found is kept",
    "POST /succession/move": "as above",
}
FORMS_EXCUSED = {
    ("/login/elsewhere", "address"): "names somebody elsewhere, who has to be found there",
    ("/settings/elsewhere/alias", "address"): "as above",
    ("/settings/elsewhere/move", "address"): "as above",
    ("/settings/import", "file"): "read as /user/import_settings is, which has its spells",
    ("/x/{plugin}", "secret"): "of the plugin's page of wild HTML",
    ("/x/{plugin}/{rest}", "word"): "as above",
}
# What is kept for programs and never shown, or only in a letter.
UNSEEN = {
    "POST /user/register captcha_answer": "forgotten at once",
    "POST /user/register captcha_uuid": "forgotten at once",
    "POST /user/password_reset email": "nobody has that address",
    "form /forgotten email": "as above",
    "POST /post custom_thumbnail": "taken and not used",
    "PUT /post custom_thumbnail": "taken and not used",
    **{f"form {path} picture_alt": "goes with a picture alone" for path in (
        "/create_post", "/post/{post_id}/edit", "/post/{post_id}/comment",
        "/comment/{comment_id}/edit", "/comment/{comment_id}/reply")},
    **{f"PUT /site {name}": "the form of administrators came later" for name in (
        "application_question", "banner", "captcha_difficulty", "content_warning",
        "legal_information", "taglines[]")},
    "form /settings/second_factor address": "shown again when a code was wrong",
    **{f"POST /user/import_settings {name}[]": "what is not known here is left out" for name in (
        "followed_communities", "saved_posts", "saved_comments", "blocked_communities",
        "blocked_users", "blocked_instances")},
    **{f"POST /user/import_settings settings.{name}": "no such choice, left out" for name in (
        "default_sort_type", "default_listing_type", "post_listing_mode")},
}
# Where no link leads.
PLACES = (
    "/verify_email/zqx", "/password_change/zqx", "/x/keeping", "/x/keeping/wild",
    "/feeds/all.xml", "/feeds/all.atom", "/feeds/local.xml", "/feeds/u/poet.xml",
    "/feeds/u/poet.atom", "/feeds/c/town.xml", "/feeds/c/town.atom", "/search?q=zqx", "/search?q=zqx&type=All", "/c/town/statistics.json",
    "/moderation?kind=&escalated=1", "/api/v3/resolve_object?q=!town@lichen.example",
    *(f"/c/town/{name}" for name in ("outbox", "followers", "featured", "moderators", "did.json")),
    "/u/poet/outbox", "/u/poet/did.json", "/.well-known/did.json",
    "/.well-known/webfinger?resource=acct:poet@lichen.example",
    "/grown/zqx.svg", "/grown/zqx/young.svg", "/grown/zqx/banner.svg",
)
UNWALKED = {
    "/federation/{authority}": "no other server is known here; tests/faces/pages reads it",
    "/api/lichen/federation/server": "as above",
    "/api/lichen/federation/activity": "as above",
    "/login/elsewhere/back": "as above",
    "/login/elsewhere/code": "as above",
    "/login/elsewhere/enter": "as above",
    "/c/{name}/succession": "as above",
    "/api/lichen/succession": "as above",
    "/r/{name}/did.json": "nobody of another server is here",
    "/activities/{kind}/{key}": "JSON for other servers; tests/federation reads it",
    "/setup/{token}": "its link ends with the first administrator",
    "/static/{name}": "files of ours",
    "/pictrs/image/delete/{token}/{file}": "shows nothing",
    "/api/v3/image_proxy": "the host of the spells is nowhere",
}
KINDS = {"text/html": "html", "application/rss+xml": "xml", "application/atom+xml": "xml",
         "application/opensearchdescription+xml": "xml", "image/svg+xml": "svg"}

# Pages that show most of what people wrote; each is also touched all over.
RUN = {
    "gardener": ("/", "/c/town", "/u/poet", "/moderation", "/modlog", "/admin/about", "/admin/emoji",
                 "/admin/roles", "/admin/rules", "/admin/applications", "/legal", "/search?q=zqx",
                 "/x/keeping", "/x/keeping/wild", "/settings"),
    "reader": ("/", "/inbox", "/messages/poet", "/communities", "/c/village", "/u/warden"),
    "poet": ("/moderation/mine", "/pictures", "/messages/reader"),
}
TOUCH = """() => {
  for (const one of document.querySelectorAll("body *")) {
    if (one.localName === "details") one.open = true;
    for (const kind of ["mouseover", "mouseenter", "focus", "toggle", "error", "load", "pointerdown"])
      one.dispatchEvent(new Event(kind));
  }
  return Boolean(window.ran);
}"""


class Seen(NamedTuple):
    """A page as somebody was shown it."""

    viewer: str
    path: str
    kind: str
    text: str
    status: int = 200


class Walk(NamedTuple):
    """What a walk through the whole house has found."""

    stage: Stage
    seen: list[Seen]
    bad: list[str]
    forms: set[tuple[str, str]]
    described: dict[str, Any]


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_WORDS))
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
async def walk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Walk]:
    """Cast every spell in a running house, then walk through it as everybody."""
    folder = tmp_path_factory.mktemp("spells")
    plant(folder / "site", "keeping", "tests.plugins.wild.keeping")
    with place_of("sqlite", folder) as place:
        serving = Serving(place, options=("--profile", "default", "--metrics-port", "0", "--stream-port", "0"), environ={
            "LICHEN_ADMIN_NAME": "gardener", "LICHEN_ADMIN_PASSWORD": PASSWORD,
            "LICHEN_LIMITS_RATES": "false", "LICHEN_LIMITS_NEWCOMERS": "false",
            "LICHEN_PLUGINS_ON": "keeping", "PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}",
        })
        try:
            await serving.ready()
            async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
                stage = Stage(place, session)
                await cast_everything(stage)
                found = await _walk(stage, browser)
                yield found
            assert "page_broke" not in serving.said(), serving.said()
            assert "Traceback" not in serving.said(), serving.said()
        finally:
            serving.end()


async def test_every_text_that_a_call_takes_has_held_a_spell(walk: Walk) -> None:
    calls = {
        f"{method.upper()} {re.sub('^/api/(v3|lichen)', '', path)}": set(_texts(operation))
        for path, methods in walk.described["paths"].items() if path.startswith("/api/")
        for method, operation in methods.items() if method != "get"
    }
    assert len(calls) > 60

    missing = {call: fields - EXCUSED.keys() - {name for at, name in walk.stage.filled if at == call}
               for call, fields in calls.items() if call not in CALLS_EXCUSED}
    assert {call: fields for call, fields in missing.items() if fields} == {}


async def test_every_text_that_a_form_asks_for_has_held_a_spell(walk: Walk) -> None:
    filled = {(call.removeprefix("form "), name) for call, name in walk.stage.filled}
    assert len(walk.forms) > 40

    assert walk.forms - filled - FORMS_EXCUSED.keys() == set()


async def test_no_spell_becomes_anything(walk: Walk) -> None:
    assert walk.bad == []


async def test_every_route_of_the_pages_was_seen_and_every_spell_is_on_one(walk: Walk) -> None:
    """A walk that sees nothing finds nothing: what was kept is shown to somebody somewhere."""
    seen = {mark for one in walk.seen for mark in MARK.findall(one.text)}
    seen_fields = {said for mark, said in walk.stage.kept.items() if mark in seen}
    unseen = {*walk.stage.kept.values()} - seen_fields
    walked = {route_of("GET", one.path) for one in walk.seen if one.status == 200}

    assert unseen - UNSEEN.keys() == set()
    assert set(routes("GET")) - walked - UNWALKED.keys() == set()


async def test_nothing_runs_in_a_browser_even_without_our_policy(
    walk: Walk, browser: Browser
) -> None:
    """The policy of the pages stops what gets through; here it is switched off."""
    ran: list[str] = []
    stage = walk.stage
    for viewer, paths in RUN.items():
        context = await browser.new_context(bypass_csp=True)
        await context.add_cookies([
            {"name": "lichen_session", "value": stage.cookies[viewer], "url": stage.place.url}])
        await context.add_init_script("window.zqx = () => { window.ran = true }; alert = zqx;")
        await context.route("**/*", partial(_only_ours, stage.place.url, ran))
        page = await context.new_page()
        for path in (*paths, f"/post/{stage.ids['post_id']}", *stage.places[:1]):
            await page.goto(stage.place.url + path, wait_until="load")
            assert await page.locator("h1").count() == 1, path
            if await page.evaluate(TOUCH):
                ran.append(f"{viewer} {path}")
        await context.close()

    assert ran == []


async def _only_ours(url: str, ran: list[str], route: Route) -> None:
    """Let nothing out; a picture may be shown from anywhere, all else comes from us."""
    asked = route.request
    if asked.resource_type != "image" and ("zqx" in asked.url.partition("?")[0]
                                           or not asked.url.startswith(url)):
        ran.append(f"{asked.resource_type} {asked.url}")
    await (route.continue_() if asked.url.startswith(url) else route.abort())


def _texts(operation: dict[str, Any]) -> list[str]:
    """Return the paths of a call's fields that take text of one's own."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return list(_text_fields(body.get("schema", {}), ""))


def _text_fields(schema: dict[str, Any], path: str) -> Iterator[str]:
    if schema.get("type") == "string" and "enum" not in schema:
        yield path
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _text_fields(choice, path)
    if isinstance(schema.get("items"), dict):
        yield from _text_fields(schema["items"], f"{path}[]")
    for name, field in schema.get("properties", {}).items():
        yield from _text_fields(field, f"{path}.{name}" if path else name)


async def _walk(stage: Stage, browser: Browser) -> Walk:
    async with stage.session.get(f"{stage.place.url}/schema/openapi.json") as answer:
        described = json.loads(await answer.read())
    page = await browser.new_page()
    found = Walk(stage, [], [], set(), described)
    await _look(found, page, [Seen("", path, "html", text) for path, text in stage.answers])
    for viewer in VIEWERS:
        await _walk_as(found, page, viewer)
    await page.close()
    return found


async def _walk_as(found: Walk, page: Page, viewer: str) -> None:
    """Follow every link that is of another shape than those that were followed before."""
    known: set[tuple[str, ...]] = set()
    known_pieces: set[str] = set()  # routes that were asked for as a piece, too
    ahead = [route for route in routes("GET") if "{" not in route]
    ahead += [*PLACES, *found.stage.places, *_asked(found)]
    post = f"/post/{found.stage.ids['post_id']}"
    ahead += [f"{post}/live", f"{post}/new?since=1", f"/feeds{post}.xml", f"/feeds{post}.atom",
              f"{post}/context"]
    while ahead:
        fresh = []
        for path in ahead:
            parts = urlsplit(path)
            shape = (parts.path, *sorted(set(re.findall(r"kind=\w*|\w+(?==)", parts.query))))
            if shape not in known and not parts.path.startswith("/static/"):
                known.add(shape)
                fresh.append(path)
        assert len(known) < PAGES_MAX, fresh
        turn = asyncio.Semaphore(AT_ONCE)
        pieces = {route_of("GET", path): path for path in fresh if not path.startswith("/api/")}
        asked = [(path, False) for path in fresh] + [
            (path, True) for route, path in pieces.items() if route not in known_pieces]
        known_pieces |= pieces.keys()
        seen = await asyncio.gather(*(
            _fetch(found, turn, viewer, path, htmx=htmx) for path, htmx in asked))
        ahead = await _look(found, page, [one for some in seen for one in some])


def _asked(found: Walk) -> list[str]:
    """Return the reading calls of the APIs, asked for what there is."""
    ids = found.stage.ids
    known = {"person_id": ids["poet"], "community_id": ids["community_id"], "q": "zqx", "limit": 50,
             "post_id": ids["post_id"], "comment_id": ids["comment_id"], "rule_id": 1,
             "url": "https://zqx.example/", "trial_id": 1, "proposal_id": ids["proposal_id"]}
    once = {"/api/lichen/reaction": {"comment_id"}, "/api/v3/search": {"community_id", "creator_id"}}
    paths = [f"/api/v3/admin/registration_application?person_id={ids['applicant']}",
             f"/api/lichen/why?post_id={ids['held']}"]
    for path, methods in found.described["paths"].items():
        kind = f"{path.rpartition('/')[2]}_id"
        asked = [f"{one['name']}={ids[kind] if one['name'] == 'id' else known[one['name']]}"
                 for one in methods.get("get", {}).get("parameters", ())
                 if (one["name"] in known or (one["name"] == "id" and kind in ids))
                 and one["name"] not in once.get(path, ())]
        if "get" in methods and path.startswith("/api/"):
            paths.append(f"{path}?{'&'.join(asked)}")
    return paths


async def _fetch(
    found: Walk, turn: asyncio.Semaphore, viewer: str, path: str, *, htmx: bool
) -> list[Seen]:
    """Fetch a page and judge its headers; an archive is several pages."""
    token = found.stage.cookies.get(viewer, "")
    headers = {"cookie": f"lichen_session={token}"} if viewer else {}
    if path.startswith("/api/"):
        headers = {"authorization": f"Bearer {token}"} if viewer else {}
    elif htmx:
        headers |= {"hx-request": "true"}
    async with turn, found.stage.session.get(
        yarl.URL(found.stage.place.url + path, encoded=True), headers=headers,
        allow_redirects=False,
    ) as answer:
        kind = answer.content_type
        body = b"" if kind == "text/event-stream" else await answer.read()
        found.bad.extend(f"{path}: {one}" for one in _wrong_headers(answer, kind))
        assert answer.status in (*range(500), 502, 503), (path, body[:300])
    if kind == "application/zip":
        return [Seen(viewer, f"{path}/{name}", "html", pages.read(name).decode())
                for pages in [ZipFile(io.BytesIO(body))]
                for name in pages.namelist() if name.endswith(".html")] + [
                    Seen(viewer, path, "", "")]
    if kind.startswith("image/") and kind != "image/svg+xml":
        body = b""
    return [Seen(viewer, path, KINDS.get(kind, ""), body.decode(), answer.status)]


def _wrong_headers(answer: aiohttp.ClientResponse, kind: str) -> list[str]:
    """Return what an answer's headers lack, so that a browser does not guess or run anything."""
    wrong = []
    if answer.headers.getall("x-content-type-options", []) != ["nosniff"]:
        wrong.append(f"no nosniff for {kind}")
    policy = answer.headers.get("content-security-policy", "")
    is_shown = kind in ("text/html", "image/svg+xml") and answer.content_length
    if is_shown and ("default-src 'none'" not in policy or "unsafe" in policy):
        wrong.append(f"no policy for {kind}: {policy}")
    if "/api/" in answer.url.path and "image_proxy" not in answer.url.path and (
        kind != "application/json"
    ):
        wrong.append(f"{kind} from an API")
    wrong.extend(name for name in answer.headers if "zqx" in name.lower())
    return wrong


async def _look(found: Walk, page: Page, seen: list[Seen]) -> list[str]:
    """Let Chromium parse what was seen; note what is wrong, and return the links."""
    links = []
    for one in seen:
        found.seen.append(one)
        if "script>49" in unescape(one.text):
            found.bad.append(f"{one.path}: a template was evaluated")
    looked = [one for one in seen if one.kind]
    told = await page.evaluate(LOOK, [
        {"where": PUBLIC_URL + one.path, "kind": one.kind, "text": one.text} for one in looked])
    for one, said in zip(looked, told, strict=True):
        found.bad.extend(f"{one.viewer} {one.path}: {bad}" for bad in said["bad"])
        found.forms.update((route_of("POST", path), name) for path, name in said["forms"])
        links += said["links"]
    return links
