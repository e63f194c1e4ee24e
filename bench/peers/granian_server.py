"""The service under granian, one worker: `python -m bench.peers.granian_server PORT FOLDER`.

FOLDER is where the packages of the peers lie. They come after those of the service, so that granian is the only thing
that is taken from there.
"""

from __future__ import annotations

import os
import site
import sys


def main() -> None:
    """Serve until ended."""
    site.addsitedir(sys.argv[2])
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        "bench.peers.service_wsgi:app",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=int(os.environ["WEB_THREADS"]),
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    main()
