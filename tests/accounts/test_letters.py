"""Letters over a real SMTP server in this process: verified addresses, forgotten passwords."""

import asyncio
import random
import re
from contextlib import asynccontextmanager
from email import message_from_bytes, policy

import msgspec
import pytest
from aiosmtpd.smtp import SMTP

from lichen.accounts import Keys, build, door_rows
from lichen.accounts.passwords import Passwords
from lichen.kit import NotFound, Refused, Unauthenticated
from lichen.kit.config import Config, Identity, Mail
from lichen.kit.ground import ground_of
from lichen.kit.mail import LETTERS_WAITING_MAX, Letter
from tests.accounts.conftest import FROM, PASSWORD

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "another long password"


class Box:
    """A mail server's box; `letter` waits for the next one."""

    def __init__(self):
        self.arrived = asyncio.Queue()

    async def handle_DATA(self, server, session, envelope):
        self.arrived.put_nowait(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    async def letter(self):
        return await asyncio.wait_for(self.arrived.get(), 10)


@pytest.fixture
async def box():
    box = Box()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, hostname="mail.example"), "127.0.0.1", 0
    )
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()


@pytest.fixture
def ground(clock, box):
    config = Config(
        identity=Identity(public_url="https://lichen.example"),
        mail=Mail(host="127.0.0.1", port=box.port, tls="none"),
    )
    return ground_of(config, clock=clock, randomness=random.Random(7))


class CountedPasswords(Passwords):
    """Counts the hashes that are made or verified."""

    def __init__(self):
        super().__init__(memory_kib=64)
        self.hashes = 0

    async def _in_thread(self, function, *arguments):
        self.hashes += 1
        return await super()._in_thread(function, *arguments)


@pytest.fixture
async def accounts(ground, store, addresses, journal):
    store.settle = journal.settle
    built = await build(
        ground, store, addresses=addresses, log_seq=0, passwords=CountedPasswords(),
        make_keys=lambda: Keys(public="public", private="private"),
    )
    journal.accounts = built
    async with running(ground.mail.run(), built.run_letters()):
        yield built
    await built.close()


@asynccontextmanager
async def running(*jobs):
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def token_in(letter, page):
    return re.search(rf"https://lichen\.example/{page}/(\S+)", letter.get_content())[1]


async def test_an_address_is_verified_by_the_link_sent_to_it(accounts, box, admin, store):
    settings = msgspec.structs.replace(
        accounts.current_site.settings, require_email_verification=True
    )
    await store.write(lambda unit: accounts.edit_site(unit, admin, settings))

    login = await accounts.register("mira", PASSWORD, email="Mira@Example.org", **FROM)
    letter = await box.letter()
    with pytest.raises(Refused) as early:
        await accounts.log_in("mira", PASSWORD, **FROM)
    await accounts.verify_email(token_in(letter, "verify_email"))
    later = await accounts.log_in("mira", PASSWORD, **FROM)

    assert (login.token, login.verify_email_sent) == (None, True)
    assert letter["to"] == "mira@example.org"
    assert letter["from"] == "noreply@lichen.example"
    assert early.value.code == "email_not_verified"
    assert (await accounts.viewer(later.token)).email_verified


async def test_a_link_works_once_and_for_the_address_it_was_sent_to(
    accounts, box, member, store
):
    viewer = await member(email="mira@example.org")
    first = token_in(await box.letter(), "verify_email")
    changed = msgspec.structs.replace(viewer.settings, email="mira@other.example")
    await store.write(lambda unit: accounts.save_settings(unit, viewer, changed))
    await accounts.send_verification(viewer.account_id)
    second = token_in(await box.letter(), "verify_email")

    with pytest.raises(NotFound):
        await accounts.verify_email(first)
    await accounts.verify_email(second)
    with pytest.raises(NotFound):
        await accounts.verify_email(second)


async def test_a_forgotten_password_is_replaced_by_a_link_and_old_logins_end(
    accounts, box, member
):
    viewer = await member(email="mira@example.org")
    await box.letter()
    old = (await accounts.log_in("mira", PASSWORD, **FROM)).token

    accounts.ask_reset(" Mira@example.org")
    token = token_in(await box.letter(), "password_change")
    await accounts.reset_password(token, NEW_PASSWORD)

    assert await accounts.viewer(old) is None
    with pytest.raises(Unauthenticated):
        await accounts.log_in("mira", PASSWORD, **FROM)
    again = await accounts.log_in("mira", NEW_PASSWORD, **FROM)
    assert (await accounts.viewer(again.token)).id == viewer.id
    with pytest.raises(NotFound):
        await accounts.reset_password(token, PASSWORD)


