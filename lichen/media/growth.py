"""Grown lichens: the face of everybody who has not chosen a picture.

A colony is an Eden growth (M. Eden, "A two-dimensional growth process", 1961) on a triangular
lattice. It starts as one cell; each step settles one empty neighbour of the colony, the hungriest
of a few drawn at random, where hunger is light (few neighbours) and the pull of some directions:

    many draws, crowding matters: shrubs      few draws: crusts and round rosettes

                 o   o                                    o o o
                  o o   o                                o o o o
               o o o o o                                o o o o o
                  o   o                                  o o o o

Each cell remembers its parent, so a colony is a tree. It is painted as one path several times: a
wide stroke for the rim, narrower ones for the thallus and its older heart, dots for the fruit.

Promises: the same seed gives the same bytes on every machine for ever (integers only, own
generator, golden test); at most 6 kB; a few milliseconds. It does no I/O.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from math import cos, isqrt, pi, sin
from typing import NamedTuple

SVG_BYTES_MAX = 6_000  # look.md: an avatar weighs at most 6 kB
COLONY_CELLS_MIN = 70  # fewer look like crumbs, not like a thing that grows
COLONY_CELLS_MAX = 150  # 15 bytes each at worst, some of them twice: under 6 kB
YOUNG_CELLS = 26  # the colony of empty states: just settled
PATCH_CELLS_MIN = 28  # cells of one of the colonies on a banner
PATCH_CELLS_MAX = 70  # several of them share the 6 kB
PATCHES = 7  # colonies on a banner, where they find room
CACHE_ENTRIES_MAX = 4_096  # colonies; about 8 MB when full

_FRAME_BYTES_MAX = 200  # of the outermost element
_BOX = 256
_RADIUS_MAX = 112  # leaves room for the widest stroke inside the box
_STROKE_MAX = 17  # half of it, and as much again as air
_STEP_X = 10
_STEP_Y = 9
_NEIGHBOURS = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))
_DIRECTIONS = tuple(
    (round(64 * cos(turn * pi / 16)), round(64 * sin(turn * pi / 16))) for turn in range(32)
)

_SHIFT_MAX = 10  # per channel; more turns moss into neon

Cell = tuple[int, int]


class Palette(NamedTuple):
    """The colours of one species, as 0xRRGGBB; all are readable on light and dark stone."""

    rim: int
    thallus: int
    heart: int
    fruit: int


# Named after what grows in them; order is part of the promise, so lines are only ever appended.
_PALETTES = (
    Palette(0xB8741F, 0xE3A92F, 0xF0C75A, 0xCF5A1E),  # Xanthoria parietina
    Palette(0x55663B, 0xB3BC57, 0xCFD683, 0x39432F),  # Rhizocarpon geographicum
    Palette(0x5F857F, 0x93B5A8, 0xB9D0C4, 0x8A5233),  # Parmelia sulcata
    Palette(0x5E8A66, 0x92B98F, 0xB6D2AC, 0xCC3B36),  # Cladonia cristatella
    Palette(0x4A7DA6, 0x83B1D0, 0xAECDE0, 0x345A82),  # Lecanora under snow
    Palette(0x7F6499, 0xAE95C4, 0xCBB9DA, 0x5B4677),  # Pertusaria
    Palette(0xA8481B, 0xDF7A3C, 0xEFA268, 0xF4C04E),  # Caloplaca
    Palette(0x3F8F79, 0x78C0A4, 0xA3D6C1, 0xE27F93),  # Icmadophila ericetorum
    Palette(0x84923A, 0xB5C056, 0xD2DA8C, 0x66751C),  # Letharia vulpina
    Palette(0x3E6E78, 0x6FA3A8, 0x9CC3C4, 0xC9773A),  # Peltigera
    Palette(0xA3505F, 0xD08794, 0xE2AEB5, 0x8C3446),  # Dibaeis baeomyces
    Palette(0x8C7350, 0xBBA27B, 0xD3C2A2, 0x5F4A33),  # Umbilicaria
)


class Habit(NamedTuple):
    """How a species grows: what a seed decides before the first cell."""

    crowding: int
    noise: int
    draws: int
    pull: int
    lobes: tuple[Cell, ...]


class Dice:
    """SplitMix64 (Steele, Lea, Flood 2014): a generator small enough to stay the same for ever."""

    def __init__(self, seed: str) -> None:
        self._state = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")

    def roll(self) -> int:
        """Return the next 64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        mixed = self._state
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        return mixed ^ mixed >> 31

    def below(self, bound: int) -> int:
        """Return a number from 0 to bound - 1."""
        return self.roll() % bound


