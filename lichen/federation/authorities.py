"""Who may do what with what, when it comes from elsewhere. The one place where this is decided.

    directly      the actor's server signed it: it speaks for its own people and their things
    announced     a community's server passes it on: it speaks for whatever is in that community,
                  and for nothing else
    moderation    in a community of ours: its moderators. In one elsewhere: what its server says,
                  by announcing it or by an actor of its own

ActivityPub §B.1 asks that whoever takes something in verifies who says it; FEP-1b12 that what a
group announces is taken as the group's word.
"""

import msgspec

from lichen.accounts import Actor, SessionId, Settings, Viewer
from lichen.federation.activities import Activity, Flagging, Voting, Writing
from lichen.federation.known import Arrival, Known
from lichen.federation.model import authority_of
from lichen.federation.objects import is_public
from lichen.forum import CommunityPlace
from lichen.kit import Forbidden


def check_voucher(arrival: Arrival, *, own_authority: str) -> None:
    """Refuse what its peer cannot vouch for, and what claims to be ours."""
    voucher = authority_of(arrival.activity.voucher)
    if not voucher or voucher != arrival.peer:
        raise Forbidden("foreign_actor", "A server speaks for its own actors alone.")
    if authority_of(arrival.activity.actor) == own_authority:
        # Our own people's acts come back announced by the communities elsewhere.
        raise Forbidden("echo", "This happened here.")


def check_passed_on(activity: Activity, known: Known, community_id: int) -> None:
    """Refuse what was announced by anybody but the community that it happens in."""
    if activity.announcer:
        announcer = known.actors.get(activity.announcer)
        if announcer is None or announcer.id != community_id:
            raise Forbidden("not_its_community", "A community speaks for what is in it alone.")


def check_own(activity: Activity, id: str) -> None:
    """Refuse a thing that is not on its actor's server."""
    if authority_of(id) != authority_of(activity.actor):
        raise Forbidden("foreign_object", "An actor writes on its own server alone.")


def check_writer(
    activity: Activity, known: Known, person: Actor, community: CommunityPlace
) -> None:
    """Refuse whoever may not write or vote in a community; as the forum refuses its own people.

    What a community elsewhere has passed on, it has let in.
    """
    if community.local_only:
        raise Forbidden("local_only", "This community is for people of its own server.")
    if not community.local:
        return
    check_unmoved(known, person)
    if (community.id, person.id) in known.places.bans:
        raise Forbidden("banned_from_community", "You are banned from this community.")
    if community.is_closed:
        raise Forbidden("deleted", "This community has been closed.")


def check_unmoved(known: Known, person: Actor) -> None:
    """Refuse who is somebody else now, as both sides have said: a ban of that one counts.

    As the forum refuses people of ours who moved; who is back says so in its profile.
    """
    if person.id in known.moved:
        raise Forbidden("account_moved", "This account has moved: write where you are now.")


def check_closing(activity: Activity, group: Actor) -> None:
    """Refuse the end of a community by anybody but its own server."""
    # Lemmy 0.19, deletion/mod.rs: its moderators and administrators close it, and it says so.
    is_its_word = authority_of(activity.voucher) == group.domain
    if group.local or not is_its_word or activity.announcer not in ("", group.ap_id):
        raise Forbidden("not_its_community", "A community is closed by its own server.")


def judge_of(
    activity: Activity, known: Known, person: Actor, community: CommunityPlace
) -> Viewer:
    """Return as whom a remote person moderates a community, or refuse it.

    In a community of ours it is itself, and the forum asks whether it moderates there. In one
    elsewhere the community's server decides: its word is carried out like an administrator's, in
    that community.
    """
    if community.local:
        if activity.announcer or (community.id, person.id) not in known.places.seats:
            raise Forbidden("not_a_moderator", "Only moderators of this community can do this.")
        return viewer_of(person)
    home = known.by_id.get(community.id)
    announcer = known.actors.get(activity.announcer)
    is_passed_on = announcer is not None and announcer.id == community.id
    is_of_home = home is not None and authority_of(activity.actor) == home.domain
    if not is_passed_on and not (is_of_home and not activity.announcer):
        raise Forbidden("not_its_community", "Only its own server moderates a community.")
    return viewer_of(person, admin=True)


def judge_of_report(
    activity: Activity, known: Known, person: Actor, community: CommunityPlace
) -> Viewer:
    """Return as whom a remote person deals with a report in a community, or refuse it.

    Beside whom `judge_of` lets: of a community elsewhere its moderators, who tell the servers of
    reporters themselves (Lemmy 1.0, resolve_report.rs).
    """
    is_seated = (community.id, person.id) in known.places.seats
    if not community.local and is_seated and not activity.announcer:
        return viewer_of(person)
    return judge_of(activity, known, person, community)


def check_site(activity: Activity, *, target: str, person_id: str) -> None:
    """Refuse a ban from a site by anybody but that site, of anybody but its own people."""
    # Lemmy 0.19, block_user.rs: actor, site and person are of one server.
    authority = authority_of(activity.actor)
    if activity.announcer or {authority_of(target), authority_of(person_id)} != {authority}:
        raise Forbidden("not_its_site", "A site bans its own people alone.")


def is_for_everybody(activity: Activity) -> bool:
    """Say whether anybody may see how an activity fared: never a report or a private message.

    Votes name nobody they are for; they are public wherever there is ActivityPub.
    """
    if isinstance(activity, Flagging):
        return False
    if isinstance(activity, Writing) and activity.thing.is_message:
        return False
    return bool(activity.announcer) or isinstance(activity, Voting) or any(
        is_public(one) for one in activity.addressees)


def viewer_of(person: Actor, *, admin: bool = False) -> Viewer:
    """Return a remote person as the rooms below know who acts; it has no account and no login."""
    actor = msgspec.structs.replace(person, admin=admin)
    return Viewer(actor=actor, account_id=0, settings=Settings(), session_id=SessionId(""),
                  accepted=True, email_verified=False)
