"""The configuration promises: later sources win, typos are refused, secrets stay secret."""

import string
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.kit.annotated import annotated, toml_value
from lichen.kit.config import FILE_NAME, TESTBED, Config, ConfigRefused, Secret
from lichen.kit.config_options import options


def write(folder: Path, text: str) -> Path:
    path = folder / FILE_NAME
    path.write_text(text)
    return path


def value_of(config: Config, name: str) -> object:
    section, key = name.split(".")
    return getattr(getattr(config, section), key)


def test_every_source_wins_over_the_one_before_it(tmp_path: Path) -> None:
    path = write(tmp_path, "[forum]\nlist_cache_s = 0.5\n[server]\nport = 1\nhost = 'a'\n")
    environ = {"LICHEN_PORT": "2", "LICHEN_SERVER_LOG_LEVEL": "error", "LICHEN_PROFILE": "testbed"}

    config = Config.load(path, environ, words={"server.log_level": "debug"})

    assert config.limits.rates is False  # the profile over the default
    assert config.forum.list_cache_s == 0.5  # the file over the profile
    assert config.server.port == 2  # the variable over the file
    assert config.server.log_level == "debug"  # the word over the variable
    assert config.server.host == "a"


def test_the_file_in_the_data_folder_is_found_without_being_named(tmp_path: Path) -> None:
    write(tmp_path, "[server]\nport = 77\n")

    config = Config.load(words={"server.data": tmp_path})

    assert config.server.port == 77
    assert config.server.data == tmp_path


def test_the_file_in_the_data_folder_cannot_name_another_folder(tmp_path: Path) -> None:
    write(tmp_path, "[server]\ndata = '/elsewhere'\n")

    with pytest.raises(ConfigRefused, match="cannot name another"):
        Config.load(words={"server.data": tmp_path})


def test_a_file_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match="cannot be read"):
        Config.load(tmp_path / "missing.toml")


