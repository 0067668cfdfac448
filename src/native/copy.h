// copy: out = x, any strides and dtypes.
//
// Axes are sorted by their stride in `out`, and neighbours that are one axis in both views are joined: what is contiguous
// becomes one long row. The two axes along which the views move fastest are then walked in tiles: rows where it is the same
// axis for both; a few rows of `out` at a time, in squares that fit the registers, where it is not (a transpose).
#pragma once
#include "view.h"

struct CopyAxis {
    int64_t n, to, from;  // length, strides of out and of x
};

struct CopyTiles {
    int rank;
    CopyAxis axis[MAX_RANK + 2];  // the last two are tiled
    bool transposed;
    int64_t rows, columns;  // of a tile
    int64_t row_tiles, column_tiles, tiles;
};

inline CopyTiles copy_tiles(const View& out, const View& x) {
    CopyTiles t{};
    CopyAxis sorted[MAX_RANK], *axis = t.axis;
    int n = 0;
    for (int i = 0; i < out.rank; i++) {
        if (out.shape[i] == 1) continue;
        int at = n++;
        for (; at > 0 && magnitude(sorted[at - 1].to) < magnitude(out.stride[i]); at--) sorted[at] = sorted[at - 1];
        sorted[at] = {out.shape[i], out.stride[i], x.stride[i]};
    }
    t.rank = 2;  // at least two axes, the outer ones of length one if need be
    axis[0] = axis[1] = {1, 0, 0};
    for (int i = 0; i < n; i++) {
        CopyAxis &last = axis[t.rank - 1], &next = sorted[i];
        if (last.n == 1 || (last.to == next.to * next.n && last.from == next.from * next.n))
            last = {last.n * next.n, next.to, next.from};
        else
            axis[t.rank++] = next;
    }
    int row = t.rank - 2, column = t.rank - 1;
    int64_t fastest = magnitude(axis[column].from);
    for (int i = 0; i < column; i++)
        if (axis[i].n > 1 && axis[i].from && magnitude(axis[i].from) < fastest) {
            fastest = magnitude(axis[i].from), row = i;
            t.transposed = true;
        }
    CopyAxis chosen = axis[row];
    for (; row < column - 1; row++) axis[row] = axis[row + 1];
    axis[row] = chosen;

    int64_t rows = axis[row].n, columns = axis[column].n;
    t.rows = least<int64_t>(rows, t.transposed ? 16 : most<int64_t>(1, 16384 / most<int64_t>(1, columns)));  // 16 words: a cache line
    t.columns = least<int64_t>(columns, 16384 / most<int64_t>(1, t.rows));
    t.row_tiles = ceil_div(rows, most<int64_t>(1, t.rows)), t.column_tiles = ceil_div(columns, most<int64_t>(1, t.columns));
    t.tiles = t.row_tiles * t.column_tiles;
    for (int i = 0; i < row; i++) t.tiles *= axis[i].n;
    return t;
}

// A row of elements of one dtype; their size is all that matters.
template <class T> void copy_row(char* to, int64_t to_step, const char* from, int64_t from_step, int64_t n) {
    T* __restrict y = (T*)to;
    const T* __restrict x = (const T*)from;
    if (to_step == 1 && from_step == 1) {
        memcpy(y, x, n * sizeof(T));
    } else if (to_step == 1 && from_step == 0) {
        T value = x[0];
        for (int64_t i = 0; i < n; i++) y[i] = value;
    } else {
        for (int64_t i = 0; i < n; i++) y[i * to_step] = x[i * from_step];
    }
}

// The first (HALF 0) or second (1) halves of a and b, element by element in turn.
template <int HALF, class Row, int... I> INLINE Row interleave(Row a, Row b, Sequence<I...>) {
    constexpr int N = sizeof...(I);
    return __builtin_shufflevector(a, b, (I / 2 + I % 2 * N + HALF * (N / 2))...);
}

// y[i][j] = x[j][i] for N x N elements; y's rows are y_step apart and x's x_step. Each round interleaves the first half of the
// rows with the second; after log2(N) rounds the rows have become columns.
template <class T, int N> INLINE void transpose_square(T* y, int64_t y_step, const T* x, int64_t x_step) {
    using Row = typename Lanes<T, N>::type;
    using Unaligned = typename Lanes<T, N>::unaligned;
    using Order = typename Count<N>::type;
    Row rows[N], next[N];
    UNROLL for (int i = 0; i < N; i++) rows[i] = *(const Unaligned*)(x + i * x_step);
    UNROLL for (int round = 1; round < N; round *= 2) {
        UNROLL for (int i = 0; i < N / 2; i++) {
            next[2 * i] = interleave<0>(rows[i], rows[i + N / 2], Order());
            next[2 * i + 1] = interleave<1>(rows[i], rows[i + N / 2], Order());
        }
        UNROLL for (int i = 0; i < N; i++) rows[i] = next[i];
    }
    UNROLL for (int i = 0; i < N; i++) *(Unaligned*)(y + i * y_step) = rows[i];
}

