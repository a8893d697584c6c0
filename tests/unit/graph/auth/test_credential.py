"""A failed sign-in is explained without repeating what was sent or what a stranger answered."""

from __future__ import annotations

import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError

from airflow_graph_cancel.graph.auth.credential import granted, login_error
from airflow_graph_cancel.graph.errors import AccessDeniedError, GraphCancelError, ServiceUnavailableError


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (ClientAuthenticationError("AADSTS7000215: Invalid client secret"), AccessDeniedError, "secret is wrong"),
        (ClientAuthenticationError("AADSTS7000222: expired"), AccessDeniedError, "has expired"),
        (ClientAuthenticationError("AADSTS50076: MFA"), AccessDeniedError, "AADSTS50076"),
        (ServiceRequestError("Cannot connect to host"), ServiceUnavailableError, "could not be reached"),
        (ServiceRequestError("CERTIFICATE_VERIFY_FAILED"), AccessDeniedError, "Verify"),
    ],
)
def test_each_failure_has_its_sentence(error: AzureError, kind: type[GraphCancelError], says: str) -> None:
    """The common ones by name, the others by their number, which a search finds."""
    explained = login_error(error)
    assert type(explained) is kind
    assert says in str(explained)


@pytest.mark.parametrize("make", [ClientAuthenticationError, ServiceRequestError])
def test_what_a_gateway_echoes_is_not_repeated(make: type[AzureError]) -> None:
    """Proxies put the request, with the secret, or their own password into what they answer."""
    error = make("407, url='http://svc:pr0xyPW@proxy' body=client_secret=s3cr3t%2Bvalue")
    assert "pr0xyPW" not in str(login_error(error))
    assert "s3cr3t" not in str(login_error(error))


@pytest.mark.parametrize("token", ["", "a.b.c", "x", "a.e30.c", "a.W10.c"])
def test_a_token_that_cannot_be_read_grants_nothing_known(token: str) -> None:
    """It is for messages only, so that it must never fail."""
    assert granted(token) == frozenset()
