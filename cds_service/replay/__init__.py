"""`cds-service replay`: every fixture request to a running service, its answers compared with the expected ones."""

from cds_service.replay.left_out import load_left_out
from cds_service.replay.run import replay
from cds_service.replay.running_service import RunningService, read_token
from cds_service.replay.scenarios import load_scenarios

__all__ = ["RunningService", "load_left_out", "load_scenarios", "read_token", "replay"]
