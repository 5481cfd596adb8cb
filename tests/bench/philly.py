"""How large real training jobs are, and how long they run: counts of one public trace.

From the 68,063 jobs of the Microsoft Philly trace (Jeon et al., ATC 2019; CC BY 4.0) submitted
until 2017-11-19: those of at least 0.1 GPU-hours, by number of GPUs and by hours begun, where 24
stands for a day and more. The counts are here so that a bench needs no trace to draw from them.
"""

from typing import Final

import numpy as np

from exchange.engine.book import Ints

DAY: Final = 24
# By number of GPUs: how many jobs ran for 1, 2, ... 24 hours.
JOBS: Final = {
    1: "31700 5326 1446 1260 630 318 340 160 161 56 70 78 91 73 77 112 92 91 58 65 64 52 52 896",
    2: "33 4 4 1 5 2 5 6 0 2 6 3 2 7 0 2 4 7 2 2 3 1 6 162",
    4: "444 77 39 70 54 40 22 27 30 28 24 14 18 13 8 18 14 10 19 12 14 11 23 435",
    8: "372 68 23 68 23 30 20 13 15 16 10 2 4 12 6 4 5 6 5 9 3 3 2 500",
    12: "6 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
    16: "40 1 3 1 1 2 1 2 2 1 0 2 1 0 1 1 1 2 0 2 1 0 0 47",
    24: "4 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
    32: "4 1 0 0 0 0 0 0 0 0 1 0 0 7 6 6 2 1 0 2 0 1 0 3",
}


def draw_jobs(rng: np.random.Generator, count: int) -> tuple[Ints, Ints]:
    """Draw jobs as the trace has them: GPUs, and whole hours from 1 to 24."""
    gpus = np.array(list(JOBS), dtype=np.int64)
    jobs = np.array([row.split() for row in JOBS.values()], dtype=np.int64)
    assert jobs.shape == (len(gpus), DAY)
    kind = rng.choice(jobs.size, size=count, p=jobs.ravel() / jobs.sum())
    return gpus[kind // DAY], kind % DAY + 1
