"""Small plots of an hour, as SVG drawn here: one line over a wash, words for its ends. Pure.

A plot says in words what it shows; the figures stand in a table beside it. Colours are the theme's:
the style sheet names them.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from lichen.federation import Hour, Minute

WIDTH, HEIGHT = 240, 48  # of the picture's own units; it is stretched to the width there is
HOUR_US = 3_600 * 1_000_000


class Curve(NamedTuple):
    """What one plot shows: its name, what it is now, the values with their times."""

    title: str
    now: str
    most: str
    points: tuple[tuple[int, float], ...]


def curve(
    hour: Hour, title: str, *, value: Callable[[Minute], float], now: float,
    said: Callable[[float], str],
) -> Curve:
    """Return what a plot shows of an hour; `said` says a value in words."""
    points = tuple((one.at_us, value(one)) for one in hour.minutes)
    most = max((height for _, height in points), default=0.0)
    return Curve(title, said(now), said(max(most, now)), (*points, (hour.now.at_us, now)))


def drawn(one: Curve, now_us: int) -> Markup:
    """Return a plot, with what it says for who does not see it; figures alone where all is 0."""
    minutes = max(1, round((now_us - one.points[0][0]) / 60_000_000))
    if not any(height for _, height in one.points):
        return _figure(one, f"for {minutes} min", Markup(""))
    line = _line(one.points, now_us)
    return _figure(one, f"at most {one.most}", Markup(
        '<svg viewBox="0 -2 {width} {height}" preserveAspectRatio="none" role="img" '
        'aria-label="{words}"><path class="wash" d="M{start},{floor} L{line} L{width},{floor}"/>'
        '<path class="line" d="M{line}"/></svg><p class="ends soft"><span>1 h ago</span>'
        "<span>now</span></p>"
    ).format(
        words=f"{one.title} over the last {minutes} min: now {one.now}, at most {one.most}.",
        line=line, start=line.partition(",")[0], width=WIDTH, height=HEIGHT + 4, floor=HEIGHT,
    ))


def _figure(one: Curve, beside: str, picture: Markup) -> Markup:
    return Markup('<figure class="plot"><figcaption><span>{}</span><b>{}</b><span>{}</span>'
                  "</figcaption>{}</figure>").format(one.title, one.now, beside, picture)


def _line(points: Sequence[tuple[int, float]], now_us: int) -> str:
    """Return the points of a line: time to the right, the highest value at the top."""
    top = max(height for _, height in points)
    found = []
    for at_us, height in points:
        x = max(0.0, WIDTH * (1 - (now_us - at_us) / HOUR_US))
        found.append(f"{x:.1f},{HEIGHT * (1 - height / top):.1f}")
    return " ".join(found)
