"""Posts: written, changed, taken away, listed."""

from collections.abc import Iterable, Sequence

import msgspec

from lichen.accounts import Act, Actor, Settings, Viewer, actors_among
from lichen.events import Operation
from lichen.forum import community_rows, post_rows, vote_rows
from lichen.forum.checks import Written, judged, settle
from lichen.forum.drafts import check_post, fitting_draft, url_key
from lichen.forum.ledger import Ledger, uri_of_post
from lichen.forum.limits import BATCH_MAX, CROSS_POSTS_MAX, VOTED_POSTS_MAX
from lichen.forum.model import (
    Community,
    CommunityView,
    Link,
    Page,
    Post,
    PostAround,
    PostDraft,
    PostId,
    PostQuery,
    PostView,
    Sort,
    SubjectKind,
)
from lichen.forum.orders import NewPost
from lichen.forum.part import Part
from lichen.forum.permissions import (
    can_see_post,
    check_member,
    check_poster,
    check_visible,
    is_gone,
    is_moderator,
    no_such_community,
    no_such_post,
)
from lichen.forum.views import PostScene, post_queries
from lichen.kit import Forbidden, Reason
from lichen.store import Query, Row, Unit

_ACTORS_MODERATING_OF_POSTS = actors_among(community_rows.MODERATOR_IDS_OF_POSTS)


