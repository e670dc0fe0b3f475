"""One contract, two places: the house's disk, and a bucket spoken to over HTTP."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.kit import Unavailable
from lichen.kit.config import ConfigRefused, Secret
from lichen.media.blobs import Blobs, DiskBlobs, name_of
from lichen.media.buckets import BucketBlobs
from tests.conftest import FakeClock
from tests.media.conftest import settings

pytestmark = pytest.mark.anyio
MOTO = Path(sys.executable).with_name("moto_server")
NAME = sha256(b"a blob").hexdigest()


@pytest.fixture(scope="session")
def bucket_url() -> Iterator[str]:
    """Yield the address of moto's S3 server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [MOTO, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait()


async def bucket_of(url: str, clock: FakeClock) -> BucketBlobs:
    blobs = BucketBlobs(settings(
        keep_in="s3", s3_endpoint=url, s3_bucket="pictures", s3_key=Secret("key"),
        s3_secret=Secret("secret"),
    ), clock)
    async with asyncio.timeout(30):
        while True:  # until the server, which has just been started, answers
            try:
                await blobs._ask("PUT", "")  # what makes the bucket
                return blobs
            except Unavailable:
                await asyncio.sleep(0.05)


@pytest.fixture(params=["disk", "s3"])
async def blobs(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock
) -> AsyncIterator[Blobs]:
    place: Blobs
    if request.param == "disk":
        place = DiskBlobs(tmp_path / "pictures")
    else:
        place = await bucket_of(request.getfixturevalue("bucket_url"), clock)
    yield place
    await place.close()


async def test_what_is_kept_is_found_under_its_hash(blobs: Blobs) -> None:
    name = await blobs.keep(b"a blob")

    assert name == NAME
    assert await blobs.fetch(name) == b"a blob"


async def test_keeping_twice_is_keeping_once(blobs: Blobs) -> None:
    assert await blobs.keep(b"a blob") == await blobs.keep(b"a blob")
    assert await blobs.fetch(NAME) == b"a blob"


async def test_many_at_once_are_all_kept(blobs: Blobs) -> None:
    contents = [bytes([number]) * 1_000 for number in range(12)] + [b"a blob"] * 4

    names = await asyncio.gather(*(blobs.keep(content) for content in contents))

    assert [await blobs.fetch(name) for name in names] == contents


async def test_what_is_dropped_is_gone(blobs: Blobs) -> None:
    await blobs.keep(b"a blob")

    await blobs.drop(NAME)
    await blobs.drop(NAME)

    assert await blobs.fetch(NAME) is None


async def test_what_was_never_kept_is_not_found(blobs: Blobs) -> None:
    assert await blobs.fetch(name_of(b"never")) is None


async def test_large_and_empty_blobs_come_back_whole(blobs: Blobs) -> None:
    for content in (b"", bytes(range(256)) * 20_000):
        assert await blobs.fetch(await blobs.keep(content)) == content


async def test_a_bucket_that_is_away_is_unavailable(clock: FakeClock) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    blobs = BucketBlobs(settings(
        keep_in="s3", s3_endpoint=f"http://127.0.0.1:{port}", s3_bucket="pictures",
        s3_key=Secret("key"), s3_secret=Secret("secret"),
    ), clock)

    with pytest.raises(Unavailable):
        await blobs.keep(b"a blob")
    await blobs.close()


def test_a_bucket_without_its_settings_is_refused_at_the_start(clock: FakeClock) -> None:
    with pytest.raises(ConfigRefused, match="s3_bucket"):
        BucketBlobs(settings(keep_in="s3", s3_endpoint="http://127.0.0.1:9"), clock)


async def test_requests_to_a_bucket_are_signed(bucket_url: str, clock: FakeClock) -> None:
    blobs = await bucket_of(bucket_url, clock)

    headers = await blobs._headers("GET", f"{bucket_url}/pictures/x", b"")

    await blobs.close()
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/20231114/us-east-1")
    assert "SignedHeaders=host;x-amz-content-sha256;x-amz-date" in headers["Authorization"]
    assert "secret" not in headers["Authorization"]
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{bucket_url}/pictures/x", headers=headers) as answer:
            assert answer.status == 404


async def test_half_a_blob_of_a_killed_house_is_removed_at_the_start(tmp_path: Path) -> None:
    unfinished = tmp_path / "pictures" / "tmp" / f"{NAME}.0"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(b"a b")

    blobs = DiskBlobs(tmp_path / "pictures")

    assert not unfinished.exists()
    assert await blobs.fetch(NAME) is None


async def test_a_disk_that_takes_nothing_is_unavailable_and_leaves_nothing(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path / "pictures")
    (tmp_path / "pictures" / NAME[:2]).write_bytes(b"in the way")

    with pytest.raises(Unavailable):
        await blobs.keep(b"a blob")

    assert list((tmp_path / "pictures" / "tmp").iterdir()) == []


@given(content=st.binary(max_size=2_000))
async def test_whatever_the_bytes_they_come_back(tmp_path: Path, content: bytes) -> None:
    blobs = DiskBlobs(tmp_path / "pictures")

    assert await blobs.fetch(await blobs.keep(content)) == content
