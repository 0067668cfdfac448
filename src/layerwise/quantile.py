"""The quantiles of the normal distribution."""

from .autograd import Array
from .backends import xp

# Coefficients of z^0, z^1, ...: numerator and denominator, for tails down to 0.075, to e^-25, and beyond.
_CENTRAL = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_MIDDLE = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_FAR = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def upper_quantile(tail: Array, centre: Array) -> Array:
    """q with P(Z > q) = tail and P(0 < Z < q) = centre = 1/2 - tail, for a standard normal Z and 0 < tail <= 1/2

    Both probabilities are given, since neither can be had precisely from the other where it is small.
    Three rational functions, exact to about 1e-16: Wichura, algorithm AS 241 (1988).
    """
    depth = xp().sqrt(-xp().log(tail))
    central = centre * _ratio(_CENTRAL, 0.180625 - centre * centre)
    outer = xp().where(depth <= 5, _ratio(_MIDDLE, depth - 1.6), _ratio(_FAR, depth - 5))
    return xp().where(centre <= 0.425, central, outer)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    numerator, denominator = coefficients
    return _polynomial(numerator, x) / _polynomial(denominator, x)


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    total = coefficients[-1] * x
    for c in coefficients[-2:0:-1]:
        total = (total + c) * x
    return total + coefficients[0]
