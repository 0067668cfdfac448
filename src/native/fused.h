// fused: a row machine. It runs a short program of element-wise instructions with reductions over rows and columns, so that
// a loss, an optimizer's update or a normalisation reads each of its inputs and writes each of its outputs once.
//
//     ints = [compute dtype, rank (1..4), shape..., instructions, then for each: op, dst, a, b, c];  reals = constants
//
// Every argument has that shape (stride 0 where it repeats), outputs come first. Registers are numbered from 0. The machine
// walks the space in blocks that fit the first-level cache (some rows of the last axis, or a piece of one) and runs one
// instruction after the other over a block, each in a loop of its own. Cheap instructions of which each takes the result of
// the one before are a chain: one loop, in which the result stays in vector registers and a switch finds what comes next.
// Nothing is contracted across instructions.
//
// A register varies by row, by column, by both or not at all, depending on what it was made from. What does not vary by row
// is computed once a part; what varies by row only (row reductions, arguments with stride 0 along the last axis) has one
// number a row. Rows shorter than SHORT_ROW are packed: several in one loop, where numbers per row are spread out first.
// Arguments in order, of the compute dtype, are read and written in place.
//
// Sums over columns and over everything: each block is folded onto itself by halves, blocks are added up in their part, and a
// second phase adds up the parts.
#pragma once
#include "math.h"
#include "reduce.h"

namespace fused {

// The instructions. `layerwise.backends.opcodes` has the same numbers.
enum class Op : int64_t {
    LOAD = 0, STORE = 1,  // dst, a = argument; -, a, b = argument (stride 0 along the last axis: one number a row)
    CONST = 2,            // dst, a = which of `reals`
    COLUMN = 3,           // dst = index along the last axis
    ADD = 10, SUB = 11, MUL = 12, DIV = 13, POW = 14, MAX = 15, MIN = 16,  // dst, a, b: NaN wins in MAX and MIN
    EQ = 17, NE = 18, LT = 19, LE = 20, GT = 21, GE = 22,                  // 0 or 1
    AND = 23, OR = 24, XOR = 25,                                           // of what is not 0
    BITAND = 26, BITOR = 27, BITXOR = 28, SHL = 29, SHR = 30,
    FLOORDIV = 31, MOD = 32, ARCTAN2 = 33,
    WHERE = 40,  // dst, a != 0 ? b : c
    NEG = 50, ABS = 51, SQRT = 52, EXP = 53, EXPM1 = 54, LOG = 55, LOG1P = 56, TANH = 57, SIGMOID = 58, ERF = 59,  // dst, a
    SIN = 60, COS = 61, FLOOR = 62, CEIL = 63, RINT = 64, SIGN = 65, RECIPROCAL = 66, SQUARE = 67, ISNAN = 68, ISINF = 69,
    ISFINITE = 70, NOT = 71, SOFTPLUS = 72, SILU = 73, GELU = 74, GELU_TANH = 75, RELU = 76, LOG2 = 77, LOG10 = 78, SINH = 79,
    COSH = 80, RSQRT = 81, GELU_GRAD = 82, GELU_TANH_GRAD = 83, SILU_GRAD = 84, TAN = 85, ARCSIN = 86, ARCCOS = 87,
    ARCTAN = 88, ARCSINH = 89,
    ROW_SUM = 90, ROW_MAX = 91, ROW_MIN = 92, ROW_ARGMAX = 93, ROW_MEAN = 95,  // dst, a: one number a row; the first of equals
    ROW_PICK = 94,                                                             // dst, a[b], b one number a row, within the row
    ADD_COLUMNS = 100,  // -, a, b = argument (stride 0 but along the last axis) = sum over all rows
    ADD_ALL = 101,      // -, a, b = argument (stride 0) = sum
    ADD_ROWS = 102,     // -, a (one number a row), b = argument (stride 0) = sum over rows
    ARCCOSH = 110, ARCTANH = 111, TRUNC = 112,
};

constexpr int MAX_REGISTERS = 48, MAX_INSTRUCTIONS = 160, MAX_ARGS = 32, MAX_SPACE = 4, MAX_SUMS = 32;
constexpr int64_t BLOCK_BYTES = 4096, SHORT_ROW = 128, LONGEST_ROW = 65536, COMBINED = 512;

constexpr bool is_binary(Op op) { return op >= Op::ADD && op <= Op::ARCTAN2; }
constexpr bool is_row(Op op) { return op >= Op::ROW_SUM && op <= Op::ROW_MEAN; }
constexpr bool is_sum(Op op) { return op >= Op::ADD_COLUMNS && op <= Op::ADD_ROWS; }
constexpr int operands(Op op) { return op == Op::WHERE ? 3 : is_binary(op) ? 2 : 1; }

// One instruction on one vector ------------------------------------------------------------------------------------------

template <class T> constexpr bool REAL = T(0.5) != T(0);
template <class T> struct WrapsAs { using type = T; };  // whole numbers are added and multiplied modulo 2^bits
template <> struct WrapsAs<int32_t> { using type = uint32_t; };
template <> struct WrapsAs<int64_t> { using type = uint64_t; };

template <class T> INLINE T remainder_of(T a, T b) { return sizeof(T) == 4 ? T(__builtin_fmodf(float(a), float(b))) : T(__builtin_fmod(a, b)); }

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
    if constexpr (OP == Op::RELU) return relu<T>(a);
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
        if constexpr (OP == Op::RSQRT) return one / apply<Op::SQRT, T>(a, b, c);
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
        if constexpr (OP == Op::SOFTPLUS) return math::softplus(a);
        if constexpr (OP == Op::SILU) return math::silu(a);
        if constexpr (OP == Op::SILU_GRAD) return math::silu_grad(a);
        if constexpr (OP == Op::GELU) return math::gelu(a);
        if constexpr (OP == Op::GELU_GRAD) return math::gelu_grad(a);
        if constexpr (OP == Op::GELU_TANH) return math::gelu_tanh(a);
        if constexpr (OP == Op::GELU_TANH_GRAD) return math::gelu_tanh_grad(a);
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
        store_part(y, apply<OP, T>(load_part(a, part), N > 1 ? load_part(b, part) : V<T>{}, N > 2 ? load_part(c, part) : V<T>{}), part);
    }
}

