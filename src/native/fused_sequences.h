// Programs of the fused kernel that training runs over all weights in every step, compiled ahead: one loop, in which a
// vector of every value stays in a register from its load to its store. What the recorder writes down is compared with them
// number by number; a program that differs runs as any other does.
#pragma once
#include "fused_program.h"

namespace fused {

struct Instruction {
    Op op;
    int64_t dst = 0, a = 0, b = 0, c = 0;
};

// m' = m + (g - m) (1 - beta1), v' = v + (g^2 - v) (1 - beta2), w' = w - rate m' / (sqrt(v') + epsilon);
// arguments m', v', w', g, m, v, rate, w
inline constexpr Instruction ADAM[] = {
    {Op::LOAD, 0, 3}, {Op::LOAD, 1, 4}, {Op::SUB, 2, 0, 1}, {Op::CONST, 3, 0}, {Op::MUL, 4, 2, 3}, {Op::ADD, 3, 1, 4},
    {Op::MUL, 4, 0, 0}, {Op::LOAD, 0, 5}, {Op::SUB, 1, 4, 0}, {Op::CONST, 4, 1}, {Op::MUL, 2, 1, 4}, {Op::ADD, 4, 0, 2},
    {Op::LOAD, 2, 6}, {Op::MUL, 0, 2, 3}, {Op::SQRT, 2, 4}, {Op::CONST, 1, 2}, {Op::ADD, 5, 2, 1}, {Op::DIV, 1, 0, 5},
    {Op::LOAD, 5, 7}, {Op::SUB, 0, 5, 1}, {Op::STORE, 0, 3, 0}, {Op::STORE, 0, 4, 1}, {Op::STORE, 0, 0, 2},
};

// Adam after w - decay rate w; arguments m', v', w', w, rate of the decay, g, m, v, rate
inline constexpr Instruction ADAMW[] = {
    {Op::LOAD, 0, 3}, {Op::CONST, 1, 0}, {Op::MUL, 2, 0, 1}, {Op::LOAD, 1, 4}, {Op::MUL, 3, 2, 1}, {Op::SUB, 1, 0, 3},
    {Op::LOAD, 3, 5}, {Op::LOAD, 0, 6}, {Op::SUB, 2, 3, 0}, {Op::CONST, 4, 1}, {Op::MUL, 5, 2, 4}, {Op::ADD, 4, 0, 5},
    {Op::MUL, 5, 3, 3}, {Op::LOAD, 3, 7}, {Op::SUB, 0, 5, 3}, {Op::CONST, 5, 2}, {Op::MUL, 2, 0, 5}, {Op::ADD, 5, 3, 2},
    {Op::LOAD, 2, 8}, {Op::MUL, 3, 2, 4}, {Op::SQRT, 2, 5}, {Op::CONST, 0, 3}, {Op::ADD, 6, 2, 0}, {Op::DIV, 0, 3, 6},
    {Op::SUB, 6, 1, 0}, {Op::STORE, 0, 4, 0}, {Op::STORE, 0, 5, 1}, {Op::STORE, 0, 6, 2},
};

// v' = momentum v - rate g, w' = w + v'; arguments v', w', v, rate, g, w
inline constexpr Instruction MOMENTUM[] = {
    {Op::CONST, 0, 0}, {Op::LOAD, 1, 2}, {Op::MUL, 2, 0, 1}, {Op::LOAD, 1, 3}, {Op::LOAD, 0, 4}, {Op::MUL, 3, 1, 0},
    {Op::SUB, 0, 2, 3}, {Op::LOAD, 3, 5}, {Op::ADD, 2, 3, 0}, {Op::STORE, 0, 0, 0}, {Op::STORE, 0, 2, 1},
};

// A program, and the set of its arguments that are one number repeated.
struct Sequence {
    const Instruction* code;
    int64_t length;
    int arguments, constants;
    uint32_t repeated;

