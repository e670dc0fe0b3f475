"""A post's page is told of new comments: a stream over a real port, by a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from playwright.async_api import async_playwright

from lichen.forum.limits import LISTENERS_OF_ADDRESS_MAX
from tests.faces.lemmy_v3.town import PASSWORD, fresh_name
from tests.faults.serving import Serving, place_of
from tests.house.test_one_evening import CHROMIUM, CHROMIUM_WORDS

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

WAIT_S = 20.0


@pytest.fixture(scope="module")
async def http(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    with place_of("sqlite", tmp_path_factory.mktemp("live")) as place:
        served = Serving(place)
        try:
            await served.ready()
            async with httpx.AsyncClient(base_url=place.url, timeout=WAIT_S) as client:
                yield client
        finally:
            served.end()


async def member(http: httpx.AsyncClient) -> dict[str, str]:
    answer = await http.post("/api/v3/user/register", json={
        "username": fresh_name("person"), "password": PASSWORD, "password_verify": PASSWORD,
    })
    return {"authorization": f"Bearer {answer.json()['jwt']}"}


async def new_post(http: httpx.AsyncClient, me: dict[str, str]) -> int:
    place = (await http.post("/api/v3/community", headers=me, json={
        "name": fresh_name("place"), "title": "A place",
    })).json()["community_view"]["community"]["id"]
    post = await http.post("/api/v3/post", headers=me, json={
        "name": "A post", "community_id": place,
    })
    return int(post.json()["post_view"]["post"]["id"])


async def say(http: httpx.AsyncClient, me: dict[str, str], post_id: int) -> int:
    answer = await http.post("/api/v3/comment", headers=me, json={
        "post_id": post_id, "content": "Words.",
    })
    return int(answer.json()["comment_view"]["comment"]["id"])


@asynccontextmanager
async def listening(http: httpx.AsyncClient, path: str, **headers: str):
    async with http.stream("GET", path, headers=headers) as stream:
        yield stream, stream.aiter_lines()


async def told(lines: AsyncIterator[str], count: int) -> list[int]:
    """Return the comments that the next events name."""
    found: list[int] = []
    async with asyncio.timeout(WAIT_S):
        async for line in lines:
            if line.startswith("id: "):
                found.append(int(line[4:]))
            if len(found) == count:
                return found
    return found


async def test_a_page_is_told_of_comments_as_they_come(http: httpx.AsyncClient) -> None:
    me = await member(http)
    post_id = await new_post(http, me)

    async with listening(http, f"/post/{post_id}/live") as (stream, lines):
        ids = [await say(http, me, post_id) for _ in range(2)]
        heard = await told(lines, 2)

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["cache-control"] == "no-store"
    assert heard == ids


async def test_a_line_that_broke_goes_on_where_it_was(http: httpx.AsyncClient) -> None:
    me = await member(http)
    post_id = await new_post(http, me)
    ids = [await say(http, me, post_id) for _ in range(3)]

    async with listening(
        http, f"/post/{post_id}/live", **{"last-event-id": str(ids[0])}
    ) as (_, lines):
        missed = await told(lines, 2)
        later = await say(http, me, post_id)
        heard = await told(lines, 1)

    assert missed == ids[1:]
    assert heard == [later]


async def test_the_comments_are_loaded_by_a_press_without_ones_own(
    http: httpx.AsyncClient
) -> None:
    me, other = await member(http), await member(http)
    post_id = await new_post(http, me)
    first, second = await say(http, other, post_id), await say(http, other, post_id)
    own = await say(http, me, post_id)
    cookies = {"cookie": f"lichen_session={me['authorization'][7:]}"}
    htmx = {"hx-request": "true", **cookies}

    new = await http.get(f"/post/{post_id}/new?after={first}", headers=htmx)
    plain = await http.get(f"/post/{post_id}/new", headers=cookies)

    assert new.headers["hx-retarget"] == "#fresh"
    assert f'id="c{second}"' in new.text
    assert f'id="c{first}"' not in new.text and f'id="c{own}"' not in new.text
    assert plain.status_code == 303


async def test_nobody_listens_to_what_they_cannot_see_and_few_from_one_place(
    http: httpx.AsyncClient
) -> None:
    me = await member(http)
    post_id = await new_post(http, me)
    missing = await http.get("/post/999999/live")

    async with asyncio.TaskGroup() as group, asyncio.timeout(WAIT_S):
        begun = asyncio.Semaphore(0)
        done = asyncio.Event()

        async def listen() -> None:
            async with listening(http, f"/post/{post_id}/live"):
                begun.release()
                await done.wait()

        for _ in range(LISTENERS_OF_ADDRESS_MAX):
            group.create_task(listen())
        for _ in range(LISTENERS_OF_ADDRESS_MAX):
            await begun.acquire()
        refused = await http.get(f"/post/{post_id}/live")
        done.set()

    assert missing.status_code == 404
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "60"


async def test_switched_off_it_tells_browsers_not_to_ask_again(garden) -> None:
    from lichen.kit.flags import Flag

    path = await garden.post(await garden.person())
    flags = garden.house.ground.flags
    flags.change(Flag.LIVE_THREADS, on=False)

    answer = await garden.stranger().see(f"{path}/live")

    flags.change(Flag.LIVE_THREADS, on=True)
    assert answer.status_code == 204


async def test_a_browser_counts_what_is_new_and_moves_nothing_until_it_is_pressed(
    http: httpx.AsyncClient
) -> None:
    me = await member(http)
    post_id = await new_post(http, me)
    old = await say(http, me, post_id)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_WORDS)
        )
        page = await browser.new_page(viewport={"width": 360, "height": 700})
        broken: list[str] = []
        page.on("console", lambda said: broken.append(said.text) if said.type == "error" else None)
        async with page.expect_request("**/live?since=*"):
            await page.goto(f"{http.base_url}/post/{post_id}")
        before = await page.locator(f"#c{old}").bounding_box()
        new = await say(http, me, post_id)
        await page.locator(".fresh:visible").wait_for()
        words = await page.locator(".fresh").inner_text()
        after = await page.locator(f"#c{old}").bounding_box()
        unmoved = await page.locator(f"#c{new}").count()
        await page.locator(".fresh").click()
        await page.locator(f"#fresh #c{new}").wait_for()
        still_counts = await page.locator(".fresh").is_visible()
        await browser.close()

    assert before is not None and before == after
    assert (words, unmoved, still_counts, broken) == ("1 new comment", 0, False, [])
