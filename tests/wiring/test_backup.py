"""A backup holds one moment of rows and log, and after a restore no number is given twice."""

import asyncio
import json
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from lichen.backup import LOG_FOLDER, MANIFEST, back_up, files_of
from lichen.kit import Refused, Tid, Unavailable, system_clock
from lichen.kit.config import FILE_NAME, Config
from lichen.log import SegmentLog
from lichen.log.copying import copy_log, end_of
from lichen.media.blobs import DiskBlobs
from lichen.restore import EPOCH, SKIPPED, UNFINISHED, check_finished, restore, verified
from lichen.store import advance_checkpoint, checkpoint_of, stamp_of
from lichen.store.migrating import HEAD, version_of
from tests.wiring.places import core, place

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

EPOCH_TID = Tid("3222222222222")


@pytest.fixture
def house(engine: str, tmp_path: Path) -> Iterator[Config]:
    with place(engine, tmp_path / "house", furnished=True) as config:
        yield config


@pytest.fixture
def elsewhere(engine: str, tmp_path: Path) -> Iterator[Config]:
    with place(engine, tmp_path / "elsewhere") as config:
        yield config


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def kept(config: Config, target: Path) -> Path:
    await asyncio.to_thread(back_up, config, target, clock=system_clock)
    return target


async def brought_back(config: Config, source: Path) -> None:
    await asyncio.to_thread(restore, config, source, clock=system_clock, epoch=EPOCH_TID)


async def test_rows_and_log_are_of_one_moment_while_the_house_serves(
    house: Config, elsewhere: Config, tmp_path: Path
) -> None:
    """Each note is one row and one event; whatever the moment, there are as many of both."""
    async with core(house) as serving:
        stop = asyncio.Event()

        async def write(writer: int) -> int:
            count = 0
            while not stop.is_set():
                await serving.note(f"{writer}-{count}")
                count += 1
            return count

        writers = [asyncio.create_task(write(number)) for number in range(8)]
        await asyncio.wait_for(serving.note("first"), 10)
        backups = [await kept(house, tmp_path / f"backup{number}") for number in range(2)]
        stop.set()
        written = sum([await writer for writer in writers])

    await brought_back(elsewhere, backups[1])
    async with core(elsewhere) as restored:
        await restored.relay.catch_up()
        events = restored.events()
        rows = [await restored.noted(event.rkey) for event in events]
        pending = await restored.relay.pending()

    assert rows == [str(event.row) for event in events]
    assert len({event.id for event in events}) == len(events)
    assert 0 < len(events) <= written + 1
    assert pending == 0
    assert verified(backups[0]).log_last_seq <= verified(backups[1]).log_last_seq


async def test_the_rows_of_a_backup_are_never_ahead_of_the_logs_of_federation(
    house: Config, elsewhere: Config, tmp_path: Path
) -> None:
    """A checkpoint above its log's end would pass over what peers send next."""
    data, ended = house.server.data, asyncio.Event()
    async with core(house) as serving:
        logs = {name: SegmentLog.open(data / name, clock=system_clock)
                for name in ("inbox", "outgoing")}

        async def follow() -> None:
            while not ended.is_set():
                for name, log in logs.items():
                    appended = await log.append([b"{}"])
                    seq = appended.last_seq
                    await serving.store.write(partial(
                        advance_checkpoint, reader=name, seq=seq))

        following = asyncio.create_task(follow())
        sources = [await kept(house, tmp_path / f"backup{number}") for number in range(3)]
        ended.set()
        await following
        for log in logs.values():
            await log.close()

    await brought_back(elsewhere, sources[-1])
    async with core(elsewhere) as restored:
        for name in logs:
            log = SegmentLog.open(elsewhere.server.data / name, clock=system_clock)
            applied = await restored.store.read(partial(checkpoint_of, reader=name))
            assert 0 < applied <= log.last_seq
            await log.close()


async def test_an_event_that_waits_in_the_outbox_is_relayed_once_after_a_restore(
    house: Config, elsewhere: Config, tmp_path: Path
) -> None:
    """Appended, but not yet deleted from the outbox: the relay would not find it past the skip."""
    async with core(house) as serving:
        await serving.note("relayed")
        await serving.relay.drain()
        again = serving.events()[0]
        await serving.store.write(lambda unit: unit.emit(again))
        source = await kept(house, tmp_path / "backup")

    await brought_back(elsewhere, source)
    async with core(elsewhere) as restored:
        await restored.relay.catch_up()

        assert [event.id for event in restored.events()] == [again.id]


async def test_numbers_and_sequences_go_on_far_ahead_and_the_epoch_is_new(
    house: Config, elsewhere: Config, tmp_path: Path
) -> None:
    async with core(house) as serving:
        await serving.note("before")
        source = await kept(house, tmp_path / "backup")
        lost = await serving.note("lost")
        lost_seq = serving.log.last_seq

    await brought_back(elsewhere, source)
    async with core(elsewhere) as restored:
        number = await restored.note("after")
        epoch = await restored.store.read(lambda unit: stamp_of(unit, EPOCH))
        events = restored.events()

        assert number > lost + SKIPPED // 2
        assert restored.log.last_seq > lost_seq + SKIPPED // 2
        assert [event.rkey for event in events] == ["before", "after"]
        assert await restored.noted("lost") is None
        assert epoch == EPOCH_TID


