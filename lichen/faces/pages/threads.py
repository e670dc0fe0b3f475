"""A post with its comment tree; one branch of it; and why a post stands where it stands."""

from litestar import Response, get
from litestar.background_tasks import BackgroundTask
from litestar.params import FromQuery
from markupsafe import Markup

from lichen.accounts import Actor
from lichen.faces.pages.answers import fragment, page
from lichen.faces.pages.lists import downvotes
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.tree import (
    DEPTH_SHOWN_MAX,
    Scene,
    branches,
    drawn,
    new_ids,
    page_of,
)
from lichen.faces.pages.visit import GivenVisit, Number, Visit
from lichen.faces.pages.wording import COMMENT_SORT_WORDS, choices, some
from lichen.federation import Succession
from lichen.forum import (
    Comment,
    CommentQuery,
    CommentSort,
    CommentView,
    CommunityView,
    Post,
    PostView,
    Sort,
    SubjectKind,
)
from lichen.kit import NotFound, Reason
from lichen.moderation import HeldView
from lichen.store import Unit

Aside = tuple[CommunityView, list[Actor], Succession]


@get("/post/{post_id:int}")
async def post_page(
    parts: GivenParts, visit: GivenVisit, post_id: Number,
    sort: FromQuery[CommentSort] = CommentSort.HOT, *, skip: FromQuery[int] = 0,
) -> Response[bytes]:
    """Show a post and its comments."""
    viewer = visit.viewer
    path = parts.addresses.post(post_id)

    def find(unit: Unit) -> tuple[PostView, Markup, int | None, Aside, HeldView | None]:
        # One level more than is shown, so that a branch knows whether it goes on.
        query = CommentQuery(post_id=post_id, sort=sort, depth_max=DEPTH_SHOWN_MAX)
        view, comments = parts.forum.post_thread(unit, viewer, post_id, query)
        roots, following = page_of(branches(comments), max(0, skip))
        scene = _scene(parts, visit, view, comments)
        held = _held(parts, visit, unit, view.post)
        return view, drawn(roots, scene), following, _aside(parts, visit, unit, view), held

    if visit.is_fragment:
        _, thread, following, *_ = await parts.store.read(find)
        more = parts.drawing.macro("more")(_onward(path, sort, following), "More comments")
        return fragment(parts, thread + more, target=".more")
    (view, thread, following, aside, held), frame = await parts.framed(visit, find)
    community, moderators, succession = aside
    answer = await page(parts, visit, frame, "post.html", values={
        "view": view, "thread": thread, "branch": False, "parent": None,
        "community": community, "moderators": moderators, "succession": succession,
        "next": _onward(path, sort, following), "sort": sort.value, "sort_of_list": "",
        "sorts": _sorts(path, sort),
        "comments_word": some(view.post.comments, "comment", "comments"),
        "now_us": parts.now_us(), "downvotes": downvotes(parts),
        "emoji": parts.accounts.current_emoji, "live_since": view.post.newest_comment_us,
        "held": held, "held_is_mine": _is_mine(visit, view.creator),
    })
    if viewer is not None and (not view.read or view.unread_comments):
        # Marked after the answer: whoever reads need not wait for a write.
        answer.background = BackgroundTask(_mark_read, parts, visit, post_id)
    return answer


@get("/comment/{comment_id:int}")
async def comment_page(
    parts: GivenParts, visit: GivenVisit, comment_id: Number,
    sort: FromQuery[CommentSort] = CommentSort.HOT, *, skip: FromQuery[int] = 0,
) -> Response[bytes]:
    """Show one comment with the branch below it, under its post."""
    viewer = visit.viewer
    path = parts.addresses.comment(comment_id)

    def find(
        unit: Unit
    ) -> tuple[CommentView, PostView, Markup, int | None, Aside, HeldView | None]:
        top = parts.forum.comment_view(unit, viewer, comment_id)
        query = CommentQuery(
            post_id=top.post.id, parent_id=comment_id, sort=sort, depth_max=DEPTH_SHOWN_MAX
        )
        view, comments = parts.forum.post_thread(unit, viewer, top.post.id, query)
        below = [other for other in comments if other.comment.id != comment_id]
        root = branches([top, *below])[0]
        kids, following = page_of(root.kids, max(0, skip))
        scene = _scene(parts, visit, view, comments, at=comment_id)
        shown = kids if visit.is_fragment else [root._replace(kids=kids)]
        held = _held(parts, visit, unit, top.comment)
        return top, view, drawn(shown, scene), following, _aside(parts, visit, unit, view), held

    if visit.is_fragment:
        _, _, thread, following, *_ = await parts.store.read(find)
        more = parts.drawing.macro("more")(_onward(path, sort, following), "More comments")
        return fragment(parts, thread + more, target=".more")
    (top, view, thread, following, aside, held), frame = await parts.framed(visit, find)
    community, moderators, succession = aside
    return await page(parts, visit, frame, "post.html", values={
        "view": view, "thread": thread, "branch": True, "parent": top.comment.parent_id,
        "community": community, "moderators": moderators, "succession": succession,
        "next": _onward(path, sort, following), "sort": sort.value, "sort_of_list": "",
        "sorts": _sorts(path, sort), "comments_word": "One branch",
        "now_us": parts.now_us(), "downvotes": downvotes(parts),
        "emoji": parts.accounts.current_emoji, "live_since": None,
        "held": held, "held_is_mine": _is_mine(visit, top.creator),
    })