class Posts(Part):
    """Commands and queries about posts."""

    def create_posts(self, unit: Unit, new: Sequence[NewPost]) -> list[Post]:
        """Write a batch of posts with their authors' own upvotes; two round trips in all.

        Checks what is written, not who writes: that is decided by who calls.
        """
        communities, creators, _beside = self._around(unit, None, new)
        return self._write(unit, new, communities, creators)

    def create_post(
        self, unit: Unit, viewer: Viewer, community_id: int, draft: PostDraft, *,
        holds: tuple[Reason, ...] = (),
    ) -> PostView:
        """Write a post with its author's own upvote; two round trips.

        One that `holds` keep back waits, seen by nobody else, for a moderator.
        """
        self._screen_post(draft)
        new = NewPost(creator_id=viewer.id, community_id=community_id, draft=draft, holds=holds)
        acts = (Act.POST, Act.LINK) if draft.url else (Act.POST,)
        counting = self._accounts.newcomers.begin(unit, viewer, *acts)
        communities, creators, beside = self._around(unit, viewer, [new], counting.queries)
        community = communities[community_id]
        check_poster(viewer, community)
        counting.end(unit, beside)
        (post,) = self._write(unit, [new], communities, creators,
                              moderates=is_moderator(viewer, community))
        counted = msgspec.structs.replace(
            community.community, posts=community.community.posts + (not is_gone(post))
        )
        return PostView(
            post=post, creator=viewer.actor, community=counted,
            creator_banned_from_community=False, creator_is_moderator=community.moderates,
            subscribed=community.subscribed, my_vote=1,
        )

    def edit_post(
        self, unit: Unit, viewer: Viewer, post_id: int, draft: PostDraft
    ) -> PostView:
        """Change one's own post: None leaves a field as it is, "" empties it; two round trips."""
        self._screen_post(draft)
        scene = self._locked(unit, viewer, post_id)
        view = scene.views[post_id]
        community = scene.communities[view.post.community_id]
        _check_author(viewer, view.post)
        check_member(viewer, community)
        post = _edited(view.post, draft, community.community, unit.clock_us)
        (verdict,) = judged(self._hooks, unit, [Written(
            post=post, author=viewer.actor, community=community.community, before=view.post,
            moderates=is_moderator(viewer, community),
        )])
        post = msgspec.structs.replace(post, held=post.held or verdict.hold)
        changed = self._changed(unit, view, post)
        settle(unit, [verdict])
        return changed

    def delete_post(
        self, unit: Unit, viewer: Viewer, post_id: int, *, deleted: bool
    ) -> PostView:
        """Take one's own post away, or bring it back; two round trips."""
        scene = self._locked(unit, viewer, post_id)
        view = scene.views[post_id]
        _check_author(viewer, view.post)
        check_member(viewer, scene.communities[view.post.community_id])
        return self._changed(unit, view, msgspec.structs.replace(view.post, deleted=deleted))

    def attach_link(self, unit: Unit, post_id: int, link: Link | None) -> None:
        """Keep what was learnt of the page a post points to; two round trips."""
        post = self._locked(unit, None, post_id).views[post_id].post
        if link is None or link.url != post.url:
            return  # the post has been edited meanwhile
        changed = msgspec.structs.replace(post, link=link)
        unit.stage(post_rows.CHANGE_POST, post_rows.row_of_post(changed, url_key=url_key(post.url)))

    def post_view(self, unit: Unit, viewer: Viewer | None, post_id: int) -> PostView:
        """Return a post; one that is gone only to its author and moderators; one round trip."""
        return _visible(viewer, self._scene(unit, viewer, [post_id]), post_id)

    def post_around(self, unit: Unit, viewer: Viewer | None, post_id: int) -> PostAround:
        """Return a post, as `post_view` does, and what stands around it.

        One round trip, two where somebody else posted the same address.
        """
        asked = {"ids": [post_id], "now_us": unit.clock_us}
        crossing = {"post_id": post_id, "limit": CROSS_POSTS_MAX}
        *posts, order, people, crossed = (flush := self._views.fetch(
            unit, viewer, *post_queries(unit, viewer, [post_id]),
            (community_rows.MODERATORS_OF_POSTS, asked), (_ACTORS_MODERATING_OF_POSTS, asked),
            (post_rows.CROSS_POST_IDS, crossing),
        )).rows
        scene = self._views.posts(posts, flush.standing)
        view = _visible(viewer, scene, post_id)
        actors = self._accounts.actors_from(people)
        return PostAround(
            view=view, community=scene.communities[view.post.community_id],
            moderators=[actors[row.person_id] for row in order],
            cross_posts=self.post_views(unit, viewer, [row.id for row in crossed])
            if crossed else [],
        )

    def post_views(
        self, unit: Unit, viewer: Viewer | None, ids: Sequence[int]
    ) -> list[PostView]:
        """Return those posts that the viewer can see, in the order of ids; one round trip."""
        scene = self._scene(unit, viewer, ids)
        found = (scene.views[post_id] for post_id in ids if post_id in scene.views)
        return [
            view for view in found
            if can_see_post(viewer, view.post, scene.communities[view.post.community_id])
        ]

    def post_list(
        self, unit: Unit, viewer: Viewer | None, query: PostQuery
    ) -> tuple[list[PostView], Page]:
        """Return a page of posts; one round trip, two where the viewer's sets are not in memory."""
        asked = _settled(query, viewer)
        standing = self.standings.of(unit, viewer, with_read=not asked.show_read)
        if asked.saved_only:
            asked = msgspec.structs.replace(asked, among=tuple(standing.saved_posts))
        elif asked.liked_only or asked.disliked_only:
            asked = self._among_voted(unit, asked, standing.person_id)
        ids, following = self.ranks.page(asked, now_us=unit.clock_us, viewer_standing=standing)
        return self.post_views(unit, viewer, ids), Page(next=following)

    def explain_post(
        self, unit: Unit, viewer: Viewer | None, post_id: int, sort: Sort
    ) -> Reason:
        """Return why a post stands where it stands in a list; one round trip."""
        self.post_view(unit, viewer, post_id)
        return self.ranks.explain(post_id, sort, unit.clock_us)

    def post_id_by_ap_id(self, unit: Unit, ap_id: str) -> PostId | None:
        """Return the post born with an ActivityPub id."""
        rows = unit.fetch(post_rows.POST_ID_BY_AP_ID, ap_id=ap_id)
        return PostId(rows[0].id) if rows else None

    def _screen_post(self, draft: PostDraft) -> None:
        self._screen(draft.name, draft.body, draft.alt_text, url=draft.url)
        self._check_spoken(draft.language_id)

    def _scene(self, unit: Unit, viewer: Viewer | None, ids: Sequence[int]) -> PostScene:
        flush = self._views.fetch(unit, viewer, *post_queries(unit, viewer, ids))
        return self._views.posts(flush.rows, flush.standing)

    def _locked(self, unit: Unit, viewer: Viewer | None, post_id: int) -> PostScene:
        """Return a post and its community, both locked; refuse one that is not there."""
        # What is read after the locks in the same flush is what nobody can change any more.
        _community, _post, *answers = (flush := self._views.fetch(
            unit, viewer,
            (community_rows.LOCK_COMMUNITIES_OF_POSTS, {"ids": [post_id]}),
            (post_rows.LOCK_POSTS, {"ids": [post_id]}),
            *post_queries(unit, viewer, [post_id]),
        )).rows
        scene = self._views.posts(answers, flush.standing)
        if post_id not in scene.views:
            raise no_such_post()
        return scene

    def _around(
        self, unit: Unit, viewer: Viewer | None, new: Sequence[NewPost],
        beside: Sequence[Query] = (),
    ) -> tuple[dict[int, CommunityView], dict[int, Actor], list[list[Row]]]:
        """Return the communities that a batch of posts goes to, locked, its authors, and what
        was asked beside.
        """
        assert len(new) <= BATCH_MAX
        community_ids = sorted({one.community_id for one in new})
        creator_ids = sorted({one.creator_id for one in new})
        flush = self._views.fetch(
            unit, viewer,
            (community_rows.LOCK_COMMUNITIES, {"ids": community_ids}),
            *self._views.community_queries(unit, viewer, community_ids),
            self._accounts.actors_query(unit, creator_ids), *beside,
        )
        _locks, *communities, creators = flush.rows[:4]
        found = self._views.communities(communities, flush.standing)
        if len(found) < len(community_ids):
            raise no_such_community()
        return found, self._accounts.actors_from(creators), flush.rows[4:]

    def _write(
        self, unit: Unit, new: Sequence[NewPost], communities: dict[int, CommunityView],
        creators: dict[int, Actor], *, moderates: bool = False,
    ) -> list[Post]:
        counted = {key: view.community for key, view in communities.items()}
        numbers = iter(unit.take_numbers("post", sum(one.id is None for one in new)))
        written = [
            Written(post=self._new_post(unit, one, counted[one.community_id],
                                        number=one.id or next(numbers)),
                    author=creators[one.creator_id], community=counted[one.community_id],
                    moderates=moderates, holds=one.holds)
            for one in new
        ]
        verdicts = judged(self._hooks, unit, written)
        ledger = self._ledger(unit)
        posts, votes = [], []
        for one, verdict in zip(written, verdicts, strict=True):
            hold = verdict.hold or bool(one.holds)
            post = msgspec.structs.replace(one.post, held=hold, unseen=hold)
            posts.append(post)
            votes.append(_enter(ledger, post, one.author, counted, holds=one.holds))
        for community in counted.values():
            ledger.tally_community(community)
        unit.stage(post_rows.INSERT_POST, *(
            post_rows.row_of_post(post, url_key=url_key(post.url)) for post in posts
        ))
        unit.stage(vote_rows.WRITE_VOTE, *votes)
        stage_communities(unit, counted.values())
        ledger.close()
        settle(unit, verdicts)
        return posts

    def _new_post(
        self, unit: Unit, new: NewPost, community: Community, *, number: int
    ) -> Post:
        draft = new.draft if new.local else fitting_draft(new.draft, community)
        draft = check_post(draft, community)
        assert draft.name is not None, "a checked draft has a name"
        assert draft.language_id is not None, "a checked draft has a language"
        published_us = unit.clock_us if new.published_us is None else new.published_us
        return Post(
            id=PostId(number), tid=new.tid or self._tids.next(),
            ap_id=new.ap_id or self._addresses.absolute(self._addresses.post(number)),
            local=new.local, community_id=new.community_id, creator_id=new.creator_id,
            name=draft.name, url=draft.url, body=draft.body, alt_text=draft.alt_text, link=None,
            nsfw=bool(draft.nsfw), language_id=draft.language_id,
            published_us=published_us, updated_us=None, deleted=False, removed=False,
            locked=False, featured_community=False, featured_local=False, up=1, down=0,
            comments=0, newest_comment_us=published_us, active_us=published_us,
        )

    def _changed(self, unit: Unit, view: PostView, post: Post) -> PostView:
        """Write what a post has become, count it in or out, and return its view."""
        ledger = self._ledger(unit)
        more = is_gone(view.post) - is_gone(post)
        community = view.community
        post = msgspec.structs.replace(post, unseen=post.unseen and is_gone(post))
        unit.stage(post_rows.CHANGE_POST, post_rows.row_of_post(post, url_key=url_key(post.url)))
        if more:
            community = msgspec.structs.replace(community, posts=community.posts + more)
            stage_communities(unit, [community])
            ledger.tally_community(community)
            ledger.words(post.creator_id, posts=more)
        tell_post(ledger, view, post)
        ledger.close()
        return msgspec.structs.replace(view, post=post, community=community)

    def _among_voted(self, unit: Unit, query: PostQuery, viewer_id: int) -> PostQuery:
        value = 1 if query.liked_only else -1
        rows = unit.fetch(
            vote_rows.VOTED_POST_IDS, viewer_id=viewer_id, value=value, limit=VOTED_POSTS_MAX
        )
        return msgspec.structs.replace(query, among=tuple(row.id for row in rows))


