"""Uploads, quotas, checks and deletions, on both engines; what is deleted is gone from disk."""

import asyncio
import io

import msgspec
import pytest
from PIL import Image

from lichen.events import Event, event_of
from lichen.events.accounts import SELF, Profile
from lichen.events.media import Picture
from lichen.kit import Forbidden, NotFound, Refused, TooMany
from lichen.kit.config import Media
from lichen.kit.ground import Ground
from lichen.kit.reasons import Reason
from lichen.media import Uploader, tables
from lichen.media.errors import PictureRefused, QuotaReached
from lichen.media.model import SIZES, Named, Seen, Variant, named, variant_asked
from lichen.media.room import build
from lichen.media.shelf import loosen
from lichen.web import Addresses
from tests.media.conftest import ADMIN, MIRA, OTTO, SITE_DID, URL, Studio
from tests.media.pictures import MARKER, drawn, hostile, made
from tests.notifications.conftest import batch_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_an_upload_is_kept_in_four_files_and_shown(studio: Studio) -> None:
    done = await studio.upload(made("jpg", image=drawn(1_400, 900), secret=True))

    media = studio.room.media
    picture = await media.picture(done.picture.alias)
    body, media_type = await media.content(picture.sha256, picture.kind, None)

    assert picture == done.picture
    assert (picture.kind, picture.width, picture.height) == ("jpg", 1_400, 900)
    assert (media_type, MARKER in body) == ("image/jpeg", False)
    assert len(studio.files()) == 4
    assert studio.emitted() == [("lichen.media.picture", "create")]


async def test_a_deleted_picture_is_gone_from_disk(studio: Studio) -> None:
    done = await studio.upload()
    await studio.room.media.content(done.picture.sha256, "jpg", Variant(256, "png"))
    assert len(studio.files()) > 2

    await studio.room.media.delete(done.picture.alias, done.token)

    assert studio.files() == []
    with pytest.raises(NotFound):
        await studio.room.media.picture(done.picture.alias)
    assert studio.emitted()[-1] == ("lichen.media.picture", "delete")


async def test_the_same_bytes_uploaded_twice_stay_until_both_are_deleted(studio: Studio) -> None:
    first, second = await studio.upload(by=MIRA), await studio.upload(by=OTTO)
    files = studio.files()

    await studio.room.media.delete(first.picture.alias, first.token)
    between = studio.files()
    await studio.room.media.delete(second.picture.alias, second.token)

    assert first.picture.sha256 == second.picture.sha256
    assert first.picture.alias != second.picture.alias
    assert between == files
    assert studio.files() == []


@pytest.mark.parametrize("token", ["", "wrong", "ä" * 10, "x" * 10_000])
async def test_nobody_deletes_without_the_token(studio: Studio, token: str) -> None:
    done = await studio.upload()

    with pytest.raises(NotFound):
        await studio.room.media.delete(done.picture.alias, token)

    assert await studio.room.media.picture(done.picture.alias) == done.picture


async def test_rows_hold_no_token_but_its_hash(studio: Studio) -> None:
    done = await studio.upload()

    rows = await studio.store.read(lambda unit: unit.fetch(
        tables.PICTURES, aliases=[done.picture.alias]))

    assert done.token not in str(rows)
    assert done.token == studio.room.media.token_of(done.picture.alias)
    assert all(done.token.encode() not in bytes(event.record) for event in studio.events)


async def test_one_deletes_ones_own_and_administrators_anybodys(studio: Studio) -> None:
    mine, theirs = await studio.upload(by=MIRA), await studio.upload(made("png"), by=OTTO)

    with pytest.raises(NotFound):
        await studio.room.media.delete_own(MIRA, theirs.picture.alias)
    await studio.room.media.delete_own(MIRA, mine.picture.alias)
    await studio.room.media.delete_own(ADMIN, theirs.picture.alias)

    assert studio.files() == []


