// Matrix product with bias and activation: out = activation(a @ b + bias), each operand seen through any strides (so all
// transposes), optionally a batch of them, float32 or float64.
//
// Rows and columns of `out` are cut into parts; a part runs the micro-kernel over its tiles. Columns go in panels two vectors
// wide and k in blocks, so that a panel's block stays in the first-level cache while all rows of the part pass over it, and
// the part's block of `a` in the second-level one. Small products take both operands where they lie. Larger ones copy them
// first, so that no long stride is left in the inner loop: `b` once for all parts (phase PACK) into panels, transposed if
// need be, `a` part by part, keeping its orientation. Where `out` is too small to be cut but k is long, parts take pieces of
// k, and the phase COMBINE adds their results in order.
#pragma once
#include "micro.h"
#include "view.h"

template <class T> struct Matrix {  // element (i, j) is data[i * row + j * column]
    const T* data;
    int64_t row, column;
    Matrix at(int64_t i, int64_t j) const { return {data + i * row + j * column, row, column}; }
};

// to[i * to_row + j] = from(i, j); the columns up to the next multiple of a vector become 0.
template <class T> void pack_rows(T* to, int64_t to_row, Matrix<T> from, int64_t rows, int64_t columns) {
    constexpr int W = WIDTH<T>;
    for (int64_t i = 0; i < rows; i++, to += to_row, from.data += from.row) {
        int64_t j = 0;
        if (from.column == 1) {
            for (; j + W <= columns; j += W) store(to + j, load(from.data + j));
            if (j < columns) store(to + j, load_part(from.data + j, int(columns - j)));
        } else {
            for (; j < columns; j++) to[j] = from.data[j * from.column];
            for (; j % W; j++) to[j] = 0;
        }
    }
}

// The same where the columns of `from` are contiguous: squares are transposed in registers.
template <class T> void pack_columns(T* to, int64_t to_row, Matrix<T> from, int64_t rows, int64_t columns) {
    constexpr int W = WIDTH<T>;
    for (int64_t j = 0; j < columns; j += W)
        for (int64_t i = 0; i < rows; i += W) {
            const int height = int(least<int64_t>(rows - i, W)), width = int(least<int64_t>(columns - j, W));
            const T* corner = from.data + i + j * from.column;
            V<T> square[W];
            if (height == W && width == W)
                UNROLL for (int p = 0; p < W; p++) square[p] = load(corner + p * from.column);
            else
                UNROLL for (int p = 0; p < W; p++) square[p] = p < width ? load_part(corner + p * from.column, height) : V<T>{};
            transpose<T>(square);
            UNROLL for (int p = 0; p < W; p++)
                if (p < height) store(to + (i + p) * to_row + j, square[p]);
        }
}

template <class T> void pack(T* to, int64_t to_row, Matrix<T> from, int64_t rows, int64_t columns) {
    if (from.row == 1 && from.column != 1) pack_columns(to, to_row, from, rows, columns);
    else pack_rows(to, to_row, from, rows, columns);
}

// ---- tiles

template <class T> struct Tile {  // out (rows, columns) = activation([out +] a (rows, depth) @ b (depth, columns) + bias)
    Matrix<T> a, b;
    int64_t depth;
    T* out;
    int64_t out_row;
    int rows, columns;
    bool add;
    const T* bias;
    int activation;
};

template <class T, int MR, int NV> __attribute__((noinline)) void run_tile(const Tile<T>& t) {
    const T* row[MR];
    for (int p = 0; p < MR; p++) row[p] = t.a.data + least(p, t.rows - 1) * t.a.row;
    V<T> acc[MR][NV];
    clear<T>(acc);
    multiply_add(acc, row, t.a.column, t.b.data, t.b.row, t.depth);
    finish(acc, t.out, t.out_row, t.rows, t.columns, t.add, t.bias, t.activation);
}

// The lowest tile that has room for t.rows.
template <class T, int NV, int MR = tile_rows(NV)> void run_rows(const Tile<T>& t) {
    if constexpr (MR > 1) {
        constexpr int LESS = MR > 4 ? MR - 2 : MR - 1;
        if (t.rows <= LESS) return run_rows<T, NV, LESS>(t);
    }
    run_tile<T, MR, NV>(t);
}

