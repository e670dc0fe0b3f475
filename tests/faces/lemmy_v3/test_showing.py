"""Where the proxy shows all pictures, no answer of the API names one that is elsewhere."""

from collections.abc import AsyncIterator

import httpx
import pytest

from lichen.faces.lemmy_v3.showing import PICTURES, TEXTS, plan_of
from lichen.faces.lemmy_v3.wire import Answer
from tests.faces.pages.garden import PASSWORD, Garden, Guest, opened

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

HOST = "elsewhere.example"
CAT = f"https://{HOST}/cat.png"
TEXT = f"""![a cat](<{CAT}> "Tom") and ![ref][x], in ![a [b] c]( https://{HOST}/ü_(1).png )

- [![linked](//{HOST}/small.png)](https://words.example/page)

[x]: https://{HOST}/ref.gif
"""


@pytest.fixture(scope="module")
async def garden(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Garden]:
    async with opened(
        tmp_path_factory.mktemp("garden"), LICHEN_IMAGE_MODE="ProxyAllImages"
    ) as here:
        yield here


class App:
    """An app, logged in."""

    def __init__(self, guest: Guest) -> None:
        self._http = guest.http
        self._headers = {"authorization": f"Bearer {guest.http.cookies['lichen_session']}"}

    async def ask(self, method: str, path: str, **asked: object) -> httpx.Response:
        kind = {"params": asked} if method == "GET" else {"json": asked}
        answer = await self._http.request(
            method, f"/api/v3{path}", headers=self._headers, **kind)
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture(scope="module")
async def app(garden: Garden) -> App:
    keeper = Guest(garden.house, "gardener")
    await keeper.send("/login", {"name": "gardener", "password": PASSWORD})
    return App(keeper)


@pytest.fixture(scope="module")
async def post_id(garden: Garden, app: App) -> int:
    """Fill every place where a picture may stand, and return a post with pictures."""
    await app.ask("PUT", "/user/save_user_settings", avatar=CAT, banner=CAT, bio=TEXT)
    await app.ask("PUT", "/site", icon=CAT, banner=CAT, sidebar=TEXT, taglines=[TEXT])
    await app.ask("POST", "/custom_emoji", shortcode="cat", image_url=CAT, alt_text="", category="",
                  keywords=[])
    place = (await app.ask("POST", "/community", name="cats", title="Cats", icon=CAT, banner=CAT,
                           description=TEXT)).json()["community_view"]["community"]["id"]
    post = (await app.ask("POST", "/post", name="A cat", url=CAT, body=TEXT,
                          community_id=place)).json()["post_view"]["post"]["id"]
    await app.ask("POST", "/comment", post_id=post, content=TEXT)
    other = await garden.person()
    person = (await app.ask("GET", "/user", username=other.name)).json()["person_view"]["person"]
    await app.ask("POST", "/private_message", recipient_id=person["id"], content=TEXT)
    await app.ask("POST", "/post/report", post_id=post, reason="x")
    return int(post)


async def test_no_answer_names_a_picture_that_is_elsewhere(app: App, post_id: int) -> None:
    calls = (("/site", {}), ("/post", {"id": post_id}), ("/post/list", {}), ("/comment/list", {}),
             ("/community", {"name": "cats"}), ("/community/list", {"type_": "All"}),
             ("/user", {"username": "gardener"}), ("/private_message/list", {}), ("/modlog", {}),
             ("/search", {"q": "cat"}), ("/post/report/list", {}))

    for path, asked in calls:
        said = (await app.ask("GET", path, **asked)).text
        assert f"//{HOST}" not in said and f"\\\\{HOST}" not in said, path
        assert HOST in said or path == "/modlog", path
    stranger = (await app._http.get("/api/v3/post/list", headers={"authorization": ""})).text
    assert f"//{HOST}" not in stranger and HOST in stranger


async def test_what_an_app_edits_is_kept_as_people_wrote_it(
    garden: Garden, app: App, post_id: int
) -> None:
    """An app sends back what it was shown; the mode may be another tomorrow."""
    shown = (await app.ask("GET", "/post", id=post_id)).json()["post_view"]["post"]

    await app.ask("PUT", "/post", post_id=post_id, url=shown["url"], body=shown["body"] + "more")

    forum = garden.house.rooms.forum
    view = await garden.house.store.read(lambda unit: forum.post_view(unit, None, post_id))
    assert CAT == view.post.url
    assert "image_proxy" not in (view.post.body or "")
    assert f"![a cat]({CAT} \"Tom\")" in view.post.body and view.post.body.endswith("more")
    assert f"[x]: https://{HOST}/ref.gif" in view.post.body
    exported = (await app.ask("GET", "/user/export_settings")).json()
    assert CAT == exported["avatar"]


def test_every_field_of_the_answers_that_sounds_like_a_picture_or_a_text_is_moved() -> None:
    """A new message with an avatar or a body needs no line here: its names say it."""
    kinds = [kind for kind in _below(Answer) if set(kind.__struct_fields__) & (PICTURES | TEXTS)]

    assert len(kinds) > 10
    for kind in kinds:
        plan = plan_of(kind)
        named = set(plan.pictures) | set(plan.texts) | set(plan.nested) | {"image"}
        assert set(kind.__struct_fields__) & (PICTURES | TEXTS) <= named, kind
    assert not [
        (kind, name) for kind in _below(Answer) for name in kind.__struct_fields__
        if any(word in name for word in ("avatar", "banner", "icon", "thumbnail", "image_url"))
        and name not in PICTURES and name != "show_avatars"
    ]


def _below(kind: type) -> list[type]:
    return [one for sub in kind.__subclasses__() for one in (sub, *_below(sub))]