async def test_everything_of_a_person_can_be_purged(studio: Studio) -> None:
    for hue in (0, 30, 60):
        await studio.upload(made(image=drawn(hue=hue)))
    kept = await studio.upload(made("png"), by=OTTO)

    await studio.store.write(lambda unit: studio.room.media.forget_uploads(unit, MIRA.id))
    await studio.room.media.shelf.sweep()

    left = await studio.store.read(lambda unit: studio.room.media.uploads(unit, None))
    assert [one.alias for one in left] == [kept.picture.alias]
    assert {path.name for path in studio.files()} >= {kept.picture.sha256}
    assert len(studio.files()) <= 4


async def test_lists_are_newest_first_and_of_their_owner(studio: Studio, clock) -> None:  # type: ignore[no-untyped-def]
    mine = []
    for hue in (0, 30, 60):
        clock.advance(seconds=1)
        mine.append((await studio.upload(made(image=drawn(hue=hue)))).picture.alias)
    await studio.upload(made("png"), by=OTTO)

    def page(number: int) -> list[str]:
        return [one.alias for one in found[number]]

    found = [
        await studio.store.read(lambda unit, at=at: studio.room.media.uploads(
            unit, MIRA.id, page=at, limit=2)) for at in (1, 2, 3)
    ]

    assert (page(0), page(1), page(2)) == (mine[:0:-1], mine[:1], [])
    usage = await studio.store.read(lambda unit: studio.room.media.usage(unit, MIRA.id))
    assert usage.count == 3


async def test_a_refused_picture_leaves_no_file_and_no_row(studio: Studio) -> None:
    for content in list(hostile().values())[2:8]:
        with pytest.raises(PictureRefused):
            await studio.upload(content)

    assert studio.files() == []
    assert studio.events == []
    assert await studio.store.read(lambda unit: studio.room.media.uploads(unit, None)) == []


async def test_sizes_are_a_few_whatever_is_asked_for(studio: Studio) -> None:
    """Else one could fill the disk by counting up."""
    asked = {variant_asked(size, "webp") for size in range(-5, 5_000)}

    assert {one.size for one in asked if one} == set(SIZES)


async def test_a_variant_is_made_once_for_all_who_wait(studio: Studio) -> None:
    done = await studio.upload(made("jpg", image=drawn(1_400, 900)))
    jobs = []
    derive = studio.room.darkroom.derive

    async def counted(content: bytes, variant: Variant) -> bytes:
        jobs.append(variant)
        return await derive(content, variant)

    studio.room.darkroom.derive = counted  # type: ignore[method-assign]
    variant = Variant(256, "webp")
    bodies = await asyncio.gather(*(
        studio.room.media.content(done.picture.sha256, "jpg", variant) for _ in range(6)
    ))
    again = await studio.room.media.content(done.picture.sha256, "jpg", variant)

    assert len(jobs) == 1
    assert len({body for body, _ in [*bodies, again]}) == 1
    assert Image.open(io.BytesIO(again[0])).size == (256, 165)


class TestQuotas:
    """How much one account may store."""

    @pytest.fixture
    def media_settings(self) -> Media:
        return Media(quota_count=2, quota_bytes=1 << 20, upload_bytes_max=200_000)

    async def test_an_account_stores_so_many(self, studio: Studio) -> None:
        first = await studio.upload(made(image=drawn(hue=1)))
        await studio.upload(made(image=drawn(hue=2)))

        with pytest.raises(QuotaReached):
            await studio.upload(made(image=drawn(hue=3)))
        await studio.upload(made(image=drawn(hue=3)), by=OTTO)
        await studio.upload(made(image=drawn(hue=3)), by=ADMIN)
        await studio.room.media.delete(first.picture.alias, first.token)

        assert (await studio.upload(made(image=drawn(hue=3)))).picture.uploader_id == MIRA.id

    async def test_uploads_at_once_do_not_pass_together(self, studio: Studio) -> None:
        contents = [made(image=drawn(hue=hue)) for hue in range(0, 50, 10)]

        found = await asyncio.gather(
            *(studio.upload(one) for one in contents), return_exceptions=True
        )

        assert sum(isinstance(one, QuotaReached) for one in found) == 3
        usage = await studio.store.read(lambda unit: studio.room.media.usage(unit, MIRA.id))
        assert usage.count == 2
        assert len(studio.files()) <= 8

    async def test_a_picture_has_so_many_bytes(self, studio: Studio) -> None:
        with pytest.raises(Refused) as caught:
            await studio.upload(bytes(200_001))

        assert (caught.value.code, caught.value.status) == ("image_too_large", 413)


