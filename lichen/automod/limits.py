"""The limits of moderation rules, each with its reason."""

RULES_PER_OWNER_MAX = 100  # of one community, or of the site; 200 are asked of every comment
NAME_LENGTH_MAX = 80  # characters of a rule's name
NOTE_LENGTH_MAX = 2_000  # characters of a rule's note to other moderators
ROWS_MAX = 30  # rows of a rule built from menus
SEVERITY_MAX = 10  # of a rule, 1 being the least
BAN_DAYS_MAX = 3_650  # days that a rule may ban for

LATELY_US = 3_600 * 1_000_000  # what `rate` looks back on: an hour
LATELY_MAX = 200  # posts, and as many comments, that `rate` counts
EARLIER_MAX = 1_000  # posts, and as many comments, that are counted of an author
DUPLICATE_AGE_US_MAX = 7 * 24 * LATELY_US  # how far back the same text is looked for
DUPLICATES_MAX = 100  # of one text that are counted
TRACES_DROPPED_EVERY = 1_000  # things judged between two clearings of old traces

TEXT_OF_REASON_MAX = 300  # characters of a text that a Reason quotes
HITS_PAGE_MAX = 50  # hits on one page

TRIAL_DAYS_MAX = 90  # days of the past that a rule is tried on
TRIAL_BATCH = 2_000  # things read at once: some 2 MB, some 50 ms
TRIAL_THINGS_MAX = 1_000_000  # read by one trial; then it ends and says so
TRIAL_HITS_MAX = 200  # hits kept with their Reasons
TRIAL_AUTHORS_MAX = 20  # authors named, those with most hits first
TRIALS_AT_ONCE_MAX = 4  # running in this house; each keeps a core busy now and then
TRIALS_KEPT_MAX = 50  # trials remembered, the oldest are forgotten
BUNDLES_MAX = 500  # communities whose compiled rules stay in memory, some 100 kB each