template <class T, int NV> void run_columns(Matrix<T> a, const Tile<T>& panel, int64_t rows) {
    const int64_t tiles = ceil_div(rows, tile_rows(NV));
    Tile<T> t = panel;
    for (int64_t i = 0; i < tiles; i++) {
        Range r = part_of(rows, tiles, i);
        t.a = a.at(r.begin, 0), t.out = panel.out + r.begin * t.out_row, t.rows = int(r.end - r.begin);
        run_rows<T, NV>(t);
    }
}

// ---- the kernel: args out, a, b, bias?; ints activation

constexpr int64_t DEPTH = 256;                          // of a block of k
constexpr int64_t PART_ROWS = 192, PART_COLUMNS = 512;  // the largest part
constexpr int64_t PART_WORK = 1 << 21;                  // multiplications below which a call is one part
constexpr int64_t LONGEST_PART = 1 << 27;
constexpr int64_t SPLIT_DEPTH = 1024;                   // of the shortest piece of k
template <class T> constexpr int64_t PANEL = 2 * WIDTH<T>;
constexpr int64_t PANEL_ROWS = tile_rows(2);

enum GemmPhase { PACK, MULTIPLY, COMBINE };

struct Gemm {
    int64_t batch, m, n, k;
    bool pack_a, pack_b;
    int64_t panels, packed_b;                          // panels in b, and how many b there are to pack
    int64_t row_parts, column_parts, depth_parts, pack_parts;
    int64_t block_rows, block_depth;                   // the largest block of a
    int64_t parts() const { return batch * row_parts * column_parts * depth_parts; }
};

inline bool has_bias(const Call& c) { return c.arg_count > 3 && c.args[3].dtype != NONE; }

template <class T> Matrix<T> matrix(const View& v, int64_t entry) {
    const int r = v.rank;
    const int64_t first = r == 3 ? entry * v.stride[0] : 0;
    return {(const T*)v.data + first, v.stride[r - 2], v.shape[r - 1] == 1 ? 1 : v.stride[r - 1]};
}

template <class T> Gemm gemm_of(const Call& c) {
    const View &out = c.args[0], &a = c.args[1], &b = c.args[2];
    const int r = out.rank;
    Gemm g{};
    g.batch = r == 3 ? out.shape[0] : 1, g.m = out.shape[r - 2], g.n = out.shape[r - 1], g.k = a.shape[r - 1];
    g.panels = ceil_div(g.n, PANEL<T>), g.packed_b = r == 3 && b.stride[0] ? g.batch : 1;
    const int64_t work = g.batch * g.m * g.n * g.k * int64_t(sizeof(T) / 4);
    g.pack_b = matrix<T>(b, 0).column != 1 || (g.m >= 96 && g.k * g.n >= 1 << 14);
    g.pack_a = g.n >= 256 && g.m * g.k >= 1 << 14;
    const int64_t parts = work < PART_WORK ? 1 : most(least<int64_t>(most<int64_t>(work / PART_WORK, 4), 16), work / LONGEST_PART);
    g.row_parts = most<int64_t>(1, ceil_div(g.m, PART_ROWS)), g.column_parts = most<int64_t>(1, ceil_div(g.n, PART_COLUMNS));
    const int64_t most_rows = ceil_div(g.m, PANEL_ROWS), most_columns = g.panels;
    g.depth_parts = 1;
    while (g.parts() < parts) {
        if (g.row_parts < most_rows && (g.m / g.row_parts >= g.n / g.column_parts || g.column_parts == most_columns))
            g.row_parts = least(2 * g.row_parts, most_rows);
        else if (g.column_parts < most_columns) g.column_parts = least(2 * g.column_parts, most_columns);
        else break;
    }
    if (g.parts() < parts) g.depth_parts = most<int64_t>(1, least(ceil_div(parts, g.parts()), g.k / SPLIT_DEPTH));
    const int64_t depth = most<int64_t>(1, ceil_div(g.k, g.depth_parts));
    g.block_depth = ceil_div(depth, ceil_div(depth, DEPTH));
    g.block_rows = ceil_div(g.m, g.row_parts);
    g.pack_parts = part_count(g.packed_b * g.k * g.n * sizeof(T), g.packed_b * g.panels);
    return g;
}

