"""The columns of the tables: every name with its meaning and unit, in order."""

KEYS = {"run_id": "identity of the run", "job": "place in the sweep, from 0"}

RUN_RESULTS = {
    "status": "ok, diverged or failed",
    "diverged_at_step": "first step whose loss or gradients are not finite; empty where none",
    "error": "what failed, with its traceback; empty where nothing did",
    "final_loss": "J over all training examples after the last update; that of the last row where the run diverged",
    "final_accuracy": "on all training examples, in [0, 1]; empty for regressions",
    "test_accuracy": "on the test examples, in evaluation mode, in [0, 1]; empty where there are none",
    "delta_factor": "geometric mean over hidden layers of delta_norm^l / delta_norm^(l+1) at step 0",
    "delta_factor_lo": "lower end of its 95 % interval, from the increments of ln delta_norm",
    "delta_factor_hi": "upper end of its 95 % interval",
    "delta_factor_theory": "the prediction of delta_factor for infinite width; empty where there is no theory",
    "verdict": "vanishing, stable, exploding, saturated, dead, underflowed or diverged",
}

LAYERS = {
    "step": "number of updates made before this row",
    "layer": "1…L, the output being L; 0 is the input",
    "delta_norm": "√(mean_i ‖δ_i‖²)",
    "delta_mean_norm": "‖mean_i δ_i‖ = ‖∂J/∂b‖; empty under batch normalization, where it is zero by construction",
    "delta_rms": "delta_norm / √n_l",
    "weight_grad_norm": "‖∂J/∂W‖ before clipping, λ term included",
    "bias_grad_norm": "‖∂J/∂b‖ before clipping",
    "weight_norm": "‖W‖ before the update",
    "update_ratio": "‖ΔW‖/‖W‖ of the update made from this row, ΔW before it is rounded into W; empty in the last",
    "z_mean": "mean of z over units and examples",
    "z_var": "variance of z over units and examples",
    "a_mean": "mean of a over units and examples",
    "a_var": "variance of a over units and examples",
    "saturated": "fraction of entries whose |φ′| is below 5 % of its maximum",
    "dead": "fraction of units that are 0 on every example",
    "zero": "fraction of entries of δ that are exactly 0",
    "finite": "whether every entry of δ is finite",
    "delta_norm_theory": "predicted delta_norm at step 0, from architecture, weights' variance, loss and data; empty elsewhere",
    "log10_delta_norm": "log10 of delta_norm; with record.extended=true also where that under- or overflowed",
    "gradient_cosine": "mean cosine between ∂f/∂z (∂f/∂x in layer 0) at pairs of different inputs, f = Σ_k a_k^L, batch statistics "
    "held fixed; empty unless record.gradient_cosine=true",
    "a_rank": "effective rank (Σs²)²/Σs⁴ of a from its singular values s; empty unless record.a_rank=true",
}

STEPS = {
    "step": "number of updates made before this row",
    "loss": "J of the step's batch, λ term included",
    "accuracy": "fraction right on the step's batch; empty for regressions",
    "grad_norm": "norm of all gradients together, before clipping",
    "grad_norm_clipped": "the same after clipping",
    "clipped": "whether clipping changed a gradient",
    "sharpness": "largest eigenvalue of the Hessian of J, where recorded",
    **{
        f"mode_{number}": f"strength uᵀWv of mode {number} of Σ^yx in a linear net's W = W^L⋯W^1; empty unless record.modes=true"
        for number in (1, 2, 3, 4)
    },
    "singular_value_max": "largest singular value of that W",
    "singular_value_min": "smallest singular value of that W",
}

HISTOGRAMS = {
    "step": "first or last recorded step",
    "layer": "1…L",
    "quantity": "z, a or log10_abs_delta",
    "bin_low": "lower edge; −inf below the fixed bins, empty for the count of NaN",
    "bin_high": "upper edge; inf above the fixed bins, empty for the count of NaN",
    "count": "entries in the bin; empty bins have no row",
}

TABLES = {"layers": KEYS | LAYERS, "steps": KEYS | STEPS, "histograms": KEYS | HISTOGRAMS}
SORT = {
    "runs": ["job"],
    "layers": ["job", "step", "layer"],
    "steps": ["job", "step"],
    "histograms": ["job", "step", "layer", "quantity", "bin_low"],
}
