"""What is refused about pictures.

    Refused
    ├── PictureRefused     400  this is no picture that is taken; `reason` says which rule
    └── QuotaReached       400  the account has stored as much as it may
"""

from lichen.kit import Refused
from lichen.kit.reasons import Reason


class PictureRefused(Refused):
    """These bytes are not taken as a picture; `reason` where a check decided it."""

    def __init__(self, code: str, text: str, *, reason: Reason | None = None) -> None:
        super().__init__(code, text)
        self.reason = reason


class QuotaReached(Refused):
    """The account has stored as much as it may."""

    def __init__(self, text: str) -> None:
        super().__init__("media_quota_reached", text)
