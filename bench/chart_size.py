"""What a patient-view call costs by the size of the chart: `python -m bench.chart_size [observations …]`.

Each line: Observations, bytes of the call, median and range of the time in the service, and what a byte costs. The
last column is what only reading the same JSON costs.
"""

from __future__ import annotations

import sys
from statistics import median
from time import perf_counter

from bench.charts import NOW, chart_call
from cds_service.app import create_app
from cds_service.config import load_settings
from cds_service.hooks.json_body import read_json_object, write_json

SIZES = (200, 1_000, 5_000)
ROUNDS = 15


def main() -> None:
    """Print one line for each size."""
    settings = {"CDS_MODE": "demo", "CDS_NOW": NOW.isoformat(), "CDS_LOG_LEVEL": "error"}
    client = create_app(load_settings(settings)).test_client()
    print("| Observations | MB | cards | median ms | range ms | ms per MB | reading the JSON alone, ms |")
    print("|---|---|---|---|---|---|---|")
    for size in [int(argument) for argument in sys.argv[1:]] or SIZES:
        body = write_json(chart_call(size))
        megabytes = len(body) / 1e6
        cards, times, reading = 0, [], []
        for _ in range(ROUNDS):
            started = perf_counter()
            reply = client.post("/cds-services/onasemnogene-patient-view", data=body, content_type="application/json")
            times.append((perf_counter() - started) * 1000)
            cards = len(reply.json["cards"])
            started = perf_counter()
            read_json_object(body)
            reading.append((perf_counter() - started) * 1000)
        spread = f"{min(times):.0f}-{max(times):.0f}"
        print(
            f"| {size} | {megabytes:.2f} | {cards} | {median(times):.0f} | {spread} "
            f"| {median(times) / megabytes:.0f} | {median(reading):.0f} |"
        )


if __name__ == "__main__":
    main()
