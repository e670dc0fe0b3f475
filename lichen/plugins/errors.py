"""What goes wrong around plugins.

    Refused                 (kit)
    └── RefusedByPlugin     a plugin said no; carries its Reason
    LichenError             (kit)
    └── PluginFailed        a plugin is ill: counted, never shown to whoever wrote
"""

from lichen.kit import LichenError, Reason, Refused


class RefusedByPlugin(Refused):
    """A plugin refused what somebody wanted to do; `reason` says which and why."""

    def __init__(self, code: str, text: str, *, reason: Reason) -> None:
        super().__init__(code, text)
        self.reason = reason


class PluginFailed(LichenError):
    """A plugin raised, took too long, took too much or broke the rules of its hooks.

    `where` names lines of its code; neither holds what people wrote.
    """

    def __init__(self, what: str, where: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
