// gather: out = x[..., indices, ...] along one axis, as NumPy's take; scatter_add, its transpose: out = zeros with the values
// added at the indices. A negative index counts from the end; what still lies outside is moved to the nearest end.
//
// Both see their arrays as (outer, axis, inner): rows of `inner` contiguous elements. scatter_add gives each part some
// rows of `out`, and the part looks through all indices for those that are its own: equal indices add up in their order,
// whatever the number of threads.
#pragma once
#include "view.h"

struct Rows {
    int64_t outer, axis, indices, inner;
};

// The rows of `whole` (with the axis) and of its part that `indices` pick.
inline Rows rows_of(const View& whole, const View& indices, int64_t axis) {
    return {product(whole.shape, axis), whole.shape[axis], count(indices),
            product(whole.shape + axis + 1, whole.rank - axis - 1)};
}

inline int64_t row_index(const View& indices, int64_t i, int64_t n) {
    int64_t row = indices.dtype == I64 ? ((const int64_t*)indices.data)[i] : ((const int32_t*)indices.data)[i];
    row += row < 0 ? n : 0;
    return row < 0 ? 0 : row >= n ? n - 1 : row;
}

inline const char* rows_check(const Call& call, const View& whole, const View& indices, const View& picked) {
    if (call.int_count != 1) return "gather, scatter_add: expected one number: the axis";
    int64_t axis = call.ints[0];
    if (axis < 0 || axis >= whole.rank) return "gather, scatter_add: axis: out of range";
    if (!is_index(indices.dtype)) return "gather, scatter_add: indices: expected int32 or int64";
    if (whole.dtype != picked.dtype) return "gather, scatter_add: the arrays differ in dtype";
    if (!contiguous(whole) || !contiguous(indices) || !contiguous(picked)) return "gather, scatter_add: expected contiguous arrays";
    if (picked.rank != whole.rank - 1 + indices.rank) return "gather, scatter_add: shapes do not fit";
    for (int i = 0; i < picked.rank; i++) {
        int64_t n = i < axis ? whole.shape[i] : i < axis + indices.rank ? indices.shape[i - axis] : whole.shape[i - indices.rank + 1];
        if (picked.shape[i] != n) return "gather, scatter_add: shapes do not fit";
    }
    if (whole.shape[axis] == 0 && count(picked) > 0) return "gather, scatter_add: nothing to index: the axis is empty";
    return nullptr;
}

inline const char* gather_check(const Call& call) {
    if (!given(call, 3)) return "gather: expected the arguments out, x, indices";
    return rows_check(call, call.args[1], call.args[2], call.args[0]);
}

// Rows are cut into pieces of at most 64 KiB, so that a few long ones are shared out too.
constexpr int64_t GATHER_PIECE = 64 << 10;

inline void gather_plan(const Call& call, Plan& plan) {
    const View& out = call.args[0];
    Rows r = rows_of(call.args[1], call.args[2], call.ints[0]);
    int64_t row = r.inner * item_size(out.dtype);
    int64_t rows = r.outer * r.indices, pieces = most<int64_t>(1, ceil_div(row, GATHER_PIECE));
    plan = {1, {part_count(2 * row * rows, rows * pieces)}, 0, 0};
}

// Copies a row while the next one, which the processor cannot foresee, is fetched.
inline void gather_row(char* __restrict to, const char* __restrict from, const char* next, int64_t n) {
    int64_t i = 0;
    for (; i + 64 <= n; i += 64) __builtin_prefetch(next + i), memcpy(to + i, from + i, 64);
    memcpy(to + i, from + i, n - i);
}

template <class T>
void gather_items(T* __restrict out, const T* __restrict x, const View& indices, int64_t n, int64_t axis, int64_t first) {
    for (int64_t i = 0; i < n; i++) out[i] = x[row_index(indices, first + i, axis)];
}

