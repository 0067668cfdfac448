// Convolution, activation and max-pool in one pass: a few rows of the convolution lie in scratch that stays in cache, and only
// the pooled values and which tap of the pool held each leave it. Positions that no pool sees are not computed.
#pragma once
#include "conv_gradients.h"
#include "pooling.h"

struct ConvPool {
    Conv c;                              // its output is what the pool sees
    int64_t size[3], stride[3], out[3];  // of the pool
    int64_t taps() const { return size[0] * size[1] * size[2]; }
    int64_t positions() const { return out[0] * out[1] * out[2]; }
    int outer() const { return int(3 - c.rank); }
};
inline ConvPool conv_pool_of(const int64_t* ints, const View& x, const View& w, const View& y) {
    ConvPool p;
    const int rank = int(ints[0]);
    int64_t seen[3];
    for (int i = 0, a = rank - 3; i < 3; i++, a++) {
        p.size[i] = a < 0 ? 1 : ints[2 + 4 * rank + a], p.stride[i] = a < 0 ? 1 : ints[2 + 5 * rank + a];
        p.out[i] = a < 0 ? 1 : y.shape[1 + a];
        if (a >= 0) seen[a] = p.out[i] ? (p.out[i] - 1) * p.stride[i] + p.size[i] : 0;
    }
    p.c = conv_of(ints, x, w, seen);
    return p;
}

inline const char* check_conv_pool(const Call& call, const View& x, const View& w, const View& y, const View& argmax,
                                   const View* bias) {
    if (const char* wrong = check_conv(call, x, w, y, bias, 6)) return wrong;
    if (argmax.dtype != NONE && (argmax.dtype != U8 || !same_shape(argmax, y) || !contiguous(argmax)))
        return "conv_pool: argmax: expected contiguous bytes of the output's shape";
    const ConvPool p = conv_pool_of(call.ints, x, w, y);
    for (int a = 0; a < 3; a++)
        if (p.size[a] > MAX_TAPS || p.c.axis[a].out >= int64_t(1) << 31) return "conv_pool: pool: expected at most 256 taps";
    return p.taps() > MAX_TAPS ? "conv_pool: pool: expected at most 256 taps" : nullptr;
}

// Elements from the first tap of the pool to each, in an array with the given steps.
struct PoolTaps {
    int64_t offset[MAX_TAPS];
    PoolTaps(const ConvPool& p, const Steps& z) {
        int64_t t = 0;
        for (int64_t i = 0; i < p.size[0]; i++)
            for (int64_t j = 0; j < p.size[1]; j++)
                for (int64_t k = 0; k < p.size[2]; k++) offset[t++] = i * z.of[1] + j * z.of[2] + k * z.of[3];
    }
};

// y and, with PLACES, argmax of one row of pooled positions from z. TAPS: how many, if the compiler is to know (0: `taps`).
template <class T, int TAPS, bool PLACES>
void pool_row(const T* z, int64_t z_step, const int64_t* offset, int64_t taps, T* y, uint8_t* argmax, int64_t positions,
              int64_t channels) {
    for (int64_t i = 0; i < positions; i++, z += z_step, y += channels, argmax += PLACES ? channels : 0)
        for_channels<T>(channels, [&](int64_t j, int n) ALWAYS {
            V<T> best = load_some(z + j, n);
            V<Int<T>> where{};
            UNROLL for (int64_t t = 1; t < (TAPS ? TAPS : taps); t++) {
                const V<T> value = load_some(z + j + offset[t], n);
                const V<Int<T>> larger = ~(value <= best) & (best == best);  // the first of equals; NaN wins
                if (PLACES) where = larger ? broadcast(Int<T>(t)) : where;
                best = PLACES ? larger ? value : best : maximum<T>(best, value);
            }
            store_some(y + j, best, n);
            if (PLACES) store_taps<T>(argmax + j, where, n);
        });
}

// -- conv_pool: y, argmax?, x, w, bias?

constexpr int64_t POOL_CACHE = 32 << 10, GRADIENT_CACHE = 224 << 10;  // bytes of the convolution's output at a time

inline ConvPool conv_pool_forward(const Call& c) { return conv_pool_of(c.ints, c.args[2], c.args[3], c.args[0]); }
inline Slices conv_pool_slices(const ConvPool& p) { return slices(p.c.batch, p.out[p.outer()], parts_for(p.c.work())); }

