"""The limits of the forum: every length, count and age that bounds it, with its reason."""

# Lemmy 0.19.20, utils/validation.rs: lengths in characters.
TITLE_LENGTH_MIN = 3  # characters; Lemmy 0.19: three in a row that are no space
TITLE_LENGTH_MAX = 200  # characters; Lemmy 0.19
BODY_LENGTH_MAX = 50_000  # characters of a post; Lemmy 0.19
COMMENT_LENGTH_MAX = 10_000  # characters; Lemmy 0.19
DESCRIPTION_LENGTH_MAX = 10_000  # characters of a community's side bar; Lemmy 0.19
URL_LENGTH_MAX = 2_000  # characters; Lemmy 0.19
ALT_TEXT_LENGTH_MAX = 1_500  # characters; Lemmy 0.19
REASON_LENGTH_MAX = 2_000  # characters of a ban's reason
COMMUNITY_TITLE_LENGTH_MAX = 100  # characters; Lemmy 0.19: the column community.title
COMMENT_DEPTH_MAX = 50  # levels; Lemmy 0.19 refuses deeper replies

PAGE_DEFAULT = 10  # entries; Lemmy 0.19
PAGE_MAX = 50  # entries of a page; Lemmy 0.19
PAGE_NUMBER_MAX = 10_000  # pages; deeper ones are for search

# Comments read of one thread, 60 bytes each, the oldest first; the rest of a longer thread is not
# shown, which concerns one thread in a million.
SKELETON_MAX = 20_000
TREE_COMMENTS_MAX = 1_000  # comments of one answer without a page; branches are asked for further
FLAT_CANDIDATES_MAX = 2_000  # newest comments that a list without a thread ranks and pages through

BATCH_MAX = 5_000  # posts, comments or votes in one command, so that a write stays short
DEPARTURE_BATCH = 200  # posts and as many comments of one person taken away in one unit
ACQUAINTED_MAX = 20_000  # newest posts, and comments, of a community asked whose servers wrote them
RULED_WORDS_MAX = 2_000  # posts, and comments, of one person removed or purged by one command
MARKS_MAX = 1_000  # posts marked by one command
CATALOGUE_MAX = 50_000  # communities that a list orders; 100 bytes and 2 µs each
CROSS_POSTS_MAX = 20  # other posts of the same address shown with one
VOTED_POSTS_MAX = 10_000  # newest posts of the lists "liked" and "disliked"

POSTS_KEPT_MAX = 4_096  # posts kept ready by what their rows hold; some 2 kB each
COMMENTS_KEPT_MAX = 8_192  # as above, comments; some 1 kB each: those of a dozen long threads
COMMUNITIES_KEPT_MAX = 2_048  # as above, communities
KEPT_LENGTH_MAX = 2_000  # characters of a text that is kept so; the few longer ones are made anew

VIEWERS_MAX = 2_000  # viewers whose sets stay in memory; some 20 kB each for a busy reader
READ_MARKS_MAX = 100_000  # newest read marks that hide posts from lists of unread ones

NECRO_AGE_US_MAX = 2 * 24 * 3_600 * 1_000_000  # Lemmy 0.19: later comments do not bump Active
ACTIVITY_AGE_US_MAX = 60 * 1_000_000  # how old the counts of active people may be

EMOJI_LENGTH_MAX = 64  # characters; the longest family has 11, a shortcode 62
REACTION_KINDS_MAX = 20  # emoji on one post or comment, so that the row below it stays a row
REACTIONS_OF_PERSON_MAX = 5  # emoji of one person on one post or comment

LISTENERS_MAX = 2_000  # open pages that are told of new comments in one process; 2 kB each
LISTENERS_OF_ADDRESS_MAX = 20  # of them from one network address: a family, a small office
LIVE_WAITING_MAX = 500  # comments that a page which does not read is remembered for
NEW_COMMENTS_MAX = 200  # comments loaded by one press, or made up for after a broken line
