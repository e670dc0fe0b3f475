"""schemathesis walks the OpenAPI description of a running Lichen: whatever comes, no 5xx.

Six examples of each call; `make sim` makes a hundred.
"""

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from lichen.faces.lemmy_v3.calls import CALLS
from tests.sampling import PLAYS_ALL

pytestmark = [pytest.mark.slow, pytest.mark.sampled]

PASSWORD = "correct horse battery"
EXAMPLES = 100 if PLAYS_ALL else 6  # of each call
ENDS_THE_LOGIN = ("/user/logout", "/user/change_password")


@pytest.fixture(scope="session")
def token(lichen_url: str) -> str:
    signed_up = requests.post(f"{lichen_url}/api/v3/user/register", timeout=10, json={
        "username": "walker", "password": PASSWORD, "password_verify": PASSWORD,
    })
    return str(signed_up.json()["jwt"])


@pytest.fixture(scope="session")
def described(lichen_url: str) -> schemathesis.schemas.BaseSchema:
    return schemathesis.openapi.from_url(f"{lichen_url}/schema/openapi.json")


def test_no_call_answers_with_a_server_error(
    described: schemathesis.schemas.BaseSchema, token: str
) -> None:
    """Every operation is walked by hand: schemathesis' own collector does not know pytest 9."""
    walked = 0
    for operation in (result.ok() for result in described.get_all_operations()):
        stays = not operation.path.endswith(ENDS_THE_LOGIN)
        _walk(operation, {"authorization": f"Bearer {token}"} if stays else {})
        walked += 1

    assert walked > len(CALLS)


def _walk(operation: schemathesis.schemas.APIOperation, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=operation.as_strategy())
    def walk(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=[not_a_server_error], headers=headers)

    walk()