class TestChecks:
    """What is not taken, and why."""

    async def test_a_blocked_file_is_refused_with_a_reason(self, studio: Studio) -> None:
        done = await studio.upload()
        await studio.store.write(lambda unit: studio.room.blocklist.block_picture(
            unit, ADMIN, done.picture.alias, note="Known."))

        with pytest.raises(PictureRefused) as caught:
            await studio.upload(by=OTTO)

        assert caught.value.code == "image_blocked"
        assert caught.value.reason is not None
        assert caught.value.reason.rule == "picture blocklist"

    async def test_a_copy_in_another_size_and_format_is_refused_too(self, studio: Studio) -> None:
        done = await studio.upload(made("jpg", image=drawn(800, 500)))
        await studio.store.write(lambda unit: studio.room.blocklist.block_picture(
            unit, ADMIN, done.picture.alias))

        with pytest.raises(PictureRefused):
            await studio.upload(made("webp", image=drawn(400, 250)))
        other = Image.effect_mandelbrot((400, 250), (-2, -1, 1, 1), 40).convert("RGB")
        assert (await studio.upload(made("png", image=other))).picture.kind == "png"

    async def test_a_line_that_is_taken_away_blocks_no_more(self, studio: Studio) -> None:
        done = await studio.upload()
        line = await studio.store.write(lambda unit: studio.room.blocklist.block_picture(
            unit, ADMIN, done.picture.alias))
        listed = await studio.store.read(lambda unit: studio.room.blocklist.blocked(unit, ADMIN))

        await studio.store.write(lambda unit: studio.room.blocklist.unblock(unit, ADMIN, line.id))
        await studio.store.write(lambda unit: studio.room.blocklist.unblock(unit, ADMIN, line.id))

        assert listed == ([line], 1)
        assert (await studio.upload(by=OTTO)).picture.kind == "jpg"
        assert [operation for name, operation in studio.emitted()
                if name == "lichen.media.blocking"] == ["create", "delete"]

    async def test_pictures_of_one_colour_are_not_alike(self, studio: Studio) -> None:
        """Blocking a white square once blocked every picture in which nothing changes."""
        white, red = (made("png", image=Image.new("RGB", (64, 64), one)) for one in ("white", "red"))
        done = await studio.upload(white)
        line = await studio.store.write(lambda unit: studio.room.blocklist.block_picture(
            unit, ADMIN, done.picture.alias))

        with pytest.raises(PictureRefused):
            await studio.upload(white, by=OTTO)
        assert line.looks is None
        assert (await studio.upload(red)).picture.kind == "png"

    @pytest.mark.parametrize(("text", "found"), [
        ("A" * 64, Named(sha256="a" * 64)),
        ("ffffffffffffffff", Named(likeness=-1)),
        ("7fffffffffffffff", Named(likeness=(1 << 63) - 1)),
        ("https://lichen.example/pictrs/image/moss.jpg?thumbnail=96", Named(alias="moss.jpg")),
    ])
    def test_a_picture_is_named_by_file_address_hash_or_looks(self, text, found) -> None:
        assert named(text) == found

    async def test_only_administrators_keep_the_list(self, studio: Studio) -> None:
        for deed in (
            lambda unit: studio.room.blocklist.blocked(unit, MIRA),
            lambda unit: studio.room.blocklist.block(unit, MIRA, sha256="0" * 64),
            lambda unit: studio.room.blocklist.unblock(unit, MIRA, 1),
            lambda unit: studio.room.blocklist.block_named(unit, MIRA, "moss.jpg"),
        ):
            with pytest.raises(Forbidden):
                await studio.store.write(deed)

    async def test_further_checks_hook_in_and_see_the_picture(self, studio: Studio) -> None:
        seen: list[Seen] = []

        class Classifier:
            async def judge(self, one: Seen, content: bytes) -> Reason | None:
                seen.append(one)
                return Reason(rule="no yellow circles", change="Ask otto.")

        studio.room.media._checks = (studio.room.blocklist, Classifier())
        with pytest.raises(PictureRefused, match="no yellow circles"):
            await studio.upload()

        assert [(one.kind, one.uploader_id) for one in seen] == [("jpg", MIRA.id)]
        assert studio.files() == []

    async def test_the_gate_is_asked_before_anything_is_decoded(self, studio: Studio) -> None:
        """The place where the limit on how often one uploads is counted."""

        def closed(uploader: Uploader, address: str) -> None:
            raise TooMany(retry_after_s=60)

        studio.room.media._gate = closed
        with pytest.raises(TooMany):
            await studio.upload(b"whatever")


