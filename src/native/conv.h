// Convolution and its two gradients over channels-last arrays as matrix products that are never laid out: 1 to 3 spatial axes,
// any stride, dilation, padding and groups, float32 or float64.
//
// Padding does not exist here. Along each axis, output positions are grouped into stretches that meet the same taps of the
// kernel (for 3 taps and padding 1: the first position, the middle, the last one), and a product of stretches, a region, is
// a dense loop nest over positions (image, axes) and taps (axes, channels). Each loop moves three pointers: into the input
// x, the output y and the kernel w. The three operations are one product with the roles turned:
//
//     y[position] = sum over taps      of x * w     tiles of positions, k runs over taps and channels
//     dw[tap]     = sum over positions of x * g     tiles of taps and channels, k runs over positions
//     dx          = the convolution of g with the flipped, transposed kernel, once for each residue of the stride
//
// The micro-kernel takes rows by pointer, so a tile may hold any positions of any images. Depthwise kernels are the same loops
// with vectors of x in the place of its numbers.
#pragma once
#include "gemm.h"

// ---- geometry

// Output position o and tap t meet input position o * stride + t * dilation - pad.
struct Axis {
    int64_t in, out, size, stride, pad, dilation;
};

INLINE int64_t round_up_div(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// From position `begin`, the longest run of positions that all meet the taps [tap, tap + taps).
struct Stretch {
    int64_t begin, end, tap, taps;
};
inline Stretch stretch(const Axis& axis, int64_t begin, int64_t end) {
    const int64_t before = axis.pad - begin * axis.stride, d = axis.dilation;  // positions of padding ahead of tap 0
    int64_t low = least(axis.size, most<int64_t>(0, round_up_div(before, d)));
    int64_t high = least(axis.size, most<int64_t>(0, round_up_div(axis.in + before, d)));
    if (low > 0) end = least(end, round_up_div(axis.pad - (low - 1) * d, axis.stride));
    if (high > 0) end = least(end, round_up_div(axis.in + axis.pad - (high - 1) * d, axis.stride));
    return {begin, end, low, most<int64_t>(0, high - low)};
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

struct Conv {
    Axis axis[3];                                     // outermost first; the missing ones have one position and one tap
    int64_t rank, batch, groups, channels, filters;   // channels and filters of one group
    int activation;
    bool depthwise() const { return groups > 1 && channels == 1 && filters == 1; }
    int64_t taps() const { return axis[0].size * axis[1].size * axis[2].size; }
    int64_t positions() const { return axis[0].out * axis[1].out * axis[2].out; }
    int64_t work() const { return batch * positions() * taps() * channels * groups * filters; }  // multiplications
    const Axis& outer() const { return axis[3 - rank]; }
};

// Elements from one image, and one position of each axis, to the next.
struct Steps {
    int64_t of[4];
};
inline Steps steps(int64_t n0, int64_t n1, int64_t n2, int64_t channels) {
    return {{n0 * n1 * n2 * channels, n1 * n2 * channels, n2 * channels, channels}};
}
inline Steps input_steps(const Conv& c) { return steps(c.axis[0].in, c.axis[1].in, c.axis[2].in, c.groups * c.channels); }
inline Steps output_steps(const Conv& c) { return steps(c.axis[0].out, c.axis[1].out, c.axis[2].out, c.groups * c.filters); }

// Some output positions of some images.
struct Box {
    Range images, axis[3];
};
inline Box whole(const Conv& c) { return {{0, c.batch}, {{0, c.axis[0].out}, {0, c.axis[1].out}, {0, c.axis[2].out}}}; }

// A batch cut into parts: several images in each, or several blocks of the outermost axis for each image.
struct Slices {
    int64_t parts, blocks;
};
inline Slices slices(int64_t batch, int64_t rows, int64_t wanted) {
    if (wanted <= batch || batch == 0) return {most<int64_t>(1, least(wanted, batch)), 1};
    const int64_t blocks = most<int64_t>(1, least(rows, ceil_div(wanted, batch)));
    return {batch * blocks, blocks};
}
struct Slice {
    Range images, rows;
};
inline Slice slice(Slices s, int64_t batch, int64_t rows, int64_t i) {
    if (s.blocks == 1) return {part_of(batch, s.parts, i), {0, rows}};
    return {{i / s.blocks, i / s.blocks + 1}, part_of(rows, s.blocks, i % s.blocks)};
}

// ---- regions

struct Loop {
    int64_t count, x, other;  // steps in x and in the other array that it moves: y for positions, w for taps
};
struct Region {
    Loop positions[4], taps[4];  // image and axes; axes and channels
    int64_t x, y, w;             // of the first position and tap
};

// fn(region) for every region of `box`. Steps of w: one tap along each axis, one channel.
template <class Fn>
void each_region(const Axis (&axis)[3], const Box& box, const Steps& x, const Steps& y, const Steps& w, int64_t channels,
                 Fn fn) {
    Stretch s[3];
    for (int64_t i = box.axis[0].begin; i < box.axis[0].end; i = s[0].end) {
        s[0] = stretch(axis[0], i, box.axis[0].end);
        for (int64_t j = box.axis[1].begin; j < box.axis[1].end; j = s[1].end) {
            s[1] = stretch(axis[1], j, box.axis[1].end);
            for (int64_t k = box.axis[2].begin; k < box.axis[2].end; k = s[2].end) {
                s[2] = stretch(axis[2], k, box.axis[2].end);
                Region r;
                r.positions[0] = {box.images.end - box.images.begin, x.of[0], y.of[0]};
                r.taps[3] = {channels, 1, w.of[3]};
                r.x = box.images.begin * x.of[0], r.y = box.images.begin * y.of[0], r.w = 0;
                for (int a = 0; a < 3; a++) {
                    const Axis& q = axis[a];
                    r.positions[a + 1] = {s[a].end - s[a].begin, q.stride * x.of[a + 1], y.of[a + 1]};
                    r.taps[a] = {s[a].taps, q.dilation * x.of[a + 1], w.of[a]};
                    r.x += (s[a].begin * q.stride + s[a].tap * q.dilation - q.pad) * x.of[a + 1];
                    r.y += s[a].begin * y.of[a + 1];
                    r.w += s[a].tap * w.of[a];
                }
                fn(r);
            }
        }
    }
}

// ---- products over loops

// A panel of columns: out[row] = activation([out +] sum over `k` of x * b + bias).
template <class T> struct Panel {
    Loop k[4];
    const T* b;
    int columns;
    bool add;
    const T* bias;
    int activation;
    int64_t out_step = 0;  // of a tile whose rows are neighbours in x, from one to the next
};

// The innermost loop takes over what its outer ones only continue.
inline void merge_loops(Loop (&k)[4]) {
    for (int i = 2; i >= 0; i--) {
        if (k[i].count == 1) continue;
        if (k[3].count == 1) k[3] = k[i];
        else if (k[i].x == k[3].x * k[3].count && k[i].other == k[3].other * k[3].count) k[3].count *= k[i].count;
        else break;
        k[i].count = 1;
    }
}

// MR rows of a panel NV vectors wide. PANEL_PART: the last vector has fewer columns. PANEL_LANES: x has a value for each
// column instead of one for all. PANEL_UNIT: the rows are x[0], x[0] + 1, ..., which takes no registers for their pointers.
// PANEL_SLIDE: the rows are neighbouring positions and k[2] their 3 taps, one position apart: each x serves 3 rows.
enum PanelKind { PANEL_WHOLE, PANEL_PART, PANEL_LANES, PANEL_LANES_PART, PANEL_UNIT, PANEL_SLIDE, PANEL_LANES_SLIDE };

// acc[p][j] += sum over taps t < 3 and k of x[(p + t) * step + k] * b(t, k, j)
template <bool LANES, class T, int MR, int NV>
INLINE void multiply_add_sliding(V<T> (&acc)[MR][NV], const T* x, int64_t step, const T* b, int64_t b_tap, int64_t b_step,
                                 int64_t depth) {
    const T* from[(MR + 4) / 3];  // to every third position
    UNROLL for (int i = 0; i < (MR + 4) / 3; i++) from[i] = x + 3 * i * step;
    for (int64_t k = 0; k < depth; k++, b += b_step) {
        V<T> taps[3][NV];
        UNROLL for (int t = 0; t < 3; t++)
            UNROLL for (int j = 0; j < NV; j++) taps[t][j] = load(b + t * b_tap + j * WIDTH<T>);
        UNROLL for (int i = 0; i < MR + 2; i++) {
            const T* at = from[i / 3] + i % 3 * step + k;
            V<T> a = LANES ? load(at) : broadcast(*at);
            UNROLL for (int t = 0; t < 3; t++)
                if (i - t >= 0 && i - t < MR)
                    UNROLL for (int j = 0; j < NV; j++) acc[i - t][j] += a * taps[t][j];
        }
    }
}

inline PanelKind panel_kind(bool part, bool lanes) { return PanelKind(part + 2 * lanes); }

template <class T, int MR, int NV, PanelKind KIND>
__attribute__((noinline)) void panel_tile(const Panel<T>& panel, const T* const* x, T* const* out) {
    constexpr bool PART = KIND == PANEL_PART || KIND == PANEL_LANES_PART;
    constexpr bool LANES = KIND == PANEL_LANES || KIND == PANEL_LANES_PART || KIND == PANEL_LANES_SLIDE;
    const T* from[MR];
    T* to[MR];
    UNROLL for (int p = 0; p < MR; p++) {
        from[p] = KIND >= PANEL_UNIT ? x[0] + p : x[p];
        to[p] = KIND >= PANEL_UNIT ? out[0] + p * panel.out_step : out[p];
    }
    V<T> acc[MR][NV];
    clear<T>(acc);
    const Loop(&k)[4] = panel.k;
    if constexpr (KIND >= PANEL_SLIDE) {
        for (int64_t h = 0; h < k[0].count; h++)
            for (int64_t i = 0; i < k[1].count; i++)
                multiply_add_sliding<LANES>(acc, x[0] + h * k[0].x + i * k[1].x, k[2].x,
                                            panel.b + h * k[0].other + i * k[1].other, k[2].other, k[3].other, k[3].count);
        return finish(acc, to, MR, panel.columns, panel.add, panel.bias, panel.activation);
    }
    for (int64_t h = 0; h < k[0].count; h++)
        for (int64_t i = 0; i < k[1].count; i++)
            for (int64_t j = 0; j < k[2].count; j++) {
                const int64_t at = h * k[0].x + i * k[1].x + j * k[2].x;
                const T* b = panel.b + h * k[0].other + i * k[1].other + j * k[2].other;
                if constexpr (LANES) multiply_add_lanes<PART>(acc, from, k[3].x, b, k[3].other, k[3].count, panel.columns, at);
                else multiply_add<PART>(acc, from, k[3].x, b, k[3].other, k[3].count, panel.columns, at);
            }
    finish(acc, to, MR, panel.columns, panel.add, panel.bias, panel.activation);
}

template <class T> struct Tiles {
    void (*const* of_rows)(const Panel<T>&, const T* const*, T* const*);  // of 1 row, 2 rows, ...
    int rows;
};
template <class T, int NV, PanelKind KIND, int... I> Tiles<T> list_tiles(Sequence<I...>) {
    static constexpr void (*tiles[])(const Panel<T>&, const T* const*, T* const*) = {panel_tile<T, I + 1, NV, KIND>...};
    return {tiles, int(sizeof...(I))};
}
template <class T> Tiles<T> tiles_for(int vectors, PanelKind kind) {
    using Few = typename Count<8>::type;
    switch (kind) {
        case PANEL_PART: return list_tiles<T, 1, PANEL_PART>(Few());
        case PANEL_LANES: return list_tiles<T, 1, PANEL_LANES>(Few());
        case PANEL_LANES_PART: return list_tiles<T, 1, PANEL_LANES_PART>(Few());
        case PANEL_UNIT:
            if constexpr (sizeof(T) == 4) {  // worth its code in float32 only
                if (vectors == 1) return list_tiles<T, 1, PANEL_UNIT>(typename Count<REGISTERS == 32 ? 16 : 12>::type());
                return list_tiles<T, 2, PANEL_UNIT>(typename Count<REGISTERS == 32 ? 13 : 6>::type());
            }
            [[fallthrough]];
        case PANEL_SLIDE:
            if constexpr (sizeof(T) == 4) {
                if (vectors == 1) return list_tiles<T, 1, PANEL_SLIDE>(typename Count<REGISTERS == 32 ? 12 : 10>::type());
                return list_tiles<T, 2, PANEL_SLIDE>(typename Count<REGISTERS == 32 ? 12 : 4>::type());
            }
            [[fallthrough]];
        case PANEL_LANES_SLIDE:
            if constexpr (sizeof(T) == 4) return list_tiles<T, 1, PANEL_LANES_SLIDE>(Few());
            [[fallthrough]];
        default:
            if (vectors == 1) return list_tiles<T, 1, PANEL_WHOLE>(typename Count<tile_rows(1)>::type());
            if (vectors == 2) return list_tiles<T, 2, PANEL_WHOLE>(typename Count<tile_rows(2)>::type());
            return list_tiles<T, TILE_VECTORS, PANEL_WHOLE>(typename Count<tile_rows(TILE_VECTORS)>::type());
    }
}

// How many of `left` columns the next panel takes: whole vectors, and the rest by itself.
template <class T> int64_t panel_columns(int64_t left, int64_t vectors) {
    while (vectors > 1 && left < vectors * WIDTH<T>) vectors /= 2;
    return least(left, vectors * WIDTH<T>);
}

// The panel for all rows: `rows` loops move x and out.
template <class T> void sweep(const Loop (&rows)[4], const T* x, T* out, Panel<T>& panel, int vectors, PanelKind kind) {
    const int64_t n = rows[0].count * rows[1].count * rows[2].count * rows[3].count;
    if (n == 0) return;
    if (sizeof(T) == 4 && (kind == PANEL_WHOLE || kind == PANEL_LANES) && vectors <= 2 && rows[3].count >= 6) {
        const bool sliding = panel.k[2].count == 3 && panel.k[2].x == rows[3].x;
        if (kind == PANEL_WHOLE && rows[3].x == 1) kind = PANEL_UNIT;
        else if (sliding) kind = kind == PANEL_LANES ? PANEL_LANES_SLIDE : PANEL_SLIDE;
    }
    if (kind < PANEL_SLIDE) merge_loops(panel.k);
    panel.out_step = rows[3].other;
    const bool in_line = kind >= PANEL_UNIT;  // all rows of a tile are of one innermost loop
    const Tiles<T> tiles = tiles_for<T>(vectors, kind);
    const int64_t line = in_line ? rows[3].count : n, count = ceil_div(line, tiles.rows);
    int64_t at[4] = {0, 0, 0, 0};
    auto advance = [&](int64_t by) {
        at[3] += by, x += by * rows[3].x, out += by * rows[3].other;
        for (int l = 3; l > 0 && at[l] == rows[l].count; l--) {
            at[l] = 0, at[l - 1]++;
            x += rows[l - 1].x - rows[l].count * rows[l].x, out += rows[l - 1].other - rows[l].count * rows[l].other;
        }
    };
    for (int64_t i = 0; i < n / line * count; i++) {
        const Range tile = part_of(line, count, i % count);
        const int size = int(tile.end - tile.begin);
        const T* from[tile_rows(1)];
        T* to[tile_rows(1)];
        for (int p = 0; p < (in_line ? 1 : size); p++) {
            from[p] = x, to[p] = out;
            advance(in_line ? size : 1);
        }
        tiles.of_rows[size - 1](panel, from, to);
    }
}

// ---- the three products

// A kernel: (taps, channels of a group, columns) as it lies, or packed by `pack_filter`.
template <class T> struct Filter {
    const T* data;
    bool packed;
    int64_t size[3], tap[3];  // the whole kernel's size, and the first tap along each axis that counts here
};

// y = activation(x * filter + bias) for the positions in `box`.
template <class T>
void correlate(const Conv& c, const Box& box, const T* x, const Steps& xs, T* y, const Steps& ys, const Filter<T>& f,
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
                sweep(r.positions, x + r.x + (lanes ? begin : g * depth), y + r.y + first, panel, vectors, kind);
            });
        }
}

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
    if (c.int_count < 2 || c.ints[0] < 1 || c.ints[0] > 3) return "conv: rank: expected 1, 2 or 3 spatial axes";
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

