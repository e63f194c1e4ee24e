"""What it takes to start in production mode, with one client."""

from __future__ import annotations

import json
from pathlib import Path

VECTORS = Path(__file__).resolve().parent / "vectors"
# The public key that the specification prints.
EXAMPLE_KEYS = json.loads((VECTORS / "spec" / "jwt-known-answer.json").read_text("utf-8"))["jwks"]
CLIENT = '[[client]]\nname = "example-ehr"\nissuer = "https://ehr.example.org"\njwks_file = "keys.json"\n'


def production_settings(folder: Path) -> dict[str, str]:
    """The variables of a production service; the files they name are written into the folder."""
    (folder / "keys.json").write_text(json.dumps(EXAMPLE_KEYS), encoding="utf-8")
    (folder / "clients.toml").write_text(CLIENT, encoding="utf-8")
    return {
        "CDS_MODE": "production",
        "CDS_PUBLIC_BASE_URL": "https://cds.example.org",
        "CDS_TIMEZONE": "America/New_York",
        "CDS_CLIENTS_FILE": str(folder / "clients.toml"),
        "CDS_LOG_LEVEL": "warning",
    }
