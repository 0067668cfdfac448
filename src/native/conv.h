// conv: the product of positions by taps,
//
//     y[position] = sum over taps of x * w     tiles of positions, k runs over taps and channels
#pragma once
#include "conv_loops.h"

// ---- the product

// A kernel: (taps, channels of a group, columns) as it lies, or packed by `pack_filter`.
template <class T> struct Filter {
    const T* data;
    bool packed;
    int64_t size[3], tap[3];  // the whole kernel's size, and the first tap along each axis that counts here
};

// y = activation(x * filter + bias) for the positions in `box`, one panel after the other.
template <class T>
void correlate_piece(const Conv& c, const Box& box, const T* x, const Steps& xs, T* y, const Steps& ys, const Filter<T>& f,
                     const T* bias, int activation) {
    const bool lanes = c.depthwise();
    const int64_t groups = lanes ? 1 : c.groups, columns = lanes ? c.groups : c.filters, depth = c.channels;
    const int64_t taps = f.size[0] * f.size[1] * f.size[2], padded = ceil_div(columns, WIDTH<T>) * WIDTH<T>;
    for (int64_t g = 0; g < groups; g++)
        for (int64_t begin = 0, n; begin < columns; begin += n) {
            n = panel_columns<T>(columns - begin, lanes ? 1 : TILE_VECTORS);
            const int vectors = int(ceil_div(n, WIDTH<T>));
            const int64_t row = f.packed ? vectors * WIDTH<T> : groups * columns, first = g * columns + begin;
            const T* b = f.data + (f.packed ? taps * depth * (g * padded + begin) : first);
            const Steps ws{{f.size[1] * f.size[2] * depth * row, f.size[2] * depth * row, depth * row, row}};
            for (int a = 0; a < 3; a++) b += f.tap[a] * ws.of[a];
            const PanelKind kind = panel_kind(n < WIDTH<T> && (lanes || !f.packed), lanes);
            each_region(c.axis, box, xs, ys, ws, depth, [&](const Region& r) {
                Panel<T> panel{{r.taps[0], r.taps[1], r.taps[2], r.taps[3]}, b + r.w, int(n), false,
                               bias ? bias + first : nullptr, activation};
                const T* from = x + r.x + (lanes ? begin : g * depth);
                const int64_t taps = r.taps[0].count * r.taps[1].count * r.taps[2].count;
                if (lanes && taps > 0 && taps <= LINE_TAPS) sweep_lines(r.positions, from, y + r.y + first, panel, n < WIDTH<T>);
                else sweep(r.positions, from, y + r.y + first, panel, vectors, kind);
            });
        }
}

// ---- packing

// The same. Each panel of a depthwise kernel reads other channels of x, so that cache lines come again and again: there, box
// is cut into pieces that stay in cache.
template <class T>
void correlate(const Conv& c, const Box& box, const T* x, const Steps& xs, T* y, const Steps& ys, const Filter<T>& f,
               const T* bias, int activation) {
    constexpr int64_t CACHE = 512 << 10;
    const int o = 3 - int(c.rank);
    const Range rows = box.axis[o];
    const int64_t image = most<int64_t>(1, xs.of[0] * sizeof(T)), row = most<int64_t>(1, xs.of[o + 1] * c.axis[o].stride * sizeof(T));
    const int64_t some = c.depthwise() ? most<int64_t>(1, CACHE / image) : box.images.end - box.images.begin;
    const int64_t few = c.depthwise() && image > CACHE ? most<int64_t>(1, CACHE / row) : rows.end - rows.begin;
    Box piece = box;
    for (int64_t n = box.images.begin; n < box.images.end; n += some)
        for (int64_t r = rows.begin; r < rows.end; r += few) {
            piece.images = {n, least(n + some, box.images.end)}, piece.axis[o] = {r, least(r + few, rows.end)};
            correlate_piece(c, piece, x, xs, y, ys, f, bias, activation);
        }
}

// The part of a transposed convolution that input positions first, first + stride, ... meet, as a convolution of the
// output by a piece of the flipped kernel; its taps are `tap`, `tap` + 1, ... where taps are sorted as `packed_tap` does.
struct Residue {
    Axis axis;
    int64_t tap;
};
inline int64_t common_divisor(int64_t a, int64_t b) { return b ? common_divisor(b, a % b) : a; }

