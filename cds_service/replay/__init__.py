"""`cds-service replay`: every fixture request to a running service, its answers compared with the expected ones."""

from cds_service.replay.left_out import load_left_out
from cds_service.replay.run import replay
from cds_service.replay.running_service import RunningService, read_token
from cds_service.replay.scenarios import load_scenarios
from cds_service.replay.signed_tokens import TokenSigner, read_signer

__all__ = [
    "RunningService",
    "TokenSigner",
    "load_left_out",
    "load_scenarios",
    "read_signer",
    "read_token",
    "replay",
]
