"""What `import course_utils` adds to `import torch`, in seconds.

    python benchmarks/import_cost.py [--rounds 7]

Starts Python afresh for each measurement, the three in turn, and prints medians. The first name
used of the package loads the rest, so that is measured too, with all that a notebook imports.
"""

import argparse
import statistics
import subprocess
import sys
import time

STATEMENTS = {
    "import torch": "import torch",
    "import torch, course_utils": "import torch, course_utils",
    "... and start a session": "import torch, course_utils; course_utils.start('x')",
    "... and all names of the package": "import torch; from course_utils import *",
}


def seconds(statement: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    seconds("import torch, course_utils")  # fills the disk cache
    taken = {name: [] for name in STATEMENTS}
    for _ in range(rounds):
        for name, statement in STATEMENTS.items():
            taken[name].append(seconds(statement))
    medians = {name: statistics.median(values) for name, values in taken.items()}
    base = medians["import torch"]
    print("| statement | seconds | more than torch |\n|---|---|---|")
    for name, median in medians.items():
        print(f"| `{name}` | {median:.2f} | {median - base:+.2f} |")


if __name__ == "__main__":
    main()
