# make lab          set up and open the course in JupyterLab
# make test         set up and run everything that CI runs
#
# make fmt          put code and notebooks into the house's form
# make check        formatting, lint, types, import directions
# make notebooks    run lessons and solutions, and save them with their outputs
# make build        write exercises/ from solutions/
# make bench        time and memory against torch and others; fails if worse than tests/bench/RESULTS.md
#                   (ONLY=name measures one thing, WRITE=1 writes the results down)
# make constraints  write down the versions that are installed, once `make test` is green with them
#
# A stamp in .venv says that a set-up ended well, and in which folder. Without it .venv is made anew.

PY := .venv/bin/python
TEST := $(PY) -m pytest -p tests.course.nbval_course -n 2 --dist loadfile
PIP := $(PY) -m pip --disable-pip-version-check install -c constraints.txt

# Moved, or made by a Python that is gone: not ours any more.
ifneq "$(shell $(PY) -c '' 2>/dev/null && cat .venv/ready 2>/dev/null)" "$(CURDIR)"
$(shell rm -f .venv/ready .venv/ready-dev .venv/ready-bench)
endif

.PHONY: lab test fmt check notebooks build bench constraints

lab: .venv/ready
	$(PY) -m nncheck start my-course --open

# The notebooks once with the arithmetic of an older processor, then everything.
test: check
	OPENBLAS_CORETYPE=Haswell $(TEST) -m "not second_run" course solutions
	$(TEST)

fmt: .venv/ready-dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

check: .venv/ready-dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m pyright
	.venv/bin/lint-imports

notebooks: .venv/ready-dev
	$(PY) -m nncheck notebooks

build: .venv/ready-dev
	$(PY) -m nncheck build

bench: .venv/ready-bench
	$(PY) -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(WRITE),--write)

# Lines with a marker are for other systems or Pythons than this one: they are kept.
constraints: .venv/ready-bench
	{ grep '[#;]' constraints.txt; \
	  $(PY) -m pip freeze --all --exclude-editable | sed 's/+.*//' | grep -Ev '^(pip|nvidia|cuda|triton)' ; \
	} | LC_ALL=C sort -f > constraints.new
	mv constraints.new constraints.txt

.venv/ready: pyproject.toml constraints.txt
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	    found=$$("$$python" -c 'import sys; print(sys.version.split()[0])' 2>/dev/null) || continue; \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' && break; \
	    old="$$old $$found ($$python)"; found=; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "The course needs Python 3.11 or newer; found:$${old:- none}."; \
	    echo "Install one from https://www.python.org/downloads/, or name it: make lab PYTHON=/path/to/python3"; \
	    exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip' 2>/dev/null; then \
	    echo "Python $$found ($$python) is here without its part venv. On Debian and Ubuntu: sudo apt install python3-venv"; \
	    exit 1; \
	fi; \
	echo "Setting up .venv with Python $$found; once, some minutes. If it is stopped, run it again."; \
	[ -e $@ ] || "$$python" -m venv --clear .venv
	@rm -f .venv/ready .venv/ready-dev .venv/ready-bench
	$(PIP) -e .
	@pwd -P > $@

.venv/ready-dev: .venv/ready
	$(PIP) -e ".[dev,dask,nbgrader]"
	@touch $@

.venv/ready-bench: .venv/ready-dev
	$(PIP) -e ".[bench]"
	@touch $@
