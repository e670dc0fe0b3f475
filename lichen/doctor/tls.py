"""TLS of a peer: is its certificate trusted, for this name, and for how long?

A certificate that the system does not trust is read all the same, so that it can be said what is
wrong with it: another's name, expired, of nobody we know.
"""

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import AsyncIterator, Sequence

from cryptography import x509

from lichen.doctor.findings import Finding, Health
from lichen.kit import Clock

CONNECT_S_MAX = 10.0  # what the guarded client waits
DAYS_WORRY = 14  # renewals are tried from 30 days on; by now some have failed


async def examine_tls(
    host: str, address: str, port: int, *, clock: Clock
) -> AsyncIterator[Finding]:
    """Say what the certificate is worth that is shown at an address for a name."""
    try:
        shown = await _shown(host, address, port, ssl.create_default_context())
        trouble = ""
    except ssl.SSLCertVerificationError as error:
        trouble = error.verify_message or "it is not trusted"
        shown = await _shown(host, address, port, _any_certificate())
    except (OSError, TimeoutError) as error:
        yield Finding("TLS", Health.ILL, f"No TLS is spoken there ({type(error).__name__}).",
                      "Its administrator must mend the proxy; see whether the port is right.")
        return
    certificate = x509.load_der_x509_certificate(shown)
    days = _days_left(certificate, clock)
    told = f"For {', '.join(_names(certificate)) or 'no name'}; {days} days left."
    if trouble:
        yield Finding("TLS", Health.ILL, f"{told} But: {trouble}.", _mending(days, trouble))
    elif days < DAYS_WORRY:
        yield Finding("TLS", Health.WORRY, told, "Its renewal has failed so far; tell its "
                      "administrator before it expires.")
    else:
        yield Finding("TLS", Health.WELL, told)


def _mending(days: int, trouble: str) -> str:
    if days < 0:
        return "It has expired: nobody federates with it until its administrator renews it."
    if "ostname" in trouble or "IP address" in trouble:
        return "It is another name's: its administrator must serve the right certificate."
    return "Nobody we trust has signed it (an incomplete chain?): its administrator must mend that."


async def _shown(host: str, address: str, port: int, context: ssl.SSLContext) -> bytes:
    """Return the certificate that is shown, as DER."""
    async with asyncio.timeout(CONNECT_S_MAX):
        _, writer = await asyncio.open_connection(
            address, port, ssl=context, server_hostname=host)
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(shown, bytes), "a server always shows one"
        return shown
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()


def _any_certificate() -> ssl.SSLContext:
    """Return a context to look at a certificate with, never to speak through."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _days_left(certificate: x509.Certificate, clock: Clock) -> int:
    now = datetime.datetime.fromtimestamp(clock() / 1e6, tz=datetime.UTC)
    return (certificate.not_valid_after_utc - now).days


def _names(certificate: x509.Certificate) -> Sequence[str]:
    with contextlib.suppress(x509.ExtensionNotFound):
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return [str(name.value) for name in extension.value][:5]
    return []
