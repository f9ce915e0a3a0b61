"""`make bench`: measure, compare with RESULTS.md, and write it anew if told to."""

import argparse
import os
import sys

# Before NumPy is imported, and for the processes that are started.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
os.environ |= {"TQDM_DISABLE": "1"}

from tests.bench.results import HERE, RESULTS, page, read_figures, read_sections, section, worse
from tests.bench.sections import grading, imports, lessons, stepper, steps, training

# A new one: a file in sections/, and its name here. A new claim: a file in training/.
SECTIONS = (steps, imports, stepper, lessons, grading, *training.claims())


def main() -> int:
    known = [name for each in SECTIONS for name in each.names()]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=known, metavar="NAME", help=f"one of {', '.join(known)}")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md and its picture")
    options = parser.parse_args()

    written = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    old, texts = read_figures(written), read_sections(written)
    found = {}
    for each in SECTIONS:
        chosen = [name for name in each.names() if options.only in (None, name)]
        if options.write and chosen:
            chosen = each.names()  # a section is written whole
        if chosen:
            found[each.TITLE] = each.measure(chosen)
            texts[each.TITLE] = section(each.TITLE, found[each.TITLE])
    problems = worse(old, {k: v for part in found.values() for k, v in part.figures.items()})
    for problem in problems:
        print(f"Slower than before: {problem}.", file=sys.stderr)
    if options.write:
        titles = [each.TITLE for each in SECTIONS]
        RESULTS.write_text(page({t: texts[t] for t in titles if t in texts}), encoding="utf-8")
        for name, data in {k: v for part in found.values() for k, v in part.files.items()}.items():
            (HERE / name).write_bytes(data)
        print(f"Written: {RESULTS}")
    elif problems:
        print("If this is meant: make bench WRITE=1.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
