import datetime

import pytest

from benchmark.results import provenance
from benchmark.system.environment import NAMES, digit_variables


def test_what_is_set_is_named_and_nothing_else() -> None:
    given = {"ATEN_CPU_CAPABILITY": "default", "DNNL_MAX_CPU_ISA": "SSE41", "PATH": "/bin", "NVIDIA_TF32_OVERRIDE": ""}
    assert digit_variables(given) == {
        "ATEN_CPU_CAPABILITY": "default",
        "DNNL_MAX_CPU_ISA": "SSE41",
        "NVIDIA_TF32_OVERRIDE": "",
    }
    assert digit_variables({}) == {}


def test_older_and_newer_names_are_both_known() -> None:
    for name in ("MAX_CPU_ISA", "DEFAULT_FPMATH_MODE"):
        assert {f"ONEDNN_{name}", f"DNNL_{name}"} <= set(NAMES)
    assert {"MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"} <= set(NAMES)
    assert len(set(NAMES)) == len(NAMES)


def test_of_the_compilers_those_that_change_what_it_makes() -> None:
    given = {
        "TORCHINDUCTOR_USE_FAST_MATH": "1",
        "TORCHINDUCTOR_CACHE_DIR": "/tmp",
        "TORCHINDUCTOR_COMPILE_THREADS": "4",
    }
    assert digit_variables(given) == {"TORCHINDUCTOR_USE_FAST_MATH": "1"}


def test_a_value_may_be_anything_and_is_written_in_short_ascii() -> None:
    written = digit_variables({"MKL_CBWR": "a\udcff\x1b[31m\n" + "x" * 200})["MKL_CBWR"]
    assert written == "a\\udcff\\x1b[31m\\n" + "x" * 63


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_result_and_its_session_name_it(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    set_now = {"NVIDIA_TF32_OVERRIDE": "1"} | digit_variables()
    assert provenance.this_machine(device).environment == set_now
    start = datetime.datetime.now(datetime.UTC)
    assert provenance.session(device, None, start).environment == set_now