inline Residue residue(const Axis& a, int64_t first) {
    const int64_t common = common_divisor(a.stride, a.dilation), step = a.stride / common;  // every step-th tap
    Residue r{{a.out, ceil_div(a.in - first, a.stride), 0, 1, 0, a.dilation / common}, 0};
    for (int64_t t = 0; t < least(step, a.size); t++) {
        const int64_t taps = ceil_div(a.size - t, step);
        if ((first + a.pad - t * a.dilation) % a.stride == 0) {
            r.axis.size = taps;
            r.axis.pad = (taps - 1) * r.axis.dilation - (first + a.pad - t * a.dilation) / a.stride;
            break;
        }
        r.tap += taps;
    }
    return r;
}

// Where tap t goes: taps of one residue together, the last one first.
inline int64_t packed_tap(const Axis& a, int64_t t) {
    const int64_t step = a.stride / common_divisor(a.stride, a.dilation), mine = t % step;
    int64_t before = 0;
    for (int64_t u = 0; u < mine; u++) before += ceil_div(a.size - u, step);
    return before + ceil_div(a.size - mine, step) - 1 - t / step;
}

// Rows (tap, k) of one tap for every group and panel. Backward: in the order of `packed_tap`, channels and filters exchanged.
template <class T> void pack_filter(T* to, const T* w, const Conv& c, bool backward, int64_t tap) {
    const bool lanes = c.depthwise();
    const int64_t all = c.groups * c.filters, depth = backward ? c.filters : c.channels;
    const int64_t columns = lanes ? c.groups : backward ? c.channels : c.filters;
    const int64_t padded = ceil_div(columns, WIDTH<T>) * WIDTH<T>;
    const int64_t t[3] = {tap / (c.axis[1].size * c.axis[2].size), tap / c.axis[2].size % c.axis[1].size, tap % c.axis[2].size};
    int64_t place = 0;
    for (int a = 0; a < 3; a++) place = place * c.axis[a].size + (backward ? packed_tap(c.axis[a], t[a]) : t[a]);
    w += tap * c.channels * all;
    for (int64_t g = 0; g < (lanes ? 1 : c.groups); g++)
        for (int64_t begin = 0, n; begin < columns; begin += n) {
            n = panel_columns<T>(columns - begin, lanes ? 1 : TILE_VECTORS);
            const int64_t row = ceil_div(n, WIDTH<T>) * WIDTH<T>;
            const T* from = w + g * c.filters;
            pack(to + c.taps() * depth * (g * padded + begin) + place * depth * row, row,
                 backward && !lanes ? Matrix<T>{from + begin * all, 1, all} : Matrix<T>{from + begin, all, 1}, depth, n);
        }
}
inline int64_t packed_size(const Conv& c, int64_t depth, int64_t columns, int64_t width) {
    if (c.depthwise()) return c.taps() * ceil_div(c.groups, width) * width;
    return c.groups * c.taps() * depth * ceil_div(columns, width) * width;
}

// ---- the kernels: ints rank, activation, then for each axis size, stride, pad before it, dilation

inline const View* optional(const Call& c, int i) { return i < c.arg_count && c.args[i].dtype != NONE ? &c.args[i] : nullptr; }
template <class T> T* data(const Call& c, int i) { return optional(c, i) ? (T*)c.args[i].data : nullptr; }

// The convolution of x by w with the spatial shape `out`.
inline Conv conv_of(const int64_t* ints, const View& x, const View& w, const int64_t* out) {
    Conv c;
    const int rank = c.rank = int(ints[0]);
    c.activation = int(ints[1]);
    c.batch = x.shape[0];
    c.channels = least(w.shape[rank], x.shape[rank + 1]);
    c.groups = c.channels ? x.shape[rank + 1] / c.channels : 1;
    c.filters = w.shape[rank + 1] / c.groups;
    for (int i = 0, a = rank - 3; i < 3; i++, a++) {
        const int64_t* of = ints + 2 + a;
        c.axis[i] = a < 0 ? Axis{1, 1, 1, 1, 0, 1} : Axis{x.shape[1 + a], out[a], of[0], of[rank], of[2 * rank], of[3 * rank]};
    }
    return c;
}