// The loop of an instruction for a dtype, or null if it has none.
template <class T> Map map_of(Op op) {
#define MAP(NAME) case Op::NAME: return map<Op::NAME, T>;
    switch (op) {
        MAP(ADD) MAP(SUB) MAP(MUL) MAP(POW) MAP(MAX) MAP(MIN) MAP(EQ) MAP(NE) MAP(LT) MAP(LE) MAP(GT) MAP(GE)
        MAP(AND) MAP(OR) MAP(XOR) MAP(NOT) MAP(FLOORDIV) MAP(MOD) MAP(WHERE) MAP(NEG) MAP(ABS) MAP(SIGN) MAP(SQUARE) MAP(RELU)
        default: break;
    }
    if constexpr (REAL<T>) {
        switch (op) {
            MAP(DIV) MAP(ARCTAN2) MAP(SQRT) MAP(EXP) MAP(EXPM1) MAP(LOG) MAP(LOG1P) MAP(TANH) MAP(SIGMOID) MAP(ERF) MAP(SIN)
            MAP(COS) MAP(FLOOR) MAP(CEIL) MAP(RINT) MAP(RECIPROCAL) MAP(ISNAN) MAP(ISINF) MAP(ISFINITE) MAP(SOFTPLUS) MAP(SILU)
            MAP(GELU) MAP(GELU_TANH) MAP(LOG2) MAP(LOG10) MAP(SINH) MAP(COSH) MAP(RSQRT) MAP(GELU_GRAD) MAP(GELU_TANH_GRAD)
            MAP(SILU_GRAD) MAP(TAN) MAP(ARCSIN) MAP(ARCCOS) MAP(ARCTAN) MAP(ARCSINH) MAP(ARCCOSH) MAP(ARCTANH) MAP(TRUNC)
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

// Chains -----------------------------------------------------------------------------------------------------------------

// One instruction of a chain: acc = acc op data, or data op acc, and where to keep it if it is needed again.
struct Link {
    int op;
    const char* data;
    int64_t step;
    char* save;
};
constexpr int REVERSED = 256, MAX_CHAIN = 16, TILE = 8;

// With PART, one vector of which n elements are there.
template <class T, int NV, bool PART> INLINE void chain_tile(int64_t i, int n, const Input& first, const Link* links, int count) {
    constexpr int W = WIDTH<T>;
    auto at = [n](const char* data, int64_t index) __attribute__((always_inline)) {
        return PART ? load_part((const T*)data + index, n) : load((const T*)data + index);
    };
    V<T> acc[NV];
    UNROLL for (int j = 0; j < NV; j++) acc[j] = at(first.data, (i + j * W) * first.step);
    for (const Link* link = links; link < links + count; link++) {
        const int64_t begin = i * link->step, step = W * link->step;
#define UNARY(NAME) \
    case int(Op::NAME): UNROLL for (int j = 0; j < NV; j++) acc[j] = apply<Op::NAME, T>(acc[j], acc[j], acc[j]); break;
#define BINARY(NAME) \
    case int(Op::NAME): UNROLL for (int j = 0; j < NV; j++) acc[j] = apply<Op::NAME, T>(acc[j], at(link->data, begin + j * step), acc[j]); break; \
    case int(Op::NAME) + REVERSED: UNROLL for (int j = 0; j < NV; j++) acc[j] = apply<Op::NAME, T>(at(link->data, begin + j * step), acc[j], acc[j]); break;
        switch (link->op) {
            BINARY(ADD) BINARY(SUB) BINARY(MUL) BINARY(DIV) BINARY(MAX) BINARY(MIN) BINARY(EQ) BINARY(LT) BINARY(LE) BINARY(GT) BINARY(GE)
            UNARY(NEG) UNARY(ABS) UNARY(SQRT) UNARY(RSQRT) UNARY(RECIPROCAL) UNARY(SQUARE) UNARY(RELU)
        }
#undef UNARY
#undef BINARY
        if (link->save)
            UNROLL for (int j = 0; j < NV; j++) {
                if (PART) store_part((T*)link->save + i, acc[j], n);
                else store((T*)link->save + i + j * W, acc[j]);
            }
    }
}

constexpr bool is_cheap(Op op) {
    return (op >= Op::ADD && op <= Op::DIV) || op == Op::MAX || op == Op::MIN || op == Op::EQ || (op >= Op::LT && op <= Op::GE) || op == Op::NEG ||
           op == Op::ABS || op == Op::SQRT || op == Op::RSQRT || op == Op::RECIPROCAL || op == Op::SQUARE || op == Op::RELU;
}

template <class T> void chain(int64_t n, const Input& first, const Link* links, int count) {
    constexpr int W = WIDTH<T>;
    int64_t i = 0;
    for (; i + TILE * W <= n; i += TILE * W) chain_tile<T, TILE, false>(i, W, first, links, count);
    for (; i + W <= n; i += W) chain_tile<T, 1, false>(i, W, first, links, count);
    if (i < n) chain_tile<T, 1, true>(i, int(n - i), first, links, count);
}

// Folding rows -----------------------------------------------------------------------------------------------------------

template <class T> struct WideOf { using type = int64_t; };
template <> struct WideOf<float> { using type = double; };
template <> struct WideOf<double> { using type = double; };
template <> struct WideOf<uint64_t> { using type = uint64_t; };
template <class T> using Wide = typename WideOf<T>::type;

// The larger or smaller, or the sum, where there is no NaN: one instruction.
template <int OP, class X> INLINE X join(X a, X x) { return OP == SUM ? a + x : (OP == MAX ? x > a : x < a) ? x : a; }

template <int DISTANCE, class T, int... I> INLINE V<T> swap_lanes(V<T> v, Sequence<I...>) {
    return __builtin_shufflevector(v, v, (I ^ DISTANCE)...);
}
template <int OP, class T, int HALF = WIDTH<T> / 2> INLINE T join_lanes(V<T> v) {
    v = join<OP>(v, swap_lanes<HALF, T>(v, typename Count<WIDTH<T>>::type()));
    if constexpr (HALF > 1) return join_lanes<OP, T, HALF / 2>(v);
    return v[0];
}

// n > 0 numbers: pieces in four vectors and a tree, the pieces one after the other in a wider type. Where there is NaN, the
// sum is NaN, so an extreme that comes with its sum knows when to look again.
template <int OP, class T> Wide<T> fold_row(const T* x, int64_t n) {
    constexpr int W = WIDTH<T>, PIECE = 64 * W;
    constexpr bool WITH_SUM = OP != SUM && T(0.5) != T(0);
    const V<T> first = OP == SUM ? V<T>{} : broadcast(x[0]);
    Wide<T> total = OP == SUM ? Wide<T>(0) : Wide<T>(x[0]);
    V<T> sum{};
    for (int64_t i = 0; i < n;) {
        const int64_t end = least(n, i + PIECE);
        V<T> a[4] = {first, first, first, first}, s[4] = {};
        auto take = [&](int j, V<T> v) __attribute__((always_inline)) {
            a[j] = join<OP>(a[j], v);
            if constexpr (WITH_SUM) s[j] += v;
        };
        for (; i + 4 * W <= end; i += 4 * W)
            UNROLL for (int j = 0; j < 4; j++) take(j, load(x + i + j * W));
        for (; i + W <= end; i += W) take(0, load(x + i));
        if (i < end) {
            V<T> v = load_part(x + i, int(end - i));
            take(1, lanes<Int<T>>() < Int<T>(end - i) ? v : first), i = end;
        }
        total = join<OP>(total, Wide<T>(join_lanes<OP, T>(join<OP>(join<OP>(a[0], a[1]), join<OP>(a[2], a[3])))));
        sum += (s[0] + s[1]) + (s[2] + s[3]);
    }
    if constexpr (WITH_SUM) {
        const T check = join_lanes<SUM, T>(sum);
        for (int64_t i = 0; check != check && i < n; i++)
            if (x[i] != x[i]) return x[i];
    }
    return total;
}

template <class T> INLINE auto sum_row(const T* x, int64_t n) { return fold_row<SUM>((const typename WrapsAs<T>::type*)x, n); }

template <class T> T fold_as(Op op, const T* x, int64_t n) {
    switch (op) {
        case Op::ROW_SUM: return T(sum_row(x, n));
        case Op::ROW_MEAN: return T(fold_row<SUM>(x, n) / Wide<T>(n));
        case Op::ROW_MIN: return T(fold_row<MIN>(x, n));
        default: break;
    }
    const T largest = T(fold_row<MAX>(x, n));
    if (op == Op::ROW_MAX) return largest;
    int64_t i = 0;
    while (x[i] != largest && x[i] == x[i]) i++;
    return T(i);
}

// The program, prepared --------------------------------------------------------------------------------------------------

// How the space is cut: `rows` of `columns`, blocks of block_rows whole rows, or pieces of a row.
struct Space {
    int32_t dtype, rank;
    int64_t shape[MAX_SPACE];
    int64_t rows, columns, block_rows, block_columns, pieces, blocks;
    bool packed;  // rows are short: a block is one loop

    int64_t block_items() const { return block_rows * block_columns; }
    int64_t row_offset(const View& v, int64_t row) const { return offset_of(row, shape, v.stride, rank - 1); }
};

enum Varies { CONSTANT = 0, BY_ROW = 1, BY_COLUMN = 2, FULLY = 3 };

// What a register holds for a while. Its numbers for a block begin at data + row * by_row + column * by_column.
struct Value {
    char* data;
    int64_t by_row, by_column;
    int varies;
    int maker;   // the step that fills it where it could fill an output instead, or -1
    int spread;  // the same, one number for each element, or -1
    int link;    // the link of a chain that makes it, or -1
};

enum class Form { MAP, CHAIN, LOAD, LOAD_ROWS, STORE, STORE_ROWS, INDEX, SPREAD, FOLD, PICK, SUM };

struct Step {
    Form form;
    Op op;
    Map map;
    int dst, in[3], arg;  // CHAIN: in[0] first, then `arg` links from link[in[1]] on
};

// An instruction of a chain, with the value that it needs besides, and its result's where that has to be kept.
struct Chained {
    int op, operand, save;
};

struct Sum {
    Op op;
    int arg;
    int64_t width, offset;  // how many numbers, and where they are in a part's share of `shared`
};

template <class T> struct Machine {
    static constexpr int64_t SIZE = sizeof(T);
    using SumOf = decltype(sum_row((const T*)nullptr, 0));
    const Call& call;
    Space space;
    char* scratch;
    bool planning;  // arguments and scratch have no memory yet: only sizes count
    int64_t used = 0, share = 0;
    int values = 0, steps = 0, once = 0, sums = 0;
    bool written[MAX_ARGS], shared_memory[MAX_ARGS];
    Value value[2 * MAX_INSTRUCTIONS];
    Step step[2 * MAX_INSTRUCTIONS], first[2 * MAX_INSTRUCTIONS];
    Chained chained[MAX_INSTRUCTIONS];
    int chained_count = 0;
    Sum sum[MAX_SUMS];

    Machine(const Call& call, const Space& space, char* scratch)
        : call(call), space(space), scratch(scratch ? scratch : (char*)VECTOR_BYTES), planning(!scratch) {
        prepare();
    }

    const int64_t* code() const { return call.ints + 3 + call.ints[1]; }
    int64_t length() const { return call.ints[2 + call.ints[1]]; }

    char* take(int64_t items) {
        char* at = scratch + used;
        used += (items * SIZE + VECTOR_BYTES + 63) / 64 * 64;
        return at;
    }

    // A value that varies so: one number for each element lies in its register's memory, what is shorter or stays in its own.
    int make(int varies, int reg) {
        Value& v = value[values];
        v = {nullptr, 0, 0, varies, -1, -1, -1};
        if (varies == FULLY) v.data = scratch + reg * register_bytes();
        else v.data = take(varies == CONSTANT ? WIDTH<T> : varies == BY_ROW ? space.block_rows : space.block_items());
        return values++;
    }
    int64_t register_bytes() const { return (space.block_items() * SIZE + VECTOR_BYTES + 63) / 64 * 64; }

    void emit(const Step& s) {
        const bool varies = s.dst < 0 || value[s.dst].varies & BY_ROW;
        if (varies && s.dst >= 0) value[s.dst].maker = steps;
        (varies ? step[steps++] : first[once++]) = s;
    }

    // A step that fills memory of its own goes before a chain that may still grow.
    void emit_early(const Step& s) {
        emit(s);
        if (steps < 2 || value[s.dst].maker != steps - 1 || step[steps - 2].form != Form::CHAIN) return;
        const Step last = step[steps - 1];
        step[steps - 1] = step[steps - 2], step[steps - 2] = last;
    }

    // A value that is read from memory: a chain has to keep it.
    int kept(int v) {
        if (value[v].link >= 0) chained[value[v].link].save = v;
        return v;
    }

    // An instruction over all elements as a link: of the chain before, if it takes the result of that.
    void emit_link(const Step& s) {
        const Step* last = steps && step[steps - 1].form == Form::CHAIN ? &step[steps - 1] : nullptr;
        const bool binary = is_binary(s.op), joins = last && last->arg < MAX_CHAIN;
        const bool left = joins && s.in[0] == last->dst, right = joins && binary && !left && s.in[1] == last->dst;
        const int operand = !binary ? -1 : kept(s.in[right ? 0 : 1]);
        chained[chained_count] = {int(s.op) + (right ? REVERSED : 0), operand, -1};
        value[s.dst].link = chained_count++;
        if (left || right) {
            step[steps - 1].dst = s.dst, step[steps - 1].arg++;
            value[s.dst].maker = steps - 1;
        } else {
            emit({Form::CHAIN, s.op, nullptr, s.dst, {kept(s.in[0]), chained_count - 1}, 1});
        }
    }

    // The value with one number for each element.
    int spread(int v) {
        const int varies = value[v].varies;
        if (varies == FULLY || (varies == BY_COLUMN && space.packed)) return v;
        if (value[v].spread < 0) {
            const int full = values++;
            value[full] = {take(space.block_items()), 0, 0, FULLY, -1, -1, -1};
            emit_early({Form::SPREAD, Op::LOAD, nullptr, full, {v}, -1});
            value[full].maker = -1;  // it writes beyond its last element
            value[v].spread = full;
        }
        return value[v].spread;
    }

    int vary(const View& a) const {
        const int last = space.rank - 1;
        bool by_row = false;
        for (int i = 0; i < last; i++) by_row |= space.shape[i] > 1 && a.stride[i] != 0;
        if (space.columns == 1 || space.rows == 1) return by_row || (a.stride[last] && space.columns > 1) ? FULLY : space.columns * space.rows == 1 ? FULLY : CONSTANT;
        const int varies = (by_row ? BY_ROW : 0) | (a.stride[last] ? BY_COLUMN : 0);
        return varies == BY_COLUMN && space.pieces > 1 ? FULLY : varies;
    }

    // Whether the rows' first elements lie one after the other.
    bool dense_rows(const View& a) const {
        int64_t expected = 1;
        for (int i = space.rank - 2; i >= 0; expected *= space.shape[i--])
            if (space.shape[i] > 1 && a.stride[i] != expected) return false;
        return true;
    }

    // Points `v` at the argument's own memory, if its elements lie as a value's do.
    bool in_place(Value& v, const View& a) {
        const int last = space.rank - 1;
        if (a.dtype != space.dtype) return false;
        const bool one_step = space.columns == 1 || a.stride[last] == 1;
        if (v.varies == FULLY) {
            const bool regular = space.block_rows == 1 && space.rank <= 2 && one_step;
            if (!contiguous(a) && !regular) return false;
            v.by_row = (contiguous(a) ? space.columns : space.rank == 2 ? a.stride[0] : 0) * SIZE, v.by_column = SIZE;
        } else if (v.varies == BY_ROW) {
            if (!dense_rows(a)) return false;
            v.by_row = SIZE;
        } else if (v.varies == CONSTANT || space.packed || !one_step) {
            return false;
        }
        v.data = a.data;
        return true;
    }

    int load_argument(int arg, int reg) {
        const View& a = call.args[arg];
        const int varies = vary(a);
        Value v{nullptr, 0, 0, varies, -1, -1, -1};
        if (!shared_memory[arg] && in_place(v, a)) return value[values] = v, values++;
        const int made = make(varies, reg);
        if (varies == FULLY) value[made].data = take(space.block_items());
        emit_early({varies == BY_ROW ? Form::LOAD_ROWS : Form::LOAD, Op::LOAD, nullptr, made, {}, arg});
        return made;
    }

    void store_argument(int v, int arg) {
        const View& a = call.args[arg];
        const bool per_row = space.columns > 1 && a.stride[space.rank - 1] == 0 && !contiguous(a);
        if (!per_row) v = spread(v);
        Value target = value[v];
        target.varies = per_row ? BY_ROW : FULLY;
        if (value[v].maker >= 0 && value[v].varies == target.varies && !shared_memory[arg] && in_place(target, a)) {
            value[v] = target, value[v].maker = -1;
            kept(v);
            return;
        }
        emit({per_row ? Form::STORE_ROWS : Form::STORE, Op::STORE, nullptr, -1, {kept(v)}, arg});
    }

    // The memory of an argument, as far as the space goes.
    void extent(const View& a, const char*& low, const char*& high) const {
        low = high = a.data;
        for (int i = 0; i < space.rank; i++) {
            const int64_t reach = (a.shape[i] - 1) * a.stride[i] * item_size(a.dtype);
            (reach < 0 ? low : high) += reach;
        }
        high += item_size(a.dtype);
    }

    // An input that is also written is copied when it is loaded, and written when it is stored.
    void find_shared_memory() {
        for (int i = 0; i < call.arg_count; i++) written[i] = false, shared_memory[i] = planning;
        if (planning) return;
        const int64_t* p = code();
        for (int64_t i = 0; i < length(); i++, p += 5)
            if (Op(p[0]) == Op::STORE || is_sum(Op(p[0]))) written[p[3]] = true;
        for (int i = 0; i < call.arg_count; i++)
            for (int j = 0; j < call.arg_count; j++) {
                if (!written[i] || written[j]) continue;
                const char *low, *high, *other_low, *other_high;
                extent(call.args[i], low, high), extent(call.args[j], other_low, other_high);
                if (low < other_high && other_low < high) shared_memory[i] = shared_memory[j] = true;
            }
    }

    void prepare() {
        find_shared_memory();
        int current[MAX_REGISTERS];
        const int64_t* p = code();
        int64_t registers = 0;
        for (int64_t i = 0; i < length(); i++) registers = most(registers, p[5 * i + 1] + 1);
        used = registers * register_bytes();
        for (int64_t i = 0; i < length(); i++, p += 5) {
            const Op op = Op(p[0]);
            int& dst = current[p[1]];
            if (op == Op::LOAD) {
                dst = load_argument(int(p[2]), int(p[1]));
            } else if (op == Op::CONST) {
                dst = make(CONSTANT, 0);
                const double real = call.reals[p[2]];
                if (!planning) store((T*)value[dst].data, broadcast(REAL<T> ? T(real) : T(int64_t(real))));
            } else if (op == Op::COLUMN) {
                dst = make(space.pieces > 1 || space.rows == 1 ? FULLY : BY_COLUMN, int(p[1]));
                emit({Form::INDEX, op, nullptr, dst, {}, -1});
            } else if (op == Op::STORE) {
                store_argument(current[p[2]], int(p[3]));
            } else if (is_sum(op)) {
                const int v = kept(op == Op::ADD_ROWS ? current[p[2]] : spread(current[p[2]]));
                const int64_t width = op == Op::ADD_COLUMNS ? space.columns : 1;
                sum[sums] = {op, int(p[3]), width, share};
                share += (width * int64_t(sizeof(SumOf)) + 63) / 64 * 64;
                emit({Form::SUM, op, nullptr, -1, {v}, sums++});
            } else if (is_row(op)) {
                const int a = kept(spread(current[p[2]])), b = op == Op::ROW_PICK ? kept(current[p[3]]) : a;
                dst = make(BY_ROW, int(p[1]));
                emit({op == Op::ROW_PICK ? Form::PICK : Form::FOLD, op, nullptr, dst, {a, b}, -1});
            } else {
                Step s{Form::MAP, op, map_of<T>(op), -1, {}, -1};
                int varies = CONSTANT;
                for (int j = 0; j < operands(op); j++) varies |= value[s.in[j] = current[p[2 + j]]].varies;
                for (int j = 0; j < operands(op) && varies == FULLY && space.packed; j++)
                    if (value[s.in[j]].varies != CONSTANT) s.in[j] = spread(s.in[j]);
                s.dst = dst = make(varies, int(p[1]));
                if (REAL<T> && varies == FULLY && is_cheap(op)) {
                    emit_link(s);
                } else {
                    for (int j = 0; j < operands(op); j++) kept(s.in[j]);
                    emit(s);
                }
            }
        }
    }

    // Running ------------------------------------------------------------------------------------------------------------

    struct Block {
        int64_t row, column, rows, columns;
    };

    T* at(int v, const Block& b) const { return (T*)(value[v].data + b.row * value[v].by_row + b.column * value[v].by_column); }

    int64_t items(const Value& v, const Block& b) const {
        switch (v.varies) {
            case CONSTANT: return WIDTH<T>;
            case BY_ROW: return b.rows;
            case BY_COLUMN: return space.packed ? b.rows * b.columns : b.columns;
            default: return b.rows * b.columns;
        }
    }

    // How far apart rows of a value are in a block.
    int64_t row_step(const Value& v, const Block& b) const {
        return v.varies == FULLY || (v.varies == BY_COLUMN && space.packed) ? b.columns : v.varies == BY_ROW;
    }

    // An operand of an instruction over the block, and over its row r. Numbers per row are repeated in `room` for that.
    Input input(int v, const Block& b) const { return {(const char*)at(v, b), value[v].varies != CONSTANT}; }
    Input input_row(int v, const Input& all, const Block& b, int64_t r, T* room) const {
        const T* x = (const T*)all.data + r * row_step(value[v], b);
        if (value[v].varies != BY_ROW) return {(const char*)x, all.step};
        store(room, broadcast(*x));
        return {(const char*)room, 0};
    }
    bool needs_rows(int v, const Block& b) const { return value[v].varies == BY_ROW || (value[v].varies == BY_COLUMN && !space.packed && b.rows > 1); }

    void run_map(const Step& s, const Block& b) const {
        const int n = operands(s.op);
        const int varies = value[s.dst].varies;
        Input in[3];
        bool by_rows = false;
        for (int j = 0; j < n; j++) in[j] = input(s.in[j], b), by_rows |= varies == FULLY && needs_rows(s.in[j], b);
        T* y = at(s.dst, b);
        if (!by_rows) return s.map(items(value[s.dst], b), (char*)y, in);
        T room[3][WIDTH<T>];
        for (int64_t r = 0; r < b.rows; r++) {
            Input row[3];
            for (int j = 0; j < n; j++) row[j] = input_row(s.in[j], in[j], b, r, room[j]);
            s.map(b.columns, (char*)(y + r * b.columns), row);
        }
    }

    void run_chain(const Step& s, const Block& b) const {
        const Chained* c = chained + s.in[1];
        const int n = s.arg;
        Link links[MAX_CHAIN], row[MAX_CHAIN];
        bool by_rows = needs_rows(s.in[0], b);
        for (int j = 0; j < n; j++) {
            const Input in = c[j].operand < 0 ? Input{nullptr, 0} : input(c[j].operand, b);
            links[j] = {c[j].op, in.data, in.step, c[j].save < 0 ? nullptr : (char*)at(c[j].save, b)};
            by_rows |= c[j].operand >= 0 && needs_rows(c[j].operand, b);
        }
        const Input head = input(s.in[0], b);
        if (!by_rows) return chain<T>(b.rows * b.columns, head, links, n);
        T room[MAX_CHAIN + 1][WIDTH<T>];
        for (int64_t r = 0; r < b.rows; r++) {
            for (int j = 0; j < n; j++) {
                const Input in = c[j].operand < 0 ? Input{nullptr, 0} : input_row(c[j].operand, {links[j].data, links[j].step}, b, r, room[j]);
                row[j] = {c[j].op, in.data, in.step, links[j].save ? links[j].save + r * b.columns * SIZE : nullptr};
            }
            chain<T>(b.columns, input_row(s.in[0], head, b, r, room[n]), row, n);
        }
    }

    void run_load(const Step& s, const Block& b) const {
        const View& a = call.args[s.arg];
        const Value& v = value[s.dst];
        const ConvertRow to_compute = convert(space.dtype, a.dtype);
        const int64_t step = a.stride[space.rank - 1], size = item_size(a.dtype);
        T* y = at(s.dst, b);
        if (v.varies == CONSTANT) {
            to_compute((char*)y, 1, a.data, 0, WIDTH<T>);
        } else if (contiguous(a)) {
            to_compute((char*)y, 1, a.data + (b.row * space.columns + b.column) * size, 1, b.rows * b.columns);
        } else {
            const int64_t rows = v.varies == BY_COLUMN && !space.packed ? 1 : b.rows;
            for (int64_t r = 0; r < rows; r++)
                to_compute((char*)(y + r * b.columns), 1, a.data + (space.row_offset(a, b.row + r) + b.column * step) * size, step, b.columns);
        }
    }

    void run_store(const Step& s, const Block& b) const {
        const View& a = call.args[s.arg];
        const ConvertRow from_compute = convert(a.dtype, space.dtype);
        const int64_t step = a.stride[space.rank - 1], size = item_size(a.dtype);
        const T* x = at(s.in[0], b);
        if (contiguous(a)) return from_compute(a.data + (b.row * space.columns + b.column) * size, 1, (const char*)x, 1, b.rows * b.columns);
        for (int64_t r = 0; r < b.rows; r++)
            from_compute(a.data + (space.row_offset(a, b.row + r) + b.column * step) * size, step, (const char*)(x + r * b.columns), 1, b.columns);
    }

    // One number a row, to or from an argument.
    void run_rows(const Step& s, const Block& b) const {
        const View& a = call.args[s.arg];
        const bool out = s.form == Form::STORE_ROWS, one_step = space.rank <= 2;
        if (out && b.column > 0) return;  // a row's first piece has it
        const ConvertRow convert_rows = out ? convert(a.dtype, space.dtype) : convert(space.dtype, a.dtype);
        const int v = out ? s.in[0] : s.dst;
        char* x = (char*)at(v, b);
        const int64_t x_step = row_step(value[v], b), y_step = one_step ? a.stride[0] : 0, n = one_step ? b.rows : 1;
        for (int64_t r = 0; r < b.rows; r += n, x += x_step * SIZE) {
            char* y = a.data + space.row_offset(a, b.row + r) * item_size(a.dtype);
            if (out) convert_rows(y, y_step, x, x_step, n);
            else convert_rows(x, x_step, y, y_step, n);
        }
    }

    void run_spread(const Step& s, const Block& b) const {
        const Value& v = value[s.in[0]];
        const T* x = at(s.in[0], b);
        T* y = at(s.dst, b);
        const bool columns = v.varies == BY_COLUMN;
        for (int64_t r = 0; r < b.rows; r++, y += b.columns, x += row_step(v, b)) {
            if (columns) __builtin_memcpy(y, x, size_t(b.columns * SIZE));
            else  // beyond the row's end the next row, or the memory's spare vector, is written
                for (int64_t i = 0; i < b.columns; i += WIDTH<T>) store(y + i, broadcast(*x));
        }
    }

    void run_fold(const Step& s, const Block& b) const {
        const T* x = at(s.in[0], b);
        T* y = at(s.dst, b);
        const Value& index = value[s.in[1]];
        const T* picked = at(s.in[1], b);
        for (int64_t r = 0; r < b.rows; r++, x += b.columns) {
            if (s.form == Form::FOLD) {
                y[r] = fold_as<T>(s.op, x, b.columns);
            } else {
                const T i = picked[r * row_step(index, b)];
                y[r] = x[i > 0 ? (i < T(b.columns) ? int64_t(i) : b.columns - 1) : 0];
            }
        }
    }

    void run_sum(const Step& s, const Block& b, char* share) const {
        const Sum& total = sum[s.arg];
        const T* x = at(s.in[0], b);
        if (s.op == Op::ADD_COLUMNS) {
            T *acc = (T*)(share + total.offset) + b.column, *folded = (T*)(scratch + used);
            for (int64_t rows = b.rows; rows > 1;) {  // the second half of the rows onto the first; the middle one of an odd number stays
                const int64_t half = rows / 2, kept = rows - half;
                add(half * b.columns, folded, x, x + kept * b.columns);
                if (x != folded && kept > half) __builtin_memcpy(folded + half * b.columns, x + half * b.columns, size_t(b.columns * SIZE));
                x = folded, rows = kept;
            }
            add(b.columns, acc, acc, x);
        } else {
            auto& acc = *(SumOf*)(share + total.offset);
            if (s.op == Op::ADD_ALL) {
                acc += sum_row(x, b.rows * b.columns);
            } else if (b.column == 0) {
                for (int64_t r = 0; r < b.rows; r++) acc += SumOf(x[r * row_step(value[s.in[0]], b)]);
            }
        }
    }

    static void add(int64_t n, T* y, const T* a, const T* b) {
        const Input in[2] = {{(const char*)a, 1}, {(const char*)b, 1}};
        map<Op::ADD, T>(n, (char*)y, in);
    }

    // Adds up the shares of all parts, for piece `piece` of each sum's numbers.
    void combine(const char* shared, int64_t parts, int64_t piece) const {
        for (int i = 0; i < sums; i++) {
            const View& a = call.args[sum[i].arg];
            const int64_t begin = piece * COMBINED, n = least(sum[i].width - begin, COMBINED);
            if (n <= 0) continue;
            SumOf total[COMBINED] = {};
            T result[COMBINED];
            for (int64_t part = 0; part < parts; part++) {
                const char* at = shared + part * share + sum[i].offset;
                if (sum[i].op == Op::ADD_COLUMNS)
                    for (int64_t j = 0; j < n; j++) total[j] += SumOf(((const T*)at)[begin + j]);
                else total[0] += *(const SumOf*)at;
            }
            for (int64_t j = 0; j < n; j++) result[j] = T(total[j]);
            const int64_t step = a.stride[space.rank - 1];
            convert(a.dtype, space.dtype)(a.data + begin * step * item_size(a.dtype), step, (const char*)result, 1, n);
        }
    }

    void run_step(const Step& s, const Block& b, char* share) const {
        switch (s.form) {
            case Form::MAP: return run_map(s, b);
            case Form::CHAIN:
                if constexpr (REAL<T>) run_chain(s, b);
                return;
            case Form::LOAD: return run_load(s, b);
            case Form::STORE: return run_store(s, b);
            case Form::LOAD_ROWS:
            case Form::STORE_ROWS: return run_rows(s, b);
            case Form::SPREAD: return run_spread(s, b);
            case Form::FOLD:
            case Form::PICK: return run_fold(s, b);
            case Form::INDEX: {
                T* y = at(s.dst, b);
                for (int64_t n = items(value[s.dst], b); n > 0; n -= b.columns, y += b.columns)
                    for (int64_t i = 0; i < b.columns; i++) y[i] = T(b.column + i);
                return;
            }
            case Form::SUM: return run_sum(s, b, share);
        }
    }

    void run(Range blocks, char* share) const {
        if (sums) __builtin_memset(share, 0, size_t(this->share));
        const Block whole{0, 0, space.block_rows, space.block_columns};
        for (int i = 0; i < once; i++) run_step(first[i], whole, share);
        for (int64_t i = blocks.begin; i < blocks.end; i++) {
            Block b{};
            b.row = i / space.pieces * space.block_rows, b.column = i % space.pieces * space.block_columns;
            b.rows = least(space.block_rows, space.rows - b.row), b.columns = least(space.block_columns, space.columns - b.column);
            for (int j = 0; j < steps; j++) run_step(step[j], b, share);
        }
    }
};

// The kernel -------------------------------------------------------------------------------------------------------------

inline Space space_of(const Call& c) {
    Space s{};
    s.dtype = int32_t(c.ints[0]), s.rank = int(c.ints[1]);
    for (int i = 0; i < s.rank; i++) s.shape[i] = c.ints[2 + i];
    s.rows = product(s.shape, s.rank - 1), s.columns = s.shape[s.rank - 1];
    const int64_t *code = c.ints + 3 + s.rank, length = c.ints[2 + s.rank], items = BLOCK_BYTES / item_size(s.dtype);
    bool whole_rows = false, by_position = false;
    for (int64_t i = 0; i < length; i++) {
        const Op op = Op(code[5 * i]);
        whole_rows |= is_row(op), by_position |= is_row(op) || op == Op::COLUMN || op == Op::ADD_COLUMNS || op == Op::ADD_ROWS;
    }
    for (int i = 0; i < c.arg_count && !by_position; i++) {
        bool repeated = true;
        for (int j = 0; j < s.rank; j++) repeated &= c.args[i].stride[j] == 0;
        by_position = !repeated && !contiguous(c.args[i]);
    }
    if (!by_position) s.columns *= s.rows, s.rows = 1;
    const bool whole = whole_rows || s.columns <= items;
    s.block_columns = whole ? s.columns : items;
    s.block_rows = whole ? least(s.rows, most<int64_t>(1, items / most<int64_t>(1, s.columns))) : 1;
    s.pieces = whole ? 1 : ceil_div(s.columns, items);
    s.blocks = s.rows * s.columns == 0 ? 0 : ceil_div(s.rows, s.block_rows) * s.pieces;
    s.packed = s.columns < SHORT_ROW;
    return s;
}

// Parts of 50 microseconds or so; one where the work is not worth waking a thread. Costs are in bytes of memory traffic.
inline int64_t parts_of(const Call& c, const Space& s) {
    const int64_t *code = c.ints + 3 + c.ints[1], length = c.ints[2 + c.ints[1]];
    int64_t cost = length;
    bool columns = false;
    for (int i = 0; i < c.arg_count; i++) cost += item_size(c.args[i].dtype);
    for (int64_t i = 0; i < length; i++) {
        const Op op = Op(code[5 * i]);
        cost += op == Op::POW || op == Op::MOD || op == Op::FLOORDIV || (op >= Op::EXP && op <= Op::COS) || (op >= Op::SOFTPLUS && op <= Op::ARCSINH) ? 16 : 0;
        columns |= op == Op::ADD_COLUMNS;
    }
    const int64_t total = s.rows * s.columns * cost;
    const int64_t parts = total < (256 << 10) ? 1 : least(s.blocks, most<int64_t>(4, total >> 21));
    return most<int64_t>(1, columns ? least(parts, s.rows / 32) : parts);  // what parts share is much smaller than the arguments
}

inline const char* check(const Call& c) {
    if (c.int_count < 4 || c.ints[1] < 1 || c.ints[1] > MAX_SPACE || c.int_count < 3 + c.ints[1]) return "fused: ints: expected dtype, rank (1 to 4), shape, instructions";
    const int rank = int(c.ints[1]);
    const int64_t dtype = c.ints[0], length = c.ints[2 + rank], *shape = c.ints + 2;
    if (dtype < I32 || dtype > F64) return "fused: dtype: expected int32, uint32, int64, float32 or float64";
    if (length < 1 || length > MAX_INSTRUCTIONS || c.int_count != 3 + rank + 5 * length) return "fused: instructions: expected 1 to 160, of five numbers each";
    if (c.arg_count > MAX_ARGS) return "fused: arguments: expected 32 at most";
    for (int i = 0; i < c.arg_count; i++) {
        if (c.args[i].dtype == NONE || c.args[i].rank != rank) return "fused: arguments: expected the rank of the space";
        for (int j = 0; j < rank; j++)
            if (c.args[i].shape[j] != shape[j]) return "fused: arguments: expected the shape of the space";
    }
    bool filled[MAX_REGISTERS] = {}, loaded[MAX_ARGS] = {}, stored[MAX_ARGS] = {};
    int sums = 0;
    for (const int64_t* p = c.ints + 3 + rank; p < c.ints + c.int_count; p += 5) {
        const Op op = Op(p[0]);
        const bool output = op == Op::STORE || is_sum(op);
        if (p[1] < 0 || p[1] >= MAX_REGISTERS) return "fused: registers: expected 0 to 47";
        if ((op == Op::LOAD && (p[2] < 0 || p[2] >= c.arg_count)) || (output && (p[3] < 0 || p[3] >= c.arg_count))) return "fused: LOAD, STORE, ADD: expected the number of an argument";
        if (op == Op::LOAD) loaded[p[2]] = true;
        if (output) stored[p[3]] = true;
        if (op == Op::CONST && (p[2] < 0 || p[2] >= c.real_count)) return "fused: CONST: expected the number of a constant";
        if (is_sum(op)) {
            if (sums++ == MAX_SUMS) return "fused: expected 32 sums at most";
            for (int j = 0; j < rank; j++)
                if (count(c.args[p[3]]) && shape[j] > 1 && c.args[p[3]].stride[j] != 0 && !(op == Op::ADD_COLUMNS && j == rank - 1)) return "fused: ADD: expected an argument that repeats along the axes that are summed";
        }
        if (is_row(op) && shape[rank - 1] > LONGEST_ROW) return "fused: expected rows of 65536 elements at most";
        const bool moves = op == Op::LOAD || op == Op::CONST || op == Op::COLUMN;
        const bool known = moves || output || is_row(op) || (is_float(int32_t(dtype)) ? map_of<float>(op) : map_of<int32_t>(op));
        if (!known) return "fused: expected an instruction that the dtype has";
        const int reads = moves ? 0 : output ? 1 : op == Op::ROW_PICK ? 2 : is_row(op) ? 1 : operands(op);
        for (int j = 0; j < reads; j++)
            if (p[2 + j] < 0 || p[2 + j] >= MAX_REGISTERS || !filled[p[2 + j]]) return "fused: expected registers that were filled before";
        if (!output) filled[p[1]] = true;
    }
    for (int i = 0; i < c.arg_count; i++)
        if (loaded[i] && stored[i]) return "fused: arguments: expected inputs and outputs apart (they may share memory)";
    return nullptr;
}

template <class T> void plan_as(const Call& c, Plan& plan) {
    const Space s = space_of(c);
    const Machine<T> machine(c, s, nullptr);
    plan = {};
    plan.parts[plan.phases++] = parts_of(c, s);
    if (machine.sums) plan.parts[plan.phases++] = most<int64_t>(1, ceil_div(c.ints[1 + c.ints[1]], COMBINED));
    plan.scratch = size_t(machine.used + machine.register_bytes());
    plan.shared = size_t(plan.parts[0] * machine.share);
}

template <class T> void run_as(const Call& c, int phase, int64_t part, char* scratch, char* shared) {
    const Space s = space_of(c);
    if (s.blocks == 0) return;
    const int64_t parts = parts_of(c, s);
    const Machine<T> machine(c, s, scratch);
    if (phase == 0) machine.run(part_of(s.blocks, parts, part), shared + part * machine.share);
    else machine.combine(shared, parts, part);
}

inline void plan(const Call& c, Plan& p) {
    switch (c.ints[0]) {
        case F32: return plan_as<float>(c, p);
        case F64: return plan_as<double>(c, p);
        case I32: return plan_as<int32_t>(c, p);
        case I64: return plan_as<int64_t>(c, p);
        default: return plan_as<uint32_t>(c, p);
    }
}

inline void run(const Call& c, int phase, int64_t part, char* scratch, char* shared) {
    switch (c.ints[0]) {
        case F32: return run_as<float>(c, phase, part, scratch, shared);
        case F64: return run_as<double>(c, phase, part, scratch, shared);
        case I32: return run_as<int32_t>(c, phase, part, scratch, shared);
        case I64: return run_as<int64_t>(c, phase, part, scratch, shared);
        default: return run_as<uint32_t>(c, phase, part, scratch, shared);
    }
}

}  // namespace fused

const Kernel fused_kernel = {"fused", fused::check, fused::plan, fused::run};
