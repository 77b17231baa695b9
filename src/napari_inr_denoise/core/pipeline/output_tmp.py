"""Where a run writes its planes, and what may be shown of them meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.pipeline.finished_planes import Ledger
from napari_inr_denoise.image.axes import Plane, planes_of
from napari_inr_denoise.image.source import ImageSource
from napari_inr_denoise.image.stitching import PlaneCanvas, Writable, copy_plane
from napari_inr_denoise.image.tiling import Tiling

if TYPE_CHECKING:
    from napari_inr_denoise.core.pipeline.result import DenoiseResult, DenoiseStep


class RunOutput:
    """The result, and the uncertainty beside it.

    Parameters
    ----------
    source : ImageSource
        The noisy image: what pixels without a result keep.
    axes : str
        One letter per dimension.
    tiling : Tiling
        How planes are cut.
    ledger : Ledger
        Which planes are finished.
    out : Writable or None
        Where the result is written; a new array if None.

    Attributes
    ----------
    out : Writable
        The same.
    own : bool
        Whether it is an array of the run's own: only then the uncertainty is kept.
    uncertainty : ndarray of float32 or None
        In the image's shape and units; None as long as it is known nowhere.
    """

    def __init__(
        self,
        source: ImageSource,
        axes: str,
        tiling: Tiling,
        ledger: Ledger,
        out: Writable | None,
    ) -> None:
        self._source, self._axes = source, axes
        self._tiling, self._ledger = tiling, ledger
        self.own = out is None
        self.out: Writable = (
            np.zeros(source.shape, dtype=np.float32) if out is None else out
        )
        self.uncertainty: NDArray[np.float32] | None = None
        # Whether planes that are not reached yet show the source.
        self._filled = False

    def take_over(self, earlier: DenoiseResult) -> None:
        """Copy the planes that the ledger has taken over from an earlier run."""
        if earlier.image is self.out:
            return
        before = ImageSource(earlier.image)
        for plane in planes_of(self._axes, self._source.shape):
            if plane in self._ledger:
                copy_plane(before, plane, self.out)
        if earlier.uncertainty is not None and self.own:
            self.uncertainty = earlier.uncertainty.copy()

    def canvas(self, plane: Plane) -> PlaneCanvas:
        """Return where a plane's tiles are put together."""
        return PlaneCanvas(self.out, plane, self._tiling, self._source)

    def doubt(self, plane: Plane) -> PlaneCanvas:
        """Return where the uncertainty goes; nothing is held until there is one."""
        if self.uncertainty is None:
            self.uncertainty = np.full(self._source.shape, np.nan, dtype=np.float32)
        return PlaneCanvas(self.uncertainty, plane, self._tiling, None)

    def so_far(self, step: DenoiseStep) -> Writable:
        """Return the output with the best so far of the plane at work."""
        if not (self._filled or self._source.lazy):
            self._fill(self.out)
            self._filled = True
        if step.fit is not None:
            self.draw(step, self.out)
        return self.out

    def kept(self) -> Any:  # noqa: ANN401 - as `out` is
        """Return what is kept after a stop: planes that were not reached as they were.

        An array of the run's own is copied: the run may still be shown.
        """
        out: Any = self.out
        if self.own:
            out = out.copy()
        self._fill(out)
        return out

    def draw(self, step: DenoiseStep, out: Writable) -> bool:
        """Write the best so far of a whole plane, and tell whether there was one."""
        whole = step.problem.valid_yx.shape == self._tiling.shape_yx
        # At first only the noise was looked at.
        nothing = step.learning and step.fit is not None and step.fit.step == 0
        # Planes that learn together again, with less memory, may be finished.
        if nothing or not whole or step.plane in self._ledger:
            return False
        (tile,) = self._tiling.tiles
        canvas = PlaneCanvas(out, step.plane, self._tiling, self._source)
        canvas.add(tile, step.result.plane_yxs, step.problem.valid_yx)
        return True

    def _fill(self, out: Writable) -> None:
        """Leave planes that were not reached as they were."""
        for plane in planes_of(self._axes, self._source.shape):
            if plane not in self._ledger:
                copy_plane(self._source, plane, out)
