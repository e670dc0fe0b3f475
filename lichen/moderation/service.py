"""The service of the room: every act, its line in the log, and what follows from it.

It is one service in several files: `acts` and `people` act by calling the forum and accounts,
`purging` for good, `undoing` keeps the log, `reports`, `appeals` and `remarks` are what people tell
and keep, `proposals` and `supports` what members want, `queue` is what waits, `holds` and
`site_bans` are what those it is about may know of it, `statistics` what everybody may, `forgetting`
leaves nothing of what was erased. All take the open unit of work: an act, its line and its events
are committed together or not at all.
"""

from lichen.moderation.holds import Holds
from lichen.moderation.purging import Purging
from lichen.moderation.queue import Queue
from lichen.moderation.site_bans import SiteBans
from lichen.moderation.statistics import Figures
from lichen.moderation.supports import Supports


class Moderation(Queue, Supports, Purging, SiteBans, Holds, Figures):
    """Everything that may be asked of moderation, or done by it."""
