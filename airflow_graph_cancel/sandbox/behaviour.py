"""How the sandbox behaves: settings that can change while it runs, and guesses where the service is undocumented."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Literal, get_args, get_type_hints


@dataclass
class Guesses:
    """Behaviour of the service that no documentation and no report settles. A client should work with every choice.

    :param not_organizer_code: ``error.code`` when somebody other than the organizer cancels. Only the message is
        documented.
    :param no_attendees: Cancel of an event without attendees: ``accept`` or ``invalid_recipients``.
    :param second_cancel: Cancel of an event that is already cancelled: ``not_found`` or ``accepted`` (without a second
        mail).
    :param effect_delay: Seconds between the 202 and the change (mail, organizer's and attendees' copies).
    :param uid_filter: ``$filter=uid eq`` on v1.0: ``unsupported`` or ``supported``.
    :param retry_after: What a 429 carries: ``integer``, ``decimal``, ``one``, ``date`` or ``missing``.
    :param batch_surplus: More than four requests for one mailbox in one batch: ``queued`` (documented, a batch runs
        four requests at a time) or ``throttled`` with a 429 each (observed).
    :param calendar_mismatch: An event addressed through a calendar that does not hold it: ``not_found`` or
        ``accepted``.
    :param occurrence_addresses: ``OID.<master>.<date>`` as an event id: ``malformed`` or ``accepted``.
    :param deleted_by_immutable_id: GET of a cancelled event by immutable id: ``not_found`` or ``found``.
    :param sending_limits: Exchange's limits on an organizer's mail, 30 messages a minute and 10,000 recipients a day:
        ``off``, or ``on``: cancels are still accepted, but messages are delivered late or never.
    :param unnamed_calendar: What a list or view shows if the path names no calendar: ``default`` or ``all`` calendars.
    :param alias_addresses: An alias of a mailbox in a path: ``accepted`` or ``unknown``.
    :param all_day_window: The time zone in which a window finds all-day events: that of the event (``own_zone``),
        ``utc``, or the zone that the request asks for (``asked_zone``).
    :param orphan_uid: The ``iCalUId`` for attendees of a single occurrence: ``dated`` as the organizer's, or ``clean``
        as the series'. Applies to meetings created after the change.
    :param device_code_pace: A device that polls before its interval is over is told to ``slow_down``, as in RFC 8628,
        or the early poll is ``ignored``.
    :param change_key: What gets a new change key when one occurrence changes: the whole ``series``, which is one item
        in Exchange, or only that ``date``.
    :param unknown_members: Unknown members in the body of a cancel: ``ignore`` or ``reject``.
    """

    not_organizer_code: str = "ErrorInvalidRequest"
    no_attendees: Literal["accept", "invalid_recipients"] = "accept"
    second_cancel: Literal["not_found", "accepted"] = "not_found"
    effect_delay: float = 0.0
    uid_filter: Literal["unsupported", "supported"] = "unsupported"
    retry_after: Literal["integer", "decimal", "one", "date", "missing"] = "integer"
    batch_surplus: Literal["queued", "throttled"] = "queued"
    calendar_mismatch: Literal["not_found", "accepted"] = "not_found"
    occurrence_addresses: Literal["malformed", "accepted"] = "malformed"
    deleted_by_immutable_id: Literal["not_found", "found"] = "not_found"
    sending_limits: Literal["off", "on"] = "off"
    unnamed_calendar: Literal["default", "all"] = "default"
    alias_addresses: Literal["accepted", "unknown"] = "accepted"
    all_day_window: Literal["own_zone", "utc", "asked_zone"] = "own_zone"
    orphan_uid: Literal["dated", "clean"] = "dated"
    device_code_pace: Literal["slow_down", "ignored"] = "slow_down"
    change_key: Literal["series", "date"] = "series"
    unknown_members: Literal["ignore", "reject"] = "ignore"


@dataclass
class Settings:
    """Settings for all requests.

    :param latency: Seconds that every Graph request takes, including requests within a batch.
    :param per_mailbox_concurrency: Concurrent requests that one application may have on one mailbox.
    :param app_concurrency: The same limit over all mailboxes; None for no limit.
    :param token_lifetime: Seconds.
    :param refresh_token_lifetime: Seconds that a refresh token may stay unused.
    :param used_refresh_tokens: Whether a refresh token stays ``valid`` after it was exchanged, or becomes ``invalid``.
    :param device_code_lifetime: Seconds in which a person must finish a device's sign-in.
    :param device_code_interval: Seconds that a device must wait between polls.
    :param signed_in_as: The person whom ``sandbox-person`` acts for; the tenant's first person if None.
    :param out_of_scope: Addresses that the access policy withholds from ``sandbox-scoped``.
    """

    latency: float = 0.0
    per_mailbox_concurrency: int = 4
    app_concurrency: int | None = None
    token_lifetime: int = 3599
    refresh_token_lifetime: int = 7_776_000
    used_refresh_tokens: Literal["valid", "invalid"] = "valid"
    device_code_lifetime: int = 900
    device_code_interval: int = 5
    signed_in_as: str | None = None
    out_of_scope: list[str] = field(default_factory=list)
    guesses: Guesses = field(default_factory=Guesses)

    def to_json(self) -> dict[str, object]:
        """Return all settings."""
        return dataclasses.asdict(self)

    def change(self, values: Mapping[str, object]) -> None:
        """Change some of the settings. If one value is invalid, nothing changes.

        :raises ValueError: naming the first invalid value.
        """
        guesses = values.get("guesses", {})
        if not isinstance(guesses, Mapping):
            raise ValueError("guesses must be an object")
        changes = {name: _checked(_SETTINGS, name, value) for name, value in values.items() if name != "guesses"}
        guessed = {name: _checked(_GUESSES, name, value) for name, value in guesses.items()}
        for target, checked in ((self, changes), (self.guesses, guessed)):
            for name, value in checked.items():
                setattr(target, name, value)

    def retry_after(self) -> str | None:
        """Return the ``Retry-After`` of a 429, in the form that the guess names."""
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)
        return {
            "integer": "2",
            "decimal": "0.249",
            "one": "1",
            "date": format_datetime(later, usegmt=True),
        }.get(self.guesses.retry_after)


_SETTINGS, _GUESSES = get_type_hints(Settings), get_type_hints(Guesses)
#: What each guess can be set to; without an entry, text or a number.
CHOICES: dict[str, tuple[str, ...]] = {
    name: get_args(kind) for name, kind in _GUESSES.items() if kind not in (str, float)
}


def _checked(kinds: Mapping[str, object], name: str, value: object) -> object:
    kind = kinds.get(name)
    if kind is None:
        raise ValueError(f"there is no setting {name!r}")
    if value is None and type(None) in get_args(kind):
        return None
    if kind is float:
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ValueError(f"{name} must be a number of seconds, 0 or more")
        return float(value)
    if kind is int or int in get_args(kind):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a positive integer")
    elif kind == list[str]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError(f"{name} must be a list of addresses")
    elif kind is str or str in get_args(kind):
        if not isinstance(value, str):
            raise ValueError(f"{name} must be text")
    elif value not in get_args(kind):
        raise ValueError(f"{name} must be one of {', '.join(get_args(kind))}, not {value!r}")
    return value
