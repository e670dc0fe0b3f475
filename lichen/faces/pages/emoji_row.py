"""The row of reactions under a post or comment, and the picker, as HTML by hand.

    <form class="re" id="rc12">                   pressing an emoji puts mine on it, or takes it off
      <button name="on" value="🌿" aria-pressed="false">🌿 <b>2</b></button>
    </form>
"""

from collections.abc import Iterable, Mapping

from markupsafe import escape

from lichen.accounts import Emoji
from lichen.forum import Reaction

OFFERED = ("👍", "❤️", "😄", "🎉", "🌿", "🙏", "👀", "🤔", "😢", "🔥", "💯", "👋")


def emoji_row(
    path: str, row_id: str, reactions: Iterable[Reaction], custom: Mapping[str, Emoji]
) -> str:
    """Return the row, which is there and empty where nobody reacted yet."""
    buttons = "".join(_button(one, custom) for one in reactions)
    return (
        f'<form class="re" id="{row_id}" method="post" action="{path}/react" hx-boost="true">'
        f"{buttons}</form>"
    )


def picker(path: str, custom: Mapping[str, Emoji]) -> str:
    """Return the form that offers emoji: some of the world's, all of the site's, any other."""
    offered = (*OFFERED, *(f":{shortcode}:" for shortcode in custom))
    buttons = "".join(
        f'<button name="on" value="{escape(one)}" aria-label="React with {escape(_said(one))}">'
        f"{_picture(one, custom)}</button>"
        for one in offered
    )
    return (
        f'<form class="re pick" method="post" action="{path}/react" hx-boost="true">{buttons}'
        '<span class="row"><label class="vh" for="f-other">Another emoji</label>'
        '<input id="f-other" name="other" maxlength="64" placeholder="Another" size="8">'
        '<button class="plain">React</button></span></form>'
    )


def _button(one: Reaction, custom: Mapping[str, Emoji]) -> str:
    name = "off" if one.mine else "on"
    people = "person" if one.count == 1 else "people"
    return (
        f'<button name="{name}" value="{escape(one.emoji)}" '
        f'aria-pressed="{"true" if one.mine else "false"}">{_picture(one.emoji, custom)}'
        f'<b class="num">{one.count:,}</b><span class="vh"> {people}</span></button>'
    )


def _picture(emoji: str, custom: Mapping[str, Emoji]) -> str:
    """Return how an emoji is shown; one of the site's that is gone stays its shortcode."""
    known = custom.get(emoji.strip(":")) if emoji.startswith(":") else None
    if known is None:
        return f"<span>{escape(emoji)}</span>"
    said = escape(known.alt_text or emoji)
    return (
        f'<img src="{escape(known.image_url)}" width="22" height="22" alt="{said}" '
        f'title="{escape(emoji)}" loading="lazy" referrerpolicy="no-referrer">'
    )


def _said(emoji: str) -> str:
    return emoji.strip(":").replace("_", " ")
