"""No id that a feed or a template may deliver leaves its place in the path."""

from __future__ import annotations

import json
from importlib import import_module
from urllib.parse import unquote, urlsplit

import httpx
import pytest
import yarl
from hypothesis import given
from hypothesis import strategies as st
from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_http.httpx_request_adapter import HttpxRequestAdapter
from kiota_serialization_json.json_serialization_writer_factory import JsonSerializationWriterFactory

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.http.requests import cancel_request, event_path, get_request
from airflow_graph_cancel.graph.model.address import EventAddress

ROOT = "https://graph.example/v1.0"

FORMS = {
    "/me/events/E": {},
    "/users/U/events/E": {"user_id": "U"},
    "/groups/G/events/E": {"group_id": "G"},
    "/me/calendar/events/E": {"calendar_id": "default"},
    "/users/U/calendar/events/E": {"user_id": "U", "calendar_id": "default"},
    "/groups/G/calendar/events/E": {"group_id": "G", "calendar_id": "default"},
    "/me/calendars/C/events/E": {"calendar_id": "C"},
    "/users/U/calendars/C/events/E": {"user_id": "U", "calendar_id": "C"},
    "/me/calendarGroup/calendars/C/events/E": {"calendar_group_id": "default", "calendar_id": "C"},
    "/me/calendarGroups/CG/calendars/C/events/E": {"calendar_group_id": "CG", "calendar_id": "C"},
    "/users/U/calendarGroups/CG/calendars/C/events/E": {
        "user_id": "U",
        "calendar_group_id": "CG",
        "calendar_id": "C",
    },
}


@pytest.fixture(scope="module")
def adapter() -> HttpxRequestAdapter:
    """An adapter that serialises and sends nothing."""
    adapter = HttpxRequestAdapter(
        AnonymousAuthenticationProvider(),
        serialization_writer_factory=JsonSerializationWriterFactory(),
        http_client=httpx.AsyncClient(),
    )
    adapter.base_url = ROOT
    return adapter


def sent_path(adapter: HttpxRequestAdapter, address: EventAddress) -> str:
    """The raw path as it leaves the machine: kiota, then httpx, then yarl (aiohttp), each with rules of its own."""
    request = cancel_request(adapter, address, "Closed.")
    adapter.set_base_url_for_request_information(request)
    return yarl.URL(str(httpx.URL(request.url))).raw_path


@pytest.mark.parametrize("path", FORMS)
def test_each_of_the_eleven_forms_has_its_path(adapter: HttpxRequestAdapter, path: str) -> None:
    """The eleven addresses of the contract are sent as Graph documents them, the look to the same resource."""
    address = EventAddress("E", **FORMS[path])
    assert address.path == path
    assert sent_path(adapter, address) == f"/v1.0{path}/cancel"
    assert urlsplit(get_request(adapter, event_path(address, ("id",))).url).path == f"/v1.0{path}"


SDK = {
    "/users/U/events/E": "users.item.events.item.cancel",
    "/groups/G/events/E": "groups.item.events.item.cancel",
    "/users/U/calendar/events/E": "users.item.calendar.events.item.cancel",
    "/groups/G/calendar/events/E": "groups.item.calendar.events.item.cancel",
    "/users/U/calendars/C/events/E": "users.item.calendars.item.events.item.cancel",
    "/users/U/calendarGroups/CG/calendars/C/events/E": (
        "users.item.calendar_groups.item.calendars.item.events.item.cancel"
    ),
}


