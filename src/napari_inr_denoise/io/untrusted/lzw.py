"""Check LZW streams: imagecodecs may crash on a damaged one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CLEAR, _END, _FIRST = 256, 257, 258
# Between two clear codes each code except the first adds one table entry, and the
# width of a code depends only on the size of the table: all positions are known.
_TABLE: NDArray[np.int64] = _FIRST + np.maximum(np.arange(4100 - _FIRST) - 1, 0)
_WIDTHS: NDArray[np.int64] = 9 + np.searchsorted((511, 1023, 2047), _TABLE, "right")
_STARTS: NDArray[np.int64] = np.cumsum(_WIDTHS) - _WIDTHS


def check_lzw(data: bytes) -> None:
    """Raise ValueError if an LZW stream of a TIFF uses a code before it is defined.

    Parameters
    ----------
    data : bytes
        A compressed strip or tile, most significant bit first.

    Raises
    ------
    ValueError
        If a code is not in the table yet, or the stream has the bit order of before
        1992.
    """
    if data[:1] == b"\0" and data[1:2] and data[1] & 1:
        raise ValueError("got LZW data of before 1992, which have another bit order")
    padded = np.frombuffer(data + b"\0\0\0", np.uint8).astype(np.int64)
    at, end = 0, 8 * len(data)
    while at < end:
        codes = _codes(padded, at, end)
        ends = np.flatnonzero((codes == _CLEAR) | (codes == _END))
        count = int(ends[0]) if ends.size else len(codes)
        used = codes[:count]
        if (used > _TABLE[:count]).any() or (count and used[0] >= _CLEAR):
            raise ValueError("got LZW data that use a code before it is defined")
        if not ends.size or codes[count] == _END:
            return
        at += int(_STARTS[count] + _WIDTHS[count])


def _codes(padded: NDArray[np.int64], at: int, end: int) -> NDArray[np.int64]:
    """Return the codes from a bit position on, without regard to clear codes."""
    bits = at + _STARTS
    known = bits + _WIDTHS <= end
    bits, widths = bits[known], _WIDTHS[known]
    byte = bits >> 3
    word = padded[byte] << 16 | padded[byte + 1] << 8 | padded[byte + 2]
    codes: NDArray[np.int64] = word >> (24 - (bits & 7) - widths)
    return codes & ((1 << widths) - 1)
