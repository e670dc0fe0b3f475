"""Captchas: a few digits to read or to count, asked once, remembered for minutes, in memory.

Each is drawn in a thread: a picture of bent digits, and for those who do not see it a sound that
beeps each digit, pause, next. They keep out scripts that were not written for us, and no more.
"""

import asyncio
import base64
import random
import uuid
from collections import OrderedDict
from typing import NamedTuple

from lichen.accounts.captcha_drawing import DIGITS, picture_of, sound_of
from lichen.accounts.limits import CAPTCHA_AGE_US, CAPTCHAS_MAX
from lichen.kit import Clock, Refused

_LENGTHS = {"easy": 4, "medium": 5, "hard": 6}  # digits; the names are Lemmy's


class Captcha(NamedTuple):
    """One captcha as it is shown: PNG and WAV in base64, and the name to answer by."""

    id: str
    png: str
    wav: str


class Captchas:
    """Makes captchas and checks answers; each answer, right or wrong, uses one up."""

    def __init__(
        self, clock: Clock, randomness: random.Random, *, count_max: int = CAPTCHAS_MAX
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._count_max = count_max
        self._open: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    async def make(self, difficulty: str) -> Captcha:
        """Return a new captcha."""
        length = _LENGTHS.get(difficulty, _LENGTHS["medium"])
        answer = "".join(self._randomness.choice(DIGITS) for _ in range(length))
        seed = self._randomness.getrandbits(64)
        png, wav = await asyncio.to_thread(lambda: (picture_of(answer, seed), sound_of(answer)))
        id = str(uuid.UUID(bytes=self._randomness.randbytes(16), version=4))
        self._open[id] = (answer, self._clock() + CAPTCHA_AGE_US)
        if len(self._open) > self._count_max:
            self._open.popitem(last=False)
        return Captcha(id, base64.b64encode(png).decode(), base64.b64encode(wav).decode())

    def check(self, id: str, answer: str) -> None:
        """Use a captcha up, or refuse a wrong, late or unknown one by `captcha_incorrect`."""
        expected, expires_us = self._open.pop(id, ("", 0))
        typed = "".join(answer.split())
        if not expected or expires_us < self._clock() or typed != expected:
            raise Refused("captcha_incorrect", "These are not the digits; try the next ones.")
