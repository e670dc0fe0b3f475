"""Permissions: the one place that says whether somebody may do what administrators may."""

from lichen.accounts.model import Viewer
from lichen.accounts.standing import Permission
from lichen.kit import Forbidden


def check_admin(viewer: Viewer | None) -> None:
    """Refuse a viewer who does not administer the site; None is the command line, which may."""
    if viewer is not None and not viewer.admin:
        raise Forbidden("not_an_admin", "Only administrators may do this.")


def is_permitted(viewer: Viewer, permission: Permission) -> bool:
    """Say whether a viewer may do something: by its role, or because it administers the site."""
    return not viewer.actor.banned and (viewer.admin or permission in viewer.permissions)


def check_permission(viewer: Viewer | None, permission: Permission) -> None:
    """Refuse a viewer who may not do something; None is the command line, which may."""
    if viewer is not None and not is_permitted(viewer, permission):
        # Lemmy 0.19 knows administrators only, and its clients this code.
        raise Forbidden(
            "not_an_admin",
            f"Only administrators and people who may {permission.value.replace('_', ' ')} do this.",
        )