@get("/post/{post_id:int}/why")
async def why_page(
    parts: GivenParts, visit: GivenVisit, post_id: Number, sort: FromQuery[Sort] = Sort.HOT
) -> Response[bytes]:
    """Say why a post stands where it stands in an order."""

    def find(unit: Unit) -> tuple[PostView, Reason]:
        view = parts.forum.post_view(unit, visit.viewer, post_id)
        return view, parts.forum.explain_post(unit, visit.viewer, post_id, sort)

    if visit.is_fragment:
        _, reason = await parts.store.read(find)
        html = parts.drawing.macro("reason")(reason)
        return fragment(parts, html, target="next .u", swap="innerHTML")
    (view, reason), frame = await parts.framed(visit, find)
    return await page(parts, visit, frame, "why.html", values={"view": view, "reason": reason})


def scene_of(parts: Parts, visit: Visit, view: CommentView) -> Scene:
    """Return what one comment is drawn with, for a fragment."""
    return Scene(
        addresses=parts.addresses,
        markdown=parts.drawing.markdown,
        shown=parts.pictures.proxy.shown,
        now_us=parts.now_us(),
        viewer_id=visit.viewer.id if visit.viewer else None,
        can_reply=not view.post.locked,
        downvotes=downvotes(parts),
        emoji=parts.accounts.current_emoji,
    )


def _scene(
    parts: Parts, visit: Visit, view: PostView, comments: list[CommentView], *,
    at: int | None = None,
) -> Scene:
    viewer_id = visit.viewer.id if visit.viewer else None
    return Scene(
        addresses=parts.addresses,
        markdown=parts.drawing.markdown,
        shown=parts.pictures.proxy.shown,
        now_us=parts.now_us(),
        viewer_id=viewer_id,
        new=new_ids(comments, view.unread_comments, viewer_id) if view.read else frozenset(),
        at=at,
        can_reply=not view.post.locked,
        downvotes=downvotes(parts),
        emoji=parts.accounts.current_emoji,
    )


def _held(
    parts: Parts, visit: Visit, unit: Unit, subject: Post | Comment
) -> HeldView | None:
    """Return why something waits, for its author and who moderates there."""
    if visit.viewer is None or not subject.held:
        return None
    kind = SubjectKind.POST if isinstance(subject, Post) else SubjectKind.COMMENT
    try:
        return parts.moderation.why_held(unit, visit.viewer, kind, subject.id)
    except NotFound:  # held before there was a queue: the word beside the title says so
        return None


def _is_mine(visit: Visit, author: Actor) -> bool:
    return visit.viewer is not None and visit.viewer.id == author.id


def _aside(parts: Parts, visit: Visit, unit: Unit, view: PostView) -> Aside:
    """Return the community beside a post and who keeps it, and who continues it."""
    community = CommunityView(
        community=view.community, subscribed=view.subscribed, blocked=False,
        banned=view.banned_from_community, moderates=False,
    )
    return (community, parts.forum.moderators(unit, view.community.id),
            parts.federation.successors.succession(unit, visit.viewer, community))


async def _mark_read(parts: Parts, visit: Visit, post_id: int) -> None:
    viewer = visit.required()
    await parts.store.write(
        lambda unit: parts.forum.mark_posts_read(unit, viewer, [post_id], read=True)
    )


def _onward(path: str, sort: CommentSort, following: int | None) -> str | None:
    return None if following is None else f"{path}?sort={sort.value}&skip={following}"


def _sorts(path: str, sort: CommentSort) -> list[object]:
    words = [(key.value, word) for key, word in COMMENT_SORT_WORDS.items()]
    return list(choices(words, sort.value, path, sort="{}"))


HANDLERS = [post_page, comment_page, why_page]
