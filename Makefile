# Everything one does with this course. `make` alone lists the targets.

VENV     ?= .venv
PYTHON   ?= python3
NB       ?=
BUDGET   ?= $(or $(COURSE_BUDGET),classroom)
SEED     ?= $(or $(COURSE_SEED),0)
SEEDS    ?= 5
PORT     ?= 8000

BIN      := $(VENV)/bin
# The stamps carry a checksum of the requirement files, so pip runs only when these changed.
checksum  = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
LAB      := $(VENV)/.lab-$(call checksum,requirements.txt)
SITE     := $(VENV)/.site-$(call checksum,requirements.txt requirements-site.txt)
DEV      := $(VENV)/.dev-$(call checksum,requirements.txt requirements-site.txt requirements-dev.txt)

# Whatever environment VENV names, the code of this clone is what runs, in kernels too.
export PYTHONPATH := $(CURDIR)

# Jupyter refuses root, whom containers and rented machines have: on loopback only it is let in.
AS_ROOT  := $(if $(filter 0,$(shell id -u)),--allow-root --ip=127.0.0.1)

# One thread a process: two torch processes that share the same cores slow each other badly.
# A plotting backend set for scripts would leave the notebooks without figures.
QUIET    := env -u MPLBACKEND OMP_NUM_THREADS=1 COURSE_PROGRESS=off

.DEFAULT_GOAL := help
.PHONY: help lab test lint notebooks run student instructor fork device colab claims bench doctor \
  reference site site-serve slides slides-check grade handin clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z -]+:.*## / {printf "%-20s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

student instructor: $(LAB)  ## notebooks without solutions, or solved, with notes and a plan
	$(BIN)/python -m course_utils $@ $(NB)

grade: $(LAB)  ## mark the notebooks that students handed in: FOLDER=downloads/week3 (ROSTER=, OUT=)
	@test -n "$(FOLDER)" || { echo "Say where they are: make grade FOLDER=downloads/week3"; exit 1; }
	$(BIN)/python -m course_utils grade "$(FOLDER)" -n 2 $(if $(ROSTER),--roster "$(ROSTER)") \
	  --out "$(or $(OUT),results.csv)"

handin: $(LAB)  ## for students: check that a notebook runs, and pack it: NB=03
	@test -n "$(NB)" || { echo "Say which notebook: make handin NB=03"; exit 1; }
	$(BIN)/python -m course_utils handin "$(NB)"

fork: $(LAB)  ## point badges and setup cells at your repository (URL=…, default: git's origin)
	$(BIN)/python -m course_utils fork $(URL)

device: $(DEV)  ## run every lesson on a device that refuses to meet the processor's tensors
	$(QUIET) LESSONS=all $(BIN)/python -m pytest tests/test_pretend_device.py -n 2

colab:  ## run what is committed (NB=03: one) with Colab's versions of the packages
	.ci/colab $(NB)

claims: $(LAB)  ## hold the claims of the notebooks (NB=03: one) against SEEDS=5 seeds
	$(BIN)/python -m course_utils claims $(NB) --seeds $(SEEDS)

bench: $(DEV)  ## run the benchmarks, one after the other
	set -e; for script in benchmarks/*.py; do $(BIN)/python "$$script"; done

reference: $(SITE)  ## the API reference as web pages for use offline: build/reference/index.html
	$(BIN)/python -m course_utils.authoring.reference build/reference

site: $(SITE)  ## the course as web pages for use offline: build/site/index.html
	$(BIN)/python -m course_utils.authoring.site build/site

site-serve: $(SITE)  ## serve build/site on this machine alone: http://127.0.0.1:PORT (8000)
	@test -f build/site/index.html || $(MAKE) site
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/site $(PORT)

slides: $(SITE)  ## slides of the main lessons (NB=04: one) for use offline: build/slides/index.html
	$(BIN)/python -m course_utils slides $(NB)

slides-check: $(DEV)  ## look in a browser whether anything runs over on any slide (2 minutes)
	$(QUIET) COURSE_SLIDES=all $(BIN)/python -m pytest tests/test_slides.py

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
	@rm -f "$(VENV)"/.lab-* "$(VENV)"/.site-* "$(VENV)"/.dev-*
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch "$@"

$(SITE): | $(BIN)/activate
	@rm -f "$(VENV)"/.lab-* "$(VENV)"/.site-* "$(VENV)"/.dev-*
	$(BIN)/python -m pip install --quiet -r requirements-site.txt
	@touch "$@" "$(LAB)"

$(DEV): | $(BIN)/activate
	@rm -f "$(VENV)"/.lab-* "$(VENV)"/.site-* "$(VENV)"/.dev-*
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch "$@" "$(SITE)" "$(LAB)"
