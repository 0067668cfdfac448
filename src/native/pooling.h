// Max and average pooling with their gradients, over one to three spatial axes (missing ones have length 1). An output position
// o sees the input positions o * stride + tap * dilation - pad; taps that fall outside are left out beforehand, so padding is
// never read. Channels are contiguous and make the vectors.
//
// Forward, a part owns rows of the output and keeps the running maximum or sum in registers. Backward, it owns rows of the
// input: each row starts from zero and collects from the output rows that saw it, so no two parts write to the same place.
#pragma once
#include "view.h"

constexpr int64_t POOL_LIMIT = 1 << 30;  // of sizes, strides, ...: no product overflows
constexpr int64_t AHEAD = 512;            // elements: taps jump between rows, which the processor's own prefetching does not foresee

struct Pool {
    int64_t images, channels;
    int64_t in[3], out[3], size[3], stride[3], pad[3], dilation[3];

    // The taps of an output position along an axis that meet the input.
    INLINE Range taps(int axis, int64_t o) const {
        int64_t first = o * stride[axis] - pad[axis];
        if (first >= 0 && first + (size[axis] - 1) * dilation[axis] < in[axis]) return {0, size[axis]};
        int64_t begin = first < 0 ? ceil_div(-first, dilation[axis]) : 0;
        int64_t end = first < in[axis] ? least(size[axis], ceil_div(in[axis] - first, dilation[axis])) : 0;
        return {begin, most(begin, end)};
    }
    // The output position whose tap t meets input position i, or -1.
    INLINE int64_t seen_by(int axis, int64_t i, int64_t t) const {
        int64_t o = i + pad[axis] - t * dilation[axis];
        return o >= 0 && o % stride[axis] == 0 && o / stride[axis] < out[axis] ? o / stride[axis] : -1;
    }
    // Whether every tap of every output position meets the input.
    bool inside() const {
        for (int i = 0; i < 3; i++)
            if (out[i] && (pad[i] || (out[i] - 1) * stride[i] + (size[i] - 1) * dilation[i] >= in[i])) return false;
        return true;
    }
    // Whether no two windows overlap.
    bool apart() const {
        for (int i = 0; i < 3; i++)
            if ((size[i] - 1) * dilation[i] >= stride[i]) return false;
        return true;
    }
    int64_t rows(const int64_t* shape) const { return images * shape[0] * shape[1]; }
    int64_t elements(const int64_t* shape) const { return rows(shape) * shape[2] * channels; }
};

inline Pool pool_of(const Call& call, const View& out, const View& in) {
    Pool p{in.shape[0], in.shape[in.rank - 1], {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}};
    int rank = int(call.ints[0]);
    for (int i = 0, at = 3 - rank; i < rank; i++, at++) {
        const int64_t* number = call.ints + 1 + i;
        p.in[at] = in.shape[1 + i], p.out[at] = out.shape[1 + i];
        p.size[at] = number[0], p.stride[at] = number[rank], p.pad[at] = number[2 * rank], p.dilation[at] = number[3 * rank];
    }
    return p;
}

inline const char* pool_check(const Call& call, int arg_count, int small, int argmax, int large) {
    if (call.arg_count != arg_count) return "pooling: wrong number of arguments";
    int64_t rank = call.int_count ? call.ints[0] : 0;
    if (rank < 1 || rank > MAX_SPATIAL || call.int_count != 1 + 4 * rank) return "pooling: expected rank (1 to 3), size, stride, pad, dilation";
    const View &out = call.args[small], &in = call.args[large];
    if (out.rank != rank + 2 || in.rank != rank + 2) return "pooling: expected (images, positions, channels)";
    if (!is_float(in.dtype) || out.dtype != in.dtype) return "pooling: expected float32 or float64";
    for (int i = 0; i < arg_count; i++)
        if (!contiguous(call.args[i])) return "pooling: expected contiguous arrays";
    if (in.shape[0] != out.shape[0] || in.shape[rank + 1] != out.shape[rank + 1]) return "pooling: images or channels differ";
    int64_t taps = 1;
    for (int i = 0; i < rank; i++) {
        const int64_t* number = call.ints + 1 + i;
        int64_t size = number[0], stride = number[rank], pad = number[2 * rank], dilation = number[3 * rank];
        if (least(size, least(stride, dilation)) < 1 || pad < 0)
            return "pooling: size, stride, dilation: expected at least 1, pad: at least 0";
        if (most(most(size, stride), most(pad, dilation)) > POOL_LIMIT || most(in.shape[1 + i], out.shape[1 + i]) > POOL_LIMIT)
            return "pooling: numbers beyond 2^30";
        taps = least(taps * size, POOL_LIMIT);
    }
    if (argmax < 0) return nullptr;
    const View& at = call.args[argmax];
    if (!same_shape(at, out)) return "pooling: argmax: expected the shape of the output";
    if (at.dtype == U8 ? taps > MAX_TAPS : at.dtype != I32) return "pooling: argmax: expected int32, or uint8 for at most 256 taps";
    return nullptr;
}

