"""What the house tells its administrator: one event a line, with keys and values, on one stream.

Text for people on a terminal, JSON for machines. Text of users never stands in a message; secrets
have no printed form (see `config.Secret`). Tracebacks show code and the types of errors, never
variables, and the texts of our own errors alone: a database's may quote what it was given.
"""

import io
import logging
import sys
from contextlib import suppress
from traceback import format_tb
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from lichen.kit.config import Server
from lichen.kit.errors import LichenError


def tell_to(stream: TextIO, settings: Server) -> None:
    """Send everything told from now on to a stream, in the form and from the level configured."""
    is_terminal = stream.isatty()
    rendering: Processor = structlog.processors.JSONRenderer()
    if settings.log_format == "text" or (settings.log_format == "auto" and is_terminal):
        rendering = structlog.dev.ConsoleRenderer(
            colors=is_terminal, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _with_traceback,
            rendering,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Lenient(stream))),
        cache_logger_on_first_use=False,
    )


def _with_traceback(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Put the traceback of the error that is told of into the event."""
    told = event.pop("exc_info", None)
    error = told if isinstance(told, BaseException) else sys.exc_info()[1] if told else None
    parts: list[str] = []
    while error is not None:
        said = f": {error}" if isinstance(error, LichenError) else ""
        frames = "".join(format_tb(error.__traceback__))
        parts.insert(0, f"{frames}{type(error).__name__}{said}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if parts:
        event["exception"] = "\n\nwhich led to\n\n".join(parts)
    return event


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
