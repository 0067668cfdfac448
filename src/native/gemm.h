// Matrix product with bias and activation: out = activation(a @ b + bias), each operand seen through any strides (so
// all transposes), optionally a batch of them, float32 or float64.
//
// Rows and columns of `out` are cut into parts; a part runs the micro-kernel over its tiles. Columns go in panels a few
// vectors wide and k in blocks, so that a panel's block stays in the first-level cache while all rows of the part pass
// over it. `a` is always taken where it lies: the micro-kernel reads it through pointers to rows and any stride along
// k. So is `b` if its rows are contiguous; if not, or if many rows will pass over it, a first phase (PACK) copies it
// into panels. Parts in which most of `a` is 0 pass over that (gemm_sparse.h). Where `out` is too small to be cut but k is
// long, parts take pieces of k, and a last phase (COMBINE) adds them in order.
#pragma once
#include "gemm_sparse.h"

// ---- the kernel: args out, a, b, bias?; ints activation

enum GemmPhase { PACK, MULTIPLY, COMBINE };

constexpr int64_t DEPTH = 256;                           // of a block of k
constexpr int64_t PART_ROWS = 384, PART_COLUMNS = 256;   // of the largest part
constexpr int64_t SHORTEST_DEPTH = 1024;                 // of a piece of k
constexpr int64_t PACK_ROWS = 512, PACK_SIZE = 1 << 16;  // rows of `a` and elements of `b` that are worth a copy of `b`

// In multiplications of float32: what is worth a part of its own, and what a part should not exceed. Calls between the
// two have FEW to MANY parts, so that some threads come out even.
constexpr int64_t SMALL_WORK = 1 << 19, MEDIUM_WORK = 1 << 21, LARGE_WORK = 1 << 27, FEW = 4, MANY = 16;

struct Gemm {
    int64_t batch, m, n, k;
    bool pack_b;
    int64_t panel, panels;                   // columns of a panel, their number
    int64_t packed;                          // matrices to pack: one if the batch shares it
    int64_t row_parts, column_parts, depth_parts, pack_parts;
    int64_t block;                           // the longest block of k
    int64_t parts() const { return batch * row_parts * column_parts * depth_parts; }
    int64_t packed_size() const { return pack_b ? packed * panels * panel * k : 0; }
    int64_t partial_size() const { return depth_parts > 1 ? depth_parts * batch * m * n : 0; }
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
    if (!count(out)) return g;
    const int64_t vectors = ceil_div(g.n, WIDTH<T>);
    g.panels = ceil_div(vectors, g.m <= WIDE_ROWS ? WIDE_VECTORS : PANEL_VECTORS);
    g.panel = ceil_div(vectors, g.panels) * WIDTH<T>;
    g.pack_b = matrix<T>(b, 0).column != 1 || (g.m >= PACK_ROWS && g.k * g.n >= PACK_SIZE);
    g.packed = r == 3 && b.stride[0] ? g.batch : 1;
    g.pack_parts = part_count(g.packed_size() * sizeof(T), g.packed * g.panels);

    const int64_t work = g.batch * g.m * g.n * g.k * int64_t(sizeof(T) / sizeof(float));
    const int64_t wanted = work < SMALL_WORK ? 1 : most(least(most(FEW, work / MEDIUM_WORK), MANY), work / LARGE_WORK);
    const int64_t most_rows = ceil_div(g.m, tile_rows(PANEL_VECTORS));
    g.row_parts = ceil_div(g.m, PART_ROWS);
    g.column_parts = least(g.panels, ceil_div(g.panels * g.panel, PART_COLUMNS));
    g.depth_parts = 1;
    while (g.batch == 1 && 2 * g.depth_parts <= wanted && 4 * g.depth_parts * g.m <= g.k) g.depth_parts *= 2;
    while (g.parts() < wanted) {  // the longer side in halves, rows where columns are few
        const bool rows = g.row_parts < most_rows, columns = g.column_parts < g.panels;
        if (!rows && !columns) break;
        const bool wide = g.n / g.column_parts > SPARSE_VECTORS * WIDTH<T>;
        if (rows && (!columns || !wide || g.m / g.row_parts >= g.n / g.column_parts))
            g.row_parts = least(2 * g.row_parts, most_rows);
        else
            g.column_parts = least(2 * g.column_parts, g.panels);
    }
    if (g.parts() < wanted && g.depth_parts == 1) g.depth_parts = most<int64_t>(1, least(ceil_div(wanted, g.parts()), g.k / SHORTEST_DEPTH));
    const int64_t depth = most<int64_t>(1, ceil_div(g.k, g.depth_parts));
    g.block = ceil_div(depth, ceil_div(depth, DEPTH));
    return g;
}

