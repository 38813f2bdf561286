"""The singular values of a deep net's Jacobian J = Π_l D_l W_l at a fixed point of the variance: how unequal they are.

D holds φ′(z), W is square. mean s² = χ^L; at criticality it is 1, and what is left is the spread about it.
"""

import numpy as np

from bpcore.activation import Activation
from bpcore.theory.maps import chis
from bpcore.theory.quadrature import scaled_means


def jacobian_spread(phi: Activation, q: float, depth: int, orthogonal: bool) -> float:
    """Return Var(s²)/mean(s²)² of the singular values s of J = Π_l D_l W_l.

    L(μ₂/μ₁² − 1 − s₁), μ_k = E[φ′(√q Z)^(2k)]; s₁ is 0 for orthogonal weights and −1 for Gaussian ones.

    Known bias: of order L/n above it.

    Args:
        phi: the activation.
        q: q*, the variance of z in every layer, > 0.
        depth: L ≥ 1, factors of the product.
        orthogonal: whether the weights are orthogonal; else they are independent and Gaussian.

    Source: Pennington, Schoenholz & Ganguli 2017, eq. 22; 2018, theorem 1.
    """
    at = np.array([q])
    first = float(chis(phi, at)[0])
    second = float(scaled_means(lambda u: phi.prime(u) ** 4, at, phi.breaks, phi.steep)[0])
    return depth * (second / first**2 - 1 + (0 if orthogonal else 1))


def gaussian_product_edge(depth: int) -> float:
    """Return the largest squared singular value of a product of L independent square Gaussian matrices of variance 1/n: (L + 1)^(L+1)/L^L.

    Known bias: lower at finite n.

    Args:
        depth: L ≥ 1.

    Source: Pennington, Schoenholz & Ganguli 2017, section 2.
    """
    return float((depth + 1) ** (depth + 1) / depth**depth)
