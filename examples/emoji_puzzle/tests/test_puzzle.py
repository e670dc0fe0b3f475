"""The puzzle itself: the same for everybody, another each day, streaks that follow days."""

from datetime import date, timedelta

from emoji_puzzle.puzzle import (
    GUESSES_MAX,
    PUZZLES,
    Player,
    guessed,
    letters,
    on,
    plain,
    puzzle_of,
)
from hypothesis import given
from hypothesis import strategies as st

DAY = date(2026, 11, 24)


def test_a_day_has_one_puzzle_and_another_seed_another_order():
    days = [DAY + timedelta(days=n) for n in range(20)]

    assert [puzzle_of(day, "a") for day in days] == [puzzle_of(day, "a") for day in days]
    assert [puzzle_of(day, "a") for day in days] != [puzzle_of(day, "b") for day in days]


def test_none_comes_again_before_all_have_come():
    first = DAY.toordinal() // len(PUZZLES) * len(PUZZLES)
    days = [date.fromordinal(first + n) for n in range(len(PUZZLES))]

    assert {one.word for one in PUZZLES} == {puzzle_of(day, "a").word for day in days}


def test_case_space_and_marks_do_not_matter():
    assert plain("Pea-Nut  BUTTER!") == plain("peanut butter")


def test_letters_are_shown_from_the_left():
    rock_star = next(one for one in PUZZLES if one.word == "rock star")

    assert letters(rock_star, 0) == "· · · ·    · · · ·"
    assert letters(rock_star, 5) == "r o c k    s · · ·"


def test_a_streak_goes_on_from_day_to_day_and_ends_with_a_day_left_out():
    player = Player()
    for ahead in (0, 1, 2):
        day = DAY + timedelta(days=ahead)
        player = guessed(on(player, day), puzzle_of(day, "a"), puzzle_of(day, "a").word)
    assert (player.streak, player.best) == (3, 3)

    later = on(player, DAY + timedelta(days=4))

    assert (later.streak, later.best) == (0, 3)


@given(st.lists(st.text(max_size=60), max_size=20))
def test_no_guesses_lead_beyond_the_last(guesses):
    puzzle = puzzle_of(DAY, "a")
    player = on(Player(), DAY)
    for guess in guesses:
        player = guessed(player, puzzle, guess)

    assert len(player.guesses) <= GUESSES_MAX
    assert player.streak == player.solved <= 1


def test_after_the_word_nothing_changes():
    puzzle = puzzle_of(DAY, "a")
    player = guessed(on(Player(), DAY), puzzle, puzzle.word)

    assert player == guessed(player, puzzle, "something else")
