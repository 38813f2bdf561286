"""What theory says of a deep net at initialization: variances, gradient factors, depth scales, their limits.

Convention: z^(l+1) = W^(l+1) φ(z^l) + b, Var(W)·fan_in = σ_w², Var(b) = σ_b²; every χ is a factor of the *squared* norm of
δ per layer, and the norm's factor is √χ. Predictions are for means of squares over weights; the geometric mean of single
nets lies lower by what `finite_width` says. Dropout that keeps a share p of the units makes E[a²]/p of E[a²]: q and χ are those of σ_w²/p,
and what two inputs share, whose masks are independent, is that of σ_w². Where a regime has no theory the value is NaN and never a guess.
"""

from bpcore.theory.batch_norm import (
    BatchMoments,
    FirstLayer,
    batch_moments,
    batch_norm_factors,
    batch_norm_rate,
    batch_square,
    first_layer,
)
from bpcore.theory.correlation import (
    DepthScales,
    correlation_map,
    correlation_slope,
    correlations,
    covariance,
    depth_scales,
    stable_correlation,
)
from bpcore.theory.dead import dead_layer_probability
from bpcore.theory.edge import EdgePoint, critical_sigma_w, edge_curve, edge_of_chaos
from bpcore.theory.example_norm import example_norm_factors, example_norm_rate, finite_share
from bpcore.theory.finite_width import kappa, length_spread, log_spread
from bpcore.theory.fixed_points import FixedPoint, fixed_points, limit
from bpcore.theory.isometry import gaussian_product_edge, jacobian_spread
from bpcore.theory.layerwise import Propagation, groups_of, propagate
from bpcore.theory.limits import neuron_window, overflow_depth, step_size_limit, underflow_depth
from bpcore.theory.maps import chi, chis, length_slope, length_slopes, second_moment, second_moments, slopes
from bpcore.theory.moments import moment_jacobian, moment_map
from bpcore.theory.output import output_error, softmax_error
from bpcore.theory.quadrature import gaussian_mean, paired_mean, scaled_means
from bpcore.theory.relu_walk import relu_walk
from bpcore.theory.residual import Division, Stack, residual_factors
from bpcore.theory.symmetric import symmetric_factors, symmetric_values

__all__ = [
    "BatchMoments",
    "DepthScales",
    "Division",
    "EdgePoint",
    "FirstLayer",
    "FixedPoint",
    "Propagation",
    "Stack",
    "batch_moments",
    "batch_norm_factors",
    "batch_norm_rate",
    "batch_square",
    "chi",
    "chis",
    "correlation_map",
    "correlation_slope",
    "correlations",
    "covariance",
    "critical_sigma_w",
    "dead_layer_probability",
    "depth_scales",
    "edge_curve",
    "edge_of_chaos",
    "example_norm_factors",
    "example_norm_rate",
    "finite_share",
    "first_layer",
    "fixed_points",
    "gaussian_mean",
    "gaussian_product_edge",
    "groups_of",
    "jacobian_spread",
    "kappa",
    "length_slope",
    "length_slopes",
    "length_spread",
    "limit",
    "log_spread",
    "moment_jacobian",
    "moment_map",
    "neuron_window",
    "output_error",
    "overflow_depth",
    "paired_mean",
    "propagate",
    "relu_walk",
    "residual_factors",
    "scaled_means",
    "second_moment",
    "second_moments",
    "slopes",
    "softmax_error",
    "stable_correlation",
    "step_size_limit",
    "symmetric_factors",
    "symmetric_values",
    "underflow_depth",
]
