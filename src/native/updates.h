// What optimizers make of every number of their variables: one loop a rule, in which a vector of every value stays in a
// register from its load to its store.
//
//     args: w', slots' of every variable;  w, g, slots of every variable;  the rule's rates, one number each
//     reals: the rule's other numbers
//
// Arrays are contiguous and of one dtype. A variable's new values may be stored over its old ones. One call takes all
// variables: parts are cut over the blocks of all of them.
#pragma once
#include "fused_instructions.h"

namespace updates {

template <class T> INLINE V<T> root(V<T> x) { return fused::apply<fused::Op::SQRT, T>(x, x, x); }

// The rules. `rates` and `reals` are their numbers, each repeated over a vector.

struct Momentum {  // rate; momentum
    static constexpr int SLOTS = 1, RATES = 1, REALS = 1;
    template <class T> static INLINE void step(V<T>& w, V<T> g, V<T>* slot, const V<T>* rates, const V<T>* reals) {
        V<T>& m = slot[0];
        m = reals[0] * m - rates[0] * g;
        w = w + m;
    }
};

struct Adam {  // alpha; 1 - beta_1, 1 - beta_2, epsilon
    static constexpr int SLOTS = 2, RATES = 1, REALS = 3;
    template <class T> static INLINE void step(V<T>& w, V<T> g, V<T>* slot, const V<T>* rates, const V<T>* reals) {
        V<T> &m = slot[0], &v = slot[1];
        m = m + (g - m) * reals[0];
        v = v + (g * g - v) * reals[1];
        w = w - rates[0] * m / (root<T>(v) + reals[2]);
    }
};

struct AdamW {  // as Adam; and the learning rate; the decay
    static constexpr int SLOTS = 2, RATES = 2, REALS = 4;
    template <class T> static INLINE void step(V<T>& w, V<T> g, V<T>* slot, const V<T>* rates, const V<T>* reals) {
        w = w - w * reals[3] * rates[1];
        Adam::step<T>(w, g, slot, rates, reals);
    }
};

// While it lives, results and operands below the smallest normal number count as zero: moving averages of gradients that have
// become zero would otherwise end up there, where arithmetic is several times slower, and stay.
struct FlushingToZero {
#if defined(__x86_64__)
    const unsigned before = _mm_getcsr();
    FlushingToZero() { _mm_setcsr(before | _MM_FLUSH_ZERO_ON | 0x40); }
    ~FlushingToZero() { _mm_setcsr(before); }
#endif
};

constexpr int64_t BLOCK = 1024;  // numbers of a variable that stay together

template <class Rule> struct Update {
    static constexpr int NEW = Rule::SLOTS + 1, OLD = Rule::SLOTS + 2;

    static int variables(const Call& c) { return (c.arg_count - Rule::RATES) / (NEW + OLD); }
    static int64_t blocks(const View& w) { return ceil_div(count(w), BLOCK); }

    static const char* check(const Call& c) {
        const int n = variables(c), arrays = n * (NEW + OLD);
        if (n < 1 || c.arg_count != arrays + Rule::RATES || c.real_count != Rule::REALS || c.int_count)
            return "update: expected new and old arrays of every variable, the rule's rates and reals";
        for (int i = 0; i < c.arg_count; i++) {
            const View& a = c.args[i];
            if (!is_float(a.dtype) || a.dtype != c.args[0].dtype) return "update: expected float32 or float64 for all";
            const View& w = c.args[i < n * NEW ? i / NEW * NEW : (i - n * NEW) / OLD * NEW];
            if (i < arrays ? !contiguous(a) || !same_shape(a, w) : count(a) != 1)
                return "update: expected contiguous arrays of the variable's shape, and rates of one number";
        }
        return nullptr;
    }

    static void plan(const Call& c, Plan& plan) {
        int64_t bytes = 0, units = 0;
        for (int i = 0; i < variables(c); i++) {
            const View& w = c.args[i * NEW];
            bytes += count(w) * item_size(w.dtype) * 2 * (NEW + OLD), units += blocks(w);
        }
        plan = {1, {bytes < (256 << 10) ? 1 : least(units, most<int64_t>(4, bytes >> 21))}, 0, 0};
    }

    template <class T, bool PART>
    static INLINE void step(T* const* to, const T* const* from, int64_t i, int n, const V<T>* rates, const V<T>* reals) {
        V<T> x[OLD];
        UNROLL for (int k = 0; k < OLD; k++) x[k] = PART ? load_part(from[k] + i, n) : load(from[k] + i);
        Rule::template step<T>(x[0], x[1], x + 2, rates, reals);
        UNROLL for (int k = 0; k < NEW; k++) {
            const V<T> y = x[k ? k + 1 : 0];
            if (PART) store_part(to[k] + i, y, n);
            else store(to[k] + i, y);
        }
    }

    template <class T> static void run(const Call& c, int, int64_t part, char*, char*) {
        int64_t units = 0;
        Plan planned;
        plan(c, planned);
        for (int i = 0; i < variables(c); i++) units += blocks(c.args[i * NEW]);
        Range range = part_of(units, planned.parts[0], part);
        const FlushingToZero flushing;
        const View *to = c.args, *from = c.args + variables(c) * NEW, *rate = from + variables(c) * OLD;
        V<T> rates[Rule::RATES], reals[Rule::REALS];
        UNROLL for (int k = 0; k < Rule::RATES; k++) rates[k] = broadcast(*(const T*)rate[k].data);
        UNROLL for (int k = 0; k < Rule::REALS; k++) reals[k] = broadcast(T(c.reals[k]));
        for (; range.end > 0; to += NEW, from += OLD) {
            const int64_t size = count(*to), here = blocks(*to);
            const int64_t end = least(size, range.end * BLOCK);
            T* y[NEW];
            const T* x[OLD];
            UNROLL for (int k = 0; k < NEW; k++) y[k] = (T*)to[k].data;
            UNROLL for (int k = 0; k < OLD; k++) x[k] = (const T*)from[k].data;
            int64_t i = most<int64_t>(0, range.begin) * BLOCK;
            for (; i + WIDTH<T> <= end; i += WIDTH<T>) step<T, false>(y, x, i, WIDTH<T>, rates, reals);
            if (i < end) step<T, true>(y, x, i, int(end - i), rates, reals);
            range.begin -= here, range.end -= here;
        }
    }
};

template <class Rule> constexpr Kernel kernel(const char* name) {
    using U = Update<Rule>;
    return {name, U::check, U::plan, run_floats<U::template run<float>, U::template run<double>>, nullptr, Rule::SLOTS};
}

}  // namespace updates

const Kernel adam_kernel = updates::kernel<updates::Adam>("adam");
const Kernel adamw_kernel = updates::kernel<updates::AdamW>("adamw");
const Kernel momentum_kernel = updates::kernel<updates::Momentum>("momentum");