@pytest.mark.parametrize(("text", "guess"), [
    ("[server]\nprot = 1\n", "server.port"),
    ("[serverr]\nport = 1\n", "server"),
    ("[forum]\nlist_cache = 1\n", "forum.list_cache_s"),
])
def test_an_unknown_key_is_refused_with_a_guess(tmp_path: Path, text: str, guess: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        Config.load(write(tmp_path, text))

    assert f"Did you mean {guess}?" in refused.value.text
    assert FILE_NAME in refused.value.text


def test_an_unknown_variable_is_refused_with_a_guess() -> None:
    with pytest.raises(ConfigRefused) as refused:
        Config.load(None, {"LICHEN_PUBLIC_ULR": "https://a.example"})

    assert "Did you mean LICHEN_PUBLIC_URL?" in refused.value.text


def test_variables_of_others_and_of_the_tests_are_passed_over() -> None:
    config = Config.load(None, {"PATH": "/bin", "LICHEN_CRASH_AT": "x", "LICHEN_TEST_X": "y"})

    assert config == Config()


@pytest.mark.parametrize(("variable", "text"), [
    ("LICHEN_PORT", "0"),
    ("LICHEN_PORT", "65536"),
    ("LICHEN_PORT", "eight"),
    ("LICHEN_PROFILE", "testbad"),
    ("LICHEN_IMAGE_MODE", "Proxy"),
    ("LICHEN_HOSTS", "peer.example"),
    ("LICHEN_FORUM_LIST_CACHE_S", "2"),
    ("LICHEN_PUBLIC_URL", "forum.example"),
    ("LICHEN_PUBLIC_URL", "https://forum.example/path"),
    ("LICHEN_PUBLIC_URL", "https://user@forum.example"),
    ("LICHEN_PUBLIC_URL", "ftp://forum.example"),
    ("LICHEN_DATABASE_URL", "mysql://localhost/x"),
    ("LICHEN_ADMIN_NAME", "root"),
    ("LICHEN_SERVER_WORKERS", "2"),
])
def test_a_value_out_of_bounds_is_refused_by_its_name(variable: str, text: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        Config.load(None, {variable: text})

    option = next(one for one in options() if one.variable == variable)
    assert variable in refused.value.text or option.name in refused.value.text


def test_a_file_that_is_not_toml_or_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME

    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigRefused, match="not TOML"):
        Config.load(path)
    path.write_text("[server\n")
    with pytest.raises(ConfigRefused, match="not TOML"):
        Config.load(path)
    path.write_text("#" * (1 << 20) + "\n")
    with pytest.raises(ConfigRefused, match="larger"):
        Config.load(path)


def test_the_fixed_words_of_administrators_are_understood() -> None:
    config = Config.load(None, {
        "LICHEN_PUBLIC_URL": "HTTPS://Forum.Example:8443/",
        "LICHEN_ADMIN_NAME": "ada", "LICHEN_ADMIN_PASSWORD": "correct horse",
        "LICHEN_DATABASE_URL": "postgresql://localhost/lichen",
        "LICHEN_FETCH_OVERRIDES": "/tmp/fixtures.json",
        "LICHEN_HOSTS": "peer.example=127.0.0.1, other.example=::1",
        "LICHEN_IMAGE_MODE": "ProxyAllImages",
    })

    assert config.public_url == "https://forum.example:8443"
    assert config.accounts.admin_name == "ada"
    assert config.accounts.admin_password.reveal() == "correct horse"
    assert config.database.engine == "postgresql"
    assert config.outbound.fetch_overrides == "/tmp/fixtures.json"
    assert config.outbound.hosts == {"peer.example": "127.0.0.1", "other.example": "::1"}
    assert config.media.image_mode == "ProxyAllImages"


@pytest.mark.parametrize(("host", "url"), [
    ("127.0.0.1", "http://127.0.0.1:9"), ("0.0.0.0", "http://127.0.0.1:9"),
    ("::1", "http://[::1]:9"), ("::", "http://[::1]:9"), ("box.lan", "http://box.lan:9"),
])
def test_without_a_public_url_the_house_is_called_by_its_port(host: str, url: str) -> None:
    config = Config.load(words={"server.host": host, "server.port": 9})

    assert config.public_url == url


def test_the_testbed_profile_changes_what_the_issue_says() -> None:
    config = Config.load(None, {"LICHEN_PROFILE": "testbed"})

    assert {name: value_of(config, name) for name in TESTBED} == TESTBED
    assert config.server.metrics_port == 0
    assert config.outbound.private_addresses and config.outbound.plain_http
    assert not config.limits.rates and not config.accounts.captcha


def test_every_option_is_described_and_has_its_own_variable() -> None:
    known = list(options())

    assert all(one.meta.description and one.meta.description[0].isupper() for one in known)
    assert all(one.meta.description.rstrip()[-1] in ".:" for one in known if one.meta.description)
    assert len({one.variable for one in known}) == len(known)


def test_the_annotated_file_loads_back_to_the_same_tree(tmp_path: Path) -> None:
    config = Config.load(None, {
        "LICHEN_PROFILE": "testbed", "LICHEN_PUBLIC_URL": "https://a.example",
        "LICHEN_HOSTS": 'we"ird=1.2.3.4,b=::1', "LICHEN_HOST": 'quo"te\\and\x7f\n ü 🌱',
        "LICHEN_METRICS_PORT": "9", "LICHEN_LIMITS_RATES": "true",
    }, words={"server.data": tmp_path})

    loaded = Config.load(write(tmp_path, annotated(config)))

    assert loaded == config


@given(st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.booleans() | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.dictionaries(st.text(string.ascii_letters + ' ."', min_size=1), inner),
    max_leaves=5,
))
def test_every_value_is_read_back_from_toml(value: object) -> None:
    import tomllib

    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}


def test_secrets_are_printed_nowhere(tmp_path: Path) -> None:
    environ = {
        "LICHEN_ADMIN_NAME": "ada", "LICHEN_ADMIN_PASSWORD": "hunter2hunter2",
        "LICHEN_DATABASE_URL": "postgresql://u:hunter2hunter2@h/d",
    }

    config = Config.load(None, environ)

    for shown in (repr(config), str(config), annotated(config), f"{config.database.url}"):
        assert "hunter2" not in shown
    with pytest.raises(TypeError):
        msgspec.json.encode(config)
    with pytest.raises(ConfigRefused) as refused:
        Config.load(None, {**environ, "LICHEN_DATABASE_URL": "mysql://u:hunter2@h/d"})
    assert "hunter2" not in str(refused.value)


def test_secrets_compare_by_their_text() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret()
