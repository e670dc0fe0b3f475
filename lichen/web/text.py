"""What no text from outside may hold, refused at the door so that no row ever sees it."""

from lichen.kit import Refused


def check_text(text: str, field: str = "text") -> str:
    """Return the text, or refuse a NUL (PostgreSQL cannot store it) or a lone surrogate."""
    if "\x00" in text:
        raise Refused("invalid_text", f"{field} holds a NUL character; leave it out.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused(
            "invalid_text", f"{field} holds half of a surrogate pair; send valid Unicode."
        ) from None
    return text
