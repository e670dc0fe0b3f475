"""The kit: what every room needs and no room owns.

Clock, ids, errors, reasons; configuration, limits, flags and outbound HTTP live in their own
modules (`lichen.kit.config`, `.limits`, `.flags`, `.outbound`) and are imported from there.
"""

from lichen.kit.clock import Clock, from_isoformat, isoformat, monotone, system_clock
from lichen.kit.errors import (
    Broken,
    Conflict,
    Forbidden,
    LichenError,
    NotFound,
    Refused,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from lichen.kit.ids import Tid, TidGenerator, encode_tid, is_tid, time_us_of_tid
from lichen.kit.reasons import Reason, Term

__all__ = [
    "Broken", "Clock", "Conflict", "Forbidden", "LichenError", "NotFound", "Reason", "Refused",
    "Term", "Tid", "TidGenerator", "TooMany", "Unauthenticated", "Unavailable", "encode_tid",
    "from_isoformat", "is_tid", "isoformat", "monotone", "system_clock", "time_us_of_tid",
]