async def test_a_link_to_a_new_password_is_soon_too_old(accounts, box, clock, member):
    await member(email="mira@example.org")
    await box.letter()
    accounts.ask_reset("mira@example.org")
    token = token_in(await box.letter(), "password_change")

    clock.advance(minutes=61)

    with pytest.raises(NotFound):
        await accounts.reset_password(token, NEW_PASSWORD)


async def test_no_row_holds_a_token_that_works(accounts, box, member, store):
    viewer = await member(email="mira@example.org")
    token = token_in(await box.letter(), "verify_email")

    rows = await store.read(
        lambda unit: unit.fetch(door_rows.MAIL_TOKENS, account_id=viewer.account_id)
    )

    assert len(rows) == 1
    assert token not in repr(rows)


async def test_a_login_costs_one_hash_whether_the_name_is_known_or_not(accounts, member):
    """Time would tell who has an account; hashes are counted, because clocks of tests lie."""
    await member()
    counted = []

    for name in ("mira", "nobody", "nobody@example.org"):
        before = accounts._passwords.hashes
        with pytest.raises(Unauthenticated):
            await accounts.log_in(name, "not the password", **FROM)
        counted.append(accounts._passwords.hashes - before)

    assert counted == [1, 1, 1]


async def test_a_forgotten_password_is_asked_for_before_anybody_looks(accounts, member, store):
    """The answer costs no round trip and no hash, whether the address is known or not."""
    await member(email="mira@example.org")
    trips, hashes = store.round_trips, accounts._passwords.hashes

    said = [accounts.ask_reset(email) for email in ("mira@example.org", "nobody@example.org")]

    assert said == [None, None]
    assert (store.round_trips, accounts._passwords.hashes) == (trips, hashes)


async def test_administrators_are_told_that_somebody_waits(accounts, box, admin, store):
    asked = msgspec.structs.replace(admin.settings, email="root@example.org")
    await store.write(lambda unit: accounts.save_settings(unit, admin, asked))
    await accounts.send_verification(admin.account_id)
    await accounts.verify_email(token_in(await box.letter(), "verify_email"))
    settings = msgspec.structs.replace(
        accounts.current_site.settings, registration_mode="RequireApplication",
        application_question="Why?", application_email_admins=True,
    )
    await store.write(lambda unit: accounts.edit_site(unit, admin, settings))

    await accounts.register("mira", PASSWORD, answer="Because.", **FROM)
    letter = await box.letter()

    assert letter["to"] == "root@example.org"
    assert "mira" in letter["subject"]
    assert "/admin/applications" in letter.get_content()


async def test_letters_are_not_sent_without_end(accounts, box, member):
    await member(email="mira@example.org")
    for _ in range(10):
        accounts.ask_reset("mira@example.org")

    letters = [await box.letter() for _ in range(5)]
    await accounts._store.read(lambda unit: None)

    assert len(letters) == 5
    assert box.arrived.empty()


@pytest.mark.parametrize("letter", [
    Letter("mira@example.org\r\nBcc: all@example.org", "Hello", ""),
    Letter("mira@example.org", "Hello\nBcc: all@example.org", ""),
    Letter("mira@example.org", "Hello\u2028Bcc: all@example.org", ""),
])
async def test_no_header_is_smuggled_into_a_letter(ground, letter):
    with pytest.raises(Refused):
        ground.mail.post(letter)


async def test_a_line_of_the_text_is_never_a_header_or_an_end(ground, box):
    async with running(ground.mail.run()):
        ground.mail.post(Letter("mira@example.org", "Hello", "\n.\nBcc: all@example.org\n\nEnd."))
        letter = await box.letter()

    assert letter["bcc"] is None
    assert letter.get_content().rstrip().endswith("End.")


async def test_letters_that_wait_are_bounded(ground):
    for number in range(LETTERS_WAITING_MAX + 3):
        ground.mail.post(Letter("mira@example.org", f"Hello {number}", ""))

    assert ground.mail.dropped == 3