template <class T> void conv_run_as(const Call& call, int phase, int64_t part, char* shared) {
    const Forward f = forward_of(call);
    const Conv& c = f.c;
    const T* w = data<T>(call, 2);
    if (f.pack && phase == 0) return pack_filter((T*)shared, w, c, false, part);
    const Filter<T> filter{f.pack ? (const T*)shared : w, f.pack, {c.axis[0].size, c.axis[1].size, c.axis[2].size}, {0, 0, 0}};
    correlate(c, part_box(c, f.cut, false, part), data<const T>(call, 1), input_steps(c), data<T>(call, 0), output_steps(c), filter,
              data<const T>(call, 3), c.activation);
}

inline void conv_run(const Call& call, int phase, int64_t part, char*, char* shared) {
    if (call.args[0].dtype == F32) conv_run_as<float>(call, phase, part, shared);
    else conv_run_as<double>(call, phase, part, shared);
}

const Kernel conv_kernel = {"conv", conv_check, conv_plan, conv_run};

// -- conv_grad_x: dx, g, w

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

template <class T> void conv_grad_x_run_as(const Call& call, int phase, int64_t part, char* shared) {
    const Conv c = grad_x_of(call);
    if (phase == 0) return pack_filter((T*)shared, data<const T>(call, 2), c, true, part);
    const Box box = part_box(c, grad_x_slices(c), true, part);
    correlate_back(c, box, data<T>(call, 0), input_steps(c), data<const T>(call, 1), output_steps(c), (const T*)shared);
}

