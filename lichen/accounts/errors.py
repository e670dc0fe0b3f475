"""The room's own exceptions.

    Forbidden
    └── BannedFromSite   name and password are right, but the person is banned from the site
"""

from lichen.kit import Forbidden, isoformat


class BannedFromSite(Forbidden):
    """Whoever is at the door is banned from the site.

    `ticket` lets it read what was decided and appeal, and nothing else; None where the code of its
    second factor is missing or wrong.
    """

    def __init__(self, *, expires_us: int | None, ticket: str | None) -> None:
        end = "" if expires_us is None else f" until {isoformat(expires_us)}"
        super().__init__(
            "site_ban",
            f"This account is banned from this site{end}; the moderation log says why.",
        )
        self.ticket = ticket
