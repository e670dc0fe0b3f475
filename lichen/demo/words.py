"""Names, titles and texts of a believable community, composed from short lists of our own."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SENTENCES_COUNT = 4_096  # distinct sentences that texts are made of


class Topic(NamedTuple):
    """What a community is about: its name, a sentence, and the nouns people there use."""

    name: str
    about: str
    nouns: tuple[str, ...]


TOPICS: tuple[Topic, ...] = (
    Topic("moss", "Small green things that ask for nothing.",
          ("moss wall", "terrarium", "lichen patch", "damp corner", "stone bowl", "fern")),
    Topic("selfhosting", "Running your own things at home.",
          ("backup", "home server", "reverse proxy", "NAS", "mail server", "old laptop")),
    Topic("baking", "Flour, water, patience.",
          ("sourdough", "rye loaf", "starter", "oven", "focaccia", "croissant")),
    Topic("birding", "What flew by this morning.",
          ("kingfisher", "feeder", "pair of binoculars", "owl", "nest box", "heron")),
    Topic("music", "Records, gigs and the songs that stay.",
          ("debut album", "live recording", "bass line", "mixtape", "choir", "cover version")),
    Topic("woodworking", "Shavings on the floor.",
          ("dovetail", "hand plane", "workbench", "oak board", "spoon", "chisel")),
    Topic("bicycles", "Two wheels and a lunch box.",
          ("commuter bike", "hub gear", "puncture", "cargo bike", "bike lane", "touring frame")),
    Topic("astronomy", "Looking up, mostly between clouds.",
          ("Dobsonian", "eclipse", "meteor shower", "star chart", "Jupiter", "dark site")),
    Topic("letterpress", "Ink, type and a heavy machine.",
          ("type case", "proof press", "poster", "ink", "linocut", "woodtype")),
    Topic("gardening", "Growing food and failing at carrots.",
          ("tomato", "compost heap", "raised bed", "slug", "pear tree", "seed swap")),
    Topic("programming", "Code, and the people who must read it.",
          ("parser", "type system", "race condition", "test suite", "compiler", "cache")),
    Topic("history", "What happened, as far as anybody knows.",
          ("old map", "letter", "archive", "castle", "trade route", "diary")),
    Topic("cooking", "Dinner, again.",
          ("dal", "cast-iron pan", "stock", "dumpling", "pickle", "stew")),
    Topic("photography", "Light, caught.",
          ("film camera", "portrait", "darkroom", "long exposure", "lens", "contact sheet")),
    Topic("linguistics", "How words came to be here.",
          ("loanword", "dialect", "vowel shift", "grammar", "etymology", "sign language")),
    Topic("boardgames", "Rules, dice and who cheated.",
          ("co-op game", "deck builder", "rule book", "two-player game", "expansion", "meeple")),
    Topic("hiking", "Uphill with sandwiches.",
          ("ridge path", "hut", "pair of boots", "map", "storm", "summit")),
    Topic("books", "What are you reading?",
          ("novel", "library", "short story", "translation", "first edition", "book club")),
    Topic("science", "Papers, explained kindly.",
          ("preprint", "control group", "microscope", "field study", "enzyme", "data set")),
    Topic("repair", "Do not throw it away yet.",
          ("radio", "washing machine", "zip", "solder joint", "lamp", "sewing machine")),
    Topic("maps", "Where things are.",
          ("contour line", "projection", "survey", "tram map", "street name", "atlas")),
    Topic("knitting", "Loops on sticks.",
          ("sweater", "sock pattern", "wool", "cable stitch", "mitten", "shawl")),
    Topic("weather", "It is doing it again.",
          ("fog bank", "barometer", "heat wave", "rain gauge", "cold front", "rainbow")),
    Topic("trains", "Slowly, through valleys.",
          ("night train", "signal box", "timetable", "branch line", "sleeper car", "station")),
)

_VARIANTS = ("", "_beginners", "_questions", "_pictures", "_local", "_news", "_meta", "_market")
_PLACES = ("leipzig", "porto", "oslo", "turin", "ghent", "brno", "galway", "lyon", "riga", "graz",
           "split", "umea", "cork", "bath", "delft", "pisa")
_FIRST = ("alder", "birch", "clover", "dune", "elder", "fern", "gorse", "heron", "iris", "juniper",
          "kestrel", "linden", "maple", "nettle", "otter", "poppy", "quill", "rowan", "sorrel",
          "thistle", "umber", "violet", "willow", "yarrow", "ash", "bracken", "cedar", "daisy",
          "ember", "finch", "grove", "hazel", "ivy", "jay", "kelp", "lark", "marsh", "newt",
          "oak", "pine", "reed", "sage", "tern", "vale", "wren", "brook", "cliff", "drift",
          "flint", "moss")
_TITLES = (
    "How do you look after your {noun}?",
    "I finally finished my {noun}",
    "Is a second {noun} ever worth it?",
    "The {noun} that changed my mind",
    "Question about an old {noun}",
    "My {noun} after one year: what I would do differently",
    "What nobody tells you about the {noun}",
    "Found this {noun} at a flea market, what is it?",
    "A long answer to a short question: which {noun} first?",
    "Weekly thread: show us your {noun}",
    "Please stop recommending that {noun} to beginners",
    "I measured my {noun} for a month, here are the numbers",
    "Small victory: the {noun} works again",
    "Why does every {noun} look the same now?",
    "Looking for somebody near {place} who knows about a {noun}",
)
_OPENINGS = ("Honestly", "In my experience", "For what it is worth", "Last winter", "At first",
             "To be fair", "After some years", "As a beginner", "Once more", "Here", "By now",
             "With a bit of luck", "Between us", "Most days", "On a good day", "Slowly")
_MIDDLES = ("the {noun} matters less than the hands that use it",
            "I keep coming back to the same {noun}",
            "my neighbour lent me a {noun} and I never looked back",
            "a cheap {noun} is good enough to learn on",
            "you can hear when a {noun} is about to fail",
            "patience beats any {noun}",
            "there is a {noun} for every purse",
            "I would not buy another {noun} without trying it",
            "the {noun} was the easy part",
            "nobody reads the manual of a {noun}, and it shows",
            "everybody starts with the wrong {noun}",
            "a {noun} wants to be used",
            "the first {noun} is always a bit crooked",
            "what helped me was writing down what the {noun} did",
            "I drew the {noun} before I touched it",
            "we share one {noun} between four flats")
_ENDINGS = (".", ", which surprised me.", ", but ask me again next year.", ", at least here.",
            ", and that is fine.", ", though your mileage will vary.", ". Thank you for asking!",
            ", so take your time.", ", as the old hands say.", ". What did you try?")


def person_name(number: int) -> str:
    """Return the name of the number-th person; each is different and at most 20 characters."""
    first, rest = _FIRST[number % len(_FIRST)], number // len(_FIRST)
    if rest == 0:
        return first
    second, rest = _FIRST[(rest * 7 + number) % len(_FIRST)], rest
    return f"{first}_{second}{rest}"


def community_of(number: int) -> tuple[str, str, Topic]:
    """Return name, title and topic of the number-th community; each name is different."""
    topic = TOPICS[number % len(TOPICS)]
    rest = number // len(TOPICS)
    name = topic.name
    if rest >= len(_VARIANTS):
        place = rest - len(_VARIANTS)
        suffix = _PLACES[place % len(_PLACES)]
        turn = place // len(_PLACES)
        name = f"{topic.name[:12]}_{suffix}{turn or ''}"
    elif rest:
        name = f"{topic.name[:10]}{_VARIANTS[rest]}"
    return name, name.replace("_", " ").capitalize(), topic


class Voice:
    """Draws titles and texts; the same generator gives the same words."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._sentences = [self._sentence(topic) for topic in self._spread()]

    def title(self, community: int) -> str:
        """Return a title as somebody in that community would write it."""
        topic = TOPICS[community % len(TOPICS)]
        return self._of(_TITLES).format(noun=self._of(topic.nouns), place=self._of(_PLACES).title())

    def texts(self, communities: Sequence[int], counts: Sequence[int]) -> list[str]:
        """Return a text of so many sentences for each community; about 2 µs a sentence."""
        topics, sentences = len(TOPICS), self._sentences
        turns = len(sentences) // topics
        picks = iter(self._generator.integers(0, turns, sum(counts)).tolist())
        return [
            " ".join([sentences[next(picks) * topics + community % topics] for _ in range(count)])
            for community, count in zip(communities, counts, strict=True)
        ]

    def _spread(self) -> list[Topic]:
        return [TOPICS[at % len(TOPICS)] for at in range(SENTENCES_COUNT)]

    def _sentence(self, topic: Topic) -> str:
        middle = self._of(_MIDDLES).format(noun=self._of(topic.nouns))
        if self._generator.random() < 0.5:
            return f"{middle[0].upper()}{middle[1:]}{self._of(_ENDINGS)}"
        return f"{self._of(_OPENINGS)}, {middle}{self._of(_ENDINGS)}"

    def _of(self, choices: Sequence[str]) -> str:
        return choices[int(self._generator.integers(0, len(choices)))]
