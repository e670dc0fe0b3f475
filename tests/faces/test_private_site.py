"""A private site, over every route there is: strangers find the door, members all of it."""

import re
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx
import msgspec
import pytest
from litestar import Litestar

from lichen.faces.private_site import DOORS
from tests.faces.pages.garden import PASSWORD, Garden, Guest, opened
from tests.faces.pages.test_pictures import send
from tests.media.pictures import made

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MARKER = "moss behind the wall"


class Closed(NamedTuple):
    """A private site, a member of it, and what stands for the holes in addresses."""

    garden: Garden
    member: Guest
    holes: dict[str, str]

    def routes(self) -> list[tuple[str, str, str]]:
        """Return (route, method, address) of everything that the house answers."""
        application = self.garden.house.application
        assert isinstance(application, Litestar)
        return sorted({
            (route.path_format, method, self.address(route.path_format))
            for route in application.routes for handler in getattr(route, "route_handlers", ())
            for method in handler.http_methods if method != "OPTIONS"
        })

    def address(self, path: str) -> str:
        """Return an address that a route answers, of things that are there."""
        if path in ("/feeds/post/{file}", "/feeds/c/{file}", "/feeds/u/{file}", "/feeds/{file}"):
            return path.replace("{file}", self.holes[path])
        if path == "/u/{name}":
            return f"/u/{self.member.name}"
        return re.sub(r"{([a-z_]+)}", lambda found: self.holes.get(found[1], "1"), path)


@pytest.fixture(scope="module")
async def closed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Closed]:
    async with opened(tmp_path_factory.mktemp("garden")) as garden:
        member = await garden.person()
        post = await garden.post(member, title=MARKER, body=MARKER)
        place = f"place_{garden._names}"
        await garden.comment(member, post, MARKER)
        await send(member, "/pictures", {}, file=made("png"))
        alias = re.search(r"/pictures/([^/]+)/delete", (await member.see("/pictures")).text)[1]
        await _edit(garden, private_instance=True, federation_enabled=False)
        number = post.rpartition("/")[2]
        yield Closed(garden, member, {
            "name": place, "file": alias, "post_id": number, "comment_id": "1",
            "/feeds/post/{file}": f"{number}.xml", "/feeds/c/{file}": f"{place}.atom",
            "/feeds/u/{file}": f"{member.name}.xml", "/feeds/{file}": "all.xml", "key": "site",
        })


async def test_no_route_shows_a_stranger_what_is_behind_the_door(closed: Closed) -> None:
    """Every route is asked, so that one which nobody thought of is closed too."""
    stranger = closed.garden.stranger()

    told = {}
    for route, method, address in closed.routes():
        answer = await stranger.http.request(method, address, follow_redirects=False)
        said = answer.text + answer.headers.get("location", "").partition("?")[0]
        assert MARKER not in said, (method, address)
        assert f"The {closed.holes['name']}" not in said, (method, address)
        is_turned_away = _is_turned_away(answer, route, method)
        told[method, route] = is_turned_away
        assert is_turned_away is (route not in DOORS), (method, address, answer.status_code)

    assert len(told) > 200
    assert {route for _, route in told} >= DOORS, "a door that is none any more"


async def test_a_member_sees_everything_by_cookie_and_by_token(closed: Closed) -> None:
    member = closed.member
    token = {"authorization": f"Bearer {member.http.cookies['lichen_session']}"}
    app = closed.garden.stranger().http

    for route, _, address in (one for one in closed.routes() if one[1] == "GET"):
        if not address.endswith("/live"):
            answer = await member.http.get(address)
            assert not _is_turned_away(answer, route, "GET"), address
    posts = await app.get("/api/v3/post/list?limit=1", headers=token)
    picture = await app.get(closed.address("/pictrs/image/{file}"), headers=token)

    assert MARKER in posts.text
    assert 200 == picture.status_code
    # A cache in between would show it to strangers.
    assert picture.headers["cache-control"].startswith("private")


async def test_the_frame_of_the_door_tells_nothing_of_the_life_inside(closed: Closed) -> None:
    """The rail of a page lists the busiest communities; also that of the login page, once."""
    stranger = closed.garden.stranger()

    for path in ("/login", "/signup", "/legal", "/nothing-here"):
        assert "/c/" not in (await stranger.see(path)).text, path


async def test_apps_hear_of_a_private_site_what_lemmy_says(closed: Closed) -> None:
    app = closed.garden.stranger().http

    refused = await app.get("/api/v3/post/list")
    preflight = await app.options("/api/v3/post/list")
    site = await app.get("/api/v3/site")

    assert (400, "instance_is_private") == (refused.status_code, refused.json()["error"])
    assert "*" == refused.headers["access-control-allow-origin"]
    assert 204 == preflight.status_code
    assert site.json()["site_view"]["local_site"]["private_instance"] is True


async def test_the_sign_at_the_door_is_seen_by_everybody(closed: Closed) -> None:
    address = closed.address("/pictrs/image/{file}")
    stranger = closed.garden.stranger().http
    before = await stranger.get(address)

    await _edit(closed.garden, icon=f"http://garden.example{address}")

    assert (401, 200) == (before.status_code, (await stranger.get(address)).status_code)


async def test_a_site_that_opens_again_is_open(closed: Closed) -> None:
    await _edit(closed.garden, private_instance=False)

    answer = await closed.garden.stranger().see("/")

    assert MARKER in answer.text
    await _edit(closed.garden, private_instance=True)


def _is_turned_away(answer: httpx.Response, route: str, method: str) -> bool:
    """Say whether an answer is that of the closed door, in the words of its face."""
    if answer.headers.get("location", "").startswith("/login?next="):
        return 303 == answer.status_code and not route.startswith(("/api/", "/pictrs/"))
    said = "instance_is_private" in answer.text or (method == "HEAD" and answer.status_code == 401)
    return said and answer.status_code == (400 if route.startswith("/api/") else 401)


async def _edit(garden: Garden, **changes: object) -> None:
    accounts, store = garden.house.rooms.accounts, garden.house.store
    keeper = Guest(garden.house, "gardener")
    await keeper.send("/login", {"name": "gardener", "password": PASSWORD})
    viewer = await accounts.viewer(keeper.http.cookies["lichen_session"])
    settings = msgspec.structs.replace(accounts.current_site.settings, **changes)
    await store.write(lambda unit: accounts.edit_site(unit, viewer, settings))
