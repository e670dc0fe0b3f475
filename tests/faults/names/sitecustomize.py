"""A hostile name server: put on the path of a house, it answers for every name that house looks up.

`rebinding.example` answers well when it is first asked, and with loopback from then on.
"""

import itertools

import lichen.kit.outbound_session as session

PRIVATE = {
    "private.example": ["127.0.0.1"], "mapped.example": ["::ffff:127.0.0.1"],
    "localhost": ["127.0.0.1", "::1"], "metadata.example": ["169.254.169.254"],
}
# A public address at which nobody is, and no route of a machine without IPv6.
PUBLIC = "2a0e:ffff::1"
_asked = itertools.count()


async def lookup(name: str) -> list[str]:
    if name == "rebinding.example":
        return [PUBLIC] if next(_asked) == 0 else ["127.0.0.1"]
    return PRIVATE.get(name, [])


session.system_lookup = lookup
