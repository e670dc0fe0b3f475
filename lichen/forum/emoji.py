"""Emoji: which texts are one emoji, so that a reaction is a picture and never a message.

Pure. The grammar is that of UTS #51, `emoji_sequence`; the table is `Extended_Pictographic` of
emoji-data.txt 15.1, whose reserved places are let through, so that emoji to come need no release.

    🌿    👍🏽    ❤️    👩‍🚀    1️⃣    🇩🇪    :moss: (one of the site's own)
"""

import re

from lichen.forum.limits import EMOJI_LENGTH_MAX
from lichen.kit import Refused

_PICTURE = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf"
    "\u23e9-\u23f3\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612"
    "\u2614-\u2685\u2690-\u2705\u2708-\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747"
    "\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767\u2795-\u2797\u27a1\u27b0\u27bf\u2934\u2935"
    "\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f\U0001f12f\U0001f16c-\U0001f171"
    "\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a\U0001f1ad-\U0001f1e5"
    "\U0001f201-\U0001f20f\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f23c-\U0001f23f"
    "\U0001f249-\U0001f3fa\U0001f400-\U0001f53d\U0001f546-\U0001f64f\U0001f680-\U0001f6ff"
    "\U0001f774-\U0001f77f\U0001f7d5-\U0001f7ff\U0001f80c-\U0001f80f\U0001f848-\U0001f84f"
    "\U0001f85a-\U0001f85f\U0001f888-\U0001f88f\U0001f8ae-\U0001f8ff\U0001f90c-\U0001f93a"
    "\U0001f93c-\U0001f945\U0001f947-\U0001faff\U0001fc00-\U0001fffd"
)
_TONE = "\U0001f3fb-\U0001f3ff"
_AS_PICTURE = "\ufe0f"  # variation selector 16
_ELEMENT = f"[{_PICTURE}](?:{_AS_PICTURE}|[{_TONE}])?"
_EMOJI = re.compile(
    f"{_ELEMENT}(?:\u200d{_ELEMENT}){{0,9}}"
    f"|[0-9#*]{_AS_PICTURE}?\u20e3"
    "|[\U0001f1e6-\U0001f1ff]{2}"
    "|\U0001f3f4[\U000e0020-\U000e007e]{1,10}\U000e007f"  # flags of regions
)
_SHORTCODE = re.compile(r":[a-z0-9_-]{2,60}:")


def check_emoji(text: str) -> str:
    """Return an emoji in its one form, or the shortcode of a custom one; refuse anything else."""
    cut = text.strip()
    if len(cut) <= EMOJI_LENGTH_MAX:
        if _SHORTCODE.fullmatch(cut):
            return cut
        if _EMOJI.fullmatch(cut):
            return _one_form(cut)
    raise Refused("invalid_emoji", "A reaction is one emoji, or :shortcode: of one of this site's "
                                   f"own; got {text[:20]!r}.")


def _one_form(emoji: str) -> str:
    """Return the emoji as keyboards write it: older signs alone are marked as pictures."""
    bare = emoji.replace(_AS_PICTURE, "")
    if bare.endswith("\u20e3"):
        return f"{bare[0]}{_AS_PICTURE}\u20e3"
    if len(bare) == 1 and ord(bare) < 0x1F000:
        return bare + _AS_PICTURE
    return bare
