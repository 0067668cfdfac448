// What the plain kernels share: sizes of views, walking them, cutting work into parts, and one conversion between any two
// dtypes with NumPy's meaning of `astype`.
#pragma once
#include "simd.h"

template <class T> constexpr T least(T a, T b) { return a < b ? a : b; }
template <class T> constexpr T most(T a, T b) { return a > b ? a : b; }
INLINE int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }
INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The element of a dtype.
template <int CODE> struct ElementOf;
#define DTYPE(NAME, NUMPY, TYPE, USE) \
    template <> struct ElementOf<NAME> { using type = TYPE; };
#include "codes.def"
template <int CODE> using Element = typename ElementOf<CODE>::type;

template <class T> struct WrapsAs { using type = T; };  // whole numbers are added and multiplied modulo 2^bits
template <> struct WrapsAs<int32_t> { using type = uint32_t; };
template <> struct WrapsAs<int64_t> { using type = uint64_t; };

inline int64_t item_size(int32_t dtype) { return dtype <= U8 ? 1 : dtype == I64 || dtype == F64 ? 8 : 4; }

// What a dtype is used for, as codes.def says.
enum class Use { NOTHING, STORED, COMPUTED, INDEX, FLOAT };
constexpr Use use_of(int64_t dtype) {
    switch (dtype) {
#define DTYPE(NAME, NUMPY, TYPE, USE) \
    case NAME: return Use::USE;
#include "codes.def"
        default: return Use::NOTHING;
    }
}
constexpr bool is_float(int32_t dtype) { return use_of(dtype) == Use::FLOAT; }
constexpr bool is_index(int32_t dtype) { return use_of(dtype) == Use::INDEX; }

inline int64_t product(const int64_t* shape, int rank) {
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= shape[i];
    return n;
}
inline int64_t count(const View& v) { return product(v.shape, v.rank); }

// Whether a call has n arguments, none of them missing.
inline bool given(const Call& call, int n) {
    for (int i = 0; i < call.arg_count; i++)
        if (call.args[i].dtype == NONE) return false;
    return call.arg_count == n;
}

inline bool contiguous(const View& v) {
    if (count(v) == 0) return true;
    int64_t expected = 1;
    for (int i = v.rank - 1; i >= 0; i--) {
        if (v.shape[i] != 1 && v.stride[i] != expected) return false;
        expected *= v.shape[i];
    }
    return true;
}

inline bool same_shape(const View& a, const View& b) {
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; i++)
        if (a.shape[i] != b.shape[i]) return false;
    return true;
}

// Where element `index` (row-major over `shape`) lies. The first axis needs no division.
INLINE int64_t offset_of(int64_t index, const int64_t* shape, const int64_t* stride, int rank) {
    int64_t offset = 0;
    for (int i = rank - 1; i > 0; i--) {
        offset += index % shape[i] * stride[i];
        index /= shape[i];
    }
    return rank ? offset + index * stride[0] : 0;
}

// Parts of some tens of microseconds for work that touches `bytes`, at most `units`; one if it is not worth waking a thread.
inline int64_t part_count(int64_t bytes, int64_t units) {
    int64_t parts = bytes < (256 << 10) ? 1 : most<int64_t>(4, bytes >> 19);
    return most<int64_t>(1, least(parts, units));
}

// A kernel's `run` from what it is for float and for double.
using Run = void (*)(const Call&, int phase, int64_t part, char* scratch, char* shared);
template <Run FLOAT, Run DOUBLE> void run_floats(const Call& call, int phase, int64_t part, char* scratch, char* shared) {
    const View& first = call.args[call.args[0].dtype == NONE];  // all arrays of numbers have one dtype, and one of two is given
    (first.dtype == F32 ? FLOAT : DOUBLE)(call, phase, part, scratch, shared);
}

// Part i of n units in equal parts.
struct Range {
    int64_t begin, end;
};
inline Range part_of(int64_t units, int64_t parts, int64_t part) {
    int64_t size = units / parts, longer = units % parts, begin = part * size + least(part, longer);
    return {begin, begin + size + (part < longer)};
}

// to[i * to_step] = from[i * from_step]. Floats go to whole numbers by way of int64, so that what is out of range wraps.
template <int TO, int FROM> INLINE Element<TO> converted(Element<FROM> x) {
    if constexpr (TO == BOOL) return x != 0;
    else if constexpr (is_float(FROM) && (TO == U8 || TO == U32)) return Element<TO>(int64_t(x));
    else return Element<TO>(x);
}

template <int TO, int FROM> void convert_row(char* to, int64_t to_step, const char* from, int64_t from_step, int64_t n) {
    auto* __restrict y = (Element<TO>*)to;
    auto* __restrict x = (const Element<FROM>*)from;
    if (to_step == 1 && from_step == 1)
        for (int64_t i = 0; i < n; i++) y[i] = converted<TO, FROM>(x[i]);
    else
        for (int64_t i = 0; i < n; i++) y[i * to_step] = converted<TO, FROM>(x[i * from_step]);
}

using ConvertRow = void (*)(char* to, int64_t to_step, const char* from, int64_t from_step, int64_t n);

template <int TO> ConvertRow convert_to(int32_t from) {
    constexpr ConvertRow rows[] = {
#define DTYPE(NAME, NUMPY, TYPE, USE) convert_row<TO, NAME>,
#include "codes.def"
    };
    return rows[from];
}

inline ConvertRow convert(int32_t to, int32_t from) {
    constexpr ConvertRow (*rows_to[])(int32_t) = {
#define DTYPE(NAME, NUMPY, TYPE, USE) convert_to<NAME>,
#include "codes.def"
    };
    return rows_to[to](from);
}
