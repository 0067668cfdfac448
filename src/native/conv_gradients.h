// conv_grad_x and conv_grad_w: the product of a convolution with the roles turned,
//
//     dw[tap] = sum over positions of x * g     tiles of taps and channels, k runs over positions
//     dx      = the convolution of g with the flipped, transposed kernel, once for each residue of the stride
#pragma once
#include "conv.h"

// -- conv_grad_x: dx, g, w

// dx = the gradient of c by its input, for the input positions in `box`; f is packed backward.
template <class T>
void correlate_back(const Conv& c, const Box& box, T* dx, const Steps& xs, const T* g, const Steps& gs, const T* packed) {
    Filter<T> f{packed, true, {c.axis[0].size, c.axis[1].size, c.axis[2].size}, {0, 0, 0}};
    Conv back = c;
    back.channels = c.filters, back.filters = c.channels;
    int64_t count[3], first[3];
    for (int a = 0; a < 3; a++) count[a] = least(c.axis[a].stride, c.axis[a].in);
    for (first[0] = 0; first[0] < count[0]; first[0]++)
        for (first[1] = 0; first[1] < count[1]; first[1]++)
            for (first[2] = 0; first[2] < count[2]; first[2]++) {
                Box positions = box;
                Steps to = xs;
                T* out = dx;
                for (int a = 0; a < 3; a++) {
                    const int64_t stride = c.axis[a].stride;
                    const Residue r = residue(c.axis[a], first[a]);
                    back.axis[a] = r.axis, f.tap[a] = r.tap;
                    positions.axis[a] = {most<int64_t>(0, round_up_div(box.axis[a].begin - first[a], stride)),
                                         most<int64_t>(0, round_up_div(box.axis[a].end - first[a], stride))};
                    to.of[a + 1] *= stride, out += first[a] * xs.of[a + 1];
                }
                correlate<T>(back, positions, g, gs, out, to, f, nullptr, LINEAR);
            }
}

inline Conv grad_x_of(const Call& call) { return conv_of(call.ints, call.args[0], call.args[2], call.args[1].shape + 1); }
inline Slices grad_x_slices(const Conv& c) { return slices(c.batch, c.outer().in, parts_for(c.work())); }

inline const char* conv_grad_x_check(const Call& call) {
    if (call.arg_count != 3) return "conv_grad_x: expected dx, g, w";
    return check_conv(call, call.args[0], call.args[2], call.args[1], nullptr, 4);
}

inline void conv_grad_x_plan(const Call& call, Plan& plan) {
    const Conv c = grad_x_of(call);
    const int64_t item = item_size(call.args[0].dtype);
    plan = {};
    plan.phases = 2, plan.parts[0] = c.taps(), plan.parts[1] = grad_x_slices(c).parts;
    plan.shared = packed_size(c, c.filters, c.channels, VECTOR_BYTES / item) * item;
}

template <class T> void conv_grad_x_run(const Call& call, int phase, int64_t part, char*, char* shared) {
    const Conv c = grad_x_of(call);
    if (phase == 0) return pack_filter((T*)shared, data<const T>(call, 2), c, true, part);
    const Box box = part_box(c, grad_x_slices(c), true, part);
    correlate_back(c, box, data<T>(call, 0), input_steps(c), data<const T>(call, 1), output_steps(c), (const T*)shared);
}

const Kernel conv_grad_x_kernel = {"conv_grad_x", conv_grad_x_check, conv_grad_x_plan,
                                   run_floats<conv_grad_x_run<float>, conv_grad_x_run<double>>};

// -- conv_grad_w: dw, dbias?, x, g

constexpr int64_t CHUNK = 224;  // positions that a tile of the kernel's gradient runs over: its x and g stay in cache

