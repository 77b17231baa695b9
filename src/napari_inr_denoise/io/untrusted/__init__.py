"""Checks of files of unknown origin, made before their content is used.

Every check raises ValueError. A new format declares its size before it is read::

    check_compression_ratio(declared=array.nbytes, stored=size_on_disk(path))

`check_links` keeps links inside a folder, `check_lzw` protects the LZW decoder, and
`parse_xml` refuses entities. Files that each check stops are in
`tests/io/untrusted`; a new check needs one there.
"""

from napari_inr_denoise.io.untrusted.links import check_links as check_links
from napari_inr_denoise.io.untrusted.lzw import check_lzw as check_lzw
from napari_inr_denoise.io.untrusted.size_limits import (
    check_compression_ratio as check_compression_ratio,
)
from napari_inr_denoise.io.untrusted.size_limits import check_count as check_count
from napari_inr_denoise.io.untrusted.size_limits import (
    check_declared_size as check_declared_size,
)
from napari_inr_denoise.io.untrusted.xml import parse_xml as parse_xml
