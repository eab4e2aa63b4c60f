"""The command line: `crm demo`, `crm serve`, `crm import` … (DESIGN 7); a module for each family of commands.

`--config`, `--data`, `--json` and `--as` may stand anywhere. With `--json` exactly one JSON document goes to stdout; progress and
logs go to stderr. The exit code is 0 only when it worked: 1 when it did not, 2 when the command itself was written wrongly. What goes
wrong is said in plain lines on stderr, never as a traceback (`CRM_DEBUG=1` shows it), and with `--json` also as
`{"error": text}` on stdout. Entities may be named as people write them (`Account`, `price list`). Everything heavy is imported by the
command that needs it, so that the others start quickly.
"""

from crm.cli import starting, configuration, data, reading, reports, people, care  # isort: skip  # noqa: F401  in the order of the help
from crm.cli.base import app
from crm.cli.running import main, ordered

__all__ = ["app", "main", "ordered"]
