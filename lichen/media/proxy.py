"""The picture proxy: outside pictures fetched by the house, so that readers call no strangers.

    /api/v3/image_proxy?url=…&sig=…  ─► signed by us? ─► kept and young? ─► blob
                                                            └─ no ─► guarded fetch ─► child

Only addresses that we signed are fetched: whoever could name any address would make the house an
open proxy and a way into its own network. A signature is made when content that names a picture is
drawn; it says nothing but that. What comes is treated as an upload of a stranger: decoded in the
child, cleaned, checked, and kept under its address until it is old.
"""

import asyncio
import base64
import hmac
import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from lichen.kit import Forbidden, NotFound, Refused, Unavailable
from lichen.kit.flags import Flag
from lichen.kit.ground import Ground
from lichen.media import tables
from lichen.media.limits import (
    PROXIED_BYTES_MAX,
    PROXIED_TIMEOUT_S_MAX,
    PROXIED_URL_LENGTH_MAX,
    SWEPT_MAX,
)
from lichen.media.model import Variant
from lichen.media.service import Media
from lichen.media.shelf import let_go
from lichen.store import Row, Store, Unit
from lichen.web import Addresses

PATH = "/api/v3/image_proxy"
_ACCEPT = "image/webp,image/avif,image/png,image/jpeg,image/gif;q=0.9"


class Proxy:
    """Signs the addresses of outside pictures, and serves what is there."""

    def __init__(
        self, ground: Ground, store: Store, media: Media, *, addresses: Addresses, key: bytes
    ) -> None:
        self._outbound = ground.outbound
        self._flags = ground.flags
        self._mode = ground.config.media.image_mode
        self._age_us_max = int(ground.config.media.proxied_age_s * 1_000_000)
        self._store = store
        self._media = media
        self._addresses = addresses
        self._key = key
        self._nowhere = addresses.absolute(PATH)  # refused, because it is not signed
        self._fetching: dict[str, asyncio.Task[tuple[str, str]]] = {}

    def shown(self, url: str) -> str:
        """Return where a picture of a text or a profile is shown from: here, or where it is.

        Where everything is shown from here, what cannot be fetched is shown from nowhere.
        """
        return self._signed(url) if self.shows_all else url

    @property
    def shows_all(self) -> bool:
        """Whether every picture is shown from here, so that nobody's app calls strangers."""
        return self._mode == "ProxyAllImages"

    def original(self, url: str) -> str:
        """Return the address behind one that we signed; any other as it is. Never raises.

        Apps send back what they were shown, and rows hold what people wrote: the mode may change.
        """
        head, mark, query = url.partition("?")
        if not mark or head != self._addresses.absolute(PATH):
            return url
        fields = dict(parse_qsl(query))
        outside = fields.get("url", "")
        is_ours = hmac.compare_digest(
            self._signature(outside).encode(), fields.get("sig", "").encode(errors="replace"))
        return outside if is_ours else url

    def originals(self, text: str) -> str:
        """Return a text with the addresses behind those that we signed; see `original`."""
        start = re.escape(self._addresses.absolute(PATH))
        return re.sub(start + r"\?[\w%&=.~+-]+", lambda found: self.original(found[0]), text)

    async def kept_preview(self, url: str) -> str | None:
        """Keep the preview of a link and return where it is shown from, None where it is none.

        A server that is away may be there when somebody looks.
        """
        if self._mode == "None" or not self._flags.is_on(Flag.PICTURE_PROXY):
            return url
        shown = self._signed(url)
        if shown == self._nowhere:
            return None
        if shown != url:
            try:
                await self._source(url)
            except Refused:
                return None
            except Unavailable:
                return shown
        return shown

    def _signed(self, url: str) -> str:
        """Return the address that serves an outside picture; ours and what is none stay so.

        Never raises: texts hold whatever people typed.
        """
        # WHATWG URL §4.4: browsers read "//host" and "\\\\host" as addresses elsewhere.
        if url[:2].replace("\\", "/") == "//":
            url = "https:" + url
        try:
            parts = urlsplit(url)
        except ValueError:  # some of these browsers can read
            return self._nowhere
        if parts.scheme not in ("http", "https") or parts.netloc == self._addresses.authority:
            return url
        if len(url) > PROXIED_URL_LENGTH_MAX:
            return self._nowhere
        query = urlencode({"url": url, "sig": self._signature(url)})
        return self._addresses.absolute(f"{PATH}?{query}")

    async def content(
        self, url: str, signature: str, variant: Variant | None
    ) -> tuple[bytes, str, str]:
        """Return an outside picture's bytes, their media type, and the blob they come from."""
        if not signature.isascii() or not hmac.compare_digest(self._signature(url), signature):
            raise Forbidden(
                "image_proxy_unsigned",
                "Only pictures that are shown here are fetched; this address is not signed by us.",
            )
        if not self._flags.is_on(Flag.PICTURE_PROXY):
            raise NotFound("couldnt_find_picture", "Outside pictures are not served at the moment.")
        source, kind = await self._source(url)
        body, media_type = await self._media.content(source, kind, variant)
        return body, media_type, source

    async def forget_aged(self) -> int:
        """Let go of outside pictures that are old; return how many."""
        before_us = self._store.clock() - self._age_us_max

        def command(unit: Unit) -> int:
            rows = unit.fetch(tables.AGED, before_us=before_us, limit=SWEPT_MAX)
            self._drop(unit, rows)
            return len(rows)

        count = await self._store.write(command, apart=True)
        if count:
            await self._media.shelf.sweep()
        return count

    async def _source(self, url: str) -> tuple[str, str]:
        rows = await self._store.read(lambda unit: unit.fetch(tables.PROXIED, url=url))
        if rows and rows[0].fetched_us > self._store.clock() - self._age_us_max:
            return rows[0].sha256, rows[0].kind
        task = self._fetching.get(url)
        if task is None:
            task = asyncio.create_task(self._fetched(url, rows))
            self._fetching[url] = task
            task.add_done_callback(lambda _: self._fetching.pop(url))
        return await asyncio.shield(task)

    async def _fetched(self, url: str, old: list[Row]) -> tuple[str, str]:
        answer = await self._outbound.fetch(
            url, accept=_ACCEPT, bytes_max=PROXIED_BYTES_MAX, timeout_s=PROXIED_TIMEOUT_S_MAX
        )
        if answer.status != 200:
            raise Unavailable("The picture's server does not give it.", retry_after_s=60.0)
        developed = await self._media.developed(answer.body)
        await self._media.check(developed, answer.body, uploader_id=None)

        def command(unit: Unit, names: list[str]) -> None:
            self._drop(unit, [row for row in old if row.sha256 != names[0]])
            unit.stage(tables.KEEP_PROXIED, {
                "url": url, "sha256": names[0], "kind": developed.kind,
                "fetched_us": unit.clock_us,
            })

        await self._media.shelf.keep([developed.original], command)
        source = (await self._store.read(lambda unit: unit.fetch(tables.PROXIED, url=url)))[0]
        if old:
            await self._media.shelf.sweep()
        return source.sha256, source.kind

    def _drop(self, unit: Unit, rows: list[Row]) -> None:
        if rows:
            unit.stage(tables.DELETE_PROXIED, {"urls": [row.url for row in rows]})
            let_go(unit, [row.sha256 for row in rows])

    def _signature(self, url: str) -> str:
        signed = hmac.digest(self._key, b"proxy " + url.encode(errors="replace"), "sha256")
        return base64.urlsafe_b64encode(signed[:15]).decode()
