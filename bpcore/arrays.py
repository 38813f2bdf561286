"""The array type shared by the core."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
"""A numpy array, real in use and complex under complex-step differentiation."""

FloatArray = npt.NDArray[np.float64]
"""Measured values: always float64, whatever the dtype of the run."""
