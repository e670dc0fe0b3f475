"""The puzzle's page and its command: what Lichen asks, answered by `puzzle`."""

from datetime import UTC, date, datetime, timedelta
from html import escape

import click
import msgspec

from emoji_puzzle.puzzle import (
    GUESS_LENGTH_MAX,
    GUESSES_MAX,
    Player,
    Puzzle,
    guessed,
    letters,
    on,
    plain,
    puzzle_of,
)
from lichen.plugins import PageAsked, PageLink, PageShown, Person, Shelf, hookimpl

SEED = "lichen"
HOME = "/x/emoji-puzzle"
TITLE = "Emoji puzzle"
ARCHIVE_DAYS = 7


@hookimpl
def pages() -> list[PageLink]:
    """Name the page for the list of everything here."""
    return [PageLink(title="Emoji puzzle of the day")]


@hookimpl
def show_page(asked: PageAsked, shelf: Shelf) -> PageShown | None:
    """Show today's puzzle, take a guess, or show the last days."""
    today = datetime.fromtimestamp(asked.now_us / 1e6, UTC).date()
    if asked.path == "archive":
        return PageShown(title="The last days", html=_archive(today))
    if asked.path:
        return None
    puzzle = puzzle_of(today, SEED)
    player = on(_player(asked.person, shelf), today)
    guess = asked.fields.get("guess", "")
    if asked.method == "POST":
        player = guessed(player, puzzle, guess)
        if asked.person is not None:
            shelf.put(_key(asked.person), msgspec.json.encode(player).decode())
            # The way back to a page that may be asked for again without guessing twice.
            return PageShown(title=TITLE, go_to=HOME)
    return PageShown(title=TITLE, html=_page(puzzle, player, is_member=asked.person is not None))


@hookimpl
def commands() -> list[click.Command]:
    """Add `lichen emoji-puzzle`."""
    return [show]


@click.command("emoji-puzzle")
@click.option("--day", metavar="DATE", help="As 2026-11-24; today without it.")
@click.option("--solved", is_flag=True, help="Tell the word.")
def show(day: str | None, *, solved: bool) -> None:
    """Show the puzzle of a day.

    \b
    Example:  lichen emoji-puzzle --day 2026-11-24
    """
    puzzle = puzzle_of(date.fromisoformat(day) if day else datetime.now(UTC).date(), SEED)
    click.echo(f"{puzzle.emoji}  {puzzle.word if solved else letters(puzzle, 0)}")


def _key(person: Person) -> str:
    return f"player {person.id}"


def _player(person: Person | None, shelf: Shelf) -> Player:
    kept = None if person is None else shelf.get(_key(person))
    return Player() if kept is None else msgspec.json.decode(kept, type=Player)


def _page(puzzle: Puzzle, player: Player, *, is_member: bool) -> str:
    wrong = [guess for guess in player.guesses if plain(guess) != plain(puzzle.word)]
    is_over = player.solved or len(player.guesses) >= GUESSES_MAX
    shown = len(plain(puzzle.word)) if is_over else len(wrong)
    parts = [
        f'<p class="big" role="img" aria-label="Pictures: {escape(puzzle.names)}">'
        f"{puzzle.emoji}</p>",
        f'<p aria-label="The word so far"><code>{escape(letters(puzzle, shown))}</code></p>',
        _verdict(puzzle, player),
    ]
    if wrong:
        parts.append("<p>Not it: " + ", ".join(f"<s>{escape(one)}</s>" for one in wrong) + "</p>")
    if not is_over:
        parts.append(_form(GUESSES_MAX - len(player.guesses)))
    if is_member:
        parts.append(f'<p>Streak: <span class="num">{player.streak}</span>, the longest: '
                     f'<span class="num">{player.best}</span>.</p>')
    else:
        parts.append('<p class="soft">Members keep a streak.</p>')
    parts.append(f'<p><a href="{HOME}/archive">The last days</a></p>')
    return "".join(parts)


def _verdict(puzzle: Puzzle, player: Player) -> str:
    if player.solved:
        return f"<p><strong>Yes: {escape(puzzle.word)}.</strong> Another one comes tomorrow.</p>"
    if len(player.guesses) >= GUESSES_MAX:
        return f"<p>It was <strong>{escape(puzzle.word)}</strong>. Another one comes tomorrow.</p>"
    if player.guesses:
        return "<p>Not yet. Here is one more letter.</p>"
    return "<p>Which word do these make? Everybody here has the same puzzle today.</p>"


def _form(left: int) -> str:
    return (
        f'<form class="form" method="post" action="{HOME}"><div class="field">'
        '<label for="x-guess">Your guess</label>'
        f'<input id="x-guess" name="guess" type="text" required maxlength="{GUESS_LENGTH_MAX}" '
        'autocomplete="off"></div><div class="row"><button class="go">Guess</button>'
        f'<span class="hint"><span class="num">{left}</span> left</span></div></form>'
    )


def _archive(today: date) -> str:
    days = [today - timedelta(days=ago) for ago in range(1, ARCHIVE_DAYS + 1)]
    rows = "".join(
        f'<tr><td><time datetime="{day}">{day}</time></td><td>{one.emoji}</td>'
        f"<td>{escape(one.word)}</td></tr>"
        for day in days for one in [puzzle_of(day, SEED)]
    )
    return (f'<table><thead><tr><th scope="col">Day</th><th scope="col">Emoji</th>'
            f'<th scope="col">Word</th></tr></thead><tbody>{rows}</tbody></table>'
            f'<p><a href="{HOME}">Today</a></p>')
