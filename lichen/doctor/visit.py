"""Visits: what `lichen doctor federation` and `foreign` do, from the configuration to findings.

Findings come as they are found, so that a person who waits sees which step takes long.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit

from lichen.doctor.findings import Finding, Health
from lichen.doctor.foreign import examine_database, examine_foreign
from lichen.doctor.house_rows import lists_of, site_key, standings
from lichen.doctor.peer import Ours, scheme_of, walk
from lichen.doctor.reading import reading_house
from lichen.federation.model import authority_of
from lichen.kit import LichenError, Refused
from lichen.kit.config import Config
from lichen.kit.ground import Ground, ground_of


def visit(config: Config, host: str) -> Iterator[Finding]:
    """Yield what the way to a peer shows, step by step; raises Refused for what is no host."""
    authority = _authority(host, scheme_of(config))
    ours, trouble = _ours(config, authority)

    async def steps(ground: Ground) -> AsyncIterator[Finding]:
        first = ""
        async for finding in walk(ground, authority, ours):
            if finding.health is Health.ILL and not first:
                first = finding.about
            yield finding
        if trouble:
            yield Finding("our rows", Health.WORRY, trouble, "Name the data folder with --data.")
        if first:
            yield Finding("the way", Health.ILL, f"The first step that fails: {first}.")

    yield from _run(config, steps)


def visit_foreign(config: Config, address: str, *, url: str, trips: int) -> Iterator[Finding]:
    """Yield what another server and its database show."""
    scheme = scheme_of(config)
    authority = _authority(urlsplit(address).netloc if "://" in address else address, scheme)
    yield from _run(config, lambda ground: examine_foreign(ground, scheme, authority))
    if url:
        yield from examine_database(url, clock=ground_of(config).clock, trips=trips)


def _authority(host: str, scheme: str) -> str:
    authority = authority_of(f"{scheme}://{host.strip().lower()}")
    if not authority or "/" in host:
        raise Refused("no_host", "Expected host or host:port, as peer.example; got "
                      f"{host[:100]!r}.")
    return authority


def _ours(config: Config, authority: str) -> tuple[Ours, str]:
    """Return what our rows say of a peer, or why they say nothing."""
    try:
        with reading_house(config) as rows:
            found = {one.authority: one for one in standings(rows, config.server.data)}
            return Ours(lists=lists_of(rows), key=site_key(rows),
                        standing=found.get(authority)), ""
    except LichenError as error:
        return Ours(), f"They say nothing: {getattr(error, 'text', error)}"


def _run(config: Config, steps: Callable[[Ground], AsyncIterator[Finding]]) -> Iterator[Finding]:
    """Yield what an asynchronous walk finds, as it finds it."""
    with asyncio.Runner() as runner:
        ground = ground_of(config)
        walking = steps(ground)
        try:
            while (found := runner.run(_next(walking))) is not None:
                yield found
        finally:
            runner.run(ground.outbound.close())


async def _next(walking: AsyncIterator[Finding]) -> Finding | None:
    return await anext(walking, None)