// y[i][j] = x[j][i] for any number of rows and columns: squares of N, what is left in squares of 4, then one by one.
template <class T, int N> void transpose(T* y, int64_t y_step, const T* x, int64_t x_step, int64_t rows, int64_t columns) {
    int64_t i1 = rows - rows % N, j1 = columns - columns % N;
    for (int64_t j = 0; j < j1; j += N)
        for (int64_t i = 0; i < i1; i += N) transpose_square<T, N>(y + i * y_step + j, y_step, x + j * x_step + i, x_step);
    if constexpr (N > 4) {
        transpose<T, 4>(y + j1, y_step, x + j1 * x_step, x_step, i1, columns - j1);
        transpose<T, 4>(y + i1 * y_step, y_step, x + i1, x_step, rows - i1, columns);
    } else {
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = i < i1 ? j1 : 0; j < columns; j++) y[i * y_step + j] = x[j * x_step + i];
    }
}

inline void copy_run(const View& out, const View& x, int64_t parts, int64_t part) {
    CopyTiles t = copy_tiles(out, x);
    const CopyAxis &row = t.axis[t.rank - 2], &column = t.axis[t.rank - 1];
    int64_t to_size = item_size(out.dtype), from_size = item_size(x.dtype);
    bool plain = out.dtype == x.dtype && t.transposed && column.to == 1 && row.from == 1;
    ConvertRow one_row = out.dtype != x.dtype ? convert(out.dtype, x.dtype)
                         : to_size == 1 ? copy_row<uint8_t> : to_size == 4 ? copy_row<uint32_t> : copy_row<uint64_t>;
    Range range = part_of(t.tiles, parts, part);
    for (int64_t tile = range.begin; tile < range.end; tile++) {
        int64_t j = tile % t.column_tiles * t.columns, outer = tile / t.column_tiles;
        int64_t i = outer % t.row_tiles * t.rows;
        outer /= t.row_tiles;
        int64_t to = i * row.to + j * column.to, from = i * row.from + j * column.from;
        for (int k = t.rank - 3; k >= 0; k--) {
            int64_t index = outer % t.axis[k].n;
            outer /= t.axis[k].n;
            to += index * t.axis[k].to, from += index * t.axis[k].from;
        }
        int64_t rows = least(t.rows, row.n - i), columns = least(t.columns, column.n - j);
        char* y = out.data + to * to_size;
        const char* source = x.data + from * from_size;
        if (plain && to_size == 4) {
            transpose<uint32_t, WIDTH<uint32_t>>((uint32_t*)y, row.to, (const uint32_t*)source, column.from, rows, columns);
        } else if (plain && to_size == 8) {
            transpose<uint64_t, WIDTH<uint64_t>>((uint64_t*)y, row.to, (const uint64_t*)source, column.from, rows, columns);
        } else {
            for (; rows > 0; rows--, y += row.to * to_size, source += row.from * from_size)
                one_row(y, column.to, source, column.from, columns);
        }
    }
}

inline int64_t copy_parts(const View& out, const View& x) {
    return part_count(count(out) * (item_size(out.dtype) + item_size(x.dtype)), copy_tiles(out, x).tiles);
}

inline bool repeats(const View& out) {
    bool zero = false;
    for (int i = 0; i < out.rank; i++) zero |= out.shape[i] > 1 && out.stride[i] == 0;
    return zero && count(out) > 0;
}

inline const char* copy_check(const Call& call) {
    if (!given(call, 2)) return "copy: expected the arguments out, x";
    if (!same_shape(call.args[0], call.args[1])) return "copy: out and x differ in shape";
    if (repeats(call.args[0])) return "copy: out repeats elements (stride 0)";
    return nullptr;
}
inline void copy_plan(const Call& call, Plan& plan) { plan = {1, {copy_parts(call.args[0], call.args[1])}, 0, 0}; }
inline void copy_part(const Call& call, int, int64_t part, char*, char*) {
    copy_run(call.args[0], call.args[1], copy_parts(call.args[0], call.args[1]), part);
}
const Kernel copy_kernel = {"copy", copy_check, copy_plan, copy_part};
