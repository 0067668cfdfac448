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
    auto at = [n](const char* data, int64_t index) ALWAYS {
        return PART ? load_part((const T*)data + index, n) : load((const T*)data + index);
    };
    V<T> acc[NV];
    UNROLL for (int j = 0; j < NV; j++) acc[j] = at(first.data, (i + j * W) * first.step);
    for (const Link* link = links; link < links + count; link++) {
        const int64_t begin = i * link->step, step = W * link->step;
        auto operand = [&](int j) ALWAYS { return at(link->data, begin + j * step); };
#define INSTRUCTION(NAME, OPERANDS, ...)                                                                              \
    case int(Op::NAME):                                                                                               \
        if constexpr (is_cheap(Op::NAME))                                                                             \
            UNROLL for (int j = 0; j < NV; j++)                                                                       \
                acc[j] = apply<Op::NAME, T>(acc[j], OPERANDS == 2 ? operand(j) : acc[j], acc[j]);                     \
        break;                                                                                                        \
    case int(Op::NAME) + REVERSED:                                                                                    \
        if constexpr (is_cheap(Op::NAME) && OPERANDS == 2)                                                            \
            UNROLL for (int j = 0; j < NV; j++) acc[j] = apply<Op::NAME, T>(operand(j), acc[j], acc[j]);              \
        break;
        switch (link->op) {
#include "instructions.def"
        }
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

template <class T> INLINE auto sum_row(const T* x, int64_t n) { return fold_row<SUM>((const typename WrapsAs<T>::type*)x, n); }

template <class T> T fold_as(Op op, const T* x, int64_t n) {
    switch (op) {
        case Op::ROW_SUM: return T(sum_row(x, n));
        case Op::ROW_MEAN: return T(fold_row<SUM>(x, n) / Wider<T>(n));
        case Op::ROW_MIN: return T(fold_row<MIN>(x, n));
        default: break;
    }
    const T largest = T(fold_row<MAX>(x, n));
    if (op == Op::ROW_MAX) return largest;
    return T(find(x, n, largest));
}

}  // namespace fused
