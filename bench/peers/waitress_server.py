"""The service under waitress, one process: `python -m bench.peers.waitress_server PORT`."""

from __future__ import annotations

import os
import sys

from waitress import serve

from bench.peers.service_wsgi import app


def main() -> None:
    """Serve until ended."""
    serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=int(os.environ["WEB_THREADS"]), connection_limit=512)


if __name__ == "__main__":
    main()
