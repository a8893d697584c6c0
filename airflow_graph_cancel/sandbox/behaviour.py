"""What can be switched while the sandbox runs, and the guesses where nobody knows what the service does."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.tenant.entities import Json


@dataclass
class Guesses:
    """Behaviour of the service that is not documented and that no report settles; a client should live with either.

    :param not_organizer_code: ``error.code`` of the organizer-only refusal; only its message is documented.
    :param no_attendees: Cancel of an event with nobody invited: ``accept`` or ``invalid_recipients``.
    :param second_cancel: Cancel of what is cancelled already: ``not_found`` or ``accepted`` (without another mail).
    :param effect_delay: Seconds between the 202 and the change (mail, organizer's and attendees' copies).
    :param uid_filter: ``$filter=uid eq`` on v1.0: ``unsupported`` or ``supported``.
    :param retry_after: What a 429 carries: ``integer``, ``decimal``, ``one``, ``date`` or ``missing``.
    :param batch_surplus: More than four requests for one mailbox in one batch: ``queued`` behind the batch's four
        lanes (documented) or ``throttled`` with a 429 each (observed).
    :param calendar_mismatch: An event addressed through a calendar that it is not in: ``not_found`` or ``accepted``.
    :param occurrence_addresses: ``OID.<master>.<date>`` as an event id: ``malformed`` or ``accepted``.
    :param deleted_by_immutable_id: GET of a cancelled event by immutable id: ``not_found`` or ``found``.
    :param sending_limits: Exchange's limits on an organizer's mail, 30 messages a minute and 10,000 recipients a day:
        ``off``, or ``on``: cancels are still accepted, but messages are delivered late or never.
    :param unnamed_calendar: What a list or a view shows whose path names no calendar: ``default`` or ``all`` of them.
    :param alias_addresses: Another address of a mailbox in a path: ``accepted`` or ``unknown``.
    :param all_day_window: Whose days a window takes whole days for: those of the zone in which the event was made
        (``own_zone``), of ``utc``, or of the ``asked_zone``.
    :param orphan_uid: The ``iCalUId`` for whoever is invited to one date of a series: ``dated`` as the organizer's, or
        ``clean`` as the series'. Decides for meetings that are made from then on.
    :param device_code_pace: A device that asks again before its interval is over is told to ``slow_down``, as RFC 8628
        has it, or that is ``ignored``.
    :param change_key: What a change of one date of a series gives another change key to: the whole ``series``, which is
        one item in Exchange, or the ``date``.
    :param unknown_members: Members of the cancel body that the schema does not have: ``ignore`` or ``reject``.
    """

    not_organizer_code: str = "ErrorInvalidRequest"
    no_attendees: str = "accept"
    second_cancel: str = "not_found"
    effect_delay: float = 0.0
    uid_filter: str = "unsupported"
    retry_after: str = "integer"
    batch_surplus: str = "queued"
    calendar_mismatch: str = "not_found"
    occurrence_addresses: str = "malformed"
    deleted_by_immutable_id: str = "not_found"
    sending_limits: str = "off"
    unnamed_calendar: str = "default"
    alias_addresses: str = "accepted"
    all_day_window: str = "own_zone"
    orphan_uid: str = "dated"
    device_code_pace: str = "slow_down"
    change_key: str = "series"
    unknown_members: str = "ignore"


_WHOLE = (
    "per_mailbox_concurrency",
    "app_concurrency",
    "token_lifetime",
    "refresh_token_lifetime",
    "device_code_lifetime",
    "device_code_interval",
)
CHOICES: dict[str, tuple[str, ...]] = {
    "no_attendees": ("accept", "invalid_recipients"),
    "second_cancel": ("not_found", "accepted"),
    "uid_filter": ("unsupported", "supported"),
    "retry_after": ("integer", "decimal", "one", "date", "missing"),
    "batch_surplus": ("queued", "throttled"),
    "calendar_mismatch": ("not_found", "accepted"),
    "occurrence_addresses": ("malformed", "accepted"),
    "deleted_by_immutable_id": ("not_found", "found"),
    "sending_limits": ("off", "on"),
    "unnamed_calendar": ("default", "all"),
    "alias_addresses": ("accepted", "unknown"),
    "all_day_window": ("own_zone", "utc", "asked_zone"),
    "orphan_uid": ("dated", "clean"),
    "device_code_pace": ("slow_down", "ignored"),
    "change_key": ("series", "date"),
    "unknown_members": ("ignore", "reject"),
    "used_refresh_tokens": ("valid", "invalid"),
}


@dataclass
class Settings:
    """How the sandbox behaves towards everybody.

    :param latency: Seconds that every Graph request takes, those within a batch too.
    :param per_mailbox_concurrency: Requests in flight that one application may have on one mailbox.
    :param app_concurrency: Likewise over all mailboxes; None for no such limit.
    :param token_lifetime: Seconds.
    :param refresh_token_lifetime: Seconds that a refresh token may lie unused.
    :param used_refresh_tokens: Whether the old refresh token stays ``valid`` once it gave a new one, or is ``invalid``.
    :param device_code_lifetime: Seconds that a person has to finish a device's sign-in.
    :param device_code_interval: Seconds that a device is told to wait between its questions.
    :param signed_in_as: Whom ``sandbox-person`` speaks for; the tenant's first person if None.
    :param out_of_scope: Addresses that the access policy keeps from ``sandbox-scoped``.
    """

    latency: float = 0.0
    per_mailbox_concurrency: int = 4
    app_concurrency: int | None = None
    token_lifetime: int = 3599
    refresh_token_lifetime: int = 7_776_000
    used_refresh_tokens: str = "valid"
    device_code_lifetime: int = 900
    device_code_interval: int = 5
    signed_in_as: str | None = None
    out_of_scope: list[str] = field(default_factory=list)
    guesses: Guesses = field(default_factory=Guesses)

    def to_json(self) -> Json:
        """Return all settings."""
        return dataclasses.asdict(self)

    def change(self, values: Mapping[str, object]) -> None:
        """Set some of the values, all of them or, if one is wrong, none.

        :raises ValueError: naming the first value that is wrong.
        """
        guesses = values.get("guesses", {})
        if not isinstance(guesses, Mapping):
            raise ValueError("guesses must be an object")
        checked = {name: _checked(self, name, value) for name, value in values.items() if name != "guesses"}
        assumed = {name: _checked(self.guesses, name, value) for name, value in guesses.items()}
        for target, changes in ((self, checked), (self.guesses, assumed)):
            for name, value in changes.items():
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


def _checked(target: Settings | Guesses, name: str, value: object) -> object:
    current = getattr(target, name, target)
    if current is target or name.startswith("_") or callable(current):
        raise ValueError(f"there is no setting {name!r}")
    if name in CHOICES and value not in CHOICES[name]:
        raise ValueError(f"{name} must be one of {', '.join(CHOICES[name])}, not {value!r}")
    if name in ("latency", "effect_delay"):
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ValueError(f"{name} must be a number of seconds from 0")
        return float(value)
    if name in _WHOLE:
        if value is None and name == "app_concurrency":
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a whole number from 1")
    elif name == "out_of_scope":
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError("out_of_scope must be a list of addresses")
    elif not isinstance(value, str) and not (value is None and name == "signed_in_as"):
        raise ValueError(f"{name} must be text")
    return value
