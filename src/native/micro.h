// The micro-kernel. A tile of MR rows by NV vectors of columns stays in registers while k runs:
//
//     acc[p][j] += sum over k of a(p, k) * b(k, j)
//
// Each row of `a` is a pointer and all rows share a stride along k, so any view in which k is regular fits without
// packing: matrices, transposed ones, the pixels under a convolution's kernel. Rows of `b` are contiguous. A caller
// with several such stretches of k (the rows of a kernel, the images of a batch) calls multiply_add once for each.
//
// `finish` writes a tile: adds what is there already, the bias, and applies the activation while the tile is in cache.
#pragma once
#include "math.h"

// Rows of a tile NV vectors wide: as many accumulators as the registers hold beside NV of b and one of a. More rows
// than 12 would spill the row pointers.
constexpr int TILE_VECTORS = REGISTERS == 32 ? 4 : 2;  // the widest tile
constexpr int tile_rows(int vectors) {
    return REGISTERS == 32 ? (vectors == 1 ? 12 : 24 / vectors) : (vectors == 1 ? 8 : 6);
}

template <class T, int MR, int NV> INLINE void clear(V<T> (&acc)[MR][NV]) {
    UNROLL for (int p = 0; p < MR; p++)
        UNROLL for (int j = 0; j < NV; j++) acc[p][j] = V<T>{};
}

// a(p, k) = row[p][at + k * a_step], b(k, j) = b[k * b_step + j * WIDTH ...]. With PART the last vector of b has `part`
// columns.
template <bool PART = false, class T, int MR, int NV>
INLINE void multiply_add(V<T> (&acc)[MR][NV], const T* const (&row)[MR], int64_t a_step, const T* b, int64_t b_step,
                         int64_t depth, int part = 0, int64_t at = 0) {
    for (int64_t k = 0; k < depth; k++, at += a_step, b += b_step) {
        V<T> columns[NV];
        UNROLL for (int j = 0; j < NV; j++)
            columns[j] = PART && j == NV - 1 ? load_part(b + j * WIDTH<T>, part) : load(b + j * WIDTH<T>);
        UNROLL for (int p = 0; p < MR; p++) {
            V<T> a = broadcast(row[p][at]);
            UNROLL for (int j = 0; j < NV; j++) acc[p][j] += a * columns[j];
        }
    }
}

// The same where `a` has a value for each column: a(p, k, j) = row[p][at + k * a_step + j * WIDTH ...].
template <bool PART = false, class T, int MR, int NV>
INLINE void multiply_add_lanes(V<T> (&acc)[MR][NV], const T* const (&row)[MR], int64_t a_step, const T* b,
                               int64_t b_step, int64_t depth, int part = 0, int64_t at = 0) {
    for (int64_t k = 0; k < depth; k++, at += a_step, b += b_step)
        UNROLL for (int j = 0; j < NV; j++) {
            const bool cut = PART && j == NV - 1;
            V<T> column = cut ? load_part(b + j * WIDTH<T>, part) : load(b + j * WIDTH<T>);
            UNROLL for (int p = 0; p < MR; p++) {
                const T* a = row[p] + at + j * WIDTH<T>;
                acc[p][j] += (cut ? load_part(a, part) : load(a)) * column;
            }
        }
}

template <class T> INLINE V<T> activate(int activation, V<T> x) {
    switch (activation) {
        case RELU: return relu<T>(x);
        case TANH: return math::tanh(x);
        case SIGMOID: return math::sigmoid(x);
        default: return x;
    }
}

// The activations that are too long to repeat in every tile: in place over a tile just written.
template <class T>
__attribute__((noinline)) void activate_tile(int activation, T* out, int64_t out_row, int rows, int columns) {
    for (int p = 0; p < rows; p++, out += out_row)
        for (int c = 0; c < columns; c += WIDTH<T>) {
            int n = columns - c < WIDTH<T> ? columns - c : WIDTH<T>;
            store_part(out + c, activate<T>(activation, load_part(out + c, n)), n);
        }
}

// out[p][c] = activation(acc + out if `add` + bias[c] if there is one) for the first `rows` rows and `columns` columns.
template <class T, int MR, int NV>
INLINE void finish(V<T> (&acc)[MR][NV], T* const (&out)[MR], int rows, int columns, bool add, const T* bias,
                   int activation) {
    constexpr int W = WIDTH<T>;
    const int part = columns - (NV - 1) * W;  // of the last vector
    if (bias) {
        V<T> b[NV];
        UNROLL for (int j = 0; j < NV; j++) b[j] = j < NV - 1 ? load(bias + j * W) : load_part(bias + j * W, part);
        UNROLL for (int p = 0; p < MR; p++)
            UNROLL for (int j = 0; j < NV; j++) acc[p][j] += b[j];
    }
    UNROLL for (int p = 0; p < MR; p++) {
        if (p >= rows) break;
        T* to = out[p];
        UNROLL for (int j = 0; j < NV; j++) {
            const bool whole = j < NV - 1 || part == W;
            V<T> v = acc[p][j];
            if (add) v += whole ? load(to + j * W) : load_part(to + j * W, part);
            if (activation == RELU) v = relu<T>(v);
            if (whole) store(to + j * W, v);
            else store_part(to + j * W, v, part);
        }
    }
    if (activation > RELU)
        for (int p = 0; p < MR && p < rows; p++) activate_tile(activation, out[p], 0, 1, columns);
}

template <class T, int MR, int NV>
INLINE void finish(V<T> (&acc)[MR][NV], T* out, int64_t out_row, int rows, int columns, bool add, const T* bias,
                   int activation) {
    T* row[MR];
    UNROLL for (int p = 0; p < MR; p++) row[p] = out + p * out_row;
    finish(acc, row, rows, columns, add, bias, activation);
}
