"""The second factor: a code from a device beside the password, and codes for when it is lost."""

import base64
import hashlib

from lichen.accounts import door_rows
from lichen.accounts.actors import Actors
from lichen.accounts.limits import RECOVERY_CODES
from lichen.accounts.model import Account, Viewer
from lichen.accounts.totp import DIGITS, SECRET_BYTES, address_of, secret_of, step_of
from lichen.events import accounts as records
from lichen.events import event_of
from lichen.events.accounts import SELF
from lichen.kit import Refused, Unauthenticated, isoformat
from lichen.store import Query, Row, Unit

_RECOVERY_BYTES = 5  # 40 bits, 8 characters; a wrong one counts as a failed login


class Factors(Actors):
    """Sets up, checks and ends second factors."""

    def begin_second_factor(self, unit: Unit, viewer: Viewer) -> str:
        """Return the `otpauth:` address of a new secret, which counts once a code proves it.

        Refuses by `totp_already_enabled`. Two round trips.
        """
        rows = unit.fetch(door_rows.SECOND_FACTOR, account_id=viewer.account_id)
        if rows and rows[0].enabled:
            raise Refused("totp_already_enabled", "Switch the second factor off first.")
        secret = secret_of(self._ground.randomness.randbytes(SECRET_BYTES))
        unit.stage(door_rows.KEEP_SECOND_FACTOR, {
            "account_id": viewer.account_id, "secret": secret, "enabled": False, "step_used": 0,
        })
        site = self.reader.site.settings.name
        return address_of(secret, site=site, name=viewer.actor.name)

    def switch_second_factor(
        self, unit: Unit, viewer: Viewer, code: str, *, enabled: bool
    ) -> bool:
        """Switch the second factor on or off with a code of it; return whether it is on.

        Refuses by `missing_totp_secret` and `incorrect_totp_token`.
        """
        rows = unit.fetch(door_rows.SECOND_FACTOR, account_id=viewer.account_id)
        if not rows:
            raise Refused("missing_totp_secret", "Ask for a secret first.")
        step = step_of(
            rows[0].secret, code, now_us=unit.clock_us, after=rows[0].step_used
        )
        if step is None:
            raise _wrong_code()
        if enabled:
            unit.stage(door_rows.KEEP_SECOND_FACTOR, {
                "account_id": viewer.account_id, "secret": rows[0].secret, "enabled": True,
                "step_used": step,
            })
        else:
            unit.stage(door_rows.DELETE_SECOND_FACTOR, {"account_id": viewer.account_id})
            unit.stage(door_rows.DELETE_RECOVERY_CODES, {"account_id": viewer.account_id})
        record = records.SecondFactor(on=enabled, updated_at=isoformat(unit.clock_us))
        unit.emit(event_of(
            record, id=self._ground.tids.next(), did=viewer.actor.did, operation="update",
            rkey=SELF, row=viewer.id,
        ))
        return enabled

    def new_recovery_codes(self, unit: Unit, viewer: Viewer) -> list[str]:
        """Return new recovery codes, shown this once; those before count no longer."""
        codes = [
            base64.b32encode(self._ground.randomness.randbytes(_RECOVERY_BYTES)).decode().lower()
            for _ in range(RECOVERY_CODES)
        ]
        unit.stage(door_rows.DELETE_RECOVERY_CODES, {"account_id": viewer.account_id})
        unit.stage(door_rows.INSERT_RECOVERY_CODE, *(
            {"account_id": viewer.account_id, "hash": _hashed(viewer.account_id, code)}
            for code in codes
        ))
        return codes

    def _factor_queries(self, account_id: int) -> tuple[Query, Query]:
        """Return what `_check_factor` must know, to ride along."""
        asked = {"account_id": account_id}
        return (door_rows.SECOND_FACTOR, asked), (door_rows.RECOVERY_CODES, asked)

    def _check_factor(
        self, unit: Unit, account: Account, found: list[list[Row]], code: str | None
    ) -> None:
        """Use up a code of the second factor where there is one, or refuse the login."""
        factors, codes = found
        if not factors or not factors[0].enabled:
            return
        if not code:
            raise Unauthenticated("missing_totp_token", "Give the code of your second factor.")
        factor = factors[0]
        typed = code.replace(" ", "").replace("-", "").lower()
        if len(typed) == DIGITS:
            step = step_of(factor.secret, typed, now_us=unit.clock_us, after=factor.step_used)
            if step is None:
                raise _wrong_code()
            unit.stage(door_rows.KEEP_SECOND_FACTOR, {
                "account_id": account.id, "secret": factor.secret, "enabled": True,
                "step_used": step,
            })
            return
        hashed = _hashed(account.id, typed)
        if all(row.hash != hashed for row in codes):
            raise _wrong_code()
        unit.stage(
            door_rows.DELETE_RECOVERY_CODE, {"account_id": account.id, "hash": hashed}
        )


def _hashed(account_id: int, code: str) -> str:
    return hashlib.sha256(f"{account_id}:{code}".encode()).hexdigest()


def _wrong_code() -> Refused:
    return Unauthenticated("incorrect_totp_token", "This code is wrong, too old, or was used.")
