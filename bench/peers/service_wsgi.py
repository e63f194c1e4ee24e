"""The service as a bare WSGI application, for the servers that it is not usually run by."""

from __future__ import annotations

import os

from cds_service.app import create_app
from cds_service.config import load_settings

app = create_app(load_settings(os.environ), server_threads=int(os.environ["WEB_THREADS"]))