def stage_communities(unit: Unit, communities: Iterable[Community]) -> None:
    """Stage the tallies of communities, in the order of their ids."""
    unit.stage(community_rows.TALLY_COMMUNITY, *(
        community_rows.row_of_community(community)
        for community in sorted(communities, key=lambda one: one.id)
    ))


def _visible(viewer: Viewer | None, scene: PostScene, post_id: int) -> PostView:
    """Return a post of the scene, or refuse one that the viewer cannot see."""
    view = scene.views.get(post_id)
    if view is None:
        raise no_such_post()
    check_visible(viewer, view.post, scene.communities[view.post.community_id])
    return view


def _check_author(viewer: Viewer, post: Post) -> None:
    if viewer.id != post.creator_id:
        raise Forbidden("no_post_edit_allowed", "Only its author can change a post.")


def _edited(post: Post, draft: PostDraft, community: Community, now_us: int) -> Post:
    """Return the post as the draft changes it."""
    before = {name: getattr(post, name) for name in PostDraft.__struct_fields__}
    wishes = {name: wish for name, wish in msgspec.structs.asdict(draft).items()
              if wish is not None}
    whole = check_post(PostDraft(**{**before, **wishes}), community)
    changes = msgspec.structs.asdict(whole)
    link = post.link if whole.url == post.url else None
    return msgspec.structs.replace(post, **changes, link=link, updated_us=now_us)


