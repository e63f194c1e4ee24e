"""What the page says around its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

# Written by hand after a run: what targets are missed, why, and what remains.
REMARKS: Final = Path(__file__).parent / "remarks.md"

HEADINGS: Final = {"targets": "## Targets", "calls": "## Calls"}

BEGINNING: Final = """\
# Performance

Written by `make bench BENCH=--write` on {day}; figures change with the machine, ratios less. Nothing here is a test:
no test measures time. All patients are synthetic.

| | |
|---|---|
| processor | {processor}, {cores} cores |
| memory | {gigabytes} GB |
| system | {system} |
| Python | {python} |
| packages | {versions} |"""

SUBJECTS: Final = """\
## Who is measured

| subject | is |
|---|---|
| service | `cds-service serve` with one worker and 16 threads, in demo mode, which asks for no tokens. It logs, counts and remembers as in production; the log goes to a file, the database is SQLite |
| service, PostgreSQL | the same with its database in PostgreSQL on this machine |
| service, ES384; service, RS384 | the same in production mode: each call brings a token of its own, whose signature, claims and single use are checked |
| bare function | the limit: a WSGI function in the same server, worker and threads that reads the body with the service's decoder (msgspec, numbers as Decimal) and answers without cards |
| bare function, ES384; RS384 | the same after it has checked signature, `iss`, `aud` and `exp` of the token with PyJWT and a key held in memory. It does not remember tokens |
| bare function, json | the bare function with the standard library's decoder; for information |
| Flask view | `request.get_json()` and an answer without cards, in the same server |
| HealthChain | HealthChain 0.16.1 as its documentation shows it ([bench/peers/healthchain_app.py](../bench/peers/healthchain_app.py)): handlers on a `CDSHooksService` in a `HealthChainAPI`, served by uvicorn with one worker, which read what is prefetched with `Bundle(**data)` of `healthchain.fhir.r4b`. Its request model drops draft orders, so that its handlers cannot see what is ordered. It has no check for the tokens of CDS Hooks |
| HealthChain, drafts | the same on a route of its own in the same application, which reads the draft orders too: what a service needs that has to know whether an order concerns it |

Everybody gets the same bytes: one id is another in each call. The service and the peers answer all of them with 200, or
nothing is reported. The service allows bodies of 64 MB (its default is 16), because 20,000 Observations are 20 MB, and
so many calls a minute that none is refused, but counts them."""

METHOD: Final = """\
## How

{placing}
The client is one process with keep-alive connections that sends bytes made beforehand and looks only for the end of an
answer. In {rounds} rounds every subject answers every call in turn, so that none has the better minute.

- *calls/s*: each connection sends the next call when it has its answer, for about {closed} s. Calls that take more than
  0.2 s are sent over one connection only.
- *p50, p95, p99*: calls leave by a timetable, at half of the most that this subject has just done, over 8 connections
  for about {timed} s, longer where there would be too few. A latency counts from the moment in the timetable, so that
  waiting in line is part of it. Where there are too few calls for a percentile, there is none.
- *CPU*: user and system time of all processes of the server (`/proc/PID/stat`), divided by the calls. PostgreSQL is not
  counted.
- *peak MB*: the most memory of the largest process of the server in the first round of this call (`VmHWM`, reset
  before), in which the large calls come last.
- Figures are medians of the rounds, with the smallest and largest in brackets; ratios are taken round by round."""

GROWTH: Final = """\
## Growth with the chart

CPU of one `patient-view` call by the number of Observations in its prefetch."""

RESOURCES: Final = """\
## Start-up, memory and size

Start-up is the time from the start of the process to its first answer to discovery. Memory is that of all processes
after all rounds, pages that they share counted once. Packages and their size are those that `requirements.lock` names,
with the service itself; of the others, those that they require."""

CROWDED: Final = """\
## Servers

The service in demo mode, one worker, 16 threads, under three WSGI servers: alone, beside 60 connections that had an
answer and say nothing more, and beside 60 that send a request at one byte a second, in its head or in its body.
*calls/s* over 4 connections; *p99* and *answered* by a timetable at half of what the server does alone, and what has
not come after three times its length counts as not answered. The choice is
[ADR 0028](adr/0028-the-default-server-by-measurement.md)."""

SOAKED: Final = """\
## Memory

One server, 4 connections; of a hundred calls ninety are irrelevant, nine sign an order and one opens a chart, the last
ten with 200 Observations each. Flat is a growth over the last three quarters of at most 1 MB or 2 %."""
