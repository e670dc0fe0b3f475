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

ACTORS_KEPT_MAX: Final = 4_096
"""Actors kept ready by what their rows hold, at about 1 KB each."""

SESSION_FRESH_US: Final = 24 * 3_600 * 1_000_000
"""µs; a cached session older than this is read again, which notes that it is still used."""

BATCH_MAX: Final = 1_000
"""Actors or accounts created by one command, so that a write stays short."""

TOKEN_LENGTH_MAX: Final = 1_024
"""Characters of a token; ours have about 200, and longer ones are not even verified."""

TICKET_AGE_US: Final = 3_600 * 1_000_000
"""µs that somebody banned from the site may take to write an appeal after giving the password."""

HASHES_WAITING_MAX: Final = 64
"""Passwords waiting to be hashed: at 25 ms and two at once, at most 0.8 s."""

TAGLINES_MAX: Final = 100
"""Lines of which one stands at the top of the site."""

TAGLINE_LENGTH_MAX: Final = 1_000
"""Characters of a tagline: some sentences of Markdown."""

BLOCKED_URLS_MAX: Final = 2_000
"""Addresses that may not be posted; clients are sent the whole list."""

INSTANCES_LISTED_MAX: Final = 5_000
"""Servers that a site allows, and as many that it blocks; shared blocklists have 2,000."""

INSTANCE_NAME_LENGTH_MAX: Final = 255
"""Characters of a server's host and port; RFC 1035 §2.3.4."""

EMOJI_MAX: Final = 1_000
"""Custom emoji of a site; clients are sent them all."""

EMOJI_WORDS_MAX: Final = 20
"""Keywords of one emoji."""

EMOJI_TEXT_LENGTH_MAX: Final = 200
"""Characters of an emoji's alternative text, category or keyword."""

AWAY_NOTE_LENGTH_MAX: Final = 200
"""Characters of the note that says why somebody is away: one line of a profile."""

AWAY_US_MAX: Final = 366 * 86_400 * 1_000_000
"""µs; nobody is away longer: who comes back later sets a new date."""
MAIL_TOKEN_BYTES: Final = 24
"""Random bytes of a link sent by mail: 192 bits, 32 characters."""

VERIFY_AGE_US: Final = 7 * 86_400 * 1_000_000
"""µs that a link to verify an address counts: a week of holidays."""

RESET_AGE_US: Final = 3_600 * 1_000_000
"""µs that a link to a new password counts; OWASP Forgot Password: short."""

MAIL_TOKENS_PER_ACCOUNT_MAX: Final = 5
"""Links open at once for one account; more letters are not sent until one has expired."""

ADMINS_WRITTEN_TO_MAX: Final = 20
"""Administrators who get a letter about an applicant; more would make it nobody's task."""

RESETS_WAITING_MAX: Final = 200
"""Forgotten passwords waiting to be looked up, so that asking costs the same for everybody."""

TOTP_STEPS_AROUND_MAX: Final = 1
"""Steps of 30 s before and after now whose codes count; RFC 6238 §5.2."""

RECOVERY_CODES: Final = 10
"""Recovery codes made at once, each for one login without the second factor."""

CAPTCHAS_MAX: Final = 10_000
"""Captchas open at once, at about 200 bytes each; the oldest is forgotten."""

CAPTCHA_AGE_US: Final = 10 * 60 * 1_000_000
"""µs that a captcha can be answered; Lemmy 0.19: 10 minutes."""

INVITES_PER_PERSON_MAX: Final = 20
"""Invitations a person holds open at once."""

INVITE_USES_MAX: Final = 100
"""People whom one invitation lets in; a class, a club."""

INVITE_AGE_US_MAX: Final = 90 * 86_400 * 1_000_000
"""µs that an invitation counts at most: a season."""

INVITE_CODE_BYTES: Final = 10
"""Random bytes of an invitation: 80 bits, 16 characters, which can be typed."""

TREE_LENGTH_MAX: Final = 10_000
"""People shown in the invite tree."""

ROLES_MAX: Final = 1_000
"""People with a role."""

ROLE_TITLE_LENGTH_MAX: Final = 50
"""Characters of a role's title, as of a display name."""

FORGOTTEN_BATCH: Final = 1_000
"""Logins whose address one write forgets, so that other writes come in between."""

KNOWN_FACTOR: Final = 5
"""How many times as much as a new account a known one may do in a day."""

KNOCK_AGE_US: Final = 10 * 60 * 1_000_000
"""µs that a code sent to an account elsewhere counts, or the way through its server takes."""

KNOCK_TRIES_MAX: Final = 5
"""Codes tried against one that was sent; of 50 bits each."""

KNOCK_WINDOW_US: Final = 3_600 * 1_000_000
"""µs in which attempts to come in with an account elsewhere are counted."""

KNOCKS_PER_PERSON_MAX: Final = 5
"""Codes sent to one person elsewhere in the window: nobody's inbox is filled by strangers."""

KNOCKS_PER_HOST_MAX: Final = 60
"""Attempts by people of one server in the window, all together."""

HANDLE_BYTES: Final = 32
"""Random bytes of an attempt's handle, its state and its verifier; RFC 7636 §4.1: 43 characters."""

LINKS_MAX: Final = 10
"""Accounts elsewhere that one account here is entered with."""

ALIASES_MAX: Final = 20
"""Accounts elsewhere that one account says it is, too; every actor document carries them."""

FRESH_ENTRY_US: Final = 10 * 60 * 1_000_000
"""µs in which having come in through another server counts like a password given again."""

MOVE_UNDO_US_MAX: Final = 30 * 86_400 * 1_000_000
"""µs in which a move away is taken back; later, the other servers have long followed."""

BLOCKS_CARRIED_MAX: Final = 10_000
"""Blocks of one person that are carried to where it moved; the ones made first."""

CAME_FROM_MAX: Final = 10
"""Old accounts that a profile names."""
