#!/usr/bin/env bash
# What a machine with a GPU can tell, within nine minutes, written to a folder:
#
#     bash tests/benchmarks/on_gpu.sh FOLDER
#     bash tests/benchmarks/on_gpu.sh FOLDER --device cpu --dry
#
# Needs python3 (3.11 or later) with torch, numpy, scipy, scikit-image and tifffile. The
# project need not be installed.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
export PYTHONPATH="$root/src:$root${PYTHONPATH:+:$PYTHONPATH}"
# -P: a folder "tests" where the command is typed is not taken for this one.
exec "${PYTHON:-python3}" -P -m tests.benchmarks.gpu.run "$@"
