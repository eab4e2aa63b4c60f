"""The pages outside the app: sign-in, sign-out, password, errors. Small HTML that needs no script, no font and no file.

Everything put into them is escaped here; the style is allowed by its hash, so their policy allows nothing else at all.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from typing import Any

from fastapi.responses import HTMLResponse

from crm.views import tokens

CSS = (
    tokens.css()
    + """
:root{color-scheme:light dark}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;place-items:center;background:var(--sunken);color:var(--text);font:400 14px/1.5 var(--font);padding:24px 16px}
main{width:100%;max-width:360px}
.card{background:var(--raised);border:1px solid var(--line);border-radius:12px;box-shadow:var(--rest);padding:28px}
.wide{max-width:480px}
h1{font-size:20px;line-height:1.3;font-weight:700;letter-spacing:-.01em;margin:0 0 4px}
.mark{width:36px;height:36px;border-radius:9px;background:var(--accent);color:var(--on-accent);display:grid;place-items:center;font-weight:700;font-size:17px;margin-bottom:16px}
p{margin:0 0 16px;color:var(--text2)}
label{display:block;font-weight:500;font-size:13px;margin:14px 0 5px}
input{width:100%;font:inherit;font-size:16px;color:var(--text);background:var(--bg);border:1px solid var(--line2);border-radius:6px;padding:9px 11px;min-height:42px}
input:focus-visible,button:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:1px}
button{font:inherit;font-weight:500;cursor:pointer;border-radius:6px;border:1px solid transparent;min-height:42px;padding:8px 14px}
.go{width:100%;margin-top:20px;background:var(--accent);color:var(--on-accent)}
.go:hover{filter:brightness(1.07)}
.bad,.good{border-radius:6px;padding:9px 12px;margin:0 0 6px;color:var(--text)}
.bad{background:var(--bad-bg);border-left:3px solid var(--bad)}
.good{background:var(--good-bg);border-left:3px solid var(--good)}
.demo{margin-top:18px;border-top:1px solid var(--line);padding-top:16px}
.demo p{font-size:13px;margin-bottom:10px}
.demo ul{list-style:none;margin:0;padding:0;display:grid;gap:6px}
.demo button{width:100%;text-align:left;background:var(--bg);border-color:var(--line);color:var(--text);display:flex;justify-content:space-between;gap:12px;align-items:center}
.demo button:hover{background:var(--hover)}
.demo small{color:var(--text2);font-size:12px;font-weight:400}
.row{display:flex;gap:10px;align-items:center;margin-top:20px}
.row .go{margin:0;flex:1}
.quiet{display:inline-block;padding:10px 4px;color:var(--accent);text-decoration:none}
.quiet:hover{text-decoration:underline}
.list{list-style:none;margin:0 0 16px;padding:0}.list li{padding:8px 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
code{font-family:ui-monospace,monospace}
"""
)
HASH = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{HASH}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def page(t: Any, title: str, product: str, body: str, *, status: int = 200, wide: bool = False) -> HTMLResponse:
    """A whole page around `body` (HTML that is already safe)."""
    html = (
        f'<!doctype html><html lang="{escape(t.language.replace("_", "-"), quote=True)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">'
        f'<link rel="icon" href="data:,"><title>{escape(title)} · {escape(product)}</title><style>{CSS}</style></head>'
        f'<body><main{" class=wide" if wide else ""}><div class="card"><div class="mark" aria-hidden="true">{escape(product[:1].upper() or "C")}</div>'
        f"<h1>{escape(title)}</h1>{body}</div></main></body></html>"
    )
    return HTMLResponse(html, status, headers={"content-security-policy": POLICY, "cache-control": "no-store"})


def notice(text: str, tone: str = "bad") -> str:
    return f'<p class="{tone}" role="{"alert" if tone == "bad" else "status"}">{escape(text)}</p>' if text else ""


def hidden(**values: str) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value, quote=True)}">' for name, value in values.items())


def signin(
    t: Any,
    product: str,
    *,
    form: str,
    onward: str = "/",
    login: str = "",
    problem: str = "",
    said: str = "",
    demo: Iterable[tuple[str, str, str]] = (),
    status: int = 200,
) -> HTMLResponse:
    """Sign in. `form` is the form's token, `onward` where to go then, `demo` the sign-ins of a demo (login, name, role)."""
    focus = "login" if not login else "password"
    fields = (
        f'<label for="login">{escape(t("Name or e-mail"))}</label>'
        f'<input id="login" name="login" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="200" '
        f'value="{escape(login, quote=True)}"{" autofocus" if focus == "login" else ""}>'
        f'<label for="password">{escape(t("Password"))}</label>'
        f'<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="256"'
        f"{' autofocus' if focus == 'password' else ''}>"
        f'<button class="go">{escape(t("Sign in"))}</button>'
    )
    people = "".join(
        f'<li><button name="demo" value="{escape(one, quote=True)}" formnovalidate><span>{escape(name)}</span><small>{escape(one)} · {escape(role)}</small></button></li>'
        for one, name, role in demo
    )
    known = (
        f'<div class="demo"><p>{escape(t("This is a demo. Every password is the name used to sign in; or just pick a person:"))}</p>'
        f'<form method="post" action="/signin">{hidden(form=form, next=onward)}<ul>{people}</ul></form></div>'
        if people
        else ""
    )
    body = (
        f"<p>{escape(t('Welcome to {product}.', product=product))}</p>{notice(problem)}{notice(said, 'good')}"
        f'<form method="post" action="/signin">{hidden(form=form, next=onward)}{fields}</form>{known}'
    )
    return page(t, t("Sign in"), product, body, status=status)


def signout(t: Any, product: str, csrf: str, name: str) -> HTMLResponse:
    """Asks whether to sign out (for whoever follows a plain link)."""
    body = (
        f"<p>{escape(t('You are signed in as {name}.', name=name))}</p>"
        f'<form method="post" action="/signout">{hidden(csrf=csrf)}<div class="row"><button class="go">{escape(t("Sign out"))}</button>'
        f'<a class="quiet" href="/">{escape(t("Back"))}</a></div></form>'
    )
    return page(t, t("Sign out"), product, body)


def password(
    t: Any,
    product: str,
    *,
    csrf: str,
    login: str,
    shortest: int,
    problem: str = "",
    said: str = "",
    places: Iterable[str] = (),
    status: int = 200,
) -> HTMLResponse:
    """The user's password and where he is signed in."""
    listed = "".join(f"<li>{escape(place)}</li>" for place in places)
    body = (
        f"{notice(problem)}{notice(said, 'good')}"
        f'<form method="post" action="/password">{hidden(csrf=csrf)}'
        f'<input type="hidden" name="username" autocomplete="username" value="{escape(login, quote=True)}">'
        f'<label for="old">{escape(t("Present password"))}</label><input id="old" name="old" type="password" autocomplete="current-password" required maxlength="256">'
        f'<label for="new">{escape(t("New password, at least {n} characters", n=shortest))}</label>'
        f'<input id="new" name="new" type="password" autocomplete="new-password" required minlength="{shortest}" maxlength="256">'
        f'<label for="again">{escape(t("New password once more"))}</label>'
        f'<input id="again" name="again" type="password" autocomplete="new-password" required minlength="{shortest}" maxlength="256">'
        f'<div class="row"><button class="go">{escape(t("Change password"))}</button><a class="quiet" href="/">{escape(t("Back"))}</a></div></form>'
        f'<div class="demo"><p>{escape(t("Signed in here:"))}</p><ul class="list">{listed}</ul>'
        f'<form method="post" action="/signout">{hidden(csrf=csrf, everywhere="1")}'
        f"<button>{escape(t('Sign out everywhere'))}</button></form></div>"
    )
    return page(t, t("Password"), product, body, status=status)


def problem(t: Any, product: str, *, title: str, text: str, code: str = "", status: int = 500) -> HTMLResponse:
    """Something went wrong: what happened, that nothing is lost, what to do."""
    told = f"<p>{escape(t('If you ask for help, give this code:'))} <code>{escape(code)}</code></p>" if code else ""
    body = f'<p>{escape(text)}</p>{told}<a class="quiet" href="/">{escape(t("Back to the start"))}</a>'
    return page(t, title, product, body, status=status)