@pytest.mark.parametrize("path", SDK)
def test_our_urls_are_those_of_the_sdks_templates(adapter: HttpxRequestAdapter, path: str) -> None:
    """Each form goes through the builder that msgraph-sdk has for it, to the URL that its own template gives."""
    names = {"E": "a/b=%2F {x}?#", "U": "ada@contoso.example", "G": "g;,", "C": "c:+", "CG": "é"}
    address = EventAddress(names["E"], **{name: names.get(value, value) for name, value in FORMS[path].items()})
    module = import_module(f"msgraph.generated.{SDK[path]}.cancel_request_builder")
    parameters = {f"{kind}%2Did": names[short] for kind, short in KINDS.items()}
    request = RequestInformation(Method.POST, module.CancelRequestBuilder(adapter, {}).url_template, parameters)
    adapter.set_base_url_for_request_information(request)
    assert cancel_request(adapter, address).url == request.url


KINDS = {"event": "E", "user": "U", "group": "G", "calendar": "C", "calendarGroup": "CG"}


def test_the_comment_is_the_body(adapter: HttpxRequestAdapter) -> None:
    """The text reaches Graph under the name its schema has; no text sends an empty object."""
    address = EventAddress("E", "U")
    body = cancel_request(adapter, address, "Über uns: 閉鎖").content
    assert json.loads(body or b"") == {"Comment": "Über uns: 閉鎖"}
    assert cancel_request(adapter, address).content == b"{}"


usable = st.text(min_size=1).filter(
    lambda text: (
        text.strip() not in {"", "None", "default"}
        and text not in {".", ".."}
        and not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text)
    )
)


@given(event=usable, owner=usable, calendar=usable, group=usable, form=st.sampled_from(sorted(FORMS)))
def test_whatever_an_id_contains_it_stays_one_segment(
    adapter: HttpxRequestAdapter, event: str, owner: str, calendar: str, group: str, form: str
) -> None:
    """Slashes, dots, percent signs, braces, spaces, emoji: every id arrives whole, where it belongs."""
    given_names = {"E": event, "U": owner, "G": owner, "C": calendar, "CG": group}
    arguments = {name: given_names.get(value, value) for name, value in FORMS[form].items()}
    raw = sent_path(adapter, EventAddress(event, **arguments))
    arrived = [unquote(segment) for segment in raw.split("/")]
    assert arrived == ["", "v1.0", *[given_names.get(part, part) for part in form.split("/")[1:]], "cancel"]


BAD = ["", " ", "\t", ".", "..", "None", " None ", "a\nb", "a\x00", "\x7f", 7, "\ud800"]


@pytest.mark.parametrize("bad", BAD, ids=ascii)
@pytest.mark.parametrize("argument", ["event_id", "user_id", "group_id", "calendar_id", "calendar_group_id"])
def test_what_cannot_be_an_id_is_refused_by_name(argument: str, bad: object) -> None:
    """What a failed template renders is refused before anything is sent, and the message names the argument."""
    with pytest.raises(InvalidInputError, match=argument):
        EventAddress(**{"event_id": "E", argument: bad})  # type: ignore[arg-type]


@pytest.mark.parametrize("nothing", [None, "None"], ids=repr)
def test_none_is_explained_as_a_template_that_rendered_nothing(nothing: str | None) -> None:
    """The commonest mistake, pulling an XCom that is not there, is called by its name."""
    with pytest.raises(InvalidInputError, match="template rendered nothing"):
        EventAddress(nothing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"user_id": "U", "group_id": "G"}, "both set"),
        ({"calendar_group_id": "CG"}, "without calendar_id"),
        ({"group_id": "G", "calendar_id": "C"}, "with group_id"),
        ({"group_id": "G", "calendar_id": "C", "calendar_group_id": "CG"}, "with group_id"),
        ({"user_id": "U", "calendar_group_id": "default", "calendar_id": "C"}, "for /me only"),
        ({"calendar_group_id": "CG", "calendar_id": "default"}, "in a calendar group"),
    ],
)
def test_combinations_that_are_no_address_are_refused(arguments: dict[str, str], said: str) -> None:
    """A combination that Graph has no path for is refused, not quietly turned into another."""
    with pytest.raises(InvalidInputError, match=said):
        EventAddress("E", **arguments)
