"""Combination of the candidates into one result: weights, post-filters, quality, maps.

A candidate network returns a `Candidate` (`prediction`): a denoised plane and its
divergence. `weighting` chooses the weights of the mean on held-out pixels, `filters`
filters the mean and limits it, `quality` estimates the error, and `maps` computes
further values for each pixel. `strength` changes a finished result.

To add a post-filter, write a function in a file of its own in `filters` and add it to
`POST_FILTERS` in `filters.post_filters`, or to `PILOT_FILTERS` if it shall run before
the search for similar patches. The filters run in the order of these dictionaries. A
filter returns the estimate unchanged where it does not apply, and updates the
divergence if it changes how much of the noise is left. From outside of the package::

    def brighter(problem: FilterProblem, estimate: Estimate) -> Estimate:
        return replace(estimate, plane_yxs=estimate.plane_yxs + np.float32(2))

    POST_FILTERS["brighter"] = brighter

To add a map, write a function and add it to `MAPS` in `maps`. `DenoiseResult.maps`, the
option `--maps` and the files of a run then contain it::

    def removed_share(problem: NoisyPlane, result: FitResult) -> NDArray[np.floating]:
        return residual(problem, result) / problem.plane_yxs

    MAPS["removed_share"] = removed_share

Nothing is imported here: some modules import torch.
"""
