"""The limits of exports and imports, each with its reason."""

BATCH_MAX = 200  # things read and written at once: 1 MB of the longest posts
KEPT_US = 86_400_000_000  # a finished archive is kept for a day, then removed
LOOK_S = 5.0  # how soon a job is begun that another process asked for
RETRY_S = 30.0  # the pause after a disk or a database failed
TOKEN_BYTES = 32  # of an archive's address: nobody guesses 256 bits
COPY_BYTES = 65_536  # of a picture or an archive, moved at once
IMPORT_BYTES_MAX = 4 << 20  # of an import: 2,000 addresses of 2,000 characters
IMPORT_ITEMS_MAX = 2_000  # follows, saves and blocks of one import; Lemmy 0.19 takes as many
IMPORT_BATCH_MAX = 50  # of them in one unit of work, so that other writes come in between
SKIPPED_MAX = 100  # addresses named of those that are not known here
