"""Environment variables that change digits from outside, whatever a spec says.

They make the libraries choose other kernels, another precision or another number of threads. Found in the documents
of PyTorch, oneDNN, MKL and NVIDIA, and in the libraries that PyTorch 2.15 brings; older names are kept, as older
libraries read them.
"""

import os
import re
from collections.abc import Mapping

#: This project's own: names a recorder of steps as ``module:function``, in place of CUDA's. What is recorded gives the
#: same digits; tests record with it on a processor.
RECORDER_VARIABLE = "SFE_STEP_RECORDER"

_ONEDNN = ("MAX_CPU_ISA", "CPU_ISA_HINTS", "DEFAULT_FPMATH_MODE")
NAMES = (
    "ATEN_CPU_CAPABILITY",
    *(f"{prefix}_{name}" for prefix in ("ONEDNN", "DNNL", "MKLDNN") for name in _ONEDNN),
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_DISABLE_FAST_MM",
    "MKL_DYNAMIC",
    "MKL_ENABLE_INSTRUCTIONS",
    "OMP_DYNAMIC",
    "OMP_THREAD_LIMIT",
    "FBGEMM_ENABLE_INSTRUCTIONS",
    "OPENBLAS_CORETYPE",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "GLIBC_TUNABLES",  # may hide instructions from the C library's exp and log
    "TORCH_LINEAR_FLATTEN_3D",
    "TORCH_MKLDNN_MATMUL_MIN_DIM",
    "TORCH_MKLDNN_MATMUL_MIN_SIZE",
    "NVIDIA_TF32_OVERRIDE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "HIPBLASLT_ALLOW_TF32",
    "CUBLAS_EMULATE_DOUBLE_PRECISION",
    "CUBLAS_EMULATE_SINGLE_PRECISION",
    "CUBLAS_EMULATION_STRATEGY",
    "CUBLASLT_DISABLE_CPU_INSTRUCTIONS_MASK",
    "CUDNN_UNFUSE_FMA",
    "DISABLE_ADDMM_CUDA_LT",
    "PYTORCH_MIOPEN_SUGGEST_NHWC",
    "PYTORCH_TUNABLEOP_ENABLED",
    "TORCH_BLAS_PREFER_CUBLASLT",
    "TORCH_BLAS_PREFER_HIPBLASLT",
    "TORCH_CUDNN_USE_HEURISTIC_MODE_B",
    "TORCH_CUDNN_V8_API_DISABLED",
    "CUBLASLT_HEURISTICS_LUT_FILE",
    "CUDNN_ERRATA_JSON_FILE",
    "TORCH_LINALG_PREFER_CUSOLVER",
    "TORCHDYNAMO_DISABLE",
    "TORCH_COMPILE_DISABLE",
    "TORCH_COMPILE_OVERRIDE_BACKENDS",
    "TORCH_COMPILE_OVERRIDE_INDUCTOR_CONFIGS",
)
#: PyTorch's compiler reads over a hundred; these say where it keeps and reports things, and how fast it works.
_COMPILER = re.compile(r"TORCHINDUCTOR_(?!.*(?:CACHE|DIR|PATH|LOG|DEBUG|PROFIL|COMPILE_THREADS|WORKER|TIMEOUT)).*")
#: Characters of a value that are kept.
_LONGEST = 80


def digit_variables(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Those that are set, in ASCII and the order of their names; of this process by default."""
    given = os.environ if environment is None else environment
    names = sorted(name for name in given if name in NAMES or _COMPILER.fullmatch(name))
    return {name: ascii(given[name])[1:-1][:_LONGEST] for name in names}


def can_record(kind: str) -> bool:
    """Whether steps can be recorded on a device, ``cpu`` or ``cuda``: on GPUs, or where a recorder is named."""
    return kind == "cuda" or RECORDER_VARIABLE in os.environ