// N numbers at p as vectors of T's integers, and back; argmax may be narrower than T.
template <class T, class A> INLINE V<Int<T>> load_taps(const A* p, int n) {
    using Narrow = Lanes<A, WIDTH<T>>;
    if (n == WIDTH<T>) return __builtin_convertvector(*(const typename Narrow::unaligned*)p, V<Int<T>>);
    V<Int<T>> taps{};
    for (int i = 0; i < n; i++) taps[i] = p[i];
    return taps;
}
template <class T, class A> INLINE void store_taps(A* p, V<Int<T>> taps, int n) {
    using Narrow = Lanes<A, WIDTH<T>>;
    if (n == WIDTH<T>) *(typename Narrow::unaligned*)p = __builtin_convertvector(taps, typename Narrow::type);
    else
        for (int i = 0; i < n; i++) p[i] = A(taps[i]);
}

// f(channel, n) for vectors of channels, with n a constant for all but the last.
template <class T, class F> INLINE void for_channels(int64_t channels, F f) {
    int64_t c = 0;
    for (; c + WIDTH<T> <= channels; c += WIDTH<T>) f(c, WIDTH<T>);
    if (c < channels) f(c, int(channels - c));
}
template <class T> INLINE V<T> load_some(const T* p, int n) { return n == WIDTH<T> ? load(p) : load_part(p, n); }
template <class T> INLINE void store_some(T* p, V<T> v, int n) { n == WIDTH<T> ? store(p, v) : store_part(p, v, n); }

// The taps of one output position that meet the input; `start` is where tap (0, 0, 0) would be, in elements.
struct Taps {
    Range depth, height, width;
    int64_t start, depth_step, height_step, width_step;
    int64_t tap_depth, tap_height;  // the number of a tap is depth * tap_depth + height * tap_height + width
};
template <class F> INLINE void for_taps(const Taps& t, F f) {
    for (int64_t d = t.depth.begin; d < t.depth.end; d++)
        for (int64_t h = t.height.begin; h < t.height.end; h++)
            for (int64_t w = t.width.begin; w < t.width.end; w++)
                f(t.start + d * t.depth_step + h * t.height_step + w * t.width_step, d * t.tap_depth + h * t.tap_height + w);
}

// The first of the largest, NaN being larger than any number.
template <class T, class A> INLINE void max_position(const T* x, const Taps& taps, T* y, A* argmax, int64_t channels) {
    for_channels<T>(channels, [&](int64_t c, int n) ALWAYS {
        V<T> best = broadcast(T(-__builtin_inf()));
        V<Int<T>> at{};
        for_taps(taps, [&](int64_t offset, int64_t tap) ALWAYS {
            __builtin_prefetch(x + offset + c + AHEAD);
            V<T> v = load_some(x + offset + c, n);
            V<Int<T>> larger = ~(v <= best) & (best == best);
            best = larger ? v : best, at = larger ? broadcast(Int<T>(tap)) : at;
        });
        store_some(y + c, best, n), store_taps<T>(argmax + c, at, n);
    });
}

