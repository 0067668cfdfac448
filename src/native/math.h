// Elementary functions of vectors, branch-free in float32: reduce the argument to a small interval, evaluate a polynomial
// (minimax in the relative error), put the exponent back. Errors are at most 2 ULP over all of float32 (4 for the GELU
// family), subnormals, infinities and NaN included, with fused multiply-add or without.
//
// What cancels in float32 (the reduction modulo pi, y log x) runs in double, half a register at a time. float64 calls the
// C library lane by lane; nothing here is included for it, the builtins become its functions.
#pragma once
#include "simd.h"

namespace math {

using F = V<float>;
using D = V<double>;
using Bits = V<uint32_t>;  // unsigned: arithmetic on the bits of NaN wraps
using HalfF = Lanes<float, WIDTH<double>>::type;  // as many floats as a register holds doubles

constexpr float INF = __builtin_inff();

// c0 + c1 x + c2 x^2 + ...
template <class X> INLINE X poly(X x, double c) { return X{} + decltype(x[0] + 0)(c); }
template <class X, class... C> INLINE X poly(X x, double c, C... more) { return poly(x, more...) * x + decltype(x[0] + 0)(c); }

INLINE F abs(F x) { return (F)((Bits)x & 0x7fffffff); }
INLINE F copysign(F x, F sign) { return (F)(((Bits)x & 0x7fffffff) | ((Bits)sign & 0x80000000)); }

// The nearest whole number, halves to even, for |x| < 2^22 (2^51).
INLINE F nearest(F x) { return (x + 0x1.8p23f) - 0x1.8p23f; }
INLINE D nearest(D x) { return (x + 0x1.8p52) - 0x1.8p52; }

template <class M> INLINE bool any(M mask) {
    auto found = mask[0];
    for (unsigned i = 1; i < sizeof(M) / sizeof(mask[0]); i++) found |= mask[i];
    return found;
}

// Lane by lane through the C library, in double: the rare and the long.
template <class X, class Fn> INLINE X each(X x, Fn fn) {
    for (unsigned i = 0; i < sizeof(X) / sizeof(x[0]); i++) x[i] = fn(double(x[i]));
    return x;
}
template <class X, class Fn> INLINE X each(X x, X y, Fn fn) {
    for (unsigned i = 0; i < sizeof(X) / sizeof(x[0]); i++) x[i] = fn(double(x[i]), double(y[i]));
    return x;
}

// fn(D, D) of floats, in two halves. Lambdas are marked: a vector passes through no call.
#define ALWAYS __attribute__((always_inline))
template <class Fn> INLINE F in_double(F x, F y, Fn fn) {
    union { F all; HalfF half[2]; } a{x}, b{y};
    for (int i = 0; i < 2; i++)
        a.half[i] = __builtin_convertvector(fn(__builtin_convertvector(a.half[i], D), __builtin_convertvector(b.half[i], D)), HalfF);
    return a.all;
}
template <class Fn> INLINE F in_double(F x, Fn fn) {
    return in_double(x, x, [fn](D a, D) ALWAYS { return fn(a); });
}

// Exponentials -------------------------------------------------------------------------------------------------------

// x = n ln 2 + r + low with |r| <= ln(2) / 2 and low the rounding error of r; power = 2^(n + shift), from the bits of a sum in
// which n stands at the end of the mantissa. Half of the exponents are shifted to where 2^n is a normal number.
struct Reduced { F r, low, power; };
INLINE Reduced reduce(F x, F shift) {
    F magic = 0x1.8p23f + shift, sum = x * 0x1.715476p0f + magic, n = sum - magic;
    F exact = x - n * 0x1.63p-1f, r = exact - n * -0x1.bd0106p-13f;
    return {r, (exact - r) - n * -0x1.bd0106p-13f, (F)(((Bits)sum << 23) + 0x3f800000)};
}

// e^r - 1 - r for a reduced r.
INLINE F exp_tail(F r) {
    return r * r * poly(r, 0.5, 0.166666657, 0.0416663624, 0.00833338965, 0.00139406382, 0.000198458773);
}

INLINE F exp(F x) {
    x = x > 89.f ? 89.f + F{} : x < -104.f ? -104.f + F{} : x;
    auto [r, low, power] = reduce(x, x < 0.f ? 64.f + F{} : -64.f + F{});
    return (1.f + (r + exp_tail(r))) * power * (x < 0.f ? 0x1p-64f + F{} : 0x1p64f + F{});
}

// e^(x + low) for x <= 0, where low is a rounding error of x, more exactly; as (head + tail) power 2^-64.
struct Decay {
    F head, tail, power;
    INLINE Decay(F x, F low) {
        auto [r, rest, power] = reduce(x < -111.f ? -111.f + F{} : x, 64.f + F{});
        r += low, head = 1.f + r, tail = (r - (head - 1.f)) + (rest + exp_tail(r)), this->power = power;
    }
    INLINE F value() const { return (head + tail) * power * 0x1p-64f; }
};
INLINE F decay(F x) { return Decay(x, F{}).value(); }

INLINE F expm1(F x) {
    auto [r, low, half] = reduce(x > 89.f ? 89.f + F{} : x < -40.f ? -40.f + F{} : x, -1.f + F{});  // 2^n / 2: 2^128 is too large
    F head = half - 0.5f, sum = head + half * r, lost = half * r - (sum - head);
    return abs(x) < 0x1p-24f ? x : (sum + (lost + half * (low + exp_tail(r)))) * 2.f;
}

// 1 less what is missing, 2 z / (1 + z) with z = e^-2|x|; a polynomial where that cancels
INLINE F tanh(F x) {
    F a = abs(x), z = decay(-2.f * a), square = x * x;
    F small = x + x * square * poly(square, -0.333333313, 0.133332461, -0.0539521687, 0.0217327215, -0.0082627451, 0.00222697412);
    return a < 0.6f ? small : copysign(1.f - 2.f * z / (1.f + z), x);
}

INLINE F sigmoid(F x) {
    F z = decay(-abs(x)), sum = 1.f + z, lost = z - (sum - 1.f), y = (x < 0.f ? z : 1.f + F{}) / sum;
    return y - y * lost;
}

// Logarithms ---------------------------------------------------------------------------------------------------------

// x = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2), for 0 < x < infinity.
struct Split { F k, f; };
INLINE Split split(F x) {
    auto tiny = x < 0x1p-126f;
    Bits bits = (Bits)(tiny ? x * 0x1p23f : x) + (0x3f800000 - 0x3f3504f3);
    V<int32_t> k = (V<int32_t>)(bits >> 23) - 127 + (tiny & -23);
    return {__builtin_convertvector(k, F), (F)((bits & 0x7fffff) + 0x3f3504f3) - 1.f};
}

// log(1 + f) - f
INLINE F log_tail(F f) {
    F square = f * f;
    return f * square * poly(f, 0.333333135, -0.250000089, 0.200021207, -0.166679963, 0.14219518, -0.12405546, 0.118883908, -0.11676041, 0.0674659684) - 0.5f * square;
}

INLINE F log_split(F k, F f) { return k * 0x1.63p-1f + (f + (log_tail(f) + k * -0x1.bd0106p-13f)); }

// y, the logarithm of x > 0, where it is one.
INLINE F or_special(F y, F x) {
    return x > 0.f ? (x < INF ? y : x) : x == 0.f ? -INF + F{} : __builtin_nanf("") + F{};
}

INLINE F log(F x) {
    auto [k, f] = split(x);
    return or_special(log_split(k, f), x);
}
INLINE F log2(F x) {
    auto [k, f] = split(x);
    F t = log_tail(f);
    return or_special(k + (f + (t + (f + t) * 0x1.c551dap-2f)), x);  // log2(e) - 1
}
INLINE F log10(F x) {
    auto [k, f] = split(x);
    F t = log_tail(f);
    F low = k * 0x1.04d428p-12f + (f * 0x1.6f62a4p-11f + t * 0x1.bcb7b2p-2f);  // both constants in two parts
    return or_special(k * 0x1.34p-2f + (f * 0x1.bcp-2f + low), x);
}
INLINE F log1p(F x) {
    F u = 1.f + x, lost = x < 1.f ? x - (u - 1.f) : 1.f - (u - x);
    auto [k, f] = split(u);
    V<int32_t> shift = __builtin_convertvector(k < 126.f ? k : 126.f + F{}, V<int32_t>);  // what is lost matters for small k only
    F y = log_split(k, f + lost * (F)((127 - shift) << 23));
    return abs(x) < 0x1p-25f ? x : or_special(y, u);
}

// The normal distribution --------------------------------------------------------------------------------------------

INLINE F erf(F x) {
    F a = abs(x), square = x * x;
    F inner = x + x * poly(square, 0.128379166, -0.376126319, 0.112836637, -0.0268577058, 0.0051969518, -0.000809770252, 8.1850907e-05);
    F b = a > 4.f ? 4.f + F{} : a;
    F outer = 1.f - decay(poly(b, 0.000169205508, -1.12948835, -0.633400857, -0.108220391, 0.0250806194, -0.00415625609, 0.000431393855, -2.08286456e-05));
    return a < 0.95f ? inner : copysign(outer, x);
}

// The upper tail of the standard normal distribution beyond a is density * ratio / a, for a >= 1: relatively right far out.
struct Tail {
    F density, ratio;  // e^(-a^2 / 2); Mills' ratio times a / sqrt(2 pi)
    INLINE Tail(F a) {
        a = a > 16.f ? 16.f + F{} : a;
        F high = (F)((Bits)a & 0xfffff000);
        density = Decay(-0.5f * high * high, -0.5f * (a - high) * (a + high)).value();
        ratio = poly((a - 4.f) / (a + 4.f), 0.377642572, 0.0736942589, -0.110379465, 0.100307159, -0.0630661622, 0.0264352169, -0.00548187131, -0.000954882416, 0.000788488716);
    }
};

// x f(x), where f is 0 at -infinity; 0 times infinity is NaN there, as in the reference.
INLINE F or_nan(F y, F x) { return x == -INF ? x * 0.f : y; }

// The standard normal distribution between 0 and a, for 0 <= a < 1.
INLINE F central(F a) {
    return a * poly(a * a, 0.398942292, -0.0664903149, 0.00997307803, -0.00118578493, 0.00011295217, -7.46289334e-06);
}

// x times the normal distribution function: y(x) = y(-|x|) + max(x, 0), so that only x < 0 is approximated.
INLINE F gelu(F x) {
    F a = abs(x);
    Tail tail(a);
    return or_nan((a < 1.f ? a * (central(a) - 0.5f) : -(tail.density * tail.ratio)) + (x < 0.f ? F{} : x), x);
}

// Its derivative, the distribution function plus x times the density: y'(x) = 1 - y'(-x).
INLINE F gelu_slope(F x) {
    F a = abs(x);
    Tail tail(a);
    F below = (a < 1.f ? 0.5f - central(a) : tail.density * tail.ratio / a) - a * (tail.density * 0.398942292f);
    return x < 0.f ? below : 1.f - below;
}

// f / (1 + e^-(x + low)), right also where the quotient alone is below the normal numbers.
INLINE F times_logistic(F f, F x, F low) {
    Decay z(-abs(x), x < 0.f ? low : -low);
    F e = z.value(), sum = 1.f + e, lost = e - (sum - 1.f);
    return x < 0.f ? f * (z.head + (z.tail - lost * z.head)) * z.power / sum * 0x1p-64f : f / sum;
}

INLINE F silu(F x) { return or_nan(times_logistic(x, x, F{}), x); }

// x sigmoid(x (c0 + c1 x^2)) with c0 = sqrt(8 / pi), c1 = 0.044715 c0: far out the argument needs more than float32's digits.
INLINE F gelu_tanh(F x) {
    F near = x > 16.f ? 16.f + F{} : x < -16.f ? -16.f + F{} : x;
    F high = (F)((Bits)near & 0xfffff000), low = near - high;
    F square = high * high, square_low = low * (near + high), top = (F)((Bits)square & 0xfffff000);
    F w = top * 0x1.248p-4f, w_low = top * -0x1.d86adap-15f + ((square - top) + square_low) * 0x1.2444f2p-4f + 0x1.14cf5p-14f;  // c1 x^2
    w += 0x1.988p0f;
    F w_high = (F)((Bits)w & 0xfffff000);
    w_low += w - w_high;
    F product = high * w_high, rest = high * w_low + low * (w_high + w_low), sum = product + rest;
    return or_nan(times_logistic(x, sum, rest - (sum - product)), x);
}

// In double ----------------------------------------------------------------------------------------------------------

INLINE D exp_double(D x) {
    x = x > 700. ? 700. + D{} : x < -700. ? -700. + D{} : x;
    D n = nearest(x * 0x1.71547652b82fep0), r = x - n * 0x1.62e42fefa39efp-1;
    D y = poly(r, 1., 1., 1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320, 1. / 362880, 1. / 3628800, 1. / 39916800);
    return y * (D)(((V<uint64_t>)__builtin_convertvector(n, V<int64_t>) + 1023) << 52);
}

// 2 artanh((m - 1) / (m + 1)) + k ln 2 for x = 2^k m; -infinity at 0
INLINE D log_double(D x) {
    V<uint64_t> bits = (V<uint64_t>)x + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
    D k = __builtin_convertvector((V<int64_t>)(bits >> 52) - 1023, D), m = (D)((bits & 0xfffffffffffff) + 0x3fe6a09e667f3bcd);
    D s = (m - 1.) / (m + 1.), y = k * 0x1.62e42fefa39efp-1 + 2. * s * poly(s * s, 1., 1. / 3, 1. / 5, 1. / 7, 1. / 9, 1. / 11, 1. / 13, 1. / 15, 1. / 17);
    return x == 0. ? -double(INF) + D{} : x < double(INF) ? y : x;
}

// x^y as the C library's pow: 1 where y = 0 or x = 1, negative x for whole y only, the signs of odd powers.
INLINE F pow(F base, F exponent) {
    return in_double(base, exponent, [](D x, D y) ALWAYS {
        D a = x < 0. ? -x : x, t = y * log_double(a + 0.);
        D r = exp_double((a == 1.) | (y == 0.) ? D{} : t);
        r = t == double(INF) ? t : r;
        D half = 0.5 * y, whole = nearest(y);
        auto odd = (whole == y) & (nearest(half) != half), negative = (V<int64_t>)x < 0;
        r = odd & negative ? -r : r;
        return (x < 0.) & (x > -double(INF)) & (whole != y) & (y == y) ? __builtin_nan("") + D{} : (x == 1.) | (y == 0.) ? 1. + D{} : (x != x) | (y != y) ? x + y : r;
    });
}

// sin(x + quarter pi / 2): x modulo pi / 2 in two parts up to 10^6, the C library beyond.
template <int QUARTER> INLINE F sine(F angle) {
    if (any(!(abs(angle) < 1e6f))) return each(angle, [](double x) { return QUARTER ? __builtin_cos(x) : __builtin_sin(x); });
    return in_double(angle, [](D x) ALWAYS {
        D n = nearest(x * 0x1.45f306dc9c883p-1), r = (x - n * 0x1.921fb544p0) - n * 0x1.0b4611a626331p-34, s = r * r;
        V<int64_t> quarter = __builtin_convertvector(n, V<int64_t>) + QUARTER;
        D sin = r + r * s * poly(s, -1. / 6, 1. / 120, -1. / 5040, 1. / 362880, -1. / 39916800, 1. / 6227020800);
        D cos = 1. + s * poly(s, -1. / 2, 1. / 24, -1. / 720, 1. / 40320, -1. / 3628800, 1. / 479001600);
        D y = (quarter & 1) != 0 ? cos : sin;
        return (quarter & 2) != 0 ? -y : y;
    });
}
INLINE F sin(F x) { return sine<0>(x); }
INLINE F cos(F x) { return sine<1>(x); }

INLINE F sinh(F angle) {
    return in_double(angle, [](D x) ALWAYS {
        D e = exp_double(x), small = x + x * x * x * (1. / 6);
        return (x < 0x1p-10) & (x > -0x1p-10) ? small : 0.5 * (e - 1. / e);
    });
}
INLINE F cosh(F angle) {
    return in_double(angle, [](D x) ALWAYS {
        D e = exp_double(x);
        return 0.5 * (e + 1. / e);
    });
}

// float64, and what is too rare for a polynomial ---------------------------------------------------------------------

#define LIBRARY(X, name, ...) INLINE X name(X v) { return each(v, [](double x) { return __VA_ARGS__; }); }
LIBRARY(D, exp, __builtin_exp(x))
LIBRARY(D, expm1, __builtin_expm1(x))
LIBRARY(D, log, __builtin_log(x))
LIBRARY(D, log1p, __builtin_log1p(x))
LIBRARY(D, log2, __builtin_log2(x))
LIBRARY(D, log10, __builtin_log10(x))
LIBRARY(D, tanh, __builtin_tanh(x))
LIBRARY(D, sin, __builtin_sin(x))
LIBRARY(D, cos, __builtin_cos(x))
LIBRARY(D, sinh, __builtin_sinh(x))
LIBRARY(D, cosh, __builtin_cosh(x))
LIBRARY(D, erf, __builtin_erf(x))
INLINE D pow(D a, D b) { return each(a, b, [](double x, double y) { return __builtin_pow(x, y); }); }

INLINE double logistic(double x) {
    double z = __builtin_exp(-__builtin_fabs(x));
    return (x < 0 ? z : 1) / (1 + z);
}
constexpr double GELU_C0 = 1.5957691216057308, GELU_C1 = 0.044715 * GELU_C0, HALF_ROOT = 0.7071067811865476;
LIBRARY(D, sigmoid, logistic(x))
LIBRARY(D, silu, x * logistic(x))
LIBRARY(D, gelu, x * 0.5 * __builtin_erfc(-x * HALF_ROOT))
LIBRARY(D, gelu_slope, 0.5 * __builtin_erfc(-x * HALF_ROOT) + x * __builtin_exp(-0.5 * x * x) * 0.3989422804014327)
LIBRARY(D, gelu_tanh, x * logistic(x * (GELU_C0 + GELU_C1 * x * x)))

}  // namespace math
