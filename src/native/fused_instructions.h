// The instructions of the fused kernel, made from their list in instructions.def: their numbers and traits, what each makes of
// one vector, and a loop for each over a block's numbers.
#pragma once
#include "math.h"
#include "view.h"

namespace fused {

// The instructions, numbered in the order of their list.
enum class Op : int64_t {
#define INSTRUCTION(NAME, ...) NAME,
#define MOVE(NAME, OPERANDS) NAME,
#define ROW(NAME, OPERANDS) NAME,
#define TOTAL(NAME, OPERANDS) NAME,
#include "instructions.def"
    COUNT
};

enum class Kind { MAP, MOVE, ROW, TOTAL };
enum class Takes { ANY, REAL, WHOLE };
enum class Cost { CHEAP, PLAIN, LONG };

struct Traits {
    Kind kind;
    int operands;  // registers that it reads
    Cost cost;
};

inline constexpr Traits TRAITS[] = {
#define INSTRUCTION(NAME, OPERANDS, TAKES, COST, ...) {Kind::MAP, OPERANDS, Cost::COST},
#define MOVE(NAME, OPERANDS) {Kind::MOVE, OPERANDS, Cost::PLAIN},
#define ROW(NAME, OPERANDS) {Kind::ROW, OPERANDS, Cost::PLAIN},
#define TOTAL(NAME, OPERANDS) {Kind::TOTAL, OPERANDS, Cost::PLAIN},
#include "instructions.def"
};

constexpr const Traits& traits(Op op) { return TRAITS[int64_t(op)]; }
constexpr bool is_known(int64_t number) { return number >= 0 && number < int64_t(Op::COUNT); }
constexpr bool is_row(Op op) { return traits(op).kind == Kind::ROW; }
constexpr bool is_sum(Op op) { return traits(op).kind == Kind::TOTAL; }
constexpr bool is_cheap(Op op) { return traits(op).cost == Cost::CHEAP; }
constexpr bool is_long(Op op) { return traits(op).cost == Cost::LONG; }
constexpr int operands(Op op) { return traits(op).operands; }

// One instruction on one vector ------------------------------------------------------------------------------------------

template <class T> constexpr bool REAL = T(0.5) != T(0);
template <class T> constexpr bool takes(Takes what) { return what == Takes::ANY || (what == Takes::REAL) == REAL<T>; }
template <class T> constexpr T INF = T(__builtin_inf());
template <class T> constexpr T BITS = sizeof(T) * 8;

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

template <class T> INLINE T whole_power(T a, T b) {
    using U = typename WrapsAs<T>::type;
    if (b < 0) return a == 1 ? 1 : a == T(-1) ? (b & 1 ? T(-1) : 1) : 0;
    U y = 1;
    for (U x = U(a), n = U(b); n; n >>= 1, x *= x)
        if (n & 1) y *= x;
    return T(y);
}

// A vector from an expression of its lanes' numbers a[i], b[i]; and from C's functions, as they are or by way of double.
#define EACH_LANE(expression)                                           \
    ({                                                                  \
        V<T> y{};                                                       \
        for (int i = 0; i < WIDTH<T>; i++) y[i] = T(expression);        \
        y;                                                              \
    })
#define ROUNDED(fn) EACH_LANE(sizeof(T) == 4 ? __builtin_##fn##f(float(a[i])) : __builtin_##fn(double(a[i])))
#define LIBRARY_CALL(fn) math::each(a, [](double x) { return __builtin_##fn(x); })

template <class T> INLINE V<T> power(V<T> a, V<T> b) {
    if constexpr (REAL<T>) return math::pow(a, b);
    else return EACH_LANE(whole_power<T>(a[i], b[i]));
}

template <class T> INLINE V<T> absolute(V<T> a) {
    if constexpr (REAL<T>) return (V<T>)((V<Int<T>>)a & ~((Int<T>)1 << (sizeof(T) * 8 - 1)));
    else return a < V<T>{} ? (V<T>)(-(V<typename WrapsAs<T>::type>)a) : a;
}

// What an instruction makes of one vector.
template <Op OP, class T> INLINE V<T> apply(V<T> a, V<T> b, V<T> c) {
    using U = V<typename WrapsAs<T>::type>;
    const V<T> zero{}, one = broadcast(T(1));
#define INSTRUCTION(NAME, OPERANDS, TAKES, COST, FUNCTION, ...) \
    if constexpr (OP == Op::NAME && takes<T>(Takes::TAKES)) return __VA_ARGS__;
#include "instructions.def"
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

// The loops of all instructions, null where the dtype or the machine's own has none.
template <class T, Op OP, Takes TAKES> constexpr Map map_if_taken() {
    if constexpr (takes<T>(TAKES)) return map<OP, T>;
    else return nullptr;
}
template <class T> constexpr Map MAPS[] = {
#define INSTRUCTION(NAME, OPERANDS, TAKES, ...) map_if_taken<T, Op::NAME, Takes::TAKES>(),
#define MOVE(NAME, OPERANDS) nullptr,
#define ROW(NAME, OPERANDS) nullptr,
#define TOTAL(NAME, OPERANDS) nullptr,
#include "instructions.def"
};

// f(a number of the dtype), for those that the kernel computes with.
template <class F> auto with_number(int64_t dtype, F f) {
    switch (dtype) {
        case F32: return f(float());
        case F64: return f(double());
        case I32: return f(int32_t());
        case I64: return f(int64_t());
        default: return f(uint32_t());
    }
}

inline Map map_of(int32_t dtype, Op op) {
    return with_number(dtype, [op](auto number) { return MAPS<decltype(number)>[int64_t(op)]; });
}

}  // namespace fused