def _settled(query: PostQuery, viewer: Viewer | None) -> PostQuery:
    """Return the query with what it leaves open taken from the viewer's settings."""
    settings = viewer.settings if viewer else Settings()
    return msgspec.structs.replace(
        query,
        show_read=settings.show_read_posts if query.show_read is None else query.show_read,
        show_nsfw=settings.show_nsfw if query.show_nsfw is None else query.show_nsfw,
        show_bots=settings.show_bot_accounts if query.show_bots is None else query.show_bots,
        languages=settings.languages if query.languages is None else query.languages,
    )


def _own_vote(post: Post, tid: str) -> dict[str, object]:
    return {
        "person_id": post.creator_id, "kind": int(SubjectKind.POST), "subject_id": post.id,
        "value": 1, "tid": tid, "published_us": post.published_us,
    }


def _enter(
    ledger: Ledger, post: Post, author: Actor, counted: dict[int, Community], *,
    holds: tuple[Reason, ...],
) -> dict[str, object]:
    """Enter a new post into the ledger and the communities' counts; return its own vote's row.

    Of one that is held nobody hears, and it counts nowhere.
    """
    community = counted[post.community_id]
    uri = uri_of_post(post, author.did)
    if post.held:
        ledger.held(post, author_did=author.did, holds=holds)
    else:
        counted[community.id] = msgspec.structs.replace(community, posts=community.posts + 1)
        ledger.post(post, author_did=author.did, community=community, operation="create")
        ledger.tally_post(post, author_did=author.did, community=community)
        ledger.words(author.id, posts=1)
    ledger.act(author.id, community.id, at_us=post.published_us)
    tid = ledger.vote(1, voter_did=author.did, subject_uri=uri, tid=None, row=post.id)
    return _own_vote(post, tid)


def tell_post(ledger: Ledger, view: PostView, post: Post) -> None:
    """Emit what a change of a post looks like from outside: new, gone, back, or changed."""
    if post.held != view.post.held:
        ledger.held(post, author_did=view.creator.did)
    if is_gone(post) and is_gone(view.post):
        return
    operation: Operation = "delete" if is_gone(post) else "update"
    if view.post.unseen:
        operation = "create"
        ledger.tally_post(post, author_did=view.creator.did, community=view.community)
    ledger.post(post, author_did=view.creator.did, community=view.community,
                operation=operation, before=view.post)
