"""Letters: plain texts to one person each, sent by one task through one SMTP server.

    room ─► post(letter) ─► queue (bounded, in memory) ─► run(): SMTP, three tries ─► the world

`post` never waits and never fails, so that an answer says nothing about whether anything was sent.
A letter that cannot be sent is counted and dropped: whoever waits for it asks again. Nothing of a
letter is ever logged.
"""

import asyncio
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import aiosmtplib
import structlog

from lichen.kit.clock import Clock
from lichen.kit.config import Mail as MailSettings
from lichen.kit.errors import Refused
from lichen.kit.ids import TidGenerator

LETTERS_WAITING_MAX = 1_000  # a mail server that is away for an hour; about 2 KB each
TRIES_MAX = 3  # of one letter; the waits between them grow
SUBJECT_LENGTH_MAX = 200  # characters; RFC 5322 §2.1.1 would fold far longer ones
TEXT_LENGTH_MAX = 20_000  # characters of a letter's body
_WAIT_S = 2.0  # before the second try, doubled before each that follows

_log = structlog.get_logger("lichen.mail")


class Letter(NamedTuple):
    """What is said to whom; `to` is one address."""

    to: str
    subject: str
    text: str


class Mail:
    """Sends letters, one after the other; `run` is a task of the house."""

    def __init__(
        self, settings: MailSettings, *, clock: Clock, tids: TidGenerator, site_url: str
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tids = tids
        self._host = urlsplit(site_url).hostname or "localhost"
        self._waiting: asyncio.Queue[EmailMessage] = asyncio.Queue(LETTERS_WAITING_MAX)
        self.sent = 0
        self.dropped = 0

    @property
    def is_on(self) -> bool:
        """Whether there is a server to send by."""
        return bool(self._settings.host)

    def post(self, letter: Letter) -> None:
        """Queue a letter; refuses one whose headers would say more than they should."""
        message = self._message(letter)
        if not self.is_on:
            return
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.dropped += 1
            _log.warning("letter_dropped", reason="queue full", waiting=LETTERS_WAITING_MAX)

    async def run(self) -> None:
        """Send what is queued, for as long as the house stands."""
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"
        # Python 3.11's wait_for, which the SMTP client stands on, may swallow a cancellation.
        while not task.cancelling():
            await self._send(await self._waiting.get())

    def _message(self, letter: Letter) -> EmailMessage:
        # RFC 5322 §2.2: a line end in a header's value begins another header.
        for text in (letter.to, letter.subject):
            if not text.isprintable() or len(text) > SUBJECT_LENGTH_MAX + 120:
                raise Refused("invalid_email", "An address and a subject are one line of text.")
        message = EmailMessage()
        message["From"] = self._settings.sender or f"noreply@{self._host}"
        message["To"] = letter.to
        message["Subject"] = letter.subject[:SUBJECT_LENGTH_MAX]
        message["Date"] = format_datetime(datetime.fromtimestamp(self._clock() / 1e6, UTC))
        message["Message-ID"] = f"<{self._tids.next()}@{self._host}>"
        # RFC 3834 §5: so that no machine answers.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text[:TEXT_LENGTH_MAX])
        return message

    async def _send(self, message: EmailMessage) -> None:
        settings = self._settings
        for attempt in range(TRIES_MAX):
            try:
                await aiosmtplib.send(
                    message, hostname=settings.host, port=settings.port,
                    username=settings.user or None,
                    password=settings.password.reveal() or None,
                    use_tls=settings.tls == "tls", start_tls=settings.tls == "starttls",
                    timeout=settings.timeout_s,
                )
            except (aiosmtplib.SMTPException, OSError) as error:
                _log.warning("letter_not_sent", error=type(error).__name__, attempt=attempt + 1)
                if attempt + 1 < TRIES_MAX:
                    await asyncio.sleep(_WAIT_S * 2**attempt)
            else:
                self.sent += 1
                return
        self.dropped += 1
