"""A plugin with pages, a shelf and a command."""

import click

from lichen.plugins import PageLink, PageShown, hookimpl


@hookimpl
def pages():
    return [PageLink(title="The shelf"), PageLink(title="Its back", path="back")]


@hookimpl
def show_page(asked, shelf):
    if asked.path == "back":
        return PageShown(title="Back", go_to="/x/keeping")
    if asked.path == "away":
        return PageShown(title="Away", go_to="https://elsewhere.example/", html="<p>stayed</p>")
    if asked.path == "wild":
        return PageShown(title="<b>Wild</b>", html=WILD)
    if asked.path:
        return None
    if asked.method == "POST":
        try:
            if "drop" in asked.fields:
                shelf.drop(asked.fields["drop"])
            else:
                shelf.put(asked.fields["key"], asked.fields["value"])
        except ValueError as error:
            return PageShown(title="No", html=f"<p>{error}</p>", status=400)
        return PageShown(title="Kept", go_to="/x/keeping?key=" + asked.fields.get("key", ""))
    key = asked.fields.get("key", "colour")
    who = asked.person.name if asked.person else "a stranger"
    return PageShown(title="The shelf", html=f"<p>{who}: {shelf.get(key)}</p>")


@hookimpl
def after_create(told, shelf):
    shelf.put(f"told {told.seq}", f"{told.kind} {told.id} {told.title or told.body}")
    shelf.put("last", f"{told.kind} {told.id}")


@hookimpl
def commands():
    @click.command("dust")
    @click.argument("where")
    def dust(where):
        """Dust the shelf."""
        click.echo(f"The {where} is clean.")

    return [dust]


WILD = """
<script>alert(1)</script><style>body { display: none }</style><img src="https://a.example/i.png">
<p class="card bottom" style="position: fixed" onclick="alert(1)" id="main">A text</p>
<form action="/admin/plugins" method="post"><input type="password" name="secret">
<input type="hidden" name="a" value="1"><button>Go</button></form>
<form action="/x/keeping/more" method="post"><label for="x-word">Word</label>
<input id="x-word" name="word"></form>
<a href="javascript:alert(1)">one</a> <a href="//elsewhere.example">two</a> <a href="/post/1">three</a>
<iframe src="/settings"></iframe><meta http-equiv="refresh" content="0;url=https://a.example">
"""
