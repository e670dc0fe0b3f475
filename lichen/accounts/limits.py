"""The limits of accounts: every length, count and age that bounds them, with its reason."""

from typing import Final

NAME_LENGTH_MAX: Final = 20
"""Characters of a local name; Lemmy 0.19: local_site.actor_name_max_length."""

NAME_LENGTH_MIN: Final = 3
"""Characters of a local name, by Lemmy's rule for names."""

NAME_LENGTH_SETTABLE_MAX: Final = 255
"""The most that an administrator may set for names; Lemmy's column is that wide."""

DISPLAY_NAME_LENGTH_MAX: Final = 50
"""Characters of a display name, so that it fits one line of a phone with its badges."""

BIO_LENGTH_MAX: Final = 1_000
"""Characters of what a person says of itself; Lemmy 0.19.20, utils/validation.rs."""

PASSWORD_LENGTH_MIN: Final = 10
"""Characters of a new password; Lemmy 0.19: 10 to 60."""

PASSWORD_LENGTH_MAX: Final = 60
"""Characters of a new password; the hash reads them all."""

PASSWORD_TRIED_LENGTH_MAX: Final = 1_024
"""Characters of a password that is tried: longer ones are wrong without being hashed."""

EMAIL_LENGTH_MAX: Final = 254
"""Characters of an e-mail address; RFC 5321 §4.5.3.1.3 less the angle brackets."""

URL_LENGTH_MAX: Final = 2_000
"""Characters of a picture's address; Lemmy 0.19.20, utils/validation.rs."""

ANSWER_LENGTH_MAX: Final = 5_000
"""Characters of an application: a page, read by one person."""

ADDRESS_LENGTH_MAX: Final = 45
"""Characters kept of a network address: the longest form of an IPv6 address."""

AGENT_LENGTH_MAX: Final = 500
"""Characters kept of a client's own description."""

SITE_NAME_LENGTH_MAX: Final = 20
"""Characters of the site's name; Lemmy 0.19: site.name."""

SITE_DESCRIPTION_LENGTH_MAX: Final = 150
"""Characters of the line under the site's name; Lemmy 0.19: site.description."""

SITE_TEXT_LENGTH_MAX: Final = 10_000
"""Characters of the sidebar and each other long text of the site."""

REASON_LENGTH_MAX: Final = 2_000
"""Characters of a ban's reason."""

LANGUAGES_MAX: Final = 184
"""Languages a person or the site may choose: all of Lemmy's table."""

TEXT_CHOICE_LENGTH_MAX: Final = 60
"""Characters of a theme or an interface language: names, not texts."""

SESSIONS_PER_ACCOUNT_MAX: Final = 100
"""Logins an account holds; the oldest ends when one more begins."""

BANNED_MAX: Final = 1_000
"""People in the list of those who are banned from the site; the ones known longest."""

BLOCKS_MAX: Final = 10_000
"""What one person may block; each page with a list reads them all."""

SESSIONS_CACHED_MAX: Final = 10_000
"""Sessions kept in memory, at about 2 KB each."""

SESSION_FRESH_US: Final = 24 * 3_600 * 1_000_000
"""µs; a cached session older than this is read again, which notes that it is still used."""

BATCH_MAX: Final = 1_000
"""Actors or accounts created by one command, so that a write stays short."""

TOKEN_LENGTH_MAX: Final = 1_024
"""Characters of a token; ours have about 200, and longer ones are not even verified."""

HASHES_WAITING_MAX: Final = 64
"""Passwords waiting to be hashed: at 25 ms and two at once, at most 0.8 s."""