// dw += the gradient by the kernel, over the positions in `box`, for some channels and columns of a group.
template <class T>
void correlate_taps(const Conv& c, const Box& box, const T* x, const Steps& xs, const T* g, const Steps& gs, T* dw,
                    int64_t group, Range channels, Range columns) {
    const bool lanes = c.depthwise();
    const int64_t row = c.groups * c.filters, depth = c.channels;
    const Steps ws{{c.axis[1].size * c.axis[2].size * depth * row, c.axis[2].size * depth * row, depth * row, row}};
    each_region(c.axis, box, xs, gs, ws, channels.end - channels.begin, [&](const Region& r) {
        int64_t pieces[4], room = CHUNK, i[4];
        for (int l = 3; l >= 0; l--) {
            pieces[l] = ceil_div(r.positions[l].count, most<int64_t>(1, least(room, r.positions[l].count)));
            room /= most<int64_t>(1, r.positions[l].count);
        }
        for (i[0] = 0; i[0] < pieces[0]; i[0]++)
            for (i[1] = 0; i[1] < pieces[1]; i[1]++)
                for (i[2] = 0; i[2] < pieces[2]; i[2]++)
                    for (i[3] = 0; i[3] < pieces[3]; i[3]++) {
                        Loop k[4];
                        int64_t from = r.x + (lanes ? 0 : group * depth) + channels.begin, at = r.y;
                        for (int l = 0; l < 4; l++) {
                            const Range q = part_of(r.positions[l].count, pieces[l], i[l]);
                            k[l] = {q.end - q.begin, r.positions[l].x, r.positions[l].other};
                            from += q.begin * k[l].x, at += q.begin * k[l].other;
                        }
                        for (int64_t begin = columns.begin, n; begin < columns.end; begin += n) {
                            n = panel_columns<T>(columns.end - begin, lanes ? 1 : TILE_VECTORS);
                            const int64_t first = group * c.filters + begin;
                            Panel<T> panel{{k[0], k[1], k[2], k[3]}, g + at + first, int(n), true, nullptr, LINEAR};
                            sweep(r.taps, x + from + (lanes ? begin : 0), dw + r.w + channels.begin * row + first, panel,
                                  int(ceil_div(n, WIDTH<T>)), panel_kind(n < WIDTH<T>, lanes));
                        }
                    }
    });
}

// to[j] = the sum of column j of g: blocks of rows first, then the blocks.
template <class T> void sum_columns(const T* g, int64_t row, int64_t rows, int64_t columns, T* to) {
    for (int64_t j = 0; j < columns; j += WIDTH<T>) {
        const int n = int(least<int64_t>(WIDTH<T>, columns - j));
        V<T> total{};
        for (int64_t begin = 0; begin < rows; begin += 256) {
            V<T> sum[4] = {};
            for (int64_t i = begin; i < least(rows, begin + 256); i++) sum[i & 3] += load_part(g + i * row + j, n);
            total += (sum[0] + sum[1]) + (sum[2] + sum[3]);
        }
        store_part(to + j, total, n);
    }
}

// A part has a block of channels and of columns, for the positions of a slice; several slices leave partial sums in
// `shared` (dw, then the bias), which the second phase adds in order.
struct GradW {
    Conv c;
    int64_t channel_blocks, column_blocks;
    Slices cut;
    int64_t size() const { return c.taps() * c.channels * c.groups * c.filters; }
    int64_t row() const { return c.groups * c.filters; }
    int64_t parts() const { return (c.depthwise() ? 1 : c.groups) * channel_blocks * column_blocks * cut.parts; }
    int64_t sums() const { return part_count((size() + row()) * cut.parts * 4, ceil_div(size() + row(), 1024)); }
};
inline GradW grad_w_of(const Call& call) {
    GradW w;
    const Conv& c = w.c = conv_of(call.ints, call.args[2], call.args[0], call.args[3].shape + 1);
    constexpr int64_t BLOCK = 48 << 10, FEWEST = 512;  // elements of dw that stay in cache; positions worth a partial sum
    const int64_t wanted = parts_for(c.work()), positions = c.batch * c.positions(), groups = c.depthwise() ? 1 : c.groups;
    w.channel_blocks = w.column_blocks = 1;
    if (!c.depthwise() && c.taps() * c.channels * c.filters > BLOCK) {
        w.column_blocks = ceil_div(c.filters, 64);
        w.channel_blocks = least(c.channels, ceil_div(c.taps() * c.channels * 64, BLOCK));
    }
    const int64_t blocks = groups * w.channel_blocks * w.column_blocks;
    w.cut = slices(c.batch, c.outer().out, most<int64_t>(1, least(ceil_div(wanted, blocks), positions / FEWEST)));
    if (blocks * w.cut.parts < wanted && !c.depthwise()) {
        const int64_t missing = ceil_div(wanted, groups * w.column_blocks * w.cut.parts);
        w.channel_blocks = most(w.channel_blocks, least(ceil_div(c.channels, 8), missing));
    }
    return w;
}

