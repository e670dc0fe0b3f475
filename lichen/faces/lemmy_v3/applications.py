"""The calls about applications: who wants to join, and what is decided."""

from lichen.accounts import Actor, Application
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.users import local_user_of
from lichen.store import Unit


async def count_applications(
    parts: Parts, caller: Caller, _: wire.Nothing
) -> wire.GetUnreadRegistrationApplicationCountResponse:
    """Return how many applications wait."""
    viewer = caller.person()
    count = await parts.store.read(
        lambda unit: parts.accounts.applications_waiting(unit, viewer)
    )
    return wire.GetUnreadRegistrationApplicationCountResponse(registration_applications=count)


async def list_applications(
    parts: Parts, caller: Caller, asked: wire.ListRegistrationApplications
) -> wire.ListRegistrationApplicationsResponse:
    """Return a page of applications."""
    viewer = caller.person()

    def query(unit: Unit) -> list[wire.RegistrationApplicationView]:
        found = parts.accounts.applications(
            unit, viewer, limit=asked.limit, page=asked.page, only_waiting=asked.unread_only
        )
        deciders = parts.accounts.actors(unit, {one.admin_id for one in found if one.admin_id})
        return [_view(one, deciders) for one in found]

    return wire.ListRegistrationApplicationsResponse(
        registration_applications=await parts.store.read(query)
    )


async def get_application(
    parts: Parts, caller: Caller, asked: wire.GetRegistrationApplication
) -> wire.RegistrationApplicationResponse:
    """Return the application of a person."""
    viewer = caller.person()

    def query(unit: Unit) -> wire.RegistrationApplicationView:
        found = parts.accounts.application_of(unit, viewer, asked.person_id)
        ids = [found.admin_id] if found.admin_id else []
        return _view(found, parts.accounts.actors(unit, ids))

    return wire.RegistrationApplicationResponse(
        registration_application=await parts.store.read(query)
    )


async def approve_application(
    parts: Parts, caller: Caller, asked: wire.ApproveRegistrationApplication
) -> wire.RegistrationApplicationResponse:
    """Let an applicant in, or not, with a reason that the applicant reads when logging in."""
    viewer = caller.person()
    decided = await parts.accounts.decide(
        viewer, asked.id, approve=asked.approve, reason=asked.deny_reason
    )
    return wire.RegistrationApplicationResponse(
        registration_application=_view(decided, {viewer.id: viewer.actor})
    )


def _view(
    application: Application, deciders: dict[int, Actor]
) -> wire.RegistrationApplicationView:
    account = application.account
    decider = deciders.get(application.admin_id or 0)
    return wire.RegistrationApplicationView(
        registration_application=wire.RegistrationApplication(
            id=account.id, local_user_id=account.id, answer=application.answer,
            admin_id=None if decider is None else decider.id, deny_reason=application.deny_reason,
            published=wire.time_of(application.published_us),
        ),
        creator_local_user=local_user_of(account, totp_enabled=application.totp_enabled),
        creator=views.person(account.actor),
        admin=views.person(decider) if decider else None,
    )
