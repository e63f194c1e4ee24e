"""The collector of cyclic garbage, in a process that keeps the rule set and reads one document after another."""

from __future__ import annotations

import gc

# What a call with some hundred Observations holds. Its document holds no cycle and is let go as a whole with the call;
# Python's own 700 have it walked through three times for 200 Observations, 2.5 ms of 25. The library that finds the
# route leaves a cycle of eight objects, 750 bytes, with each call: of those a megabyte comes together between looks.
_NEW_OBJECTS_BEFORE_A_LOOK = 10_000


def leave_what_stays() -> None:
    """Have the collector leave alone what is there now, for it stays, and look at what calls made only now and then.

    To be called once in each process that answers, when all is loaded. Cyclic garbage is still found, later: it may
    come to a megabyte or two, and to no more.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_BEFORE_A_LOOK)
