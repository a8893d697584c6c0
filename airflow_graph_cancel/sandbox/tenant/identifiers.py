"""Exchange's identifiers: item ids, immutable ids, occurrence ids and ``iCalUId``.

A client must treat all of them as opaque. The sandbox builds them as the service does. This exposes a client that folds
their case, cuts them at ``/`` or ``=``, or compares ids across mailboxes.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
import uuid

_ITEM_HEADER = bytes.fromhex("00032400")
_IMMUTABLE_HEADER = bytes.fromhex("0009002e00000000001d840311aa6611cd9bc800aa002fc45a0d00")
_OCCURRENCE_MARK = bytes.fromhex("01510008")
_SPLICE = 40
_GLOBAL_OBJECT_ID = "040000008200E00074C5B7101A82E008"
_WELL_FORMED = re.compile(r"(AAMk|AAkA)[A-Za-z0-9_-]{8,500}={0,2}")
_TICKS_PER_DAY = 864_000_000_000
_FILETIME_EPOCH = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)


def item_id(mailbox_id: str, number: int) -> str:
    """Return the default id of an item, which depends on its mailbox and its current folder.

    :param mailbox_id: GUID of the mailbox.
    :param number: Number of the item in its mailbox; never reused.
    """
    folder = hashlib.blake2b(mailbox_id.encode(), digest_size=16).digest()
    raw = _ITEM_HEADER + mailbox_id.encode() + b"\x00\x46" + bytes(6) + folder + b"\x07\x00" + folder[::-1] + bytes(5)
    raw += b"\x01\x0d\x00\x00" + _scatter(mailbox_id, number) + number.to_bytes(6, "big")
    return base64.urlsafe_b64encode(raw).decode()


def immutable_id(mailbox_id: str, number: int) -> str:
    """Return the id that does not change when the item moves (``Prefer: IdType="ImmutableId"``)."""
    raw = _IMMUTABLE_HEADER + uuid.UUID(mailbox_id).bytes + b"\x00\x00" + _scatter(mailbox_id, number)
    return base64.urlsafe_b64encode(raw + number.to_bytes(6, "big")).decode()


def occurrence_id(master_id: str, original_date: datetime.date) -> str:
    """Return the id of one date of a series: a pure function of the master's id and the original date.

    Cancelling or moving another date therefore never changes it.
    """
    bare = master_id.rstrip("=")
    raw = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    ticks = (original_date.toordinal() - 1) * _TICKS_PER_DAY
    spliced = raw[:_SPLICE] + _OCCURRENCE_MARK + ticks.to_bytes(8, "big") + raw[_SPLICE + 1 :]
    return base64.urlsafe_b64encode(spliced).decode()


def occurrence_address(master_id: str, original_date: datetime.date) -> str:
    """Return the ``occurrenceId`` (``OID.<master>.<date>``) as ``cancelledOccurrences`` lists it."""
    return f"OID.{master_id}.{original_date.isoformat()}"


def is_well_formed(identifier: str) -> bool:
    """Tell whether the text can be an item's id; if not, the service answers "Id is malformed."."""
    return _WELL_FORMED.fullmatch(identifier) is not None


def global_object_id(created: datetime.datetime, unique: bytes) -> str:
    """Return the ``iCalUId`` of a single event or a series: the same in every mailbox, without a date."""
    filetime = (created - _FILETIME_EPOCH) // datetime.timedelta(microseconds=1) * 10
    size = len(unique).to_bytes(4, "little").hex()
    return f"{_GLOBAL_OBJECT_ID}00000000{filetime.to_bytes(8, 'little').hex()}{'0' * 16}{size}{unique.hex()}".upper()


def instance_uid(uid: str, original_date: datetime.date) -> str:
    """Return the ``iCalUId`` of one date of a series: the series' identifier with the original date in it.

    Identifiers from another calendar system have no field for a date and stay unchanged.
    """
    if not uid.startswith(_GLOBAL_OBJECT_ID):
        return uid
    stamp = f"{original_date.year:04X}{original_date.month:02X}{original_date.day:02X}"
    return uid[:32] + stamp + uid[40:]


def _scatter(mailbox_id: str, number: int) -> bytes:
    return hashlib.blake2b(f"{mailbox_id}/{number}".encode(), digest_size=16).digest()
