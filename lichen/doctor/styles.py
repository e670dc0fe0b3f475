"""How servers want requests signed, as far as one examination has found out."""

from lichen.federation.model import Style


class Styles:
    """Forgotten with the examination: the doctor changes no row."""

    def __init__(self) -> None:
        self._styles: dict[str, Style] = {}

    def style_of(self, authority: str) -> Style:
        """Return the style that a server took last, at first the one that everybody takes."""
        return self._styles.get(authority, "cavage")

    def prefer(self, authority: str, style: Style) -> None:
        """Remember the style that a server takes."""
        self._styles[authority] = style
