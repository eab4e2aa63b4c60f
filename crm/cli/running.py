"""Runs one command line: the common options wherever they stand, what went wrong in words, the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer

from crm.cli.base import Ended, app, note, out, run
from crm.errors import ConfigError, Conflict, RecordError, Said

GLOBAL = {"--config": True, "--data": True, "--json": False, "--as": True}  # option → takes a value
# The base of all errors of usage; typer has carried click's classes both as its own and as click's.
UsageError: Any = next(one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException")


def ordered(arguments: Sequence[str]) -> list[str]:
    """The arguments with the common options in front, wherever they stood."""
    front: list[str] = []
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        one = waiting.pop(0)
        if one == "--":
            rest += [one, *waiting]
            break
        name = one.split("=", 1)[0]
        if name in GLOBAL and (one == name or GLOBAL[name]):
            front.append(one)
            if GLOBAL[name] and one == name and waiting:
                front.append(waiting.pop(0))
        else:
            rest.append(one)
    return front + rest


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The command `crm`. Always ends by `SystemExit` with the exit code."""
    run.begin()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    code = 1
    try:
        code = attempt(ordered(sys.argv[1:] if arguments is None else arguments))
    finally:
        try:
            run.close()
        except Exception as error:
            note(str(error))
    raise SystemExit(code)


def attempt(arguments: Sequence[str]) -> int:
    """Run one command; what goes wrong becomes words and an exit code."""
    try:
        answer = app(args=list(arguments), prog_name="crm", standalone_mode=False)
        return answer if isinstance(answer, int) else 0
    except Ended as end:
        return end.code
    except typer.Exit as end:
        return int(end.exit_code)
    except UsageError as error:
        error.show(file=sys.stderr)
        if "--json" in arguments:
            run.json = True
            out({"error": error.format_message()})
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        note("Stopped.")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("CRM_DEBUG"):
            raise
        return told(error)


def told(error: Exception) -> int:
    """Say what went wrong in plain lines; the exit code."""
    more: dict[str, Any] = {}
    if isinstance(error, ConfigError):
        text = f"The configuration has {len(error.faults)} fault{'s' if len(error.faults) != 1 else ''}:\n{error}"
        more["faults"] = [fault.as_dict() for fault in error.faults]
    elif isinstance(error, RecordError):
        problems = error.say()
        text = "\n".join(f"{key}: {problem}" if key else problem for key, problem in problems.items())
        more["problems"] = problems
    elif isinstance(error, (Said, Conflict)):
        mend = getattr(error, "mend", "") or getattr(error.__cause__, "mend", "")  # of a mistake in an expression
        text = " ".join(part for part in (str(error), mend) if part)
    elif isinstance(error, OSError):
        text = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
    elif isinstance(error, ValueError) and str(error):
        text = str(error)
    elif type(error).__module__.partition(".")[0] == "apsw":
        text = f"{run.url} cannot be used: {error}."
        if type(error).__name__ == "NotADBError":
            text = f"{run.url} is no store of this CRM: {error}."
    elif isinstance(error, ImportError):
        text = f"This needs a part that is not installed: {error}."
    else:
        text = f"This went wrong and should not have: {type(error).__name__}: {error}. CRM_DEBUG=1 shows where."
    note(text)
    out({"error": text, **more})
    return 1