template <class T> void gemm_pack(const Call& c, const Gemm& g, int64_t part, T* packed) {
    const Range units = part_of(g.packed * g.panels, g.pack_parts, part);
    for (int64_t i = units.begin; i < units.end; i++) {
        const int64_t column = i % g.panels * g.panel;
        const Matrix<T> b = matrix<T>(c.args[2], i / g.panels).at(0, column);
        pack(packed + i * g.k * g.panel, g.panel, b, g.k, least(g.n - column, g.panel));
    }
}

template <class T>
void gemm_multiply(const Call& c, const Gemm& g, int64_t part, T* scratch, const T* packed, T* partial) {
    constexpr int W = WIDTH<T>;
    const Range panels = part_of(g.panels, g.column_parts, part % g.column_parts);
    part /= g.column_parts;
    const Range rows = part_of(g.m, g.row_parts, part % g.row_parts);
    part /= g.row_parts;
    const int64_t entry = part % g.batch, piece = part / g.batch, height = rows.end - rows.begin;
    const Range depth = part_of(g.k, g.depth_parts, piece);
    const Matrix<T> a = matrix<T>(c.args[1], entry), b = matrix<T>(c.args[2], entry), y = matrix<T>(c.args[0], entry);
    if (g.packed > 1) packed += entry * g.panels * g.panel * g.k;

    // The tile from this column on, up to `end`, for k from `first` to `last`.
    const auto tile = [&](int64_t column, int64_t end, int64_t first, int64_t last) {
        Tile<T> t{};
        t.b = b.at(first, column), t.columns = int(end - column), t.depth = last - first, t.add = first > depth.begin;
        if (g.partial_size()) {
            t.out = partial + ((piece * g.batch + entry) * g.m + rows.begin) * g.n + column;
            t.out_row = g.n;
        } else {
            t.out = (T*)y.at(rows.begin, column).data;
            t.out_row = y.row;
        }
        if (last == depth.end && !g.partial_size()) {
            t.bias = has_bias(c) ? (const T*)c.args[3].data + column : nullptr;
            t.activation = int(c.ints[0]);
        }
        return t;
    };

    const int64_t end = least(g.n, panels.end * g.panel);
    if (!g.pack_b && g.n % W == 0 && mostly_zeros(a.at(rows.begin, depth.begin), height, depth.end - depth.begin)) {
        for (int64_t column = panels.begin * g.panel, next; column < end; column = next) {
            next = least<int64_t>(column + SPARSE_VECTORS * W, end);
            run_sparse(a.at(rows.begin, depth.begin), height, tile(column, next, depth.begin, depth.end));
        }
        return;
    }
    int64_t k = depth.begin;
    do {
        const int64_t last = least(k + g.block, depth.end);
        for (int64_t panel = panels.begin; panel < panels.end; panel++) {
            const int64_t column = panel * g.panel;
            Tile<T> t = tile(column, least(g.n, column + g.panel), k, last);
            if (g.pack_b) {
                t.b = {packed + (panel * g.k + k) * g.panel, g.panel, 1};
            } else if (t.columns % W) {
                pack_rows(scratch, g.panel, t.b, t.depth, t.columns);
                t.b = {scratch, g.panel, 1};
            }
            run_panel(a.at(rows.begin, k), height, t);
        }
        k = last;
    } while (k < depth.end);
}

inline int64_t combine_parts(const Gemm& g) { return part_count(g.partial_size() * sizeof(float), g.batch * g.m); }

