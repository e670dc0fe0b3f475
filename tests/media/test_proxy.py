"""Outside pictures: only signed addresses, cleaned, kept until they are old; and the three modes."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from lichen.forum.markdown import render
from lichen.kit import Forbidden, Refused, Unavailable
from lichen.kit.config import Media
from lichen.kit.ground import Ground
from lichen.kit.outbound import Fetched
from lichen.media import Proxy
from lichen.media.errors import PictureRefused
from lichen.web import Addresses
from tests.media.conftest import URL, Studio
from tests.media.pictures import MARKER, made

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


class TestProxy:
    """Outside pictures: only signed addresses, cleaned, kept until they are old."""

    OUTSIDE = "https://elsewhere.example/a.jpg"

    @pytest.fixture
    def media_settings(self) -> Media:
        return Media(image_mode="ProxyAllImages", proxied_age_s=60.0)

    def serve(self, ground: Ground, content: bytes | None, *, calls: list[str] | None = None):  # type: ignore[no-untyped-def]
        async def fetch(url: str, **_: object) -> Fetched:
            if calls is not None:
                calls.append(url)
            return Fetched(200 if content else 404, {}, content or b"", url)

        ground.outbound.fetch = fetch  # type: ignore[method-assign]

    async def shown(self, studio: Studio, url: str = OUTSIDE) -> tuple[bytes, str]:
        query = parse_qs(urlsplit(studio.room.proxy.shown(url)).query)
        body, kind, _ = await studio.room.proxy.content(query["url"][0], query["sig"][0], None)
        return body, kind

    async def test_an_outside_picture_comes_clean_and_is_fetched_once(
        self, studio: Studio, ground: Ground
    ) -> None:
        calls: list[str] = []
        self.serve(ground, made("jpg", secret=True), calls=calls)

        found = await asyncio.gather(*(self.shown(studio) for _ in range(5)))
        again = await self.shown(studio)

        assert calls == [self.OUTSIDE]
        assert {kind for _, kind in [*found, again]} == {"image/jpeg"}
        assert MARKER not in again[0]

    async def test_what_grew_old_is_fetched_anew_or_let_go(
        self, studio: Studio, ground: Ground, clock  # type: ignore[no-untyped-def]
    ) -> None:
        calls: list[str] = []
        self.serve(ground, made("jpg"), calls=calls)
        await self.shown(studio)
        clock.advance(seconds=61)
        self.serve(ground, made("png"), calls=calls)
        changed = await self.shown(studio)
        files = len(studio.files())
        clock.advance(seconds=61)

        gone = await studio.room.proxy.forget_aged()

        assert (len(calls), changed[1], files, gone) == (2, "image/png", 1, 1)
        assert studio.files() == []

    @pytest.mark.parametrize("signature", ["", "x", "ä", "A" * 20])
    async def test_what_we_did_not_sign_is_not_fetched(
        self, studio: Studio, ground: Ground, signature: str
    ) -> None:
        calls: list[str] = []
        self.serve(ground, made("jpg"), calls=calls)

        with pytest.raises(Forbidden):
            await studio.room.proxy.content(self.OUTSIDE, signature, None)

        assert calls == []

    @pytest.mark.parametrize("url", [
        "http://127.0.0.1/a.jpg", "https://127.0.0.1/a.jpg", "https://[::1]/a.jpg",
        "https://169.254.169.254/latest", "https://10.0.0.1/x.png",
    ])
    async def test_private_addresses_are_refused_even_if_signed(
        self, studio: Studio, url: str
    ) -> None:
        with pytest.raises(Refused):
            await self.shown(studio, url)

    async def test_what_is_no_picture_is_refused_and_not_kept(
        self, studio: Studio, ground: Ground
    ) -> None:
        self.serve(ground, b"<html><script>alert(1)</script></html>")
        with pytest.raises(PictureRefused):
            await self.shown(studio)
        self.serve(ground, None)
        with pytest.raises(Unavailable):
            await self.shown(studio)

        assert studio.files() == []

    @pytest.mark.parametrize("url", [
        f"{URL}/pictrs/image/a.jpg", "data:image/png;base64,AAAA", "/grown/x.svg",
        "javascript:alert(1)",
    ])
    async def test_our_own_and_what_is_no_address_stay(self, studio: Studio, url: str) -> None:
        assert studio.room.proxy.shown(url) == url

    @pytest.mark.parametrize("url", [
        "http://[", "https://elsewhere.example/" + "a" * 2_000, "//elsewhere.example/a.jpg",
        "\\\\elsewhere.example\\a.jpg", "https:/elsewhere.example/a.jpg",
    ])
    async def test_whatever_a_browser_would_fetch_elsewhere_is_shown_from_here(
        self, studio: Studio, url: str
    ) -> None:
        assert studio.room.proxy.shown(url).startswith(f"{URL}/api/v3/image_proxy")

    @pytest.mark.parametrize("url", [
        OUTSIDE, "https://elsewhere.example/%C3%BC(1).png?a=1&b=2#c", "http://x.example/a b.png",
    ])
    async def test_what_an_app_sends_back_is_what_was_written(
        self, studio: Studio, url: str
    ) -> None:
        proxy = studio.room.proxy
        shown = proxy.shown(url)

        assert (url, f"see {url}) and {url}") == (
            proxy.original(shown), proxy.originals(f"see {shown}) and {shown}"))
        for other in (url, shown + "x", f"{URL}/api/v3/image_proxy?url={url}&sig=", shown[:-3]):
            assert proxy.original(other) == other


class TestModes:
    """`LICHEN_IMAGE_MODE`: what is shown from here."""

    PICTURE = "https://elsewhere.example/a.jpg"

    def proxy(self, studio: Studio, mode: str) -> Proxy:
        studio.room.proxy._mode = mode  # type: ignore[assignment]
        return studio.room.proxy

    @pytest.mark.parametrize(("mode", "pictures", "previews"), [
        ("None", False, False), ("StoreLinkPreviews", False, True), ("ProxyAllImages", True, True),
    ])
    async def test_each_mode_shows_what_it_says(
        self, studio: Studio, ground: Ground, mode: str, pictures: bool, previews: bool
    ) -> None:
        TestProxy().serve(ground, made("jpg"))
        proxy = self.proxy(studio, mode)
        ours = f"{URL}/api/v3/image_proxy?"

        assert proxy.shown(self.PICTURE).startswith(ours) == pictures
        preview = await proxy.kept_preview(self.PICTURE)
        assert preview is not None
        assert preview.startswith(ours) == previews
        assert bool(studio.files()) == previews

    async def test_a_preview_that_is_no_picture_is_none(
        self, studio: Studio, ground: Ground
    ) -> None:
        TestProxy().serve(ground, b"<html>")

        assert await self.proxy(studio, "StoreLinkPreviews").kept_preview(self.PICTURE) is None
        assert studio.files() == []

    async def test_pictures_in_texts_go_through_the_proxy(self, studio: Studio) -> None:
        shown = self.proxy(studio, "ProxyAllImages").shown

        html = render(f"![A cat]({self.PICTURE})\n\n> *![x]({URL}/pictrs/image/b.jpg)*",
                      Addresses(URL), shown=shown)

        assert f'src="{URL}/api/v3/image_proxy?url=https%3A%2F%2Felsewhere.example' in html
        assert 'alt="A cat"' in html
        assert f'src="{URL}/pictrs/image/b.jpg"' in html
        assert self.PICTURE not in html
