"""The comment tree as HTML: built by hand, because a thread may hold five hundred of them.

    <div class="c" id="c12">                     one comment and what hangs below it
      <div class="m"> who, when </div>
      <details open>
        <summary> the rail </summary>            pressing it folds the branch, without a script
        <div class="text"> words </div>
        <form class="acts"> votes, reply, save, more </form>
        <div class="u"></div>                    replies, reasons and actions unfold here
        <div class="c"> … </div>
      </details>
    </div>

Everything from people passes `escape` or the Markdown cleaner; nothing else here is text from
outside. Posts use the same vote pair and save button.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from lichen.accounts import Actor, Emoji
from lichen.faces.pages import wording
from lichen.faces.pages.emoji_row import emoji_row
from lichen.forum import CommentView
from lichen.web import Addresses

DEPTH_SHOWN_MAX = 8  # deeper branches go on on their own page; a phone has no room for more
VOTES_KEPT_MAX = 2_048  # vote pairs kept ready: most scores are small; 1 MB when full
COMMENTS_SHOWN_MAX = 500  # on one page; whole branches, so a page may hold a few more

_UP = '<svg class="i" aria-hidden="true"><use href="#i-arrow-big-up"/></svg>'
_DOWN = '<svg class="i" aria-hidden="true"><use href="#i-arrow-big-down"/></svg>'
_SAVE = '<svg class="i" aria-hidden="true"><use href="#i-bookmark"/></svg>'


class Branch(NamedTuple):
    """A comment and the branches below it, in the order they came."""

    view: CommentView
    kids: list["Branch"]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a tree is drawn with: the words' renderer, the time, who looks and what is new."""

    addresses: Addresses
    markdown: Callable[[str], str]
    now_us: int
    viewer_id: int | None = None
    new: frozenset[int] = frozenset()
    at: int | None = None
    can_reply: bool = True
    downvotes: bool = True
    depth_max: int = DEPTH_SHOWN_MAX
    emoji: Mapping[str, Emoji] = field(default_factory=dict)
    shown: Callable[[str], str] = str  # where a picture is shown from
    faces: dict[int, str] = field(default_factory=dict)


def branches(views: Sequence[CommentView]) -> list[Branch]:
    """Return the tree of some comments; those whose parent is not among them are its roots.

    The order among siblings is the order of `views`. O(n).
    """
    known = {view.comment.id: Branch(view, []) for view in views}
    roots: list[Branch] = []
    for branch in known.values():
        parent_id = branch.view.comment.parent_id
        above = known.get(parent_id) if parent_id is not None else None
        (roots if above is None else above.kids).append(branch)
    return roots


def page_of(roots: Sequence[Branch], skip: int) -> tuple[list[Branch], int | None]:
    """Return the roots of one page and where the next page begins, None at the end."""
    shown = 0
    for at in range(skip, len(roots)):
        if shown >= COMMENTS_SHOWN_MAX:
            return list(roots[skip:at]), at
        shown += _size(roots[at])
    return list(roots[skip:]), None


def new_ids(views: Sequence[CommentView], unread: int, viewer_id: int | None) -> frozenset[int]:
    """Return the comments that came since the last visit: the newest of other people."""
    if viewer_id is None or unread <= 0 or unread >= len(views):
        return frozenset()
    newest = sorted(views, key=lambda view: view.comment.published_us)[-unread:]
    return frozenset(view.comment.id for view in newest if view.creator.id != viewer_id)


def drawn(roots: Sequence[Branch], scene: Scene) -> Markup:
    """Return branches as HTML."""
    pieces: list[str] = []
    for branch in roots:
        _draw(pieces, branch, scene, 1)
    return Markup("".join(pieces))


@lru_cache(maxsize=VOTES_KEPT_MAX)
def votes(score: int, mine: int | None, *, downvotes: bool) -> str:
    """Return the vote pair with the score between; the form it is in knows what it votes on."""
    up, down = mine == 1, mine == -1
    pair = (
        f'<span class="v"><button class="up" name="value" value="{0 if up else 1}" '
        f'aria-label="Upvote" aria-pressed="{_said(up)}">{_UP}</button>'
        f'<b>{score:,}<span class="vh"> points</span></b>'
    )
    if not downvotes:
        return pair + "</span>"
    return (
        f'{pair}<button class="down" name="value" value="{0 if down else -1}" '
        f'aria-label="Downvote" aria-pressed="{_said(down)}">{_DOWN}</button></span>'
    )


