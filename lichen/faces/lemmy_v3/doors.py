"""The calls at the doors: captchas, letters, second factors, leaving, administrators."""

from dataclasses import replace

import msgspec

from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.sites import get_site
from lichen.faces.lemmy_v3.users import check_same
from lichen.store import Unit


async def get_captcha(parts: Parts, caller: Caller, _: wire.Nothing) -> wire.GetCaptchaResponse:
    """Return a captcha, or none where this site asks none."""
    site = parts.accounts.current_site.settings
    if not site.captcha_enabled:
        return wire.GetCaptchaResponse()
    made = await parts.accounts.captchas.make(site.captcha_difficulty)
    return wire.GetCaptchaResponse(
        ok=wire.CaptchaResponse(png=made.png, wav=made.wav, uuid=made.id)
    )


async def verify_email(
    parts: Parts, caller: Caller, asked: wire.VerifyEmail
) -> wire.SuccessResponse:
    """Believe an address whose link was followed."""
    await parts.accounts.verify_email(asked.token)
    return wire.SuccessResponse(success=True)


async def reset_password(
    parts: Parts, caller: Caller, asked: wire.PasswordReset
) -> wire.SuccessResponse:
    """Send a link to a new password, if somebody has that address: which is not said."""
    parts.accounts.ask_reset(asked.email)
    return wire.SuccessResponse(success=True)


async def change_password_after_reset(
    parts: Parts, caller: Caller, asked: wire.PasswordChangeAfterReset
) -> wire.SuccessResponse:
    """Choose a new password by a link; every login ends."""
    check_same(asked.password, asked.password_verify)
    await parts.accounts.reset_password(asked.token, asked.password)
    return wire.SuccessResponse(success=True)


async def generate_totp_secret(
    parts: Parts, caller: Caller, _: wire.Nothing
) -> wire.GenerateTotpSecretResponse:
    """Return a new secret, which counts once a code proves that it was read."""
    viewer = caller.person()
    address = await parts.store.write(
        lambda unit: parts.accounts.begin_second_factor(unit, viewer)
    )
    return wire.GenerateTotpSecretResponse(totp_secret_url=address)


async def update_totp(
    parts: Parts, caller: Caller, asked: wire.UpdateTotp
) -> wire.UpdateTotpResponse:
    """Switch the second factor on or off with a code of it."""
    viewer = caller.person()
    enabled = await parts.store.write(lambda unit: parts.accounts.switch_second_factor(
        unit, viewer, asked.totp_token, enabled=asked.enabled
    ))
    return wire.UpdateTotpResponse(enabled=enabled)


async def delete_account(
    parts: Parts, caller: Caller, asked: wire.DeleteAccount
) -> wire.SuccessResponse:
    """End the caller's account for ever."""
    viewer = caller.person()
    await parts.accounts.delete_account(
        viewer, asked.password, delete_content=asked.delete_content
    )
    return wire.SuccessResponse(success=True)


async def leave_admin(
    parts: Parts, caller: Caller, asked: wire.Nothing
) -> wire.GetSiteResponse:
    """Administer the site no longer; the last administrator is refused."""
    viewer = caller.person()
    actor = await parts.store.write(
        lambda unit: parts.accounts.promote(unit, viewer, viewer.id, admin=False)
    )
    now = replace(caller, viewer=msgspec.structs.replace(viewer, actor=actor))
    return await get_site(parts, now, asked)


async def add_admin(
    parts: Parts, caller: Caller, asked: wire.AddAdmin
) -> wire.AddAdminResponse:
    """Make somebody an administrator, or no longer."""
    viewer = caller.person()

    def command(unit: Unit) -> None:
        parts.moderation.add_admin(unit, viewer, asked.person_id, added=asked.added)

    def query(unit: Unit) -> wire.AddAdminResponse:
        ids = [actor.id for actor in parts.accounts.admins(unit)]
        shown = parts.forum.persons(unit, viewer, ids)
        return wire.AddAdminResponse(admins=[views.person_view(one) for one in shown])

    await parts.store.write(command)
    return await parts.store.read(query)
