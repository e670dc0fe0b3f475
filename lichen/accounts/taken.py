"""What is taken: names that others have or had, and ids that are known already; pure."""

from collections.abc import Callable, Sequence

from lichen.accounts.limits import NAME_LENGTH_SETTABLE_MAX
from lichen.accounts.model import ActorDraft, ActorKind, check_name
from lichen.accounts.nouns import retired_hash
from lichen.kit import Conflict

_TAKEN = {
    ActorKind.PERSON: "user_already_exists",
    ActorKind.COMMUNITY: "community_already_exists",
    ActorKind.SITE: "site_already_exists",
}


def check_draft(draft: ActorDraft, taken: set[tuple[str, str]]) -> None:
    """Refuse an actor whose name cannot be given, or is taken, by kind and lower-case name."""
    if draft.domain is not None:
        assert draft.ap_id is not None, "a remote actor brings its id"
        assert draft.inbox is not None, "a remote actor brings its inbox"
        return
    if draft.kind is not ActorKind.SITE:
        check_name(draft.name, length_max=NAME_LENGTH_SETTABLE_MAX)
    key = draft.name.lower()
    if not taken.isdisjoint(((draft.kind.value, key), (draft.kind.value, retired_hash(key)))):
        raise _name_taken(draft)


def check_ids(
    drafts: Sequence[ActorDraft], taken: set[str], *, ap_id: Callable[[ActorDraft], str]
) -> None:
    """Refuse actors whose ActivityPub id is known already."""
    for draft in drafts:
        if ap_id(draft) not in taken:
            continue
        if draft.domain is None and draft.ap_id is None:
            # The id is made from the name: somebody took it between the two statements that
            # looked, which PostgreSQL's READ COMMITTED shows to the second alone.
            raise _name_taken(draft)
        raise Conflict("actor_already_exists", "An actor with this id is known already.")


def _name_taken(draft: ActorDraft) -> Conflict:
    return Conflict(_TAKEN[draft.kind], f"The name {draft.name} is taken; choose another.")
