"""The limits of moderation: every length, count and age that bounds it, with its reason."""

REASON_LENGTH_MAX = 2_000  # characters of an act's reason; as the forum's for bans
REPORT_LENGTH_MAX = 1_000  # characters; Lemmy 0.19: REPORT_REASON_MAX_LENGTH
APPEAL_LENGTH_MAX = 4_000  # characters: two pages are enough to explain oneself
ANSWER_LENGTH_MAX = 2_000  # characters of an answer to an appeal
REMARK_LENGTH_MAX = 2_000  # characters of a note or a strike

PAGE_DEFAULT = 10  # entries; Lemmy 0.19
PAGE_MAX = 50  # entries of a page; Lemmy 0.19: FETCH_LIMIT_MAX
PAGE_NUMBER_MAX = 10_000  # pages, as in the forum

HELD_SHOWN_MAX = 50  # newest of what of one person waits
PLACES_MAX = 100  # communities to choose from above the queue, those with most that waits
APPLICATIONS_MAX = 500  # waiting applications that one look at the queue takes in
ANSWERED_REPORTS_MAX = 10_000  # newest reports that the median time to answer is taken of
REPORTS_TOLD_MAX = 200  # newest reports of one thing whose dismissal is told; the rest just end
SEVERITY_MAX = 1_000  # reports counted about one thing
STRIKE_AGE_US_MAX = 365 * 24 * 3_600 * 1_000_000  # how long a strike lasts where nobody says

PROPOSAL_TITLE_LENGTH_MIN = 3  # characters, as of a post
PROPOSAL_TITLE_LENGTH_MAX = 200  # characters, as of a post
PROPOSAL_TEXT_LENGTH_MAX = 10_000  # characters: whoever needs more links to a post
PROPOSALS_OPEN_MAX = 3  # of one person in one community, so that members can read them all
PROPOSAL_STEPS_MAX = 50  # handed up and back; then it is answered
SUPPORTS_TO_QUEUE = 5  # members behind a proposal, for which it waits on the moderators
SUPPORTS_BATCH_MAX = 1_000  # supports counted by one command
TOLD_BATCH_MAX = 500  # supporters told in one unit of work, so that other writers get their turn
DROPPED_BATCH_MAX = 500  # proposals emptied or purged in one unit of work
UNMARKED_EVENTS_MAX = 10_000  # events that a reader passes over before it keeps its place
