"""What `make demo` runs, on the port that is given."""

import sys

from cds_service.cli import main

main(["demo", "--port", sys.argv[1]])