// How many images and, if it is one, how many rows of pooled positions are computed at a time, and the scratch they take.
struct PoolChunk {
    int64_t images, rows, bytes;
};
inline PoolChunk pool_chunk(const ConvPool& p, int64_t item) {
    const int o = p.outer();
    const int64_t extent = p.c.axis[o].out, image = p.c.positions() * p.c.groups * p.c.filters * item;
    const int64_t row = image / most<int64_t>(1, extent);
    if (image <= POOL_CACHE) {
        const int64_t images = most<int64_t>(1, least(p.c.batch, POOL_CACHE / most<int64_t>(1, image)));
        return {images, p.out[o], images * image};
    }
    const int64_t rows = most<int64_t>(1, least(p.out[o], (POOL_CACHE / row - p.size[o]) / p.stride[o] + 1));
    return {1, rows, row * ((rows - 1) * p.stride[o] + p.size[o])};
}

inline const char* conv_pool_check(const Call& call) {
    if (call.arg_count < 4 || call.arg_count > 5) return "conv_pool: expected y, argmax?, x, w, bias?";
    return check_conv_pool(call, call.args[2], call.args[3], call.args[0], call.args[1], optional(call, 4));
}

inline void conv_pool_plan(const Call& call, Plan& plan) {
    const ConvPool p = conv_pool_forward(call);
    plan = {};
    plan.phases = 1, plan.parts[0] = conv_pool_slices(p).parts;
    plan.scratch = pool_chunk(p, item_size(call.args[0].dtype)).bytes;
}

template <class T> void conv_pool_run(const Call& call, int, int64_t part, char* scratch, char*) {
    T* const z = (T*)scratch;
    const ConvPool p = conv_pool_forward(call);
    const Conv& c = p.c;
    const int o = p.outer();
    const Slice mine = slice(conv_pool_slices(p), c.batch, p.out[o], part);
    const PoolChunk chunk = pool_chunk(p, sizeof(T));
    const Filter<T> filter{data<const T>(call, 3), false, {c.axis[0].size, c.axis[1].size, c.axis[2].size}, {0, 0, 0}};
    const int64_t channels = c.groups * c.filters;
    const Steps ys = steps(p.out[0], p.out[1], p.out[2], channels);
    Box box = whole(c);
    for (int64_t n = mine.images.begin; n < mine.images.end; n += chunk.images)
        for (int64_t row = mine.rows.begin; row < mine.rows.end; row += chunk.rows) {
            const int64_t rows = least(chunk.rows, mine.rows.end - row), first = row * p.stride[o];
            int64_t extent[3] = {c.axis[0].out, c.axis[1].out, c.axis[2].out}, count[3] = {p.out[0], p.out[1], p.out[2]};
            extent[o] = (rows - 1) * p.stride[o] + p.size[o], count[o] = rows;
            const Steps zs = steps(extent[0], extent[1], extent[2], channels);
            box.images = {n, least(n + chunk.images, mine.images.end)}, box.axis[o] = {first, first + extent[o]};
            T* const origin = z - n * zs.of[0] - first * zs.of[o + 1];
            correlate(c, box, data<const T>(call, 2), input_steps(c), origin, zs, filter, data<const T>(call, 4), c.activation);
            const PoolTaps taps(p, zs);
            for (int64_t m = box.images.begin; m < box.images.end; m++)
                for (int64_t i = 0; i < count[0]; i++)
                    for (int64_t j = 0; j < count[1]; j++) {
                        const T* from = z + (m - n) * zs.of[0] + i * p.stride[0] * zs.of[1] + j * p.stride[1] * zs.of[2];
                        const int64_t to = m * ys.of[0] + i * ys.of[1] + j * ys.of[2] + row * ys.of[o + 1];
                        const int64_t step = p.stride[2] * zs.of[3];
                        T* y = data<T>(call, 0) + to;
                        uint8_t* argmax = optional(call, 1) ? data<uint8_t>(call, 1) + to : nullptr;
                        const auto run = p.taps() == 4 ? argmax ? pool_row<T, 4, true> : pool_row<T, 4, false>
                                                       : argmax ? pool_row<T, 0, true> : pool_row<T, 0, false>;
                        run(from, step, taps.offset, p.taps(), y, argmax, count[2], channels);
                    }
        }
}

const Kernel conv_pool_kernel = {"conv_pool", conv_pool_check, conv_pool_plan,
                                 run_floats<conv_pool_run<float>, conv_pool_run<double>>};