def colony(seed: str) -> bytes:
    """Return the grown picture of an actor as SVG."""
    dice = Dice(seed)
    grown = _Colony(dice)
    grown.grow(COLONY_CELLS_MIN + dice.below(COLONY_CELLS_MAX - COLONY_CELLS_MIN))
    return _picture(_frame_around(grown), [_painted(dice, grown, name="c", fruiting=True)])


def young(seed: str) -> bytes:
    """Return a colony that has just settled: for places where nothing is yet."""
    dice = Dice(seed)
    grown = _Colony(dice)
    grown.grow(YOUNG_CELLS)
    return _picture(_frame_around(grown), [_painted(dice, grown, name="c", fruiting=False)])


def banner(seed: str) -> bytes:
    """Return a strip of rock, five times as wide as high, with several colonies on it."""
    dice = Dice(seed)
    patches: list[str] = []
    for number in range(PATCHES):
        grown = _Colony(dice)
        grown.grow(PATCH_CELLS_MIN + dice.below(PATCH_CELLS_MAX - PATCH_CELLS_MIN))
        body = _painted(dice, grown, name=f"c{number}", fruiting=False)
        x = number * 180 - 80 + dice.below(80)
        y = dice.below(180) - 90
        patch = f'<g transform="translate({x} {y})">{body}</g>'
        # Colonies of many short branches take more bytes; the last of them may find no room.
        if sum(map(len, patches)) + len(patch) <= SVG_BYTES_MAX - _FRAME_BYTES_MAX:
            patches.append(patch)
    return _picture("0 0 1280 256", patches)


