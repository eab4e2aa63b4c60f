"""What users take away: files kept with a record, and lists as CSV; both through the one door, under the rights of who asks."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from fastapi.responses import Response

from crm.errors import Missing

#: Types a browser may be told; everything else goes out as bytes, so that nothing a user uploads is ever run as a page.
PLAIN_TYPES = frozenset(
    "image/png image/jpeg image/gif image/webp application/pdf text/csv text/plain application/zip "
    "application/msword application/vnd.ms-excel application/vnd.ms-powerpoint "
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document "
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet "
    "application/vnd.openxmlformats-officedocument.presentationml.presentation".split()
)
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def disposition(name: str, shown: bool = False) -> str:
    """A Content-Disposition for any name (RFC 6266): a plain one for old programs, the real one beside it."""
    name = re.sub(r"[\x00-\x1f\x7f/\\]", "_", name).strip(" .")[:150] or "file"
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    return f"{'inline' if shown else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def kept_file(door: Any, store: Any, entity: str, number: int, field: str, index: int, shown: bool = False) -> Response:
    """One file of a record's field, if this user may read that field of that record. Raises `Missing` otherwise."""
    record = door.get(entity, number)
    if field not in door.readable(entity):
        raise Missing()
    value = record.stored.get(field)
    files = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
    if not 0 <= index < len(files) or not isinstance(files[index], dict) or not files[index].get("blob"):
        raise Missing()
    one = files[index]
    content = store.blob_get(one["blob"])
    if content is None:
        raise Missing()
    kind = one.get("type") if one.get("type") in PLAIN_TYPES else "application/octet-stream"
    headers = {
        "content-disposition": disposition(str(one.get("name") or "file"), shown and kind in SHOWN),
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "private, no-cache",
    }
    return Response(content, media_type=kind, headers=headers)