template <class T> INLINE void mean_position(const T* x, const Taps& taps, T* y, int64_t channels) {
    int64_t seen = (taps.depth.end - taps.depth.begin) * (taps.height.end - taps.height.begin) * (taps.width.end - taps.width.begin);
    for_channels<T>(channels, [&](int64_t c, int n) ALWAYS {
        V<T> sum{};
        for_taps(taps, [&](int64_t offset, int64_t) ALWAYS { sum += load_some(x + offset + c, n); });
        store_some(y + c, sum / broadcast(T(seen)), n);
    });
}

// position(taps, where in the output) for all output positions in some rows.
template <class F> INLINE void for_positions(const Pool& p, Range rows, F position) {
    int64_t pixel = p.channels, row_size = p.in[2] * pixel, plane = p.in[1] * row_size;
    bool square = p.size[0] == 1 && p.size[1] == 2 && p.size[2] == 2 && p.inside();
    for (int64_t row = rows.begin; row < rows.end; row++) {
        int64_t h = row % p.out[1], d = row / p.out[1] % p.out[0], image = row / p.out[1] / p.out[0];
        Taps taps{p.taps(0, d), p.taps(1, h), {}, 0, p.dilation[0] * plane, p.dilation[1] * row_size, p.dilation[2] * pixel,
                  p.size[1] * p.size[2], p.size[2]};
        int64_t start = (image * p.in[0] + d * p.stride[0] - p.pad[0]) * plane + (h * p.stride[1] - p.pad[1]) * row_size;
        for (int64_t w = 0; w < p.out[2]; w++) {
            taps.start = start + (w * p.stride[2] - p.pad[2]) * pixel;
            if (square) taps.depth = {0, 1}, taps.height = taps.width = {0, 2}, position(taps, (row * p.out[2] + w) * pixel);
            else taps.width = p.taps(2, w), position(taps, (row * p.out[2] + w) * pixel);
        }
    }
}

// Rows of dx: share(where in g, how many taps it is shared by, n) gives the function tap -> vector to add. ONCE: no two
// windows overlap, so nothing needs adding.
template <bool ONCE, class T, class F> INLINE void for_input_rows(const Pool& p, Range rows, T* dx, F share) {
    int64_t pixel = p.channels, step = p.dilation[2] * pixel;
    bool pairs = p.size[2] == 2 && p.inside(), gapless = ONCE && p.inside() && p.size[2] * p.out[2] == p.in[2];
    for (int64_t row = rows.begin; row < rows.end; row++) {
        int64_t h = row % p.in[1], d = row / p.in[1] % p.in[0], image = row / p.in[1] / p.in[0];
        T* to = dx + row * p.in[2] * pixel;
        bool clear = true;
        for (int64_t td = 0; td < p.size[0]; td++)
            for (int64_t th = 0; th < p.size[1]; th++) {
                int64_t od = p.seen_by(0, d, td), oh = p.seen_by(1, h, th);
                if (od < 0 || oh < 0) continue;
                if (clear && !gapless) memset(to, 0, p.in[2] * pixel * sizeof(T));
                clear = false;
                int64_t from = ((image * p.out[0] + od) * p.out[1] + oh) * p.out[2] * pixel, tap = (td * p.size[1] + th) * p.size[2];
                Range depth = p.taps(0, od), height = p.taps(1, oh);
                for (int64_t w = 0; w < p.out[2]; w++, from += pixel) {
                    Range width = p.taps(2, w);
                    int64_t seen = (depth.end - depth.begin) * (height.end - height.begin) * (width.end - width.begin);
                    int64_t at = (w * p.stride[2] - p.pad[2]) * pixel;
                    auto spread = [&](Range width) ALWAYS {
                        for_channels<T>(pixel, [&](int64_t c, int n) ALWAYS {
                            auto of_tap = share(from + c, seen, n);
                            for (int64_t tw = width.begin; tw < width.end; tw++) {
                                T* x = to + (at + tw * step + c);
                                store_some(x, ONCE ? of_tap(tap + tw) : load_some(x, n) + of_tap(tap + tw), n);
                            }
                        });
                    };
                    pairs ? spread({0, 2}) : spread(width);
                }
            }
        if (clear) memset(to, 0, p.in[2] * pixel * sizeof(T));
    }
}

