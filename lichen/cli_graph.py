"""`lichen graph`: the follow graph alone, for whoever has pairs and questions.

As in `cli`, a command imports what it needs when it runs.
"""

import asyncio
from pathlib import Path

import click

from lichen.kit.clock import system_clock

HTTP_PORT = 1323  # as GraphD's

data = click.option("--data", type=click.Path(path_type=Path), required=True, metavar="DIR",
                    help="The folder of the graph.")


@click.group()
def graph() -> None:
    """Who follows whom: load pairs, serve them, ask.

    \b
    Load a file of pairs:  lichen graph load PAIRS.csv --data DIR
    Serve it:              lichen graph serve --data DIR
    Ask it here:           lichen graph query --data DIR followers did:plc:…
    """


@graph.command()
@click.argument("pairs", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@data
def load(pairs: Path, data: Path) -> None:
    """Build the graph in DIR from PAIRS, a file of `actor,target` lines without a header.

    Rows may repeat. Interrupted, it goes on where it stopped when it is started again. What DIR
    held before is replaced once the new one is whole. Takes some 2 µs a line, and memory of 16
    bytes a line and 110 bytes a name.

    \b
    Example:  lichen graph load follows.csv --data graph
    """
    from lichen.graph import load as load_pairs

    with click.progressbar(length=max(1, pairs.stat().st_size), label="Reading",
                           update_min_steps=1 << 20) as bar:
        path = load_pairs(data, pairs, tell=lambda done, _: bar.update(done - bar.pos))
    click.echo(f"{path}: built.")


@graph.command()
@data
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDR",
              help="Address to listen on; another one needs --key.")
@click.option("--port", default=HTTP_PORT, show_default=True, metavar="N", help="Port.")
@click.option("--key", default="", envvar="LICHEN_GRAPH_KEY", metavar="KEY",
              help="Asked for by /api/graph and by whatever changes the graph.")
def serve(data: Path, host: str, port: int, key: str) -> None:
    """Serve the graph in DIR over HTTP: GraphD's paths, and /api/graph.

    \b
    GET  /followers /following /moots /followers_not_following    ?did=
    GET  /does_follow /are_moots /follows_following               ?actor_did= &target_did=
    GET  /intersect_followers /intersect_following                ?did= &did= …
    POST /follow /unfollow /follows /unfollows                    JSON; durable when answered
    GET  /api/graph/followers /following                          ?did= &limit= &cursor=
    GET  /api/graph/counts /suggestions ?did=    /followed_by ?actor_did= &target_did=
    POST /api/graph/does_follow                                   {"pairs": [[actor, target], …]}

    Values are percent-decoded once; the `%3A` inside a did:web is sent as `%253A`.

    \b
    Example:  lichen graph serve --data graph --port 1323
    """
    from lichen.graph.listening import listen

    listen(data, host=host, port=port, key=key)


@graph.command()
@data
@click.argument("question", type=click.Choice(
    ["followers", "following", "counts", "mutuals", "suggestions", "does-follow", "followed-by"]))
@click.argument("actor")
@click.argument("target", required=False)
@click.option("--limit", default=20, show_default=True, metavar="N", help="Answers at most.")
def query(data: Path, question: str, actor: str, target: str | None, *, limit: int) -> None:
    """Ask the graph in DIR, also while it is served.

    does-follow and followed-by ask about ACTOR and TARGET, the others about ACTOR.

    \b
    Example:  lichen graph query --data graph suggestions did:plc:ewvi7nxzyoun6zhxrhs64oiz
    """
    from lichen.graph.answering import lines_of

    if (target is None) == (question in ("does-follow", "followed-by")):
        raise click.UsageError(f"{question} asks about one actor, or about an actor and a target.")
    started_us = system_clock()
    for line in lines_of(data, question, [actor, *([target] if target else [])], limit=limit):
        click.echo(line)
    click.echo(f"({(system_clock() - started_us) / 1_000:.1f} ms)", err=True)


@graph.command()
@data
def rebuild(data: Path) -> None:
    """Build a new base from the old one and what changed since; nothing may serve DIR meanwhile.

    \b
    Example:  lichen graph rebuild --data graph
    """
    from lichen.graph import Graph

    async def run() -> Path:
        opened = Graph.open(data)
        try:
            return await opened.rebuild()
        finally:
            await opened.close()

    click.echo(f"{asyncio.run(run())}: built.")
