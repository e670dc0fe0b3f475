"""How many requests a core signs and verifies, beside RSA alone in the same run.

    python -m bench.federation

The floor is one RSA-2048 operation of the library, on the same bytes: what is above it is our
parsing, the digest and the checks. One core: nothing here starts a thread.
"""

import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from bench.results import record
from lichen.accounts.keys import generate_keys
from lichen.federation import SigningKey, Style, claimed, sign, verify

URL = "https://lichen.example/inbox"
KEY_ID = "https://peer.example/u/anna#main-key"
BODY = b'{"type":"Announce","object":{"type":"Like"}}'.ljust(1_500)  # as long as an announced vote
NOW_US = 1_700_000_000_000_000
ROUND_S = 0.5
ROUNDS = 5  # the best of several: other work on the machine can only add time


def rates_of(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return how often a second each work is done, in its best round; they take turns."""
    best = dict.fromkeys(works, 0.0)
    for _ in range(ROUNDS):
        for name, work in works.items():
            count, start = 0, time.perf_counter()
            while (spent := time.perf_counter() - start) < ROUND_S:
                work()
                count += 1
            best[name] = max(best[name], count / spent)
    return best


def main() -> None:
    """Measure, print and keep."""
    keys = generate_keys()
    assert keys.private is not None
    key = SigningKey(KEY_ID, keys.private)
    private, public = load_pem_private_key(keys.private.encode(), None), load_pem_public_key(
        keys.public.encode())
    assert isinstance(private, RSAPrivateKey)
    assert isinstance(public, RSAPublicKey)
    raw = private.sign(BODY, PKCS1v15(), SHA256())
    works: dict[str, Callable[[], object]] = {
        "rsa_sign": lambda: private.sign(BODY, PKCS1v15(), SHA256()),
        "rsa_verify": lambda: public.verify(raw, BODY, PKCS1v15(), SHA256()),
    }
    styles: tuple[Style, ...] = ("cavage", "rfc9421")
    for style in styles:
        def signed(style: Style = style) -> dict[str, str]:
            return sign(key, method="POST", url=URL, body=BODY, now_us=NOW_US, style=style)

        headers = {"host": "lichen.example"} | {
            name.lower(): value for name, value in signed().items()}

        def check(headers: dict[str, str] = headers) -> None:
            claim = claimed("POST", "/inbox", headers, public_url="https://lichen.example")
            verify(claim, public_pem=keys.public, body=BODY, now_us=NOW_US)

        works |= {f"{style}_sign": signed, f"{style}_verify": check}
    rates = rates_of(works)
    figures = {f"{name}_per_s": rate for name, rate in rates.items()}
    for style in styles:
        for verb in ("sign", "verify"):
            ratio = rates[f"{style}_{verb}"] / rates[f"rsa_{verb}"]
            figures[f"{style}_{verb}_ratio_to_rsa"] = ratio
            print(f"{style:8} {verb:6} {rates[f'{style}_{verb}']:9,.0f}/s, "
                  f"{ratio:.2f} of RSA alone")
    record("federation", {name: round(value, 3) for name, value in figures.items()})


if __name__ == "__main__":
    main()
