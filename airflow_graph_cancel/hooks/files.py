"""Files that people open while a task may be writing them."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress

__all__ = ["write_whole"]


def write_whole(path: str, content: bytes) -> None:
    """Write a file so that a reader finds the whole of it, or what was there before; folders are made.

    :param path: anything that ``ObjectStoragePath`` takes: a file, ``s3://...``, ``abfs://...``.
    """
    from airflow.sdk import ObjectStoragePath

    target = ObjectStoragePath(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.protocol not in {"", "file", "local"}:
        # Object stores show an object when all of it has come.
        target.write_bytes(content)
        return
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(content)
        os.replace(part.path, target.path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
