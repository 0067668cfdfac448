// Products that pass over the zeros of `a`: pixels of the background, what a relu has cut off.
//
// A word of 64 bits says which elements of a row of `a` are not 0; each of them takes a row of `b`, which is in the
// first-level cache, times itself. That costs about twice as much for an element as it does in a dense tile, so it pays
// where zeros are many: a sample decides. 0 * infinity is NaN, so `b` is looked at first, and a block of it that is not
// all finite goes the dense way.
#pragma once
#include "gemm_tiles.h"

constexpr int WORD = 64;
constexpr int SPARSE_PERCENT = 50;  // of elements that are not 0, at most
constexpr int SPARSE_ROWS = 16;     // at least: looking at `b` costs as much as two of them
constexpr int SPARSE_VECTORS = 8;   // the widest panel of `b`: all its columns' sums stay in registers

// Which elements of each of `rows` <= WIDTH rows of `a`, `depth` <= WORD long, are not 0.
template <class T> void find_nonzeros(uint64_t* found, Matrix<T> a, int rows, int depth) {
    constexpr int W = WIDTH<T>;
    const auto nonzero = [](const T* from, int n) { return nonzero_lanes<T>(n >= W ? load(from) : load_part(from, n)); };
    if (a.column == 1) {
        for (int p = 0; p < rows; p++) {
            found[p] = 0;
            for (int k = 0; k < depth; k += W) found[p] |= uint64_t(nonzero(a.data + p * a.row + k, depth - k)) << k;
        }
    } else {
        uint8_t lanes[2][WORD] = {};  // of up to eight rows each, for every k
        for (int k = 0; k < depth; k++) {
            const uint32_t bits = nonzero(a.data + k * a.column, rows);
            lanes[0][k] = uint8_t(bits), lanes[1][k] = uint8_t(bits >> 8);
        }
        for (int p = 0; p < rows; p++) found[p] = bit_of_each(lanes[p / 8], p % 8);
    }
}

// Whether so much of (rows, depth) is 0, by every eighth line of the memory, that passing over it pays.
template <class T> bool mostly_zeros(Matrix<T> a, int64_t rows, int64_t depth) {
    constexpr int W = WIDTH<T>;
    const bool in_rows = a.column == 1;
    if (rows < SPARSE_ROWS || (!in_rows && a.row != 1)) return false;
    const int64_t lines = in_rows ? rows : depth, length = in_rows ? depth : rows, step = in_rows ? a.row : a.column;
    int64_t seen = 0, nonzero = 0;
    for (int64_t line = 0; line < lines; line += 8)
        for (int64_t i = 0; i + W <= length; i += W, seen += W)
            nonzero += __builtin_popcount(nonzero_lanes<T>(load(a.data + line * step + i)));
    return nonzero * 100 < seen * SPARSE_PERCENT;
}

// Whether NV vectors of each of the first rows of `b` hold neither NaN nor infinity.
template <class T, int NV> bool all_finite(Matrix<T> b, int64_t rows) {
    V<T> sums[NV] = {};
    for (int64_t k = 0; k < rows; k++)
        UNROLL for (int j = 0; j < NV; j++) sums[j] += load(b.data + k * b.row + j * WIDTH<T>) * V<T>{};
    UNROLL for (int j = 1; j < NV; j++) sums[0] += sums[j];
    return !nonzero_lanes<T>(sums[0]);
}

// All rows of `a`, of which each is a word long.
template <class T, int NV> void run_sparse_block(Matrix<T> a, int64_t rows, Tile<T> t) {
    constexpr int W = WIDTH<T>;
    T* const out = t.out;
    for (int64_t first = 0; first < rows; first += W) {
        const int group = int(least<int64_t>(W, rows - first));
        uint64_t nonzeros[W];
        find_nonzeros(nonzeros, a.at(first, 0), group, int(t.depth));
        for (int p = 0; p < group; p++) {
            if (!nonzeros[p] && t.add && !t.bias && !t.activation) continue;
            const T* row = a.data + (first + p) * a.row;
            V<T> acc[1][NV];
            clear<T>(acc);
            for (uint64_t left = nonzeros[p]; left; left &= left - 1) {
                const int k = __builtin_ctzll(left);
                const V<T> x = broadcast(row[k * a.column]);
                UNROLL for (int j = 0; j < NV; j++) acc[0][j] += x * load(t.b.data + k * t.b.row + j * W);
            }
            finish(acc, out + (first + p) * t.out_row, t.out_row, 1, t.columns, t.add, t.bias, t.activation);
        }
    }
}

// The same the dense way, in panels of the usual width.
template <class T> void run_dense(Matrix<T> a, int64_t rows, const Tile<T>& t) {
    constexpr int MOST = PANEL_VECTORS * WIDTH<T>;
    for (int column = 0; column < t.columns; column += MOST) {
        Tile<T> panel = t;
        panel.b = t.b.at(0, column), panel.out = t.out + column, panel.columns = least(t.columns - column, MOST);
        if (t.bias) panel.bias = t.bias + column;
        run_panel(a, rows, panel);
    }
}

// All rows of `a` over a panel of at most SPARSE_VECTORS whole vectors.
template <class T, int NV = SPARSE_VECTORS> void run_sparse(Matrix<T> a, int64_t rows, Tile<T> t) {
    if constexpr (NV > 1)
        if (t.columns <= (NV - 1) * WIDTH<T>) return run_sparse<T, NV - 1>(a, rows, t);
    for (int64_t k = 0; k < t.depth; k += WORD) {
        Tile<T> block = t;
        block.b = t.b.at(k, 0), block.depth = least<int64_t>(WORD, t.depth - k), block.add = t.add || k > 0;
        if (k + WORD < t.depth) block.bias = nullptr, block.activation = LINEAR;
        if (all_finite<T, NV>(block.b, block.depth)) run_sparse_block<T, NV>(a.at(0, k), rows, block);
        else run_dense(a.at(0, k), rows, block);
    }
}