async def test_a_restored_house_can_be_backed_up_and_restored_again(
    house: Config, engine: str, tmp_path: Path
) -> None:
    async with core(house) as serving:
        await serving.note("one")
        source = await kept(house, tmp_path / "backup0")

    for number in range(1, 3):
        with place(engine, tmp_path / f"house{number}") as config:
            await brought_back(config, source)
            async with core(config) as restored:
                await restored.note(f"two {number}")
                source = await kept(config, tmp_path / f"backup{number}")
                names = [event.rkey for event in restored.events()]

    assert names == ["one", "two 1", "two 2"]


async def test_a_backup_keeps_the_configuration_file_and_is_its_owners_alone(
    house: Config, elsewhere: Config, tmp_path: Path
) -> None:
    async with core(house):
        (house.server.data / FILE_NAME).write_text("[forum]\n")
        source = await kept(house, tmp_path / "backup")

    await brought_back(elsewhere, source)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in [source, *files_of(source)]}
    assert modes == {0o700, 0o600}
    assert (elsewhere.server.data / FILE_NAME).read_text() == "[forum]\n"
    url = elsewhere.database.url.reveal()
    assert version_of(url, folder=elsewhere.server.data) == HEAD


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "add", "manifest", "newer", "none"])
async def test_a_damaged_backup_is_refused_before_anything_is_written(
    tmp_path: Path, damage: str
) -> None:
    with place("sqlite", tmp_path / "house") as house:
        async with core(house) as serving:
            await serving.note("one")
            source = await kept(house, tmp_path / "backup")
    victim = sorted((source / LOG_FOLDER).iterdir())[0]
    manifest = source / MANIFEST
    if damage == "flip":
        content = bytearray(victim.read_bytes())
        content[-2] ^= 1
        victim.write_bytes(content)
    elif damage == "cut":
        victim.write_bytes(victim.read_bytes()[:-1])
    elif damage == "remove":
        victim.unlink()
    elif damage == "add":
        (source / "stranger").touch()
    elif damage == "manifest":
        manifest.write_text("{}")
    elif damage == "newer":
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 99}))
    else:
        manifest.unlink()

    with place("sqlite", tmp_path / "elsewhere") as elsewhere:
        with pytest.raises(Refused):
            await brought_back(elsewhere, source)
        assert not elsewhere.server.data.exists()


async def test_a_restore_never_overwrites(
    house: Config, elsewhere: Config, engine: str, tmp_path: Path
) -> None:
    async with core(house):
        source = await kept(house, tmp_path / "backup")

        with pytest.raises(Refused, match="not empty"):
            await brought_back(house, source)
    async with core(elsewhere):
        pass
    other = place("postgresql" if engine == "sqlite" else "sqlite", tmp_path / "other")
    with other as config, pytest.raises(Refused, match="engine"):
        await brought_back(config, source)


async def test_a_database_with_tables_is_not_restored_into(tmp_path: Path) -> None:
    with place("postgresql", tmp_path / "house") as house:
        async with core(house):
            source = await kept(house, tmp_path / "backup")
        moved = Config.load(words={
            "server.data": tmp_path / "moved", "database.url": house.database.url.reveal()})

        with pytest.raises(Refused, match="holds tables"):
            await brought_back(moved, source)


async def test_a_backup_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with place("sqlite", tmp_path / "house") as house:
        with pytest.raises(Refused, match="no database"):
            house.server.data.mkdir()
            await kept(house, tmp_path / "backup")
        assert [path.name for path in _inside(tmp_path)] == ["house"]
        async with core(house):
            await kept(house, tmp_path / "backup")

            with pytest.raises(Refused, match="exists"):
                await kept(house, tmp_path / "backup")


async def test_a_restore_that_was_cut_short_is_told(tmp_path: Path) -> None:
    check_finished(tmp_path)
    (tmp_path / UNFINISHED).touch()

    with pytest.raises(Refused, match="did not finish"):
        check_finished(tmp_path)


async def test_a_log_that_is_rewritten_under_the_copy_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with place("sqlite", tmp_path / "house") as house:
        async with core(house) as serving:
            for number in range(3):
                await serving.note(str(number))
            await serving.relay.catch_up()
            end = end_of(house.server.data / LOG_FOLDER)
            await serving.log.erase([1, 2])
            await serving.note("3")
            await serving.note("4")
            await serving.relay.catch_up()

            with pytest.raises(Unavailable, match="rewritten"):
                copy_log(house.server.data / LOG_FOLDER, end, to=tmp_path / "copy")


async def test_pictures_come_back_and_what_was_half_written_does_not(
    house: Config, elsewhere: Config, tmp_path: Path
) -> None:
    async with core(house) as serving:
        await serving.note("first")
        blobs = DiskBlobs(house.server.data / "pictures")
        names = [await blobs.keep(bytes([number]) * 100) for number in range(20)]
        (house.server.data / "pictures" / "tmp" / "half").write_bytes(b"half")
        backup = await kept(house, tmp_path / "backup")

    await brought_back(elsewhere, backup)

    restored = DiskBlobs(elsewhere.server.data / "pictures")
    assert [await restored.fetch(name) for name in names] == [
        bytes([number]) * 100 for number in range(20)]
    assert not list(elsewhere.server.data.rglob("half"))
    assert "pictures" in {path.parts[0] for path in map(Path, verified(backup).files)}
