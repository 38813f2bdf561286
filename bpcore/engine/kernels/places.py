"""Where a compiled pass finds what belongs to a layer, in rows laid out one run after another.

`plan` holds the addresses and numbers that `Engine` lays out: `plan.z` is where the array z begins, `plan.z_columns` how many entries a
row of it has. `row` is the row of a run in the arrays of a pass: its own where everything is kept.
"""

from bpcore.engine.kernels.language import ENTRIES, inner
from bpcore.engine.kernels.pointers import load
from bpcore.measure.quantities import ALPHA_GRADIENT, BETA_GRADIENT, BIAS_GRADIENT, GAMMA_GRADIENT, WEIGHT_GRADIENT


@inner(ENTRIES)
def size_of(plan, l):
    """Return n_l."""
    return load(plan.sizes, l, 0)


@inner(ENTRIES)
def units_below(plan, l):
    """Return the number of units below layer l, the input left out."""
    return load(plan.units, l, 0)


@inner(ENTRIES)
def part_of(plan, l, kind):
    """Return where W, b, γ, β or α of a layer begins in a row of parameters, −1 where there is none, and how many entries it has."""
    n = size_of(plan, l)
    if kind == 0:
        return load(plan.weights, l, 0), n * size_of(plan, l - 1)
    if kind == 1:
        return load(plan.biases, l, 0), n
    if kind == 4:
        return load(plan.alphas, l, 0), 1
    return (load(plan.gammas, l, 0), n) if kind == 2 else (load(plan.betas, l, 0), n)


@inner(ENTRIES)
def quantity_of(kind):
    """Return the quantity that the gradient of W, b, γ, β or α is."""
    if kind == 0:
        return WEIGHT_GRADIENT
    if kind == 1:
        return BIAS_GRADIENT
    if kind == 4:
        return ALPHA_GRADIENT
    return GAMMA_GRADIENT if kind == 2 else BETA_GRADIENT


@inner(ENTRIES)
def parameter_at(plan, r, l, kind):
    """Return the place of W, b, γ, β or α of a run's layer among all parameters."""
    return r * plan.parameters_columns + part_of(plan, l, kind)[0]


@inner(ENTRIES)
def shift_of(plan, l, later):
    """Return what a layer's gradients are moved down: to the beginning, unless those of all layers are kept."""
    return 0 if later else load(plan.own, l, 0)


@inner(ENTRIES)
def gradient_at(plan, row, l, kind, later):
    """Return the place of the gradient of W, b, γ, β or α."""
    return row * plan.gradient_columns + part_of(plan, l, kind)[0] - shift_of(plan, l, later)


@inner(ENTRIES)
def all_stay(plan):
    """Return whether z, h and δ of all layers stay: they are asked for, or layers are added to others."""
    return plan.keep == 1 or plan.skips == 1


@inner(ENTRIES)
def source_of(plan, l):
    """Return the layer whose sum a layer is added to, 0 for none."""
    return load(plan.skip_sources, l, 0)


@inner(ENTRIES)
def target_of(plan, l):
    """Return the layer that is added to a layer's sum, 0 for none."""
    return load(plan.skip_targets, l, 0)


@inner(ENTRIES)
def z_at(plan, row, l):
    """Return the place of z^l, and of h^l among its like: one layer's takes another's place unless all are kept."""
    return row * plan.z_columns + (units_below(plan, l) * plan.m if all_stay(plan) else 0)


@inner(ENTRIES)
def std_at(plan, row, l):
    """Return the place of √(v+ε) of a normalized layer: one a unit, or, where examples are normalized, one a group and example."""
    return row * plan.std_columns + (units_below(plan, l) if plan.groups == 0 else (l - 1) * plan.groups * plan.m)


@inner(ENTRIES)
def normalized_after(plan, l):
    """Return whether a layer is normalized after φ."""
    return plan.norm_after == 1 and part_of(plan, l, 2)[0] >= 0


@inner(ENTRIES)
def normalized_before(plan, l):
    """Return whether a layer is normalized before φ."""
    return plan.norm_after == 0 and part_of(plan, l, 2)[0] >= 0


@inner(ENTRIES)
def a_at(plan, row, l):
    """Return the place of a^l."""
    return row * plan.a_columns + units_below(plan, l) * plan.m


@inner(ENTRIES)
def delta_at(plan, row, l):
    """Return the place of δ^l: after those of the layers below where all are kept, or in one of two halves."""
    if all_stay(plan):
        return row * plan.delta_columns + (0 if l == 0 else (plan.n_in + units_below(plan, l)) * plan.m)
    return (l % 2) * (plan.delta_columns // 2)


@inner(ENTRIES)
def alpha_of(plan, T, r, l):
    """Return α of a layer that is added to something: what the run has learned, or what all are given."""
    if part_of(plan, l, 4)[0] >= 0:
        return load(plan.parameters, parameter_at(plan, r, l, 4), T)
    return type(T)(plan.alpha)