inline void gather_part(const Call& call, int, int64_t part, char*, char*) {
    const View &out = call.args[0], &x = call.args[1], &indices = call.args[2];
    Rows r = rows_of(x, indices, call.ints[0]);
    Plan plan;
    gather_plan(call, plan);
    int64_t row = r.inner * item_size(out.dtype), pieces = most<int64_t>(1, ceil_div(row, GATHER_PIECE));
    Range range = part_of(r.outer * r.indices * pieces, plan.parts[0], part);
    for (int64_t unit = range.begin; unit < range.end;) {
        int64_t picked = unit / pieces, outer = picked / r.indices, i = picked % r.indices;
        const char* from = x.data + outer * r.axis * row;
        int64_t rows = least(r.indices - i, range.end - unit);  // up to the end of this outer index, if rows are whole
        if (row == 4) {
            gather_items((uint32_t*)out.data + picked, (const uint32_t*)from, indices, rows, r.axis, i), unit += rows;
        } else if (row == 8) {
            gather_items((uint64_t*)out.data + picked, (const uint64_t*)from, indices, rows, r.axis, i), unit += rows;
        } else if (pieces == 1) {
            unit += rows;
            for (const char *at = from + row_index(indices, i, r.axis) * row, *next; rows > 0; rows--, picked++, at = next) {
                next = rows > 1 ? from + row_index(indices, ++i, r.axis) * row : at;
                gather_row(out.data + picked * row, at, next, row);
            }
        } else {
            int64_t at = unit++ % pieces * GATHER_PIECE;
            memcpy(out.data + picked * row + at, from + row_index(indices, i, r.axis) * row + at, least(GATHER_PIECE, row - at));
        }
    }
}
const Kernel gather_kernel = {"gather", gather_check, gather_plan, gather_part};

inline const char* scatter_add_check(const Call& call) {
    if (!given(call, 3)) return "scatter_add: expected the arguments out, indices, values";
    if (call.args[0].dtype == BOOL) return "scatter_add: out: expected numbers";
    return rows_check(call, call.args[0], call.args[1], call.args[2]);
}

// Each outer index is cut into the same number of pieces of the axis.
inline int64_t axis_pieces(const Call& call, int64_t parts) {
    Rows r = rows_of(call.args[0], call.args[1], call.ints[0]);
    return most<int64_t>(1, least(ceil_div(parts, most<int64_t>(1, r.outer)), r.axis));
}

inline void scatter_add_plan(const Call& call, Plan& plan) {
    Rows r = rows_of(call.args[0], call.args[1], call.ints[0]);
    int64_t bytes = (count(call.args[0]) + 2 * count(call.args[2])) * item_size(call.args[0].dtype);
    plan = {1, {least<int64_t>(16, part_count(bytes, r.outer * r.axis))}, 0, 0};  // each looks through all indices: not too many
}

template <class T> void scatter_add_rows(const Call& call, const Rows& r, int64_t outer, Range rows) {
    T* __restrict out = (T*)call.args[0].data + outer * r.axis * r.inner;
    const T* __restrict values = (const T*)call.args[2].data + outer * r.indices * r.inner;
    memset(out + rows.begin * r.inner, 0, (rows.end - rows.begin) * r.inner * sizeof(T));
    for (int64_t i = 0; i < r.indices; i++) {
        int64_t row = row_index(call.args[1], i, r.axis);
        if (row < rows.begin || row >= rows.end) continue;
        T* to = out + row * r.inner;
        const T* from = values + i * r.inner;
        for (int64_t j = 0; j < r.inner; j++) to[j] += from[j];
    }
}

inline void scatter_add_part(const Call& call, int, int64_t part, char*, char*) {
    Rows r = rows_of(call.args[0], call.args[1], call.ints[0]);
    Plan plan;
    scatter_add_plan(call, plan);
    int64_t pieces = axis_pieces(call, plan.parts[0]);
    Range range = part_of(r.outer * pieces, plan.parts[0], part);
    for (int64_t unit = range.begin; unit < range.end; unit++) {
        Range rows = part_of(r.axis, pieces, unit % pieces);
        switch (call.args[0].dtype) {  // signed and unsigned sums are the same bits, and unsigned ones may wrap
            case U8: scatter_add_rows<uint8_t>(call, r, unit / pieces, rows); break;
            case I32: case U32: scatter_add_rows<uint32_t>(call, r, unit / pieces, rows); break;
            case I64: scatter_add_rows<uint64_t>(call, r, unit / pieces, rows); break;
            case F32: scatter_add_rows<float>(call, r, unit / pieces, rows); break;
            default: scatter_add_rows<double>(call, r, unit / pieces, rows);
        }
    }
}
const Kernel scatter_add_kernel = {"scatter_add", scatter_add_check, scatter_add_plan, scatter_add_part};