template <class T> void gemm_combine(const Call& c, const Gemm& g, int64_t part, const T* partial) {
    constexpr int W = WIDTH<T>;
    const Range rows = part_of(g.batch * g.m, combine_parts(g), part);
    for (int64_t i = rows.begin; i < rows.end; i++)
        for (int64_t j = 0; j < g.n; j += W) {
            const int part = int(least<int64_t>(g.n - j, W));
            V<T> sum = load_part(partial + i * g.n + j, part);
            for (int64_t piece = 1; piece < g.depth_parts; piece++)
                sum += load_part(partial + (piece * g.batch * g.m + i) * g.n + j, part);
            if (has_bias(c)) sum += load_part((const T*)c.args[3].data + j, part);
            store_part((T*)matrix<T>(c.args[0], i / g.m).at(i % g.m, j).data, activate<T>(int(c.ints[0]), sum), part);
        }
}

template <class T> void gemm_plan_as(const Call& c, Plan& plan) {
    const Gemm g = gemm_of<T>(c);
    plan = {};
    if (g.pack_b) plan.parts[plan.phases++] = g.pack_parts;
    plan.parts[plan.phases++] = g.parts();
    if (g.depth_parts > 1) plan.parts[plan.phases++] = combine_parts(g);
    plan.scratch = g.block * g.panel * sizeof(T);
    plan.shared = (g.packed_size() + g.partial_size()) * sizeof(T);
}

template <class T> void gemm_run(const Call& c, int phase, int64_t part, char* scratch, char* shared) {
    const Gemm g = gemm_of<T>(c);
    T *packed = (T*)shared, *partial = packed + g.packed_size();
    switch (g.pack_b ? phase : phase + 1) {
        case PACK: return gemm_pack(c, g, part, packed);
        case MULTIPLY: return gemm_multiply(c, g, part, (T*)scratch, packed, partial);
        case COMBINE: return gemm_combine(c, g, part, partial);
    }
}

inline const char* gemm_check(const Call& c) {
    if (c.arg_count < 3 || c.arg_count > 4 || c.int_count != 1)
        return "gemm: expected out, a, b, bias? and one integer";
    const View &out = c.args[0], &a = c.args[1], &b = c.args[2];
    const int r = out.rank;
    if (!is_float(out.dtype) || a.dtype != out.dtype || b.dtype != out.dtype)
        return "gemm: out, a, b: expected the same float dtype";
    if ((r != 2 && r != 3) || a.rank != r || b.rank != r)
        return "gemm: out, a, b: expected matrices, or as many of each";
    if (r == 3 && (a.shape[0] != out.shape[0] || b.shape[0] != out.shape[0]))
        return "gemm: out, a, b: expected the same batch";
    if (a.shape[r - 2] != out.shape[r - 2] || b.shape[r - 1] != out.shape[r - 1] || a.shape[r - 1] != b.shape[r - 2])
        return "gemm: out, a, b: expected shapes (m, n), (m, k), (k, n)";
    int64_t work = 1;
    const int64_t sizes[] = {r == 3 ? out.shape[0] : 1, out.shape[r - 2], out.shape[r - 1], a.shape[r - 1]};
    for (int64_t n : sizes)
        if (__builtin_mul_overflow(work, n, &work) || work > 1LL << 52)
            return "gemm: out, a, b: expected at most 2^52 multiplications";
    if (count(out) && out.shape[r - 1] > 1 && out.stride[r - 1] != 1) return "gemm: out: expected contiguous rows";
    if (has_bias(c)) {
        const View& bias = c.args[3];
        if (bias.dtype != out.dtype || bias.rank != 1 || bias.shape[0] != out.shape[r - 1] || !contiguous(bias))
            return "gemm: bias: expected a contiguous vector as long as out's rows, of its dtype";
    }
    if (c.ints[0] < LINEAR || c.ints[0] > SIGMOID)
        return "gemm: activation: expected 0 (none), 1 (relu), 2 (tanh) or 3 (sigmoid)";
    return nullptr;
}

inline void gemm_plan(const Call& c, Plan& plan) {
    if (c.args[0].dtype == F32) gemm_plan_as<float>(c, plan);
    else gemm_plan_as<double>(c, plan);
}

const Kernel gemm_kernel = {"gemm", gemm_check, gemm_plan, run_floats<gemm_run<float>, gemm_run<double>>};
