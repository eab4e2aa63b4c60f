"""Web addresses."""

from __future__ import annotations

import re
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit, urlunsplit

from crm.errors import Refused
from crm.fields.base import FIELD_TYPES, PLAIN, Setting, Shown
from crm.fields.text import Text
from crm.words import Words


@FIELD_TYPES.add
class Url(Text):
    """A web address, http or https only; without either https is meant. At most 2,000 characters."""

    name = "url"
    settings: ClassVar[dict[str, Setting]] = {"max": Setting("integer", "Longest address, in characters (default 2000)")}
    examples = {
        "Firm.com": "https://firm.com",
        "HTTP://Firm.com/Path?q=1#x": "http://firm.com/Path?q=1#x",
        "https://żółw.pl/a b": "https://xn--w-uga1v8h.pl/a%20b",
        "localhost:8080/x": "https://localhost:8080/x",
    }
    refuses = {
        "javascript:alert(1)": "A web address begins with http:// or https://.",
        "ftp://firm.com": "A web address begins with http:// or https://.",
        "not an address": "This is not a web address.",
        "https://user:secret@firm.com": "A web address here holds no user name and password.",
    }
    editor_type = "url"
    longest = 2000

    def read(self, typed: Any, t: Words) -> Any:
        text = self.text(typed, longest=self.max)
        scheme = re.match(r"([a-z][a-z0-9+.-]*):(?!\d{1,5}(?:[/?#]|$))", text, re.I)
        if scheme and scheme[1].lower() not in ("http", "https"):
            raise Refused("A web address begins with http:// or https://.")
        if not scheme:
            text = "https://" + text.lstrip("/")
        try:
            parts = urlsplit(text)
            port = parts.port
            host = (parts.hostname or "").rstrip(".")
        except ValueError as error:
            raise Refused("This is not a web address.") from error
        if parts.username or parts.password:
            raise Refused("A web address here holds no user name and password.")
        host = self.host(host)
        place = f"[{host}]" if ":" in host else host
        place += f":{port}" if port and port != {"http": 80, "https": 443}[parts.scheme.lower()] else ""
        path = "" if parts.path == "/" and not parts.query and not parts.fragment else quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
        query, end = (quote(part, safe="/%:@!$&'()*+,;=~-._?[]") for part in (parts.query, parts.fragment))
        return urlunsplit((parts.scheme.lower(), place, path, query, end))

    @staticmethod
    def host(host: str) -> str:
        """The name of the machine in ASCII."""
        if not host.isascii():
            try:
                host = host.encode("idna").decode("ascii")
            except (UnicodeError, IndexError) as error:
                raise Refused("This is not a web address.") from error
        label = r"[a-z0-9_](?:[a-z0-9_-]{0,62})"
        if re.fullmatch(r"[0-9a-f:.]*:[0-9a-f:.]*", host) or host == "localhost":
            return host
        if len(host) > 253 or not re.fullmatch(rf"(?:{label}\.)+{label}", host.lower()):
            raise Refused("This is not a web address.")
        return host.lower()

    def display(self, value: Any, ctx: Shown = PLAIN) -> str:
        return re.sub(r"^https?://(www\.)?", "", value or "")

    def cell(self, value: Any, ctx: Shown = PLAIN) -> Any:
        """Only an address that is surely http or https becomes a link."""
        if not value:
            return ""
        return {"text": self.display(value, ctx), "href": value} if re.match(r"https?://", value) else value
