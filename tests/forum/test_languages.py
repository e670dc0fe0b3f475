"""Languages have the numbers that clients of the Lemmy API know."""

from lichen.forum.languages import LANGUAGES, codes_of, is_language


def test_known_languages_have_their_known_numbers():
    numbers = {language.code: language.id for language in LANGUAGES}

    assert (numbers["und"], numbers["de"], numbers["en"], numbers["fr"]) == (0, 32, 37, 47)
    assert (numbers["aa"], numbers["zu"], len(LANGUAGES)) == (1, 183, 184)


def test_codes_are_in_order_and_names_are_there():
    codes = [language.code for language in LANGUAGES[1:]]

    assert codes == sorted(set(codes))
    assert all(language.name for language in LANGUAGES)


def test_the_undetermined_language_has_no_code_in_records():
    assert codes_of((0, 37)) == ("en",)
    assert [is_language(number) for number in (-1, 0, 183, 184)] == [False, True, True, False]
