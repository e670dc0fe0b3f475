"""A plugin that adds a word at the end of every text, to show who was asked when."""

from lichen.plugins import Change, hookimpl


class Signing:
    def __init__(self, word):
        self._word = word

    @hookimpl
    def before_create(self, writing):
        return Change(fields={"body": f"{writing.body}{self._word}"})


class First(Signing):
    @hookimpl(tryfirst=True)
    def before_create(self, writing):
        return Change(fields={"body": f"{writing.body}{self._word}"})


class Last(Signing):
    @hookimpl(trylast=True)
    def before_create(self, writing):
        return Change(fields={"body": f"{writing.body}{self._word}"})


a = Signing("a")
b = Signing("b")
first = First("1")
last = Last("9")