template <class T, class A> void max_pool_rows(const Call& call, const Pool& p, Range rows) {
    T* y = (T*)call.args[0].data;
    A* argmax = (A*)call.args[1].data;
    const T* x = (const T*)call.args[2].data;
    for_positions(p, rows, [&](const Taps& taps, int64_t to) ALWAYS {
        max_position(x, taps, y + to, argmax + to, p.channels);
    });
}
template <class T, class A> void max_pool_grad_rows(const Call& call, const Pool& p, Range rows) {
    T* dx = (T*)call.args[0].data;
    const T* g = (const T*)call.args[1].data;
    const A* argmax = (const A*)call.args[2].data;
    auto share = [&](int64_t from, int64_t, int n) ALWAYS {
        return [value = load_some(g + from, n), at = load_taps<T>(argmax + from, n)](int64_t tap) ALWAYS {
            return at == broadcast(Int<T>(tap)) ? value : V<T>{};
        };
    };
    p.apart() ? for_input_rows<true>(p, rows, dx, share) : for_input_rows<false>(p, rows, dx, share);
}
template <class T> void avg_pool_rows(const Call& call, const Pool& p, Range rows) {
    T* y = (T*)call.args[0].data;
    const T* x = (const T*)call.args[1].data;
    for_positions(p, rows, [&](const Taps& taps, int64_t to) ALWAYS {
        mean_position(x, taps, y + to, p.channels);
    });
}
template <class T> void avg_pool_grad_rows(const Call& call, const Pool& p, Range rows) {
    T* dx = (T*)call.args[0].data;
    const T* g = (const T*)call.args[1].data;
    auto share = [&](int64_t from, int64_t seen, int n) ALWAYS {
        return [value = load_some(g + from, n) / broadcast(T(seen))](int64_t) ALWAYS { return value; };
    };
    p.apart() ? for_input_rows<true>(p, rows, dx, share) : for_input_rows<false>(p, rows, dx, share);
}

// The four kernels: where their arguments stand, whose rows the parts own, and which function runs them.
template <bool MAX_POOL, bool GRAD> struct PoolKernel {
    static constexpr int SMALL = GRAD, ARGMAX = MAX_POOL ? SMALL + 1 : -1, LARGE = GRAD ? 0 : MAX_POOL ? 2 : 1;

    static const char* check(const Call& call) { return pool_check(call, MAX_POOL ? 3 : 2, SMALL, ARGMAX, LARGE); }
    static int64_t owned(const Pool& p) { return p.rows(GRAD ? p.in : p.out); }
    static int64_t parts(const Call& call, const Pool& p) {
        return part_count((p.elements(p.in) + p.elements(p.out)) * item_size(call.args[0].dtype), owned(p));
    }
    static void plan(const Call& call, Plan& plan) {
        plan = {1, {parts(call, pool_of(call, call.args[SMALL], call.args[LARGE]))}, 0, 0};
    }
    template <class T> static void rows(const Call& call, const Pool& p, Range range) {
        if constexpr (MAX_POOL) {
            bool bytes = call.args[ARGMAX].dtype == U8;
            if constexpr (GRAD) bytes ? max_pool_grad_rows<T, uint8_t>(call, p, range) : max_pool_grad_rows<T, int32_t>(call, p, range);
            else bytes ? max_pool_rows<T, uint8_t>(call, p, range) : max_pool_rows<T, int32_t>(call, p, range);
        } else {
            GRAD ? avg_pool_grad_rows<T>(call, p, range) : avg_pool_rows<T>(call, p, range);
        }
    }
    static void run(const Call& call, int, int64_t part, char*, char*) {
        Pool p = pool_of(call, call.args[SMALL], call.args[LARGE]);
        Range range = part_of(owned(p), parts(call, p), part);
        call.args[0].dtype == F32 ? rows<float>(call, p, range) : rows<double>(call, p, range);
    }
    static constexpr Kernel named(const char* name) { return {name, check, plan, run}; }
};
const Kernel max_pool_kernel = PoolKernel<true, false>::named("max_pool");
const Kernel max_pool_grad_kernel = PoolKernel<true, true>::named("max_pool_grad");
const Kernel avg_pool_kernel = PoolKernel<false, false>::named("avg_pool");
const Kernel avg_pool_grad_kernel = PoolKernel<false, true>::named("avg_pool_grad");
