// Convolution as matrix products that are never laid out, over channels-last arrays: 1 to 3 spatial axes, any stride, dilation,
// padding and groups, float32 or float64. Here are its geometry and its loops.
//
// Padding does not exist here. Along each axis, output positions are grouped into stretches that meet the same taps of the
// kernel (for 3 taps and padding 1: the first position, the middle, the last one), and a product of stretches, a region, is
// a dense loop nest over positions (image, axes) and taps (axes, channels). Each loop moves three pointers: into the input
// x, the output y and the kernel w. So an infinite weight over padding adds nothing, where a sum over zeros would be NaN.
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
enum PanelKind { PANEL_WHOLE, PANEL_PART, PANEL_LANES, PANEL_LANES_PART, PANEL_UNIT, PANEL_SLIDE };

// acc[p][j] += sum over taps t < 3 and k of x[(p + t) * step + k] * b(t, k, j)
template <class T, int MR, int NV>
INLINE void multiply_add_sliding(V<T> (&acc)[MR][NV], const T* x, int64_t step, const T* b, int64_t b_tap, int64_t b_step,
                                 int64_t depth) {
    const T* from[(MR + 4) / 3];  // to every third position
    UNROLL for (int i = 0; i < (MR + 4) / 3; i++) from[i] = x + 3 * i * step;
    for (int64_t k = 0; k < depth; k++, b += b_step) {
        V<T> taps[3][NV];
        UNROLL for (int t = 0; t < 3; t++)
            UNROLL for (int j = 0; j < NV; j++) taps[t][j] = load(b + t * b_tap + j * WIDTH<T>);
        UNROLL for (int i = 0; i < MR + 2; i++) {
            V<T> a = broadcast(from[i / 3][i % 3 * step + k]);
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
    constexpr bool LANES = KIND == PANEL_LANES || KIND == PANEL_LANES_PART;
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
                multiply_add_sliding(acc, x[0] + h * k[0].x + i * k[1].x, k[2].x, panel.b + h * k[0].other + i * k[1].other,
                                     k[2].other, k[3].other, k[3].count);
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
    using Taps = typename Count<REGISTERS == 32 ? 9 : 8>::type;
    switch (kind) {
        case PANEL_PART: return list_tiles<T, 1, PANEL_PART>(Few());
        case PANEL_LANES: return list_tiles<T, 1, PANEL_LANES>(Taps());
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
    if (sizeof(T) == 4 && kind == PANEL_WHOLE && vectors <= 2 && rows[3].count >= 6) {
        if (rows[3].x == 1) kind = PANEL_UNIT;
        else if (panel.k[2].count == 3 && panel.k[2].x == rows[3].x) kind = PANEL_SLIDE;
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
    for (int64_t lines = n / line; lines > 0; lines--)
        for (int64_t i = 0; i < count; i++) {
            const Range tile = part_of(line, count, i);
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

// ---- depthwise lines

constexpr int LINE_TAPS = 9;  // at most

// As `sweep` for a depthwise panel of few taps: lines of positions, with the weights of all taps in registers.
template <class T, int TAPS, bool PART>
__attribute__((noinline)) void panel_lines(const Loop (&lines)[4], const T* x, const int64_t* offset, T* out, const Panel<T>& panel,
                                           const T* const* weights) {
    auto get = [n = panel.columns](const T* p) ALWAYS { return PART ? load_part(p, n) : load(p); };
    V<T> w[TAPS];
    UNROLL for (int t = 0; t < TAPS; t++) w[t] = get(weights[t]);
    const T* from[TAPS];
    auto tile = [&](auto& acc, auto& to, int64_t at) ALWAYS {
        constexpr int MR = sizeof(acc) / sizeof(acc[0]);
        clear<T>(acc);
        UNROLL for (int t = 0; t < TAPS; t++)
            UNROLL for (int p = 0; p < MR; p++) acc[p][0] += get(from[t] + (at + p) * lines[3].x) * w[t];
        UNROLL for (int p = 0; p < MR; p++) to[p] = out + (at + p) * lines[3].other;
        finish(acc, to, MR, panel.columns, panel.add, panel.bias, panel.activation);
    };
    V<T> four[4][1], one[1][1];
    T *to_four[4], *to_one[1], *const first = out;
    for (int64_t h = 0; h < lines[0].count; h++)
        for (int64_t i = 0; i < lines[1].count; i++)
            for (int64_t j = 0; j < lines[2].count; j++) {
                const T* start = x + h * lines[0].x + i * lines[1].x + j * lines[2].x;
                UNROLL for (int t = 0; t < TAPS; t++) from[t] = start + offset[t];
                out = first + h * lines[0].other + i * lines[1].other + j * lines[2].other;
                int64_t at = 0;
                for (; at + 4 <= lines[3].count; at += 4) tile(four, to_four, at);
                for (; at < lines[3].count; at++) tile(one, to_one, at);
            }
}

template <class T> using RunLines = void (*)(const Loop (&)[4], const T*, const int64_t*, T*, const Panel<T>&, const T* const*);
template <class T, bool PART, int... I> RunLines<T> lines_of(int taps, Sequence<I...>) {
    static constexpr RunLines<T> lines[] = {panel_lines<T, I + 1, PART>...};
    return lines[taps - 1];
}

template <class T> void sweep_lines(const Loop (&rows)[4], const T* x, T* out, const Panel<T>& panel, bool part) {
    const T* weights[LINE_TAPS];
    int64_t offset[LINE_TAPS];
    int taps = 0;
    for (int64_t h = 0; h < panel.k[0].count; h++)
        for (int64_t i = 0; i < panel.k[1].count; i++)
            for (int64_t j = 0; j < panel.k[2].count; j++, taps++) {
                weights[taps] = panel.b + h * panel.k[0].other + i * panel.k[1].other + j * panel.k[2].other;
                offset[taps] = h * panel.k[0].x + i * panel.k[1].x + j * panel.k[2].x;
            }
    using Taps = typename Count<LINE_TAPS>::type;
    Loop lines[4] = {rows[0], rows[1], rows[2], rows[3]};
    merge_loops(lines);
    (part ? lines_of<T, true>(taps, Taps()) : lines_of<T, false>(taps, Taps()))(lines, x, offset, out, panel, weights);
}
