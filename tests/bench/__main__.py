"""`make bench`: measure, compare with RESULTS.md, and write it anew if told to."""

import argparse
import os
import sys

# Before NumPy is imported, and for the processes that are started.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
os.environ |= {"TQDM_DISABLE": "1"}

from tests.bench.results import HERE, RESULTS, figures, page, read_figures, worse
from tests.bench.sections import grading, imports, stepper, steps, training

SECTIONS = (
    steps,
    imports,
    stepper,
    grading,
    training,
)  # a new one: a file in sections/, and its name here


def main() -> int:
    known = [name for section in SECTIONS for name in section.names()]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=known, metavar="NAME", help=", ".join(known))
    parser.add_argument("--write", action="store_true", help="write RESULTS.md and its picture")
    options = parser.parse_args()
    if options.only and options.write:
        parser.error("RESULTS.md is written by a run of everything: leave out --only or --write")

    parts = {}
    for section in SECTIONS:
        chosen = [name for name in section.names() if options.only in (None, name)]
        if chosen:
            parts[section.TITLE] = section.measure(chosen)
    old = read_figures(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    problems = worse(old, figures(parts))
    for problem in problems:
        print(f"Slower than before: {problem}.", file=sys.stderr)
    if options.write:
        RESULTS.write_text(page(parts), encoding="utf-8")
        for name, data in {k: v for part in parts.values() for k, v in part.files.items()}.items():
            (HERE / name).write_bytes(data)
        print(f"Written: {RESULTS}")
    elif problems:
        print("If this is meant: make bench WRITE=1.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
