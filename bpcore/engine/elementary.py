"""STUB."""
import math
from bpcore.engine.compiling import inner
@inner({"contract"})
def exp(x): return math.exp(x)
@inner({"contract"})
def log(x): return math.log(x)
@inner({"contract"})
def log1p(x): return math.log1p(x)
@inner({"contract"})
def sinh(x): return math.sinh(x)
@inner({"contract"})
def logistic(x): return 1/(1+math.exp(-x))
