#!/usr/bin/env bash
# Runs a command as on a CPU with AVX2 alone: no AVX-512, no AMX, no bfloat16.
#
#     bash tests/benchmarks/ordinary_cpu.sh python -m tests.benchmarks.before_after ...
#
# To limit the libraries is not enough: bfloat16 is chosen by the processor's own flags,
# and oneDNN then emulates it, at a seventh of the speed of float32.
set -euo pipefail
patch=$(mktemp -d)
trap 'rm -r "$patch"' EXIT
cat > "$patch/sitecustomize.py" <<'PYTHON'
import torch

assert hasattr(torch.cpu, "_is_avx512_bf16_supported"), "torch asks in another way"
torch.cpu._is_avx512_bf16_supported = lambda: False
PYTHON
export ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2
# The package would set it, but torch is loaded before.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
export PYTHONPATH=$patch:${PYTHONPATH:-}
"$@"
