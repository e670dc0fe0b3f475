"""Every limit of pictures, with its reason."""

SIDE_PX_MAX = 10_000  # a side of a picture; pict-rs takes as much
AREA_PX_MAX = 40_000_000  # 160 MB once decoded, twice that while it is turned: fits the child
FRAMES_MAX = 900  # of a moving picture: half a minute; pict-rs takes as many
FRAMES_AREA_PX_MAX = 1_000_000_000  # all frames together: what a child decodes in a few seconds
SEGMENTS_MAX = 20_000  # chunks or segments of a file; a picture of 900 frames has a tenth
CHILD_BYTES_MAX = 480 << 20  # address space of the child that decodes, everything counted
CHILD_CPU_S_MAX = 5  # of one picture; 40 megapixels take under one
CHILD_WALL_S_MAX = 15.0  # of one picture, waiting for a core included; then it is killed
CHILDREN_MAX = 2  # pictures decoded at once; more only fight for cores and memory
WAITING_MAX = 32  # pictures that wait for a child; the next is told to come back
DERIVED_WAIT_S = 2.0  # after which somebody who was told to come back may
FILES_MAX = 4  # in one upload
FIELDS_MAX = 64  # parts of a form that carries a picture
FIELD_BYTES_MAX = 200_000  # of a text in such a form: the longest text in UTF-8
ALIAS_LENGTH_MAX = 64  # characters of a file's name: 32 of chance, a dot, an ending
TOKEN_LENGTH_MAX = 64  # characters of a delete token
PAGE_MAX = 50  # pictures on one page; Lemmy 0.19: FETCH_LIMIT_MAX
BLOCKED_MAX = 20_000  # pictures on the blocklist: each is compared with every upload, 2 ms in all
NOTE_LENGTH_MAX = 1_000  # characters of why a picture is blocked
SWEPT_MAX = 1_000  # loose blobs looked at in one sweep
PROXIED_BYTES_MAX = 16 << 20  # of an outside picture
PROXIED_TIMEOUT_S_MAX = 8.0  # of fetching one, redirects included
PROXIED_URL_LENGTH_MAX = 2_000  # characters of an outside address, as of links in posts
BLOB_ANSWER_S_MAX = 20.0  # a bucket that does not answer by then is unavailable