def save_button(path: str, *, saved: bool) -> str:
    """Return the button that keeps a post or a comment for later."""
    return (
        f'<button class="s{" kept" if saved else ""}" formaction="{path}/save" name="value" '
        f'value="{0 if saved else 1}" aria-pressed="{_said(saved)}">{_SAVE}'
        f'{"saved" if saved else "save"}</button>'
    )


def _draw(pieces: list[str], branch: Branch, scene: Scene, depth: int) -> None:
    """Append one branch; lists and appends, because this is where a long thread spends its time."""
    view, kids = branch
    comment = view.comment
    path = scene.addresses.comment(comment.id)
    pieces.append(_opening(view, scene))
    if comment.deleted or comment.removed:
        by = "its author" if comment.deleted else "a moderator"
        pieces.append(f'<p class="gone">Taken away by {by}.</p>')
    elif comment.held:
        words = scene.markdown(comment.content)
        pieces.append('<p class="gone">Waits for a moderator; only its author and they see this. '
                      f'<a href="{path}#held-heading">Why?</a></p>'
                      f'<div class="text" dir="auto">{words}</div>')
    else:
        words = scene.markdown(comment.content)
        row = emoji_row(path, f"rc{comment.id}", view.reactions, scene.emoji)
        pieces.append(f'<div class="text" dir="auto">{words}</div>{row}{_acts(view, path, scene)}')
    if not kids or depth >= scene.depth_max:
        pieces.append(_onward(comment.children, path))
    else:
        for kid in kids:
            _draw(pieces, kid, scene, depth + 1)
    pieces.append("</details></div>")


def _opening(view: CommentView, scene: Scene) -> str:
    comment = view.comment
    kinds = "c"
    if comment.id in scene.new:
        kinds += " new"
    if comment.id == scene.at:
        kinds += " at"
    when = comment.published_us
    return (
        f'<div class="{kinds}" id="c{comment.id}" tabindex="-1"><div class="m">'
        f"{_face(view.creator, scene)}{_words(view, scene)}"
        f'<time datetime="{wording.iso(when)}">{wording.age(when, scene.now_us)}</time>'
        f'{"<span>edited</span>" if comment.updated_us else ""}</div>'
        f'<details open><summary><span class="n">{_replies(comment.children)}</span></summary>'
    )


def _face(actor: Actor, scene: Scene) -> str:
    """Return an actor's picture and linked name; people speak often, so it is kept."""
    face = scene.faces.get(actor.id)
    if face is None:
        picture = escape(scene.shown(wording.picture_of(actor, scene.addresses)))
        face = (
            f'<img class="g" src="{picture}" width="22" height="22" alt="" loading="lazy">'
            f'<a href="{wording.path_of(actor, scene.addresses)}" dir="auto">'
            f"{escape(actor.shown_name)}</a>"
        )
        scene.faces[actor.id] = face
    return face


def _words(view: CommentView, scene: Scene) -> str:
    """Return the words that mark who speaks: author, moderator, administrator, program, new."""
    marks = ""
    if view.creator.id == view.post.creator_id:
        marks += '<span class="word author">author</span>'
    if view.comment.distinguished:
        marks += '<span class="word rust">moderator</span>'
    if view.creator.bot:
        marks += '<span class="word">program</span>'
    if view.creator.banned or view.creator_banned_from_community:
        marks += '<span class="word alarm">banned</span>'
    if view.comment.id in scene.new:
        marks += '<span class="word author">new</span>'
    return marks


def _acts(view: CommentView, path: str, scene: Scene) -> str:
    reply = f'<a href="{path}/reply">reply</a>' if scene.can_reply else ""
    pair = votes(view.comment.score, view.my_vote, downvotes=scene.downvotes)
    return (
        f'<form class="acts" method="post" action="{path}/vote" hx-boost="true">{pair}{reply}'
        f'{save_button(path, saved=view.saved)}<a href="{path}/react">react</a>'
        f'<a href="{path}/more">more</a></form>'
        '<div class="u"></div>'
    )


def _onward(children: int, path: str) -> str:
    if not children:
        return ""
    return f'<a class="on" href="{path}">Go on reading: {_replies(children)}</a>'


def _replies(children: int) -> str:
    return wording.some(children, "reply", "replies")


def _said(on: bool) -> str:
    return "true" if on else "false"


def _size(branch: Branch) -> int:
    return 1 + sum(_size(kid) for kid in branch.kids)
