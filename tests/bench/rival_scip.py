"""Solves the program in a folder by SCIP; in a Python of its own, with nothing of this project.

``python rival_scip.py FOLDER SECONDS`` prints one line of JSON: seconds, welfare, proof.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyscipopt


def run_scip(folder: Path, seconds: float) -> dict[str, object]:
    """Solve the whole program at once by SCIP, one thread."""
    given = np.load(folder / "program.npz")
    begun = time.perf_counter()
    model = pyscipopt.Model()
    model.hideOutput()
    model.setParam("limits/time", seconds)
    whole = set(given["integer"].tolist())
    columns = [
        model.addVar(vtype="B" if column in whole else "C", lb=low, ub=high, obj=cost)
        for column, (low, high, cost) in enumerate(
            zip(*(given[name].tolist() for name in ("lower", "upper", "cost")), strict=True)
        )
    ]
    terms: list[list[Any]] = [[] for _ in given["row_lower"]]
    start = given["start"].tolist()
    for column, variable in enumerate(columns):
        for place in range(start[column], start[column + 1]):
            terms[given["index"][place]].append(float(given["value"][place]) * variable)
    for row in terms:
        model.addCons(pyscipopt.quicksum(row) == 0)
    model.optimize()
    return {
        "seconds": time.perf_counter() - begun,
        "welfare": -model.getObjVal(),
        "bound": -model.getDualbound(),
        "proved": model.getStatus() == "optimal",
    }


if __name__ == "__main__":
    print(json.dumps(run_scip(Path(sys.argv[1]), float(sys.argv[2]))))