def profile(did: str, **shown: str | None) -> Event:
    return event_of(
        Profile(name="mira", created_at="2023-11-14T22:13:20Z", **shown),
        id="3kabcdefghijk", did=did, operation="update", rkey=SELF, row=2,
    )


def address(alias: str) -> str:
    return f"{URL}/pictrs/image/{alias}"


class TestUses:
    """Replaced avatars, banners and icons."""

    async def follow(self, studio: Studio, *events: Event) -> None:
        reader = studio.room.reader
        await reader.apply(batch_of(list(events), first_seq=reader.position() + 1))

    async def test_a_replaced_avatar_is_gone_from_disk(self, studio: Studio) -> None:
        old, new = await studio.upload(made("png")), await studio.upload(made("jpg"))
        await self.follow(studio, profile(MIRA.did, avatar=address(old.picture.alias)))

        await self.follow(studio, profile(MIRA.did, avatar=address(new.picture.alias)))

        with pytest.raises(NotFound):
            await studio.room.media.picture(old.picture.alias)
        assert old.picture.sha256 not in {path.name for path in studio.files()}
        assert new.picture.sha256 in {path.name for path in studio.files()}

    async def test_a_picture_shown_elsewhere_stays(self, studio: Studio) -> None:
        both = await studio.upload()
        shown = address(both.picture.alias)
        await self.follow(studio, profile(MIRA.did, avatar=shown, banner=shown))

        await self.follow(studio, profile(MIRA.did, avatar=None, banner=shown))
        between = await studio.room.media.picture(both.picture.alias)
        await self.follow(studio, profile(MIRA.did))

        assert between == both.picture
        assert studio.files() == []

    async def test_applying_twice_changes_nothing(self, studio: Studio) -> None:
        old, new = await studio.upload(made("png")), await studio.upload(made("jpg"))
        events = [profile(MIRA.did, avatar=address(one.picture.alias)) for one in (old, new)]
        batch = batch_of(events, first_seq=studio.room.reader.position() + 1)

        await studio.room.reader.apply(batch)
        files = studio.files()
        await studio.room.reader.apply(batch)

        assert studio.files() == files
        assert await studio.room.media.picture(new.picture.alias) == new.picture

    @pytest.mark.parametrize("url", [
        "https://elsewhere.example/pictrs/image/x.jpg", "not an address", "http://[", "",
        f"{URL}/pictrs/image/", f"{URL}/pictrs/image/a/b", f"{URL}/post/1",
    ])
    async def test_other_addresses_are_no_pictures_of_ours(self, studio: Studio, url: str) -> None:
        assert studio.room.reader.alias_in(url) is None


async def test_blobs_that_a_killed_house_left_are_swept(studio: Studio) -> None:
    """A house killed between the blobs and the rows left files that no row named, for ever."""
    done = await studio.upload()
    name = await studio.room.media.shelf._blobs.keep(b"left behind")
    await studio.store.write(lambda unit: loosen(unit, [name, done.picture.sha256]))

    swept = await studio.room.media.shelf.sweep()

    assert swept == 1
    assert name not in {path.name for path in studio.files()}
    assert done.picture.sha256 in {path.name for path in studio.files()}


async def test_the_key_of_tokens_outlives_the_house(studio: Studio, ground: Ground) -> None:
    done = await studio.upload()

    again = await build(ground, studio.store, addresses=Addresses(URL), site_did=SITE_DID)

    assert again.media.token_of(done.picture.alias) == done.token
    await again.close()


def test_events_say_what_a_picture_is_and_nothing_secret() -> None:
    names = {field.name for field in msgspec.structs.fields(Picture)}

    assert names == {"file", "kind", "width", "height", "bytes", "created_at"}
