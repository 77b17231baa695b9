from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from imagecodecs import lzw_encode

from napari_inr_denoise.io.untrusted.lzw import check_lzw


def _packed(*codes: int) -> bytes:
    """Write codes of 9 bits."""
    bits = "".join(f"{code:09b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


@pytest.mark.parametrize("size", [0, 1, 10, 5000, 200_000])
@pytest.mark.parametrize("largest", [2, 40, 256])
def test_what_is_encoded_is_accepted(
    rng: np.random.Generator, size: int, largest: int
) -> None:
    check_lzw(lzw_encode(rng.integers(0, largest, size, dtype=np.uint8).tobytes()))


def test_a_string_that_repeats_itself_is_accepted() -> None:
    check_lzw(_packed(256, 65, 258, 259, 257))
    check_lzw(_packed(256, 65, 256, 66, 257))


@pytest.mark.parametrize(
    "codes", [(256, 258), (256, 65, 259), (256, 65, 256, 300), (256, 65, 66, 260, 257)]
)
def test_codes_before_they_are_defined_are_refused(codes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="before it is defined"):
        check_lzw(_packed(*codes))


def test_bits_of_the_old_order_are_refused() -> None:
    with pytest.raises(ValueError, match="before 1992"):
        check_lzw(b"\0\x01\x04")


def test_damaged_streams_never_end_the_process(tmp_path: Path) -> None:
    """Many of these streams crash imagecodecs."""
    rng = np.random.default_rng(0)
    values = rng.poisson(40, (64, 64)).astype(np.uint8)
    names = []
    for k in range(200):
        names.append(str(tmp_path / f"{k}.tif"))
        tifffile.imwrite(names[-1], values, compression="lzw", rowsperstrip=64)
        content = bytearray(Path(names[-1]).read_bytes())
        content[int(rng.integers(300, len(content)))] = int(rng.integers(0, 256))
        Path(names[-1]).write_bytes(content)
    program = "import sys\nfrom napari_inr_denoise import read_image\n"
    program += "for name in sys.argv[1:]:\n    try:\n        read_image(name)\n"
    program += "    except ValueError:\n        pass\n"
    subprocess.run([sys.executable, "-c", program, *names], check=True, timeout=60)