inline const char* conv_grad_w_check(const Call& call) {
    if (call.arg_count != 4) return "conv_grad_w: expected dw, dbias?, x, g";
    return check_conv(call, call.args[2], call.args[0], call.args[3], optional(call, 1), 4);
}

inline void conv_grad_w_plan(const Call& call, Plan& plan) {
    const GradW w = grad_w_of(call);
    plan = {};
    plan.parts[plan.phases++] = w.parts();
    if (w.cut.parts > 1) {
        plan.parts[plan.phases++] = w.sums();
        plan.shared = w.cut.parts * (w.size() + w.row()) * item_size(call.args[0].dtype);
    }
}

// dw[i] and dbias[i] = the sum of the pieces, each of which holds dw and then the bias.
template <class T> void sum_pieces(const T* from, int64_t pieces, int64_t size, int64_t row, Range range, T* dw, T* dbias) {
    for (int64_t i = range.begin, n; i < range.end; i += n) {
        n = least<int64_t>(WIDTH<T>, (i < size ? least(size, range.end) : range.end) - i);
        V<T> sum = load_part(from + i, int(n));
        for (int64_t p = 1; p < pieces; p++) sum += load_part(from + p * (size + row) + i, int(n));
        if (i < size) store_part(dw + i, sum, int(n));
        else if (dbias) store_part(dbias + i - size, sum, int(n));
    }
}

template <class T> void conv_grad_w_run(const Call& call, int phase, int64_t part, char*, char* shared) {
    const GradW w = grad_w_of(call);
    const Conv& c = w.c;
    const int64_t length = w.size() + w.row();
    T *dw = data<T>(call, 0), *dbias = data<T>(call, 1), *pieces = (T*)shared;
    if (phase == 1) return sum_pieces(pieces, w.cut.parts, w.size(), w.row(), part_of(length, w.sums(), part), dw, dbias);
    const T *x = data<const T>(call, 2), *g = data<const T>(call, 3);
    const int64_t piece = part % w.cut.parts;
    part /= w.cut.parts;
    const Range columns = part_of(c.depthwise() ? c.groups : c.filters, w.column_blocks, part % w.column_blocks);
    part /= w.column_blocks;
    const Range channels = part_of(c.channels, w.channel_blocks, part % w.channel_blocks);
    const int64_t group = part / w.channel_blocks;
    const int64_t first = group * c.filters + columns.begin, width = columns.end - columns.begin;
    if (w.cut.parts > 1) dw = pieces + piece * length, dbias = dw + w.size();
    for (int64_t tap = 0; tap < c.taps(); tap++)
        for (int64_t i = channels.begin; i < channels.end; i++)
            __builtin_memset(dw + (tap * c.channels + i) * w.row() + first, 0, width * sizeof(T));
    const Box box = part_box(c, w.cut, false, piece);
    const Steps gs = output_steps(c);
    correlate_taps(c, box, x, input_steps(c), g, gs, dw, group, channels, columns);
    if (dbias && channels.begin == 0) {
        const Range rows = box.axis[3 - c.rank];
        const int64_t of_row = c.positions() / most<int64_t>(1, c.outer().out);
        sum_columns(g + box.images.begin * gs.of[0] + rows.begin * gs.of[4 - c.rank] + first, w.row(),
                    (box.images.end - box.images.begin) * (rows.end - rows.begin) * of_row, width, dbias + first);
    }
}

const Kernel conv_grad_w_kernel = {"conv_grad_w", conv_grad_w_check, conv_grad_w_plan,
                                   run_floats<conv_grad_w_run<float>, conv_grad_w_run<double>>};
