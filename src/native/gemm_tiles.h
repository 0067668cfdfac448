// The dense inside of a matrix product: matrices seen through any strides, copies of them in panels, and all rows of one
// passing over a panel of the other, tile by tile.
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
                UNROLL for (int p = 0; p < W; p++)
                    square[p] = p < width ? load_part(corner + p * from.column, height) : V<T>{};
            transpose_blocks<W / 2>(square);
            UNROLL for (int p = 0; p < W; p++)
                if (p < height) store(to + (i + p) * to_row + j, square[p]);
        }
}

template <class T> void pack(T* to, int64_t to_row, Matrix<T> from, int64_t rows, int64_t columns) {
    if (from.row == 1 && from.column != 1) pack_columns(to, to_row, from, rows, columns);
    else pack_rows(to, to_row, from, rows, columns);
}

// ---- tiles

// out (rows, columns) = activation([out +] a (rows, depth) @ b (depth, columns) + bias)
template <class T> struct Tile {
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

// The widest panel. Where `a` has but a row or two, wider ones put the free accumulators to use.
constexpr int PANEL_VECTORS = REGISTERS == 32 ? 3 : 2;
constexpr int WIDE_VECTORS = REGISTERS == 32 ? 8 : 4, WIDE_ROWS = 2;
constexpr int panel_rows(int vectors) { return vectors > PANEL_VECTORS ? WIDE_ROWS : tile_rows(vectors); }

// The lowest tile that has room for t.rows.
template <class T, int NV, int MR = panel_rows(NV)> void run_rows(const Tile<T>& t) {
    if constexpr (MR > 1) {
        constexpr int LESS = MR > 4 ? MR - 2 : MR - 1;
        if (t.rows <= LESS) return run_rows<T, NV, LESS>(t);
    }
    run_tile<T, MR, NV>(t);
}

// All rows of `a` over one panel of t.columns.
template <class T, int NV = WIDE_VECTORS> void run_panel(Matrix<T> a, int64_t rows, Tile<T> t) {
    if constexpr (NV > 1)
        if (t.columns <= (NV - 1) * WIDTH<T>) return run_panel<T, NV - 1>(a, rows, t);
    const int64_t tiles = ceil_div(rows, panel_rows(NV));
    T* out = t.out;
    for (int64_t i = 0; i < tiles; i++) {
        const Range r = part_of(rows, tiles, i);
        t.a = a.at(r.begin, 0), t.out = out + r.begin * t.out_row, t.rows = int(r.end - r.begin);
        run_rows<T, NV>(t);
    }
}
