"""The norms of one step: what has one, and where it stands in an array of them."""

DELTA, WEIGHT_GRADIENT, BIAS_GRADIENT, WEIGHT, UPDATE, GAMMA_GRADIENT, BETA_GRADIENT, ALPHA_GRADIENT = range(8)
"""What has a norm; of layer 0, δ and its sum over the batch, which stands under BIAS_GRADIENT."""

QUANTITIES = 8
"""How many there are."""
