"""A plugin that judges by the words it finds: refuse, hold, shout."""

from lichen.kit import Reason, Term
from lichen.plugins import Change, Hold, Refuse, hookimpl


@hookimpl
def before_create(person, writing):
    return _judged(writing)


@hookimpl
def before_edit(writing):
    return _judged(writing)


@hookimpl
def before_vote(vote):
    if vote.value < 0:
        return Refuse(text="Be kind.", reason=Reason(rule="no downvotes"), code="be_kind")
    return None


@hookimpl
def before_registration(registration):
    if registration.email_domain == "spam.example" or registration.name.startswith("robot"):
        return Refuse(text="No robots.", reason=Reason(rule="robots"))
    if registration.name.startswith("odd"):
        return Hold(reason=Reason(rule="odd names"))
    return None


def _judged(writing):
    words = f"{writing.title or ''} {writing.body or ''}"
    if "forbidden" in words:
        return Refuse(text="That word is not said here.", code="that_word",
                      reason=Reason(rule="words", terms=(Term("forbidden", True),)))
    if "doubtful" in words:
        return Hold(reason=Reason(rule="doubt", terms=(Term("doubtful", True, "one word"),)))
    if "loud" in words:
        return Change(fields={"body": (writing.body or "").upper()})
    return None
