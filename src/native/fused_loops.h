// Loops of the fused kernel that are more than one instruction.
//
// Chains: of cheap instructions, each of which takes the result of the one before. A tile of the result stays in vector
// registers while a switch finds what comes next; nothing is contracted across instructions.
//
// Folds: a row to one number, its sum or an extreme.
#pragma once
#include "fused_instructions.h"
#include "reduce.h"

namespace fused {

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
        auto operand = [&](int j) __attribute__((always_inline)) { return at(link->data, begin + j * step); };
#define CASE(NUMBER, NAME, A, B)                                                        \
    case NUMBER:                                                                        \
        UNROLL for (int j = 0; j < NV; j++) acc[j] = apply<Op::NAME, T>(A, B, acc[j]);  \
        break;
#define CHEAP_1(NAME) CASE(int(Op::NAME), NAME, acc[j], acc[j])
#define CHEAP_2(NAME)                             \
    CASE(int(Op::NAME), NAME, acc[j], operand(j)) \
    CASE(int(Op::NAME) + REVERSED, NAME, operand(j), acc[j])
#define PLAIN_1(NAME)
#define PLAIN_2(NAME)
#define PLAIN_3(NAME)
#define LONG_1(NAME)
#define LONG_2(NAME)
#define INSTRUCTION(NAME, OPERANDS, TAKES, COST, ...) COST##_##OPERANDS(NAME)
        switch (link->op) {
#include "instructions.def"
        }
#undef CASE
#undef CHEAP_1
#undef CHEAP_2
#undef PLAIN_1
#undef PLAIN_2
#undef PLAIN_3
#undef LONG_1
#undef LONG_2
        if (link->save)
            UNROLL for (int j = 0; j < NV; j++) {
                if (PART) store_part((T*)link->save + i, acc[j], n);
                else store((T*)link->save + i + j * W, acc[j]);
            }
    }
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

}  // namespace fused
