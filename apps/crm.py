"""The app for everyone, behind its sign-in: `uvicorn apps.crm:app`, or `python apps/crm.py`. Most start it by `crm serve`.

`CRM_CONFIG`, `CRM_DATA`, `CRM_HOSTS` and `CRM_METRICS_TOKEN` say what is served. (Not for `panel serve`, which knows no gate.)
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:] = [place for place in sys.path if Path(place or ".").resolve() != HERE]  # else this file would hide the package crm

if __name__ == "__main__":
    from crm.cli import main

    main(["serve", *sys.argv[1:]])
else:
    from crm.server.run import application

    app = application()
