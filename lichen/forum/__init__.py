"""The forum: communities, posts, comments, votes, and every list of them.

The front door. `Forum` is the service, built by `lichen.forum.room.build`; the other names are the
types it speaks in.
"""

from lichen.forum.arrivals import (
    CommentChange,
    CommentPlace,
    CommunityPlace,
    FollowAnswer,
    Places,
    PostChange,
    PostPlace,
)
from lichen.forum.checks import ContentCheck, Verdict, Written
from lichen.forum.drafts import fitting_comment, fitting_title, fitting_url
from lichen.forum.holding import HeldCount, HeldQuery
from lichen.forum.judges import Scene
from lichen.forum.languages import LANGUAGES, Language
from lichen.forum.limits import COMMENT_DEPTH_MAX
from lichen.forum.live import Listener
from lichen.forum.model import (
    Comment,
    CommentId,
    CommentQuery,
    CommentSort,
    CommentView,
    Community,
    CommunityDraft,
    CommunityView,
    Link,
    Listing,
    Page,
    PersonView,
    Post,
    PostAround,
    PostDraft,
    PostId,
    PostQuery,
    PostView,
    Reaction,
    SiteCounts,
    Sort,
    SubjectKind,
    Subscribed,
    Vote,
    Voter,
)
from lichen.forum.orders import Following, NewComment, NewCommunity, NewPost
from lichen.forum.outside import place_outside, traces_outside, words_outside
from lichen.forum.past import (
    Changed,
    Earlier,
    PastBounds,
    PastThing,
    earlier_from,
    earlier_query,
)
from lichen.forum.permissions import (
    check_admin_of_site,
    check_member,
    check_moderator,
    is_moderator,
)
from lichen.forum.rulings import (
    Appointed,
    BanTerms,
    Barred,
    CommentRuling,
    CommunityRuling,
    PostRuling,
    Words,
)
from lichen.forum.service import Forum

__all__ = [
    "COMMENT_DEPTH_MAX", "LANGUAGES", "Appointed", "BanTerms", "Barred", "Changed", "Comment",
    "CommentChange", "CommentId", "CommentPlace", "CommentQuery", "CommentRuling", "CommentSort",
    "CommentView", "Community", "CommunityDraft", "CommunityPlace", "CommunityRuling",
    "CommunityView", "ContentCheck", "Earlier", "FollowAnswer", "Following", "Forum", "HeldCount",
    "HeldQuery", "Language", "Link", "Listener", "Listing", "NewComment", "NewCommunity",
    "NewPost", "Page", "PastBounds", "PastThing", "PersonView", "Places", "Post", "PostAround",
    "PostChange", "PostDraft", "PostId", "PostPlace", "PostQuery", "PostRuling", "PostView",
    "Reaction", "Scene", "SiteCounts", "Sort", "SubjectKind", "Subscribed", "Verdict", "Vote",
    "Voter", "Words", "Written", "check_admin_of_site", "check_member", "check_moderator",
    "earlier_from", "earlier_query", "fitting_comment", "fitting_title", "fitting_url",
    "is_moderator", "place_outside", "traces_outside", "words_outside",
]