inline void conv_grad_x_run(const Call& call, int phase, int64_t part, char*, char* shared) {
    if (call.args[0].dtype == F32) conv_grad_x_run_as<float>(call, phase, part, shared);
    else conv_grad_x_run_as<double>(call, phase, part, shared);
}

const Kernel conv_grad_x_kernel = {"conv_grad_x", conv_grad_x_check, conv_grad_x_plan, conv_grad_x_run};

// -- conv_grad_w: dw, dbias?, x, g

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

template <class T> void conv_grad_w_run_as(const Call& call, int phase, int64_t part, T* shared) {
    const GradW w = grad_w_of(call);
    const Conv& c = w.c;
    const int64_t length = w.size() + w.row();
    T *dw = data<T>(call, 0), *dbias = data<T>(call, 1);
    if (phase == 1) return sum_pieces(shared, w.cut.parts, w.size(), w.row(), part_of(length, w.sums(), part), dw, dbias);
    const T *x = data<const T>(call, 2), *g = data<const T>(call, 3);
    const int64_t piece = part % w.cut.parts;
    part /= w.cut.parts;
    const Range columns = part_of(c.depthwise() ? c.groups : c.filters, w.column_blocks, part % w.column_blocks);
    part /= w.column_blocks;
    const Range channels = part_of(c.channels, w.channel_blocks, part % w.channel_blocks);
    const int64_t group = part / w.channel_blocks;
    const int64_t first = group * c.filters + columns.begin, width = columns.end - columns.begin;
    if (w.cut.parts > 1) dw = shared + piece * length, dbias = dw + w.size();
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

inline void conv_grad_w_run(const Call& call, int phase, int64_t part, char*, char* shared) {
    if (call.args[0].dtype == F32) conv_grad_w_run_as<float>(call, phase, part, (float*)shared);
    else conv_grad_w_run_as<double>(call, phase, part, (double*)shared);
}

const Kernel conv_grad_w_kernel = {"conv_grad_w", conv_grad_w_check, conv_grad_w_plan, conv_grad_w_run};
