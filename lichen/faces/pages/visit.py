"""A visit: who looks at a page, from where and how they like to see it."""

from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import PathParameter

from lichen.accounts import Viewer
from lichen.kit import Refused, Unauthenticated
from lichen.media import read_form
from lichen.web import check_text, whole_body

PageRequest = Request[object, object, State]

THEME_COOKIE = "lichen_theme"
DENSITY_COOKIE = "lichen_density"
DENSITIES = ("card", "compact", "list")
THEMES = ("light", "dark")
MULTIPART = "multipart/form-data"
FORM = "application/x-www-form-urlencoded"  # HTML Living Standard, §4.10.21.3: the default
FIELD_LENGTH_MAX = 60_000  # characters of one field: more than the longest text that is taken
FORM_BYTES_MAX = 1 << 20  # of a form without files: the longest text, escaped
_DAY_US = 24 * 3_600 * 1_000_000
FIELDS_MAX = 400  # in one form: every language chosen, and room


class Visit(msgspec.Struct, frozen=True):
    """One request as pages see it.

    `path` is the address without its query and `here` with it; `came_from` is the page of ours
    that a form was on. `is_fragment`: htmx asks, and takes a piece of a page.
    """

    viewer: Viewer | None
    path: str
    here: str
    came_from: str | None
    is_fragment: bool
    takes_gzip: bool
    theme: str | None
    density: str
    serif: bool
    unveiled: bool

    def required(self) -> Viewer:
        """Return the viewer, or refuse with the way to the login page."""
        if self.viewer is None:
            raise Unauthenticated()
        return self.viewer


# The number of a post, comment or letter in an address; larger ones fit into no row.
NUMBER_MAX = (1 << 63) - 1  # of a row
Number = Annotated[int, PathParameter(ge=0, le=NUMBER_MAX)]
GivenVisit = NamedDependency[Visit]  # what a handler is handed by its router


def visit_of(request: PageRequest, viewer: Viewer | None) -> Visit:
    """Return the visit that a request is."""
    query = request.url.query
    path = request.url.path
    headers = request.headers
    return Visit(
        viewer=viewer,
        path=path,
        here=f"{path}?{query}" if query else path,
        came_from=_own_page(headers.get("referer"), request.url.netloc),
        is_fragment=headers.get("hx-request") == "true",
        takes_gzip="gzip" in headers.get("accept-encoding", ""),
        theme=_theme(request.cookies.get(THEME_COOKIE), viewer),
        density=_density(request.cookies.get(DENSITY_COOKIE), viewer),
        serif=viewer is not None and viewer.settings.serif,
        unveiled=viewer is not None and not viewer.settings.blur_nsfw,
    )


def safe_path(path: str | None) -> str:
    """Return a path of ours to go on to: what came if it is one, else the front page."""
    # WHATWG URL §4.4: browsers read "//host" and "/\\host" as addresses elsewhere, and skip
    # tabs and newlines while they look.
    if path and path[0] == "/" and path[1:2] not in ("/", "\\") and path.isprintable():
        return path
    return "/"


class Typed:
    """The fields of a form as they were typed, checked for what no row may hold."""

    def __init__(
        self, fields: dict[str, list[str]], files: dict[str, bytes] | None = None
    ) -> None:
        self._fields = fields
        self._files = files or {}

    def file(self, name: str) -> bytes | None:
        """Return the file that was chosen in a field, None where there is none."""
        return self._files.get(name) or None

    def text(self, name: str, default: str = "") -> str:
        """Return a field's text, without the space around it."""
        return self._fields.get(name, [default])[0].strip()

    def raw(self, name: str) -> str:
        """Return a field's text as it is; for passwords and Markdown."""
        return self._fields.get(name, [""])[0]

    def names(self) -> list[str]:
        """Return the names of the fields that came."""
        return list(self._fields)

    def many(self, name: str) -> list[str]:
        """Return every value of a field."""
        return self._fields.get(name, [])

    def flag(self, name: str) -> bool:
        """Say whether a box was ticked."""
        return self.text(name) == "1"

    def number(self, name: str) -> int:
        """Return a whole number, or refuse what is none."""
        return whole_number(self.text(name), name)

    def days_ahead(self, now_us: int, *, days_max: int) -> int | None:
        """Return the time that lies as many `days` ahead as were typed, None for nothing."""
        if not self.text("days"):
            return None
        days = self.number("days")
        if not 1 <= days <= days_max:
            raise Refused("invalid_number", f"Days are 1 to {days_max}, or nothing; got {days}.")
        return now_us + days * _DAY_US

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return every whole number of a field."""
        return tuple(whole_number(text, name) for text in self.many(name))

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of the choices, or refuse."""
        value = self.text(name)
        if value not in choices:
            raise Refused("invalid_choice", f"{name} is one of {', '.join(choices)}; "
                                            f"got {value[:40]!r}.")
        return value


async def typed(request: PageRequest, *, file_bytes_max: int = 0) -> Typed:
    """Read a form; refuse what no row may hold, and more than a form has.

    Files are taken, up to so many bytes each, where `file_bytes_max` says so.
    """
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if file_bytes_max and kind == MULTIPART:
        with whole_body():
            sent = await read_form(request.stream(), content_type, file_bytes_max=file_bytes_max)
        files = {file.field: file.content for file in sent.files}
        return Typed(_checked(sent.fields), files)
    body = await _body(request)
    if body and kind != FORM:
        raise Refused("invalid_form", f"A form is sent as {FORM}.", status=415)
    try:
        # Strictly: what is no UTF-8 would else become other text than was sent.
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict",
                          max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Refused(
            "invalid_form", f"A form has at most {FIELDS_MAX} texts, in UTF-8."
        ) from None
    return Typed(_checked(pairs))


async def _body(request: PageRequest) -> bytes:
    """Return a body without files; those that carry files have no other limit than this."""
    body = bytearray()
    with whole_body():
        async for chunk in request.stream():
            body += chunk
            if len(body) > FORM_BYTES_MAX:
                # RFC 9110 §15.5.14: 413 Content Too Large.
                raise Refused("invalid_form", f"A form has {FORM_BYTES_MAX:,} bytes at most.",
                              status=413)
    return bytes(body)


def _checked(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if len(value) > FIELD_LENGTH_MAX:
            raise Refused(
                "invalid_form", f"A text has at most {FIELD_LENGTH_MAX} characters.",
            )
        # HTML Living Standard, form submission: line ends travel as CRLF.
        values = fields.setdefault(check_text(name, "A field's name"), [])
        values.append(check_text(value, name).replace("\r\n", "\n"))
    return fields


def whole_number(text: str, name: str) -> int:
    """Return the number a text says, or refuse it; at most 18 digits, so that rows can hold it."""
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 18:
        raise Refused("invalid_number", f"{name} is a whole number; got {text[:40]!r}.")
    return int(text)


def _own_page(referer: str | None, authority: str) -> str | None:
    try:
        parts = urlsplit(referer or "")
    except ValueError:
        return None
    if parts.netloc != authority:
        return None
    return safe_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def _theme(cookie: str | None, viewer: Viewer | None) -> str | None:
    """Return "light" or "dark", None for the system's; apps of Lemmy store names of their own."""
    chosen = viewer.settings.theme if viewer is not None else cookie or ""
    if "dark" in chosen:
        return "dark"
    if "light" in chosen or "lite" in chosen:
        return "light"
    return None


def _density(cookie: str | None, viewer: Viewer | None) -> str:
    chosen = viewer.settings.density if viewer is not None else cookie
    return chosen if chosen in DENSITIES else DENSITIES[0]
