"""How far behind a peer is, both ways, in words. Pure."""

from collections.abc import Iterator

from lichen.doctor.findings import Finding, Health
from lichen.doctor.house_rows import PeerStanding
from lichen.kit import isoformat

LAG_S_WORRY = 60.0  # the house notes where peers stand every five seconds
LAG_S_ILL = 86_400.0  # a day behind is what the story was about


def told_standing(
    authority: str, standing: PeerStanding | None, *, now_us: int
) -> Iterator[Finding]:
    """Say how far behind a peer is with what we owe it, and we with what it sent."""
    if standing is None:
        yield Finding("both ways", Health.WELL, f"Nothing was ever exchanged with {authority}.")
        return
    yield _outward(standing, now_us)
    yield _inward(standing)


def _outward(one: PeerStanding, now_us: int) -> Finding:
    lag_s = (now_us - one.owed_since_us) / 1e6 if one.owed_since_us else 0.0
    told = (f"It misses at most {one.owed} activities, the oldest {lag_s:.0f} s old; it last took "
            f"something {_when(one.last_success_us)}.")
    if one.fail_count:
        again = f"; the next try is {_when(one.retry_at_us)}" if one.retry_at_us else ""
        told += f" {one.fail_count} tries in a row failed, the last with: {one.last_error}{again}."
    behind = one.owed > 0 and lag_s > LAG_S_WORRY
    health = Health.ILL if one.fail_count or lag_s > LAG_S_ILL else (
        Health.WORRY if behind else Health.WELL)
    return Finding("what we owe it", health, told, "The steps above say what keeps it from taking "
                   "them; they are kept and sent on." if health is not Health.WELL else "")


def _inward(one: PeerStanding) -> Finding:
    told = (f"{one.waiting} of its activities are accepted and not applied, {one.parked} wait for "
            f"something that is not here; it last sent something {_when(one.last_received_us)}.")
    if one.waiting:
        return Finding("what it sent", Health.WORRY, told, "The house takes them when it runs; "
                       "`lichen doctor database` says what each costs.")
    return Finding("what it sent", Health.WELL, told)


def _when(at_us: int) -> str:
    return isoformat(at_us)[:19] + "Z" if at_us else "never"
