"""`lichen timeline`: the timelines' engine alone.

As in `cli`, a command imports what it needs when it runs.
"""

import click

PEOPLE = 2_000_000
POSTS = 9


@click.group()
def timeline() -> None:
    """Everybody's home: try how fast posts reach it on this machine.

    \b
    Try it:  lichen timeline bench
    """


@timeline.command()
@click.option("--people", default=PEOPLE, show_default=True, metavar="N",
              type=click.IntRange(1, 20_000_000), help="Followers who get each post.")
@click.option("--slots", default="32", show_default=True, type=click.Choice(["16", "32", "64"]),
              help="Posts that the ring of each holds; memory is 4 bytes each.")
def bench(people: int, slots: str) -> None:
    """Fan posts out to N followers, in memory; nothing is kept.

    \b
    Example:  lichen timeline bench --people 2000000
    """
    from lichen.doctor.stopwatch import now_s
    from lichen.timeline import tried

    trial = tried(people, slots=int(slots), posts=POSTS, now_s=now_s)
    click.echo(f"one post to {trial.people:,} followers   {trial.post_ms:10.1f} ms")
    click.echo(f"writes into timelines                {trial.writes_per_s:14,.0f} a second")
    click.echo(f"page of 10,000 followers, p99        {trial.page_p99_ms:10.3f} ms")
