// The instructions of the fused kernel: what each is called, what it makes of one vector, and a loop for each over a block's
// numbers. Whole numbers wrap, comparisons give 0 or 1, NaN goes its way as in NumPy.
#pragma once
#include "math.h"
#include "view.h"

namespace fused {

// The instructions. `layerwise.backends.opcodes` has the same numbers.
enum class Op : int64_t {
    LOAD = 0, STORE = 1,  // dst, a = argument; -, a, b = argument (stride 0 along the last axis: one number a row)
    CONST = 2,            // dst, a = which of `reals`
    ADD = 10, SUB = 11, MUL = 12, DIV = 13, POW = 14, MAX = 15, MIN = 16,  // dst, a, b: NaN wins in MAX and MIN
    EQ = 17, NE = 18, LT = 19, LE = 20, GT = 21, GE = 22,                  // 0 or 1
    AND = 23, OR = 24, XOR = 25,                                           // of what is not 0
    BITAND = 26, BITOR = 27, BITXOR = 28, SHL = 29, SHR = 30,
    FLOORDIV = 31, MOD = 32, ARCTAN2 = 33,
    WHERE = 40,  // dst, a != 0 ? b : c
    NEG = 50, ABS = 51, SQRT = 52, EXP = 53, EXPM1 = 54, LOG = 55, LOG1P = 56, TANH = 57, SIGMOID = 58, ERF = 59,  // dst, a
    SIN = 60, COS = 61, FLOOR = 62, CEIL = 63, RINT = 64, SIGN = 65, RECIPROCAL = 66, SQUARE = 67, ISNAN = 68, ISINF = 69,
    ISFINITE = 70, NOT = 71, SILU = 73, GELU = 74, GELU_TANH = 75, GELU_SLOPE = 76, LOG2 = 77, LOG10 = 78, SINH = 79, COSH = 80, TAN = 85,
    ARCSIN = 86, ARCCOS = 87, ARCTAN = 88, ARCSINH = 89,
    ROW_SUM = 90, ROW_MAX = 91, ROW_MIN = 92, ROW_ARGMAX = 93, ROW_MEAN = 95,  // dst, a: one number a row; the first of equals
    ROW_PICK = 94,  // dst, a[b], b one number a row: from the end where negative, NaN outside the row (for real numbers only)
    ADD_COLUMNS = 100,  // -, a, b = argument (stride 0 but along the last axis) = sum over all rows
    ADD_ALL = 101,      // -, a, b = argument (stride 0) = sum
    ARCCOSH = 110, ARCTANH = 111, TRUNC = 112,
};

constexpr bool is_binary(Op op) { return op >= Op::ADD && op <= Op::ARCTAN2; }
constexpr bool is_row(Op op) { return op >= Op::ROW_SUM && op <= Op::ROW_MEAN; }
constexpr bool is_sum(Op op) { return op >= Op::ADD_COLUMNS && op <= Op::ADD_ALL; }
constexpr bool is_cheap(Op op) {
    return (op >= Op::ADD && op <= Op::DIV) || op == Op::MAX || op == Op::MIN || op == Op::EQ || (op >= Op::LT && op <= Op::GE) ||
           op == Op::NEG || op == Op::ABS || op == Op::SQRT || op == Op::RECIPROCAL || op == Op::SQUARE;
}
constexpr bool is_long(Op op) {
    return op == Op::POW || (op >= Op::FLOORDIV && op <= Op::ARCTAN2) || (op >= Op::EXP && op <= Op::COS) ||
           (op >= Op::SILU && op <= Op::ARCSINH) || op == Op::ARCCOSH || op == Op::ARCTANH;
}
constexpr int operands(Op op) { return op == Op::WHERE ? 3 : is_binary(op) ? 2 : 1; }

// One instruction on one vector ------------------------------------------------------------------------------------------

template <class T> constexpr bool REAL = T(0.5) != T(0);
template <class T> struct WrapsAs { using type = T; };  // whole numbers are added and multiplied modulo 2^bits
template <> struct WrapsAs<int32_t> { using type = uint32_t; };
template <> struct WrapsAs<int64_t> { using type = uint64_t; };

template <class T> INLINE T remainder_of(T a, T b) {
    return sizeof(T) == 4 ? T(__builtin_fmodf(float(a), float(b))) : T(__builtin_fmod(a, b));
}

template <class T> INLINE T modulo(T a, T b) {  // with the sign of b
    if constexpr (REAL<T>) {
        const T m = remainder_of(a, b);
        if (m == 0) return T(__builtin_copysign(0, b));
        return (b < 0) != (m < 0) ? m + b : m;
    } else {
        if (b == 0 || (T(-1) < T(0) && b == T(-1))) return 0;
        const T m = a % b;
        return m != 0 && (b < 0) != (m < 0) ? m + b : m;
    }
}

template <class T> INLINE T floor_divide(T a, T b) {
    if constexpr (REAL<T>) {
        if (b == 0) return a / b;
        const T m = remainder_of(a, b), quotient = (a - m) / b - T(m != 0 && (b < 0) != (m < 0));
        if (quotient == 0) return T(__builtin_copysign(0, a / b));
        const T whole = T(__builtin_floor(quotient));
        return quotient - whole > T(0.5) ? whole + 1 : whole;
    } else {
        using U = typename WrapsAs<T>::type;
        if (b == 0) return 0;
        if (T(-1) < T(0) && b == T(-1)) return T(-U(a));
        return T(a / b - (a % b != 0 && (a < 0) != (b < 0)));
    }
}

template <class T> INLINE T power(T a, T b) {
    using U = typename WrapsAs<T>::type;
    if (b < 0) return a == 1 ? 1 : a == T(-1) ? (b & 1 ? T(-1) : 1) : 0;
    U y = 1;
    for (U x = U(a), n = U(b); n; n >>= 1, x *= x)
        if (n & 1) y *= x;
    return T(y);
}

#define LANE_BY_LANE(expression)                                           \
    {                                                                      \
        V<T> y{};                                                          \
        for (int i = 0; i < WIDTH<T>; i++) y[i] = T(expression);           \
        return y;                                                          \
    }
#define ROUNDED(fn) LANE_BY_LANE(sizeof(T) == 4 ? __builtin_##fn##f(float(a[i])) : __builtin_##fn(double(a[i])))
#define LIBRARY_CALL(fn) return math::each(a, [](double x) { return __builtin_##fn(x); })

template <Op OP, class T> INLINE V<T> apply(V<T> a, V<T> b, V<T> c) {
    using U = V<typename WrapsAs<T>::type>;
    const V<T> zero{}, one = broadcast(T(1));
    if constexpr (OP == Op::ADD) return (V<T>)((U)a + (U)b);
    if constexpr (OP == Op::SUB) return (V<T>)((U)a - (U)b);
    if constexpr (OP == Op::MUL) return (V<T>)((U)a * (U)b);
    if constexpr (OP == Op::MAX) return maximum<T>(a, b);
    if constexpr (OP == Op::MIN) return minimum<T>(a, b);
    if constexpr (OP == Op::EQ) return a == b ? one : zero;
    if constexpr (OP == Op::NE) return a != b ? one : zero;
    if constexpr (OP == Op::LT) return a < b ? one : zero;
    if constexpr (OP == Op::LE) return a <= b ? one : zero;
    if constexpr (OP == Op::GT) return a > b ? one : zero;
    if constexpr (OP == Op::GE) return a >= b ? one : zero;
    if constexpr (OP == Op::AND) return (a != zero) & (b != zero) ? one : zero;
    if constexpr (OP == Op::OR) return (a != zero) | (b != zero) ? one : zero;
    if constexpr (OP == Op::XOR) return (a != zero) ^ (b != zero) ? one : zero;
    if constexpr (OP == Op::NOT) return a == zero ? one : zero;
    if constexpr (OP == Op::WHERE) return a != zero ? b : c;
    if constexpr (OP == Op::SQUARE) return (V<T>)((U)a * (U)a);
    if constexpr (OP == Op::FLOORDIV) LANE_BY_LANE(floor_divide<T>(a[i], b[i]))
    if constexpr (OP == Op::MOD) LANE_BY_LANE(modulo<T>(a[i], b[i]))
    if constexpr (REAL<T>) {
        if constexpr (OP == Op::DIV) return a / b;
        if constexpr (OP == Op::POW) return math::pow(a, b);
        if constexpr (OP == Op::ARCTAN2) return math::each(a, b, [](double y, double x) { return __builtin_atan2(y, x); });
        if constexpr (OP == Op::NEG) return -a;
        if constexpr (OP == Op::ABS) return (V<T>)((V<Int<T>>)a & ~((Int<T>)1 << (sizeof(T) * 8 - 1)));
        if constexpr (OP == Op::SIGN) return a > zero ? one : a < zero ? -one : a == zero ? zero : a;
        if constexpr (OP == Op::RECIPROCAL) return one / a;
        if constexpr (OP == Op::ISNAN) return a != a ? one : zero;
        if constexpr (OP == Op::ISINF) return (a == T(__builtin_inf())) | (a == -T(__builtin_inf())) ? one : zero;
        if constexpr (OP == Op::ISFINITE) return (a < T(__builtin_inf())) & (a > -T(__builtin_inf())) ? one : zero;
        if constexpr (OP == Op::SQRT) ROUNDED(sqrt)
        if constexpr (OP == Op::FLOOR) ROUNDED(floor)
        if constexpr (OP == Op::CEIL) ROUNDED(ceil)
        if constexpr (OP == Op::RINT) ROUNDED(rint)
        if constexpr (OP == Op::TRUNC) ROUNDED(trunc)
        if constexpr (OP == Op::EXP) return math::exp(a);
        if constexpr (OP == Op::EXPM1) return math::expm1(a);
        if constexpr (OP == Op::LOG) return math::log(a);
        if constexpr (OP == Op::LOG1P) return math::log1p(a);
        if constexpr (OP == Op::LOG2) return math::log2(a);
        if constexpr (OP == Op::LOG10) return math::log10(a);
        if constexpr (OP == Op::TANH) return math::tanh(a);
        if constexpr (OP == Op::SIGMOID) return math::sigmoid(a);
        if constexpr (OP == Op::ERF) return math::erf(a);
        if constexpr (OP == Op::SIN) return math::sin(a);
        if constexpr (OP == Op::COS) return math::cos(a);
        if constexpr (OP == Op::SINH) return math::sinh(a);
        if constexpr (OP == Op::COSH) return math::cosh(a);
        if constexpr (OP == Op::SILU) return math::silu(a);
        if constexpr (OP == Op::GELU) return math::gelu(a);
        if constexpr (OP == Op::GELU_TANH) return math::gelu_tanh(a);
        if constexpr (OP == Op::GELU_SLOPE) return math::gelu_slope(a);
        if constexpr (OP == Op::TAN) LIBRARY_CALL(tan);
        if constexpr (OP == Op::ARCSIN) LIBRARY_CALL(asin);
        if constexpr (OP == Op::ARCCOS) LIBRARY_CALL(acos);
        if constexpr (OP == Op::ARCTAN) LIBRARY_CALL(atan);
        if constexpr (OP == Op::ARCSINH) LIBRARY_CALL(asinh);
        if constexpr (OP == Op::ARCCOSH) LIBRARY_CALL(acosh);
        if constexpr (OP == Op::ARCTANH) LIBRARY_CALL(atanh);
    } else {
        if constexpr (OP == Op::NEG) return (V<T>)(-(U)a);
        if constexpr (OP == Op::ABS) return a < zero ? (V<T>)(-(U)a) : a;
        if constexpr (OP == Op::SIGN) return a > zero ? one : a < zero ? (V<T>)(-(U)one) : zero;
        if constexpr (OP == Op::POW) LANE_BY_LANE(power<T>(a[i], b[i]))
        if constexpr (OP == Op::BITAND) return a & b;
        if constexpr (OP == Op::BITOR) return a | b;
        if constexpr (OP == Op::BITXOR) return a ^ b;
        constexpr T BITS = sizeof(T) * 8;
        if constexpr (OP == Op::SHL) return (b >= zero) & (b < BITS) ? (V<T>)((U)a << ((U)b & (BITS - 1))) : zero;
        if constexpr (OP == Op::SHR) return (b >= zero) & (b < BITS) ? a >> (b & (BITS - 1)) : a < zero ? zero - one : zero;
    }
}

// An operand: n numbers (step 1), or one repeated over a vector (step 0).
struct Input {
    const char* data;
    int64_t step;
};
using Map = void (*)(int64_t n, char* out, const Input* in);

template <Op OP, class T> void map(int64_t n, char* out, const Input* in) {
    constexpr int W = WIDTH<T>, N = operands(OP);
    T* y = (T*)out;
    const T *a = (const T*)in[0].data, *b = N > 1 ? (const T*)in[1].data : a, *c = N > 2 ? (const T*)in[2].data : a;
    const int64_t a_step = N > 1 ? in[0].step * W : W, b_step = N > 1 ? in[1].step * W : 0, c_step = N > 2 ? in[2].step * W : 0;
    for (; n >= W; n -= W, y += W, a += a_step, b += b_step, c += c_step)
        store(y, apply<OP, T>(load(a), N > 1 ? load(b) : V<T>{}, N > 2 ? load(c) : V<T>{}));
    if (n) {
        const int part = int(n);
        const V<T> second = N > 1 ? load_part(b, part) : V<T>{}, third = N > 2 ? load_part(c, part) : V<T>{};
        store_part(y, apply<OP, T>(load_part(a, part), second, third), part);
    }
}

// The loop of an instruction for a dtype, or null if it has none.
template <class T> Map map_of(Op op) {
#define MAP(NAME) case Op::NAME: return map<Op::NAME, T>;
    switch (op) {
        MAP(ADD) MAP(SUB) MAP(MUL) MAP(POW) MAP(MAX) MAP(MIN) MAP(EQ) MAP(NE) MAP(LT) MAP(LE) MAP(GT) MAP(GE)
        MAP(AND) MAP(OR) MAP(XOR) MAP(NOT) MAP(FLOORDIV) MAP(MOD) MAP(WHERE) MAP(NEG) MAP(ABS) MAP(SIGN) MAP(SQUARE)
        default: break;
    }
    if constexpr (REAL<T>) {
        switch (op) {
            MAP(DIV) MAP(ARCTAN2) MAP(SQRT) MAP(EXP) MAP(EXPM1) MAP(LOG) MAP(LOG1P) MAP(TANH) MAP(SIGMOID) MAP(ERF) MAP(SIN)
            MAP(COS) MAP(FLOOR) MAP(CEIL) MAP(RINT) MAP(RECIPROCAL) MAP(ISNAN) MAP(ISINF) MAP(ISFINITE) MAP(SILU) MAP(GELU)
            MAP(GELU_TANH) MAP(GELU_SLOPE) MAP(LOG2) MAP(LOG10) MAP(SINH) MAP(COSH) MAP(TAN) MAP(ARCSIN) MAP(ARCCOS) MAP(ARCTAN) MAP(ARCSINH)
            MAP(ARCCOSH) MAP(ARCTANH) MAP(TRUNC)
            default: break;
        }
    } else {
        switch (op) {
            MAP(BITAND) MAP(BITOR) MAP(BITXOR) MAP(SHL) MAP(SHR)
            default: break;
        }
    }
    return nullptr;
#undef MAP
}

inline Map map_of(int32_t dtype, Op op) {
    switch (dtype) {
        case F32: return map_of<float>(op);
        case F64: return map_of<double>(op);
        case I32: return map_of<int32_t>(op);
        case I64: return map_of<int64_t>(op);
        default: return map_of<uint32_t>(op);
    }
}

}  // namespace fused
