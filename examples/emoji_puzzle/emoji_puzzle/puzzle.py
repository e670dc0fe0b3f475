"""The puzzle: which one is today's, what a guess shows, how a streak goes on. Pure."""

import random
from datetime import date, timedelta

import msgspec

GUESSES_MAX = 6
GUESS_LENGTH_MAX = 40


class Puzzle(msgspec.Struct, frozen=True):
    """Some emoji, the word they make, and what they are called."""

    emoji: str
    word: str
    names: str


class Player(msgspec.Struct, frozen=True):
    """What is kept of one member."""

    day: str = ""
    guesses: tuple[str, ...] = ()
    solved: bool = False
    solved_day: str = ""
    streak: int = 0
    best: int = 0


PUZZLES = tuple(Puzzle(*line.split("|")) for line in """
🌧️🎀|rainbow|rain, bow
☀️🌸|sunflower|sun, flower
📖🐛|bookworm|book, worm
🔥🪰|firefly|fire, fly
⭐🐟|starfish|star, fish
🌙💡|moonlight|moon, light
🐝🍃|belief|bee, leaf
🦶⚽|football|foot, ball
🧈🪰|butterfly|butter, fly
🐴👟|horseshoe|horse, shoe
❄️👨|snowman|snow, man
🥜🧈|peanut butter|peanut, butter
🌊🐎|seahorse|sea, horse
🔑🪵|keyboard|key, board
🫖🥄|teaspoon|tea, spoon
🌽🥖|cornbread|corn, bread
👁️🏐|eyeball|eye, ball
☕🍰|cupcake|cup, cake
🚪🔔|doorbell|door, bell
🪨⭐|rock star|rock, star
🐍🧴|snake oil|snake, oil
🧊📦|icebox|ice, box
🧊🐻|polar bear|ice, bear
🪟🛒|window shopping|window, shopping
🍯🌙|honeymoon|honey, moon
🌾🍓|strawberry|straw, berry
🏠🪴|houseplant|house, plant
🐶🏡|doghouse|dog, house
🌬️🏭|windmill|wind, mill
🍎🥧|apple pie|apple, pie
🖐️🎒|handbag|hand, bag
⏰🏗️|clockwork|clock, work
""".strip().splitlines())


def puzzle_of(day: date, seed: str) -> Puzzle:
    """Return the puzzle of a day: none comes again before all have come."""
    rounds, place = divmod(day.toordinal(), len(PUZZLES))
    order = list(PUZZLES)
    random.Random(f"{seed} {rounds}").shuffle(order)
    return order[place]


def plain(text: str) -> str:
    """Return the letters of a text in one case; "Pea-Nut  BUTTER" is "peanutbutter"."""
    return "".join(letter for letter in text.casefold() if letter.isalpha())


def letters(puzzle: Puzzle, shown: int) -> str:
    """Return the word with its first letters, and dots for the rest."""
    left = shown
    drawn = []
    for letter in puzzle.word:
        if letter == " ":
            drawn.append("  ")
        elif left > 0:
            drawn.append(letter)
            left -= 1
        else:
            drawn.append("·")
    return " ".join(drawn)


def on(player: Player, day: date) -> Player:
    """Return the player on a day: a new one has no guesses, and a day left out ends the streak."""
    if player.day == day.isoformat():
        return player
    follows = player.solved_day == (day - timedelta(days=1)).isoformat()
    return msgspec.structs.replace(
        player, day=day.isoformat(), guesses=(), solved=False,
        streak=player.streak if follows else 0,
    )


def guessed(player: Player, puzzle: Puzzle, guess: str) -> Player:
    """Return the player after a guess; after the last, or after the word, nothing changes.

    The player is on the day of the puzzle.
    """
    if player.solved or len(player.guesses) >= GUESSES_MAX or not plain(guess):
        return player
    is_right = plain(guess) == plain(puzzle.word)
    streak = player.streak + is_right
    return msgspec.structs.replace(
        player, guesses=(*player.guesses, guess.strip()[:GUESS_LENGTH_MAX]), solved=is_right,
        streak=streak, best=max(player.best, streak),
        solved_day=player.day if is_right else player.solved_day,
    )