class Grown:
    """The grown pictures by kind, the recent ones kept in memory."""

    def __init__(self, *, entries_max: int = CACHE_ENTRIES_MAX) -> None:
        self.colony: Callable[[str], bytes] = lru_cache(maxsize=entries_max)(colony)
        # Few pages show these, and a banner weighs as much as three colonies.
        few = max(1, entries_max // 16)
        self.young: Callable[[str], bytes] = lru_cache(maxsize=few)(young)
        self.banner: Callable[[str], bytes] = lru_cache(maxsize=few)(banner)


def _mixed(dice: Dice) -> Palette:
    """Draw a species; some wear the heart or the fruit of another, and no two quite match."""
    species = _PALETTES[dice.below(len(_PALETTES))]
    guest = _PALETTES[dice.below(len(_PALETTES))]
    borrowed = dice.below(4)
    if borrowed & 1:
        species = species._replace(heart=guest.thallus)
    if borrowed & 2:
        species = species._replace(fruit=guest.fruit)
    shifts = tuple(dice.below(2 * _SHIFT_MAX + 1) - _SHIFT_MAX for _ in range(3))
    return Palette(*(_shifted(colour, shifts) for colour in species))


def _shifted(colour: int, shifts: tuple[int, ...]) -> int:
    channels = (colour >> 16, colour >> 8 & 255, colour & 255)
    red, green, blue = (
        min(255, max(0, channel + shift)) for channel, shift in zip(channels, shifts, strict=True)
    )
    return red << 16 | green << 8 | blue


class _Colony:
    """A growing tree of cells, oldest first: where each lies and which it grew from."""

    def __init__(self, dice: Dice) -> None:
        self.places: list[Cell] = []
        self.parents: list[int] = []
        self._dice = dice
        self._habit = _habit(dice)
        self._taken: set[Cell] = set()
        self._crowd: dict[Cell, int] = {}
        self._edge: list[tuple[Cell, int, int]] = []  # cell, parent, hunger without neighbours
        self._settle((0, 0), -1)

    def grow(self, cells: int) -> None:
        """Grow to so many cells, or until the box is full."""
        edge = self._edge
        while edge and len(self.places) < cells:
            best = self._hungriest()
            cell, parent, _ = edge[best]
            edge[best] = edge[-1]
            edge.pop()
            if cell not in self._taken:
                self._settle(cell, parent)

    def _settle(self, cell: Cell, parent: int) -> None:
        x, y = _place(cell)
        if x * x + y * y > _RADIUS_MAX * _RADIUS_MAX:
            return
        wobble = self._dice.roll()
        number = len(self.places)
        self._taken.add(cell)
        self.places.append((_BOX // 2 + x + wobble % 5 - 2, _BOX // 2 + y + (wobble >> 32) % 5 - 2))
        self.parents.append(parent)
        for step_q, step_r in _NEIGHBOURS:
            near = (cell[0] + step_q, cell[1] + step_r)
            self._crowd[near] = self._crowd.get(near, 0) + 1
            if near not in self._taken:
                self._edge.append((near, number, self._pull(near)))

    def _pull(self, cell: Cell) -> int:
        """Return how much a cell's direction makes it grow."""
        x, y = _place(cell)
        toward = max(x * lobe_x + y * lobe_y for lobe_x, lobe_y in self._habit.lobes) >> 6
        sideways = abs(x) + abs(y)
        return self._habit.pull * (2 * toward - sideways) - sideways // 4

    def _hungriest(self) -> int:
        """Return the index of the hungriest of a few cells drawn from the edge."""
        edge, crowd, roll = self._edge, self._crowd, self._dice.roll
        crowding, noise = self._habit.crowding, self._habit.noise
        best, best_hunger = 0, -1_000_000
        for _ in range(self._habit.draws):
            chance = roll()
            index = chance % len(edge)
            cell, _, pull = edge[index]
            hunger = (chance >> 40) % noise - crowding * crowd[cell] + pull
            if hunger > best_hunger:
                best, best_hunger = index, hunger
        return best


def _habit(dice: Dice) -> Habit:
    """Draw a way to grow; lobes are directions at unequal distances, as in nature."""
    count = 3 + dice.below(6)
    start = dice.below(32)
    lobes = tuple(
        _DIRECTIONS[(start + lobe * 32 // count + dice.below(3)) % 32] for lobe in range(count)
    )
    return Habit(
        crowding=20 + dice.below(50),
        noise=40 + dice.below(120),
        draws=2 + dice.below(6),
        pull=dice.below(3),
        lobes=lobes,
    )


def _place(cell: Cell) -> Cell:
    """Return where a cell lies on the lattice, from the middle of the box."""
    return (2 * cell[0] + cell[1]) * _STEP_X // 2, cell[1] * _STEP_Y


def _frame_around(grown: _Colony) -> str:
    """Return the square view around a colony whose inner circle holds it: pages cut it round."""
    (left, right), (top, bottom) = (
        (min(line), max(line)) for line in zip(*grown.places, strict=True)
    )
    x, y = (left + right) // 2, (top + bottom) // 2
    reach = isqrt(max((at[0] - x) ** 2 + (at[1] - y) ** 2 for at in grown.places)) + _STROKE_MAX
    return f"{x - reach} {y - reach} {2 * reach} {2 * reach}"


def _painted(dice: Dice, grown: _Colony, *, name: str, fruiting: bool) -> str:
    """Return the strokes of one colony, widest first."""
    palette = _mixed(dice)
    whole = _tree_path(grown, len(grown.places))
    heart = _tree_path(grown, len(grown.places) * (25 + dice.below(30)) // 100)
    parts = [
        f'<defs><path id="{name}" d="{whole}"/></defs>',
        _stroke(f'use href="#{name}"', palette.rim, _STROKE_MAX),
        _stroke(f'use href="#{name}"', palette.thallus, 11),
        _stroke(f'path d="{heart}"', palette.heart, 8),
    ]
    if fruiting:
        fruit = _fruit_path(dice, grown)
        parts.append(_stroke(f'path d="{fruit}"', palette.fruit, 12 + dice.below(10)))
        parts.append(_stroke(f'path d="{fruit}"', palette.thallus, 5))
    return "".join(parts)


def _stroke(shape: str, colour: int, width: int) -> str:
    return f'<{shape} stroke="#{colour:06x}" stroke-width="{width}"/>'


def _tree_path(grown: _Colony, cells: int) -> str:
    """Return one path over the first so many cells, its pen lifted as rarely as possible."""
    children: list[list[int]] = [[] for _ in range(cells)]
    for number in range(1, cells):
        children[grown.parents[number]].append(number)
    pieces: list[str] = []
    starts = [(0, 0)]
    while starts:
        number, origin = starts.pop()
        x, y = grown.places[origin]
        steps = [_step(grown, origin, number)]
        while children[number]:
            heir, *others = children[number]
            starts.extend((other, number) for other in others)
            steps.append(_step(grown, number, heir))
            number = heir
        pieces.append(f"M{x} {y}l" + " ".join(steps).replace(" -", "-"))
    return "".join(pieces)


def _step(grown: _Colony, start: int, end: int) -> str:
    x = grown.places[end][0] - grown.places[start][0]
    y = grown.places[end][1] - grown.places[start][1]
    return f"{x} {y}"


def _fruit_path(dice: Dice, grown: _Colony) -> str:
    """Return dots on some older cells: strokes of no length with round ends."""
    old = max(1, len(grown.places) * 3 // 5)
    chosen = sorted({dice.below(old) for _ in range(2 + dice.below(9))})
    return "".join(f"M{grown.places[n][0]} {grown.places[n][1]}h0" for n in chosen)


def _picture(box: str, parts: list[str]) -> bytes:
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" fill="none" '
        f'stroke-linecap="round" stroke-linejoin="round">{"".join(parts)}</svg>'
    )
    picture = text.encode()
    assert len(picture) <= SVG_BYTES_MAX, f"a grown picture of {len(picture)} bytes"
    return picture
