# Everything one does with this course. `make` alone lists the targets.

VENV     ?= .venv
PYTHON   ?= python3
NB       ?=
BUDGET   ?= $(or $(COURSE_BUDGET),classroom)
SEED     ?= $(or $(COURSE_SEED),0)
SEEDS    ?= 5

BIN      := $(VENV)/bin
# The stamps carry a checksum of the requirement files, so pip runs only when these changed.
checksum  = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
LAB      := $(VENV)/.lab-$(call checksum,requirements.txt)
DEV      := $(VENV)/.dev-$(call checksum,requirements.txt requirements-dev.txt)

# Whatever environment VENV names, the code of this clone is what runs, in kernels too.
export PYTHONPATH := $(CURDIR)

# Jupyter refuses root, whom containers and rented machines have: on loopback only it is let in.
AS_ROOT  := $(if $(filter 0,$(shell id -u)),--allow-root --ip=127.0.0.1)

# One thread a process: two torch processes that share the same cores slow each other badly.
# A plotting backend set for scripts would leave the notebooks without figures.
QUIET    := env -u MPLBACKEND OMP_NUM_THREADS=1 COURSE_PROGRESS=off

.DEFAULT_GOAL := help
.PHONY: help lab test lint notebooks run student instructor fork device colab claims bench doctor \
  reference clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z ]+:.*## / {printf "%-20s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: $(LAB)  ## set up what is missing and open JupyterLab on the notebooks
	$(BIN)/python -m jupyterlab notebooks $(AS_ROOT)

test: $(DEV) lint  ## set up what is missing and run every test: package, notebooks, page
	$(QUIET) $(BIN)/python -m pytest tests --ignore tests/test_browser.py \
	  --ignore tests/test_pretend_device.py
	$(QUIET) $(BIN)/python -m pytest tests/test_pretend_device.py -n 2
	rm -rf build/solved && $(BIN)/python -m course_utils solved
	runs=$$(mktemp -d) && trap 'rm -rf "$$runs"' EXIT && \
	$(QUIET) COURSE_RUNS="$$runs" $(BIN)/python -m pytest notebooks build/solved --nbval \
	  --nbval-current-env --nbval-cell-timeout=300 --nbval-sanitize-with tests/sanitize.cfg \
	  -n 2 --dist loadscope
	$(QUIET) $(BIN)/python -m pytest tests/test_browser.py

lint: $(DEV)  ## style and likely mistakes
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check

notebooks: $(LAB)  ## run the notebooks (NB=03: one) and store their outputs
	$(BIN)/python -m course_utils notebooks $(NB)

run: $(LAB)  ## run one notebook and keep the executed copy: NB=03 BUDGET=classroom SEED=0
	@test -n "$(NB)" || { echo "Say which notebook: make run NB=03"; exit 1; }
	$(BIN)/python -m course_utils run $(NB) --budget $(BUDGET) --seed $(SEED)

student instructor: $(LAB)  ## notebooks without solutions, or solved and with speaker notes
	$(BIN)/python -m course_utils $@ $(NB)

fork: $(LAB)  ## point badges and setup cells at your repository: URL=https://github.com/me/course
	@test -n "$(URL)" || { echo "Say where: make fork URL=https://github.com/me/course"; exit 1; }
	$(BIN)/python -m course_utils fork $(URL)

device: $(DEV)  ## run every lesson on a device that refuses to meet the processor's tensors
	$(QUIET) LESSONS=all $(BIN)/python -m pytest tests/test_pretend_device.py -n 2

colab:  ## run what is committed (NB=03: one) with Colab's versions of the packages
	.ci/colab $(NB)

claims: $(LAB)  ## hold the claims of the notebooks (NB=03: one) against SEEDS=5 seeds
	$(BIN)/python -m course_utils claims $(NB) --seeds $(SEEDS)

bench: $(DEV)  ## run the benchmarks, one after the other
	set -e; for script in benchmarks/*.py; do $(BIN)/python "$$script"; done

reference: $(DEV)  ## the API reference as web pages for use offline: build/reference/index.html
	$(BIN)/python -m course_utils.authoring.reference build/reference

doctor: $(LAB)  ## what is installed, and what to do about what is not
	$(BIN)/python -m course_utils doctor

clean:  ## remove caches; the environment, your runs and downloaded data stay
	find . -path './$(VENV)' -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) \
	  -type d -prune -exec rm -rf {} +
	rm -rf .pytest_cache .ruff_cache build *.egg-info

$(BIN)/activate:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and \
	  "This course needs Python 3.10 or newer; name one with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv "$(VENV)"

# One pip command for everything, so that torch and torchvision are chosen together. Stamps of
# other requirement files go first: what they vouch for is about to change.
$(LAB): | $(BIN)/activate
	@rm -f "$(VENV)"/.lab-* "$(VENV)"/.dev-*
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch "$@"

$(DEV): | $(BIN)/activate
	@rm -f "$(VENV)"/.lab-* "$(VENV)"/.dev-*
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch "$@" "$(LAB)"