// What is wrong with a convolution of x by w, whose output y (or the input of a pool after it) has y's batch and channels.
inline const char* check_conv(const Call& c, const View& x, const View& w, const View& y, const View* bias, int ints_of_axis) {
    constexpr int64_t LIMIT = int64_t(1) << 31;
    if (c.int_count < 2 || c.ints[0] < 1 || c.ints[0] > MAX_SPATIAL) return "conv: rank: expected 1, 2 or 3 spatial axes";
    const int rank = int(c.ints[0]);
    if (c.int_count != 2 + ints_of_axis * rank) return "conv: integers: expected rank, activation and the window of every axis";
    if (c.ints[1] < LINEAR || c.ints[1] > SIGMOID)
        return "conv: activation: expected 0 (none), 1 (relu), 2 (tanh) or 3 (sigmoid)";
    if (!is_float(x.dtype) || w.dtype != x.dtype || y.dtype != x.dtype) return "conv: expected arrays of one float dtype";
    if (x.rank != rank + 2 || w.rank != rank + 2 || y.rank != rank + 2)
        return "conv: expected arrays of rank 2 more than the spatial axes";
    if (!contiguous(x) || !contiguous(w) || !contiguous(y)) return "conv: expected contiguous arrays";
    for (int i = 0; i < rank; i++) {
        const int64_t* of = c.ints + 2 + i;
        if (of[0] != w.shape[i]) return "conv: size: expected the kernel's shape";
        for (int j = 0; j < ints_of_axis; j++)
            if (of[j * rank] < (j != 2) || of[j * rank] >= LIMIT)
                return "conv: window: expected size, stride, dilation of at least 1, padding of at least 0";
        if (x.shape[1 + i] >= LIMIT || y.shape[1 + i] >= LIMIT) return "conv: an axis is longer than 2^31";
    }
    if (x.shape[0] != y.shape[0]) return "conv: expected as many outputs as inputs in the batch";
    const int64_t channels = x.shape[rank + 1], filters = w.shape[rank + 1], of_group = w.shape[rank];
    if (of_group ? channels % of_group || (channels ? filters % (channels / of_group) : filters) : channels)
        return "conv: w: expected channels of x divided by a number of groups that divides the filters";
    if (y.shape[rank + 1] != filters) return "conv: y: expected a channel for each filter";
    if (bias && (bias->dtype != x.dtype || bias->rank != 1 || bias->shape[0] != filters || !contiguous(*bias)))
        return "conv: bias: expected a number for each filter";
    return nullptr;
}

// Parts for so many multiplications, alike for 2 and 4 threads; one if it is not worth waking a thread.
inline int64_t parts_for(int64_t work) {
    if (work < 3 << 19) return 1;
    return most(least<int64_t>(16, ceil_div(work >> 22, 4) * 4), most<int64_t>(4, work >> 26));
}

// Which positions a part of `conv`, or of `conv_grad_x` (over x), has.
inline Box part_box(const Conv& c, Slices s, bool of_input, int64_t part) {
    Box box = whole(c);
    if (of_input) for (int a = 0; a < 3; a++) box.axis[a].end = c.axis[a].in;
    const Slice mine = slice(s, c.batch, of_input ? c.outer().in : c.outer().out, part);
    box.images = mine.images, box.axis[3 - c.rank] = mine.rows;
    return box;
}

// -- conv: out, x, w, bias?

struct Forward {
    Conv c;
    Slices cut;
    bool pack;
};
inline Forward forward_of(const Call& call) {
    Forward f;
    f.c = conv_of(call.ints, call.args[1], call.args[2], call.args[0].shape + 1);
    f.cut = slices(f.c.batch, f.c.outer().out, parts_for(f.c.work()));
    const Conv& c = f.c;  // several panels, each of them long, for many positions
    f.pack = c.filters > VECTOR_BYTES && c.taps() * c.channels * c.filters > 1 << 16 && c.batch * c.positions() >= 1024;
    return f;
}

inline const char* conv_check(const Call& call) {
    if (call.arg_count < 3 || call.arg_count > 4) return "conv: expected out, x, w, bias?";
    return check_conv(call, call.args[1], call.args[2], call.args[0], optional(call, 3), 4);
}

inline void conv_plan(const Call& call, Plan& plan) {
    const Forward f = forward_of(call);
    plan = {};
    if (f.pack) {
        plan.parts[plan.phases++] = f.c.taps();
        const int64_t item = item_size(call.args[0].dtype);
        plan.shared = packed_size(f.c, f.c.channels, f.c.filters, VECTOR_BYTES / item) * item;
    }
    plan.parts[plan.phases++] = f.cut.parts;
}

template <class T> void conv_run(const Call& call, int phase, int64_t part, char*, char* shared) {
    const Forward f = forward_of(call);
    const Conv& c = f.c;
    const T* w = data<T>(call, 2);
    if (f.pack && phase == 0) return pack_filter((T*)shared, w, c, false, part);
    const Filter<T> filter{f.pack ? (const T*)shared : w, f.pack, {c.axis[0].size, c.axis[1].size, c.axis[2].size}, {0, 0, 0}};
    correlate(c, part_box(c, f.cut, false, part), data<const T>(call, 1), input_steps(c), data<T>(call, 0), output_steps(c), filter,
              data<const T>(call, 3), c.activation);
}

const Kernel conv_kernel = {"conv", conv_check, conv_plan, run_floats<conv_run<float>, conv_run<double>>};
