"""What the house tells its administrator: one event a line, with keys and values, on one stream.

Text for people on a terminal, JSON for machines. Text of users never stands in a message; secrets
have no printed form (see `config.Secret`); tracebacks show code, never the values of variables,
where passwords may stand.
"""

import io
import logging
from contextlib import suppress
from typing import TextIO, cast

import structlog
from structlog.typing import Processor

from lichen.kit.config import Server


def tell_to(stream: TextIO, settings: Server) -> None:
    """Send everything told from now on to a stream, in the form and from the level configured."""
    is_terminal = stream.isatty()
    rendering: list[Processor] = [
        structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if settings.log_format == "text" or (settings.log_format == "auto" and is_terminal):
        # The formatter by default shows the local variables of every frame.
        rendering = [structlog.dev.ConsoleRenderer(
            colors=is_terminal, exception_formatter=structlog.dev.plain_traceback)]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *rendering,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Lenient(stream))),
        cache_logger_on_first_use=False,
    )


class _Lenient(io.TextIOBase):
    """A stream whose failures harm nobody: a full disk or a closed pipe may not stop the house."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        with suppress(OSError):
            self._stream.flush()
