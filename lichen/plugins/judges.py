"""Who is asked: plugins in their processes, and the house's own checks through the same register.

    Distant        a third party's plugin, by its entry point; limits, failures, switching off
    InHouse        a check of ours: in this process, required, never switched off
      PictureChecks   makes one of whoever judges pictures (hash lists, classifiers)
    PictureDoor    the other way round: every plugin's say about pictures, as one check for `media`
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from lichen.kit import Reason
from lichen.plugins.errors import PluginFailed, RefusedByPlugin
from lichen.plugins.hooks import Hooks
from lichen.plugins.limits import AFTER_MS_MAX, BEFORE_MS_MAX, PAGE_MS_MAX
from lichen.plugins.model import (
    HookOffer,
    PageAsked,
    PageLink,
    PageShown,
    Person,
    Picture,
    Told,
    Verdict,
)
from lichen.plugins.running import Grant, PluginProcess
from lichen.plugins.specifications import AFTER, BEFORE, hookimpl
from lichen.plugins.walls import Wall

_VERDICT: msgspec.msgpack.Decoder[Verdict | None] = msgspec.msgpack.Decoder(Verdict | None)
_PAGE: msgspec.msgpack.Decoder[PageShown | None] = msgspec.msgpack.Decoder(PageShown | None)


class Distant:
    """A plugin that is on, in up to three processes: one judges, one is told, one shows pages.

    What it is asked before something happens so never waits behind a slow page of its own.
    """

    is_house = False

    def __init__(
        self, name: str, value: str, *, grant: Grant, may_network: bool = False
    ) -> None:
        self.name = name
        self.hooks: tuple[str, ...] = ()
        self.pages: tuple[PageLink, ...] = ()
        self.wall = Wall.NONE
        self._judging, self._hearing, self._showing = (
            PluginProcess(value, grant=grant, may_network=may_network) for _ in range(3)
        )

    async def start(self) -> None:
        """Start the plugin and learn its hooks; raises PluginFailed.

        The other two processes start when they are first needed.
        """
        hello = await self._judging.start()
        self.hooks = tuple(sorted(offer.name for offer in hello.hooks))
        self.pages = hello.pages
        self.wall = Wall.__members__.get(hello.wall, Wall.NONE)
        for offer in hello.hooks:
            if offer.name in BEFORE:
                setattr(self, offer.name, _mark(offer))
        if not any(name in BEFORE for name in self.hooks):
            await self._judging.close()  # nobody will ask it anything

    async def close(self) -> None:
        """End its processes."""
        for process in (self._judging, self._hearing, self._showing):
            await process.close()

    async def ask(self, hook: str, arguments: Mapping[str, object]) -> Verdict | None:
        """Return its verdict; raises PluginFailed."""
        raw = await self._judging.call(hook, arguments, ms_max=BEFORE_MS_MAX)
        verdict: Verdict | None = _decoded(_VERDICT, raw)
        return verdict

    async def tell(self, hook: str, told: Told) -> None:
        """Tell it of something; raises PluginFailed."""
        assert hook in AFTER, hook
        await self._hearing.call(hook, {"told": told}, ms_max=AFTER_MS_MAX)

    async def show(self, asked: PageAsked) -> PageShown | None:
        """Return a page of its own; raises PluginFailed."""
        raw = await self._showing.call("show_page", {"asked": asked}, ms_max=PAGE_MS_MAX)
        page: PageShown | None = _decoded(_PAGE, raw)
        return page


class InHouse:
    """The base of the house's own checks: a subclass marks the hooks that it implements.

    `about` says to administrators what it does.
    """

    is_house = True

    def __init__(self, name: str, about: str = "") -> None:
        self.name = name
        self.about = about

    async def ask(self, hook: str, arguments: Mapping[str, object]) -> Verdict | None:
        """Return its verdict."""
        verdict: Verdict | None = await getattr(self, hook)(**arguments)
        return verdict


class PictureCheck(Protocol):
    """Whoever of the house judges pictures."""

    async def check_picture(self, person: Person, picture: Picture) -> Verdict | None:
        """Return what is to be done with it; None lets it pass."""


class PictureChecks(InHouse):
    """A `PictureCheck` as a plugin."""

    def __init__(self, name: str, check: PictureCheck, about: str = "") -> None:
        super().__init__(name, about)
        self._check = check

    @hookimpl
    async def before_picture(self, person: Person, picture: Picture) -> Verdict | None:
        """Judge a picture that is about to be stored."""
        return await self._check.check_picture(person, picture)


class SeenPicture(Protocol):
    """What `media` tells of a picture; it may not import this room, nor this room it."""

    @property
    def sha256(self) -> str:
        """The hash of the bytes as they came."""

    @property
    def kept_sha256(self) -> str:
        """The hash of the bytes as they are kept."""

    @property
    def likeness(self) -> int:
        """A hash of how it looks."""

    @property
    def kind(self) -> str:
        """The format, as png or jpeg."""

    @property
    def width(self) -> int:
        """In pixels."""

    @property
    def height(self) -> int:
        """In pixels."""

    @property
    def uploader_id(self) -> int | None:
        """Who uploads; None for a picture that the house fetched itself."""


class PictureDoor:
    """The hooks as one of the checks that `media` asks before it stores a picture."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks

    async def judge(self, seen: SeenPicture, content: bytes) -> Reason | None:
        """Return why the picture is refused, None to let it pass."""
        if not self._hooks.asks("before_picture"):
            return None
        picture = Picture(
            sha256=seen.sha256, media_type=f"image/{seen.kind}", width=seen.width,
            height=seen.height, likeness=seen.likeness, content=content,
            kept_sha256=seen.kept_sha256,
        )
        try:
            await self._hooks.before_picture(
                Person(id=seen.uploader_id or 0, name="", did=""), picture
            )
        except RefusedByPlugin as refused:
            return refused.reason
        return None


def _mark(offer: HookOffer) -> Any:
    """Return what stands in pluggy's register for a hook of a distant plugin."""

    def marked() -> None:
        """Stand for the hook; it is called through `ask`."""

    return hookimpl(tryfirst=offer.tryfirst, trylast=offer.trylast)(marked)


def _decoded(decoder: msgspec.msgpack.Decoder[Any], raw: msgspec.Raw) -> Any:
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError:
        raise PluginFailed("returned what the hook does not return") from None