INLINE int64_t vectors(int64_t n, int64_t width) { return ceil_div(n, width) * width; }

template <class T> void gemm_pack(const Call& c, const Gemm& g, int64_t part, T* packed) {
    const Range units = part_of(g.packed_b * g.panels, g.pack_parts, part);
    for (int64_t i = units.begin; i < units.end; i++) {
        const int64_t column = i % g.panels * PANEL<T>;
        pack(packed + i * g.k * PANEL<T>, PANEL<T>, matrix<T>(c.args[2], i / g.panels).at(0, column), g.k, least(g.n - column, PANEL<T>));
    }
}

template <class T> void gemm_multiply(const Call& c, const Gemm& g, int64_t part, T* scratch, const T* packed, T* partial) {
    constexpr int W = WIDTH<T>;
    const Range panels = part_of(g.panels, g.column_parts, part % g.column_parts);
    part /= g.column_parts;
    const Range rows = part_of(g.m, g.row_parts, part % g.row_parts);
    part /= g.row_parts;
    const int64_t entry = part % g.batch, piece = part / g.batch;
    const Range all = part_of(g.k, g.depth_parts, piece);
    const int64_t blocks = most<int64_t>(1, ceil_div(all.end - all.begin, g.block_depth)), height = rows.end - rows.begin;
    T* tail = scratch;
    T* packed_a = scratch + g.block_depth * PANEL<T>;
    const View& out = c.args[0];
    for (int64_t i = 0; i < blocks; i++) {
        const Range ks = part_of(all.end - all.begin, blocks, i);
        const int64_t k = all.begin + ks.begin, depth = ks.end - ks.begin;
        const bool last = i == blocks - 1 && !partial;
        Matrix<T> a = matrix<T>(c.args[1], entry).at(rows.begin, k);
        if (g.pack_a) {
            if (a.row == 1 && a.column != 1) {
                const int64_t step = vectors(height, W);
                pack_rows(packed_a, step, {a.data, a.column, 1}, depth, height);
                a = {packed_a, 1, step};
            } else {
                const int64_t step = vectors(depth, W) + W;  // a power of two would map all rows to the same few cache lines
                pack_rows(packed_a, step, a, height, depth);
                a = {packed_a, step, 1};
            }
        }
        for (int64_t panel = panels.begin; panel < panels.end; panel++) {
            const int64_t column = panel * PANEL<T>;
            Tile<T> t;
            t.columns = int(least(g.n - column, PANEL<T>)), t.depth = depth, t.add = i > 0;
            if (g.pack_b) {
                t.b = {packed + ((g.packed_b > 1 ? entry : 0) * g.panels + panel) * g.k * PANEL<T> + k * PANEL<T>, PANEL<T>, 1};
            } else {
                t.b = matrix<T>(c.args[2], entry).at(k, column);
                if (t.columns % W) {
                    pack_rows(tail, PANEL<T>, t.b, depth, t.columns);
                    t.b = {tail, PANEL<T>, 1};
                }
            }
            if (partial) {
                t.out_row = g.n;
                t.out = partial + ((piece * g.batch + entry) * g.m + rows.begin) * g.n + column;
            } else {
                t.out_row = out.stride[out.rank - 2];
                t.out = (T*)matrix<T>(out, entry).at(rows.begin, column).data;
            }
            t.bias = last && has_bias(c) ? (const T*)c.args[3].data + column : nullptr;
            t.activation = last ? int(c.ints[0]) : int(LINEAR);
            if (t.columns > W) run_columns<T, 2>(a, t, height);
            else run_columns<T, 1>(a, t, height);
        }
    }
}

template <class T> void gemm_combine(const Call& c, const Gemm& g, const T* partial) {
    constexpr int W = WIDTH<T>;
    const View& out = c.args[0];
    for (int64_t i = 0; i < g.batch * g.m; i++)
        for (int64_t j = 0; j < g.n; j += W) {
            const int part = int(least<int64_t>(g.n - j, W));
            V<T> sum = load_part(partial + i * g.n + j, part);
            for (int64_t piece = 1; piece < g.depth_parts; piece++)
                sum += load_part(partial + (piece * g.batch * g.m + i) * g.n + j, part);
            if (has_bias(c)) sum += load_part((const T*)c.args[3].data + j, part);
            store_part((T*)matrix<T>(out, i / g.m).at(i % g.m, j).data, activate<T>(int(c.ints[0]), sum), part);
        }
}