    bool is(const Call& c, const Space& s) const {
        const int64_t* ints = c.ints + 2 + c.ints[1];
        if (s.rows != 1 || ints[0] != length || c.arg_count != arguments) return false;
        for (int i = 0; i < arguments; i++) {
            const bool whole = contiguous(c.args[i]) && !(repeated >> i & 1);
            if (c.args[i].dtype != s.dtype || !(whole || (repeated >> i & 1 && c.args[i].stride[0] == 0))) return false;
        }
        return __builtin_memcmp(ints + 1, code, size_t(length) * sizeof(Instruction)) == 0;
    }
};
template <int N> constexpr Sequence sequence(const Instruction (&code)[N], int arguments, int constants, uint32_t repeated) {
    return {code, N, arguments, constants, repeated};
}
inline constexpr Sequence ADAM_UPDATE = sequence(ADAM, 8, 3, 1 << 6);
inline constexpr Sequence ADAMW_UPDATE = sequence(ADAMW, 9, 4, 1 << 4 | 1 << 8);
inline constexpr Sequence MOMENTUM_UPDATE = sequence(MOMENTUM, 6, 1, 1 << 3);

// The instructions from I on, for one vector, or the first n numbers of one; `fixed` are the repeated arguments.
template <class T, const Sequence& S, bool PART, int I = 0>
INLINE void instructions(char* const* data, const V<T>* fixed, const V<T>* constants, V<T>* reg, int64_t at, int n) {
    if constexpr (I < S.length) {
        constexpr Instruction s = S.code[I];
        V<T>& dst = reg[s.dst];
        if constexpr (s.op == Op::LOAD) {
            const T* x = (const T*)data[s.a] + at;
            if constexpr (S.repeated >> s.a & 1) dst = fixed[s.a];
            else dst = PART ? load_part(x, n) : load(x);
        } else if constexpr (s.op == Op::STORE) {
            T* y = (T*)data[s.b] + at;
            if constexpr (PART) store_part(y, reg[s.a], n);
            else store(y, reg[s.a]);
        } else if constexpr (s.op == Op::CONST) {
            dst = constants[s.a];
        } else {
            dst = apply<s.op, T>(reg[s.a], reg[s.b], reg[s.c]);
        }
        instructions<T, S, PART, I + 1>(data, fixed, constants, reg, at, n);
    }
}

template <class T, const Sequence& S> void run_sequence(const Call& c, int64_t begin, int64_t end) {
    char* data[S.arguments];
    V<T> fixed[S.arguments], constants[S.constants], reg[8]{};
    UNROLL for (int i = 0; i < S.arguments; i++) data[i] = c.args[i].data;
    UNROLL for (int i = 0; i < S.arguments; i++)
        if (S.repeated >> i & 1) fixed[i] = broadcast(*(const T*)c.args[i].data);
    UNROLL for (int i = 0; i < S.constants; i++) constants[i] = broadcast(T(c.reals[i]));
    int64_t i = begin;
    for (; i + WIDTH<T> <= end; i += WIDTH<T>) instructions<T, S, false>(data, fixed, constants, reg, i, WIDTH<T>);
    if (i < end) instructions<T, S, true>(data, fixed, constants, reg, i, int(end - i));
}

// While it lives, results and operands below the smallest normal number count as zero: moving averages of gradients that have
// become zero would otherwise end up there, where arithmetic is several times slower, and stay.
struct FlushingToZero {
#if defined(__x86_64__)
    const unsigned before = _mm_getcsr();
    FlushingToZero() { _mm_setcsr(before | _MM_FLUSH_ZERO_ON | 0x40); }
    ~FlushingToZero() { _mm_setcsr(before); }
#endif
};

template <class T, const Sequence& S> bool run_if(const Call& c, const Space& s, int64_t begin, int64_t end) {
    if (!S.is(c, s)) return false;
    const FlushingToZero flushing;
    run_sequence<T, S>(c, begin, end);
    return true;
}

// Runs numbers [begin, end) of a program that is one of these; false if it is none.
template <class T> bool run_known(const Call& c, const Space& s, int64_t begin, int64_t end) {
    return run_if<T, ADAM_UPDATE>(c, s, begin, end) || run_if<T, ADAMW_UPDATE>(c, s, begin, end) ||
           run_if<T, MOMENTUM_UPDATE>(c, s, begin, end);
}

}  // namespace fused
