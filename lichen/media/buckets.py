"""Blobs in an S3 bucket: the promises of `blobs.py`, kept by somebody else's disks.

    keep  ─► PUT    /bucket/abcd…   S3 answers once the object is durable
    fetch ─► GET    /bucket/abcd…   404: there is none
    drop  ─► DELETE /bucket/abcd…

Requests are signed by MinIO's library (AWS Signature Version 4) and sent by a client of their own,
bounded to the one endpoint that the administrator wrote down, in time, size and redirects (none).
It is not the guarded client of `kit`, which serves addresses that strangers choose, and which a
bucket in the house's own network must not weaken. Needs `pip install lichen[s3]`.
"""

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lichen.kit import Clock, Unavailable
from lichen.kit.config import ConfigRefused
from lichen.kit.config import Media as Settings
from lichen.media.blobs import name_of
from lichen.media.limits import BLOB_ANSWER_S_MAX

if TYPE_CHECKING:
    import aiohttp

RETRY_S = 5.0  # a bucket that fails is asked again after this
CONNECTIONS_MAX = 16  # to the one endpoint
CHUNK_BYTES = 1 << 16  # read at once


class BucketBlobs:
    """Blobs in a bucket, used on one event loop."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        for key in ("s3_endpoint", "s3_bucket", "s3_key", "s3_secret"):
            if not getattr(settings, key):
                raise ConfigRefused(f"media.keep_in is s3, so media.{key} is needed; set it.")
        # Both are imported here: only a house that keeps its pictures in a bucket needs them.
        from minio.credentials.credentials import Credentials
        from minio.signer import sign_v4_s3

        self._credentials = Credentials(
            settings.s3_key.reveal(), settings.s3_secret.reveal()
        )
        self._sign = sign_v4_s3
        self._base = f"{settings.s3_endpoint.rstrip('/')}/{settings.s3_bucket}/"
        self._region = settings.s3_region
        self._bytes_max = settings.upload_bytes_max
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def keep(self, content: bytes) -> str:
        """Keep bytes durably and return their name; one request."""
        name = await asyncio.to_thread(name_of, content)
        status, _ = await self._ask("PUT", name, content)
        if status != 200:
            raise _unavailable(status)
        return name

    async def fetch(self, name: str) -> bytes | None:
        """Return a blob, None where there is none."""
        status, body = await self._ask("GET", name)
        if status == 404:
            return None
        if status != 200:
            raise _unavailable(status)
        return body

    async def drop(self, name: str) -> None:
        """Remove a blob; one that is gone is gone."""
        status, _ = await self._ask("DELETE", name)
        if status not in (200, 204, 404):
            raise _unavailable(status)

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, method: str, name: str, body: bytes = b"") -> tuple[int, bytes]:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
                cookie_jar=aiohttp.DummyCookieJar(), trust_env=False,
                timeout=aiohttp.ClientTimeout(total=BLOB_ANSWER_S_MAX),
            )
        url = self._base + name
        try:
            async with self._session.request(
                method, url, data=body or None, headers=await self._headers(method, url, body),
                allow_redirects=False,
            ) as answer:
                return answer.status, await self._read(answer)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unavailable(
                f"The bucket does not answer ({type(error).__name__}).", retry_after_s=RETRY_S
            ) from error

    async def _headers(self, method: str, url: str, body: bytes) -> dict[str, str]:
        # AWS, "Authenticating Requests (Signature Version 4)": host, date and hash are signed.
        parts = urlsplit(url)
        digest = (await asyncio.to_thread(sha256, body)).hexdigest()
        now = datetime.fromtimestamp(self._clock() / 1_000_000, UTC)
        headers = {
            "Host": parts.netloc, "x-amz-content-sha256": digest,
            "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
        }
        signed = self._sign(
            method=method, url=parts, region=self._region, headers=dict(headers),
            credentials=self._credentials, content_sha256=digest, date=now,
        )
        return {name: str(value) for name, value in signed.items()}

    async def _read(self, answer: "aiohttp.ClientResponse") -> bytes:
        """Return the body; no blob is longer than what may be uploaded, twice over."""
        content = bytearray()
        async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
            content += chunk
            if len(content) > 2 * self._bytes_max:
                raise Unavailable("The bucket sent more than a picture.", retry_after_s=RETRY_S)
        return bytes(content)


def _unavailable(status: int) -> Unavailable:
    return Unavailable(f"The bucket answered {status}.", retry_after_s=RETRY_S)