template <class T> void gemm_plan_as(const Call& c, Plan& plan) {
    const Gemm g = gemm_of<T>(c);
    plan = {};
    if (g.pack_b) plan.parts[plan.phases++] = g.pack_parts, plan.shared += g.packed_b * g.panels * PANEL<T> * g.k * sizeof(T);
    plan.parts[plan.phases++] = most<int64_t>(1, g.parts());
    if (g.depth_parts > 1) plan.parts[plan.phases++] = 1, plan.shared += g.depth_parts * g.batch * g.m * g.n * sizeof(T);
    plan.scratch = g.block_depth * PANEL<T> * sizeof(T);
    if (g.pack_a) plan.scratch += most(vectors(g.block_rows, WIDTH<T>) * g.block_depth, g.block_rows * (vectors(g.block_depth, WIDTH<T>) + WIDTH<T>)) * sizeof(T);
}

template <class T> void gemm_run_as(const Call& c, int phase, int64_t part, char* scratch, char* shared) {
    const Gemm g = gemm_of<T>(c);
    if (g.batch * g.m * g.n == 0) return;
    T* packed = (T*)shared;
    T* partial = packed + (g.pack_b ? g.packed_b * g.panels * PANEL<T> * g.k : 0);
    switch (phase + !g.pack_b) {
        case PACK: return gemm_pack(c, g, part, packed);
        case MULTIPLY: return gemm_multiply(c, g, part, (T*)scratch, packed, g.depth_parts > 1 ? partial : nullptr);
        case COMBINE: return gemm_combine(c, g, partial);
    }
}

inline const char* gemm_check(const Call& c) {
    if (c.arg_count < 3 || c.arg_count > 4 || c.int_count != 1) return "gemm: expected out, a, b, bias? and one integer";
    const View &out = c.args[0], &a = c.args[1], &b = c.args[2];
    const int r = out.rank;
    if (!is_float(out.dtype) || a.dtype != out.dtype || b.dtype != out.dtype) return "gemm: out, a, b: expected the same float dtype";
    if ((r != 2 && r != 3) || a.rank != r || b.rank != r) return "gemm: out, a, b: expected matrices, or as many of each";
    if (r == 3 && (a.shape[0] != out.shape[0] || b.shape[0] != out.shape[0])) return "gemm: out, a, b: expected the same batch";
    if (a.shape[r - 2] != out.shape[r - 2] || b.shape[r - 1] != out.shape[r - 1] || a.shape[r - 1] != b.shape[r - 2])
        return "gemm: out, a, b: expected shapes (m, n), (m, k), (k, n)";
    if (count(out) && out.shape[r - 1] > 1 && out.stride[r - 1] != 1) return "gemm: out: expected contiguous rows";
    if (has_bias(c)) {
        const View& bias = c.args[3];
        if (bias.dtype != out.dtype || bias.rank != 1 || bias.shape[0] != out.shape[r - 1] || !contiguous(bias))
            return "gemm: bias: expected a contiguous vector as long as out's rows, of its dtype";
    }
    if (c.ints[0] < LINEAR || c.ints[0] > SIGMOID) return "gemm: activation: expected 0 (none), 1 (relu), 2 (tanh) or 3 (sigmoid)";
    return nullptr;
}

inline void gemm_plan(const Call& c, Plan& plan) {
    if (c.args[0].dtype == F32) gemm_plan_as<float>(c, plan);
    else gemm_plan_as<double>(c, plan);
}

inline void gemm_run(const Call& c, int phase, int64_t part, char* scratch, char* shared) {
    if (c.args[0].dtype == F32) gemm_run_as<float>(c, phase, part, scratch, shared);
    else gemm_run_as<double>(c, phase, part, scratch, shared);
}

const Kernel gemm_kernel = {"gemm", gemm_check, gemm_plan, gemm_run};
