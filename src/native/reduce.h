// reduce: sum, mean, max, min, prod, argmax, argmin, any, all over some axes.
//
// The axes of x are sorted into kept and reduced ones, and those that are one axis in memory are joined. If x is contiguous
// along a reduced axis, each output reads `lines` of x and folds them onto the lanes of some registers; if along a kept one,
// rows of x are added onto a row of accumulators. Either way pieces of one line or of eight rows are folded in x's own dtype
// and what they give is combined in float64 (int64 for whole numbers), so the error does not grow with the length.
// Where there are too few outputs to share out, the reduced range is cut into chunks, and a second phase combines them in order.
#pragma once
#include "view.h"

constexpr int64_t LINE_PIECE = 8192, COLUMN_TILE = 512, ROW_GROUP = 8;

struct ReduceAxes {
    int kept, reduced;
    int64_t kept_n[MAX_RANK], kept_step[MAX_RANK], n[MAX_RANK], step[MAX_RANK];
};

struct Reduce {
    ReduceAxes axes;
    int op;                   // SUM, PROD, MAX or MIN: mean is a sum, any and all are the extremes of x != 0
    bool arg, columns;        // columns: x moves fastest along a kept axis
    int32_t dtype;            // pieces are folded in this one: F32, F64, I64 or BOOL
    int64_t outputs, length;  // how many, and of how many elements each
    int64_t lines, line;      // rows case: lines of the innermost reduced axis for one output, and their length
    int64_t width;            // columns case: the innermost kept axis
    int64_t units, pieces;    // outputs or column tiles; line pieces or row groups of each
    int64_t chunks, parts;    // chunks of the pieces
};

inline void add_axis(int& rank, int64_t* n, int64_t* step, int64_t length, int64_t stride) {
    if (rank && step[rank - 1] == stride * length) {
        n[rank - 1] *= length, step[rank - 1] = stride;
    } else {
        n[rank] = length, step[rank++] = stride;
    }
}

inline Reduce reduce_of(const Call& call) {
    const View& x = call.args[1];
    Reduce r{};
    ReduceAxes& a = r.axes;
    int op = int(call.ints[0]);
    r.arg = op == ARGMAX || op == ARGMIN;
    r.op = op == MEAN ? SUM : op == ARGMAX || op == ANY ? MAX : op == ARGMIN || op == ALL ? MIN : op;
    r.dtype = op == ANY || op == ALL ? BOOL : is_float(x.dtype) ? x.dtype : I64;
    r.outputs = r.length = 1;
    int64_t fastest = INT64_MAX;
    for (int i = 0; i < x.rank; i++) {
        bool reduced = call.ints[1] >> i & 1;
        (reduced ? r.length : r.outputs) *= x.shape[i];
        if (x.shape[i] == 1) continue;
        if (reduced) add_axis(a.reduced, a.n, a.step, x.shape[i], x.stride[i]);
        else add_axis(a.kept, a.kept_n, a.kept_step, x.shape[i], x.stride[i]);
        if (magnitude(x.stride[i]) <= fastest) fastest = magnitude(x.stride[i]), r.columns = !reduced;
    }
    int inner = 0;  // the innermost reduced axis is the one along which x moves fastest
    for (int i = 0; i < a.reduced; i++)
        if (magnitude(a.step[i]) <= magnitude(a.step[inner])) inner = i;
    if (a.reduced) {
        int64_t n = a.n[inner], step = a.step[inner];
        for (int i = inner; i < a.reduced - 1; i++) a.n[i] = a.n[i + 1], a.step[i] = a.step[i + 1];
        a.n[a.reduced - 1] = n, a.step[a.reduced - 1] = step;
    }
    if (r.columns) {
        r.width = a.kept_n[a.kept - 1];
        r.units = r.width ? r.outputs / r.width * ceil_div(r.width, COLUMN_TILE) : 0;
        r.pieces = ceil_div(r.length, ROW_GROUP);
    } else {
        r.line = a.reduced ? a.n[a.reduced - 1] : 1;
        r.lines = r.line ? r.length / r.line : 0;
        r.units = r.outputs;
        r.pieces = r.lines * ceil_div(r.line, LINE_PIECE);
    }
    r.parts = part_count(count(x) * item_size(x.dtype), r.units * most<int64_t>(1, r.pieces));
    r.chunks = r.units && r.units < r.parts ? ceil_div(r.parts, r.units) : 1;
    if (r.chunks > 1) r.parts = r.units * r.chunks;
    return r;
}

// What folds of many numbers are combined in.
template <class T> struct WiderOf { using type = int64_t; };
template <> struct WiderOf<float> { using type = double; };
template <> struct WiderOf<double> { using type = double; };
template <> struct WiderOf<uint64_t> { using type = uint64_t; };
template <class T> using Wider = typename WiderOf<T>::type;

template <int OP> constexpr bool ADDS = OP == SUM || OP == PROD;  // others pick one of the numbers

template <int OP, class T> INLINE T start() {
    if constexpr (ADDS<OP>) return T(OP == PROD);
    else if constexpr (T(0.5) != T(0)) return OP == MAX ? T(-__builtin_inf()) : T(__builtin_inf());
    else if constexpr (sizeof(T) == 1) return OP == MAX ? T(0) : T(1);
    else return OP == MAX ? T(INT64_MIN) : T(INT64_MAX);
}

// Of two numbers, or of two vectors of them. NaN wins in MAX and MIN.
template <int OP, class T> INLINE T fold(T a, T x) {
    if constexpr (OP == SUM) return a + x;
    else if constexpr (OP == PROD) return a * x;
    else if constexpr (OP == MAX) return (x > a) | (x != x) ? x : a;
    else return (x < a) | (x != x) ? x : a;
}

// Whether x comes before the extreme that is the first so far: equals do not.
template <int OP, class T> INLINE auto beats(T x, T best) {
    return (OP == MAX ? x > best : x < best) | ((x != x) & (best == best));
}

// The sum or product, the larger or smaller where there is no NaN: one instruction.
template <int OP, class X> INLINE X join(X a, X x) {
    if constexpr (ADDS<OP>) return fold<OP>(a, x);
    else return (OP == MAX ? x > a : x < a) ? x : a;
}

template <int DISTANCE, class T, int... I> INLINE V<T> swap_lanes(V<T> v, Sequence<I...>) {
    return __builtin_shufflevector(v, v, (I ^ DISTANCE)...);
}
template <int OP, class T, int HALF = WIDTH<T> / 2> INLINE T join_lanes(V<T> v) {
    v = join<OP>(v, swap_lanes<HALF, T>(v, typename Count<WIDTH<T>>::type()));
    if constexpr (HALF > 1) return join_lanes<OP, T, HALF / 2>(v);
    return v[0];
}

// n > 0 numbers: pieces in four vectors and a tree, the pieces one after the other in a wider type. Where there is NaN, the
// sum is NaN, so an extreme that comes with its sum knows when to look again.
template <int OP, class T> Wider<T> fold_row(const T* x, int64_t n) {
    constexpr int W = WIDTH<T>, PIECE = 64 * W;
    constexpr bool WITH_SUM = !ADDS<OP> && T(0.5) != T(0);
    const T start = ADDS<OP> ? T(OP == PROD) : x[0];
    const V<T> first = broadcast(start);
    Wider<T> total = start;
    V<T> sum{};
    for (int64_t i = 0; i < n;) {
        const int64_t end = least(n, i + PIECE);
        V<T> a[4] = {first, first, first, first}, s[4] = {};
        auto take = [&](int j, V<T> v) ALWAYS {
            a[j] = join<OP>(a[j], v);
            if constexpr (WITH_SUM) s[j] += v;
        };
        for (; i + 4 * W <= end; i += 4 * W)
            UNROLL for (int j = 0; j < 4; j++) take(j, load(x + i + j * W));
        for (; i + W <= end; i += W) take(0, load(x + i));
        if (i < end) {
            V<T> v = load_part(x + i, int(end - i));
            take(1, lanes<Int<T>>() < Int<T>(end - i) ? v : first), i = end;
        }
        total = join<OP>(total, Wider<T>(join_lanes<OP, T>(join<OP>(join<OP>(a[0], a[1]), join<OP>(a[2], a[3])))));
        sum += (s[0] + s[1]) + (s[2] + s[3]);
    }
    if constexpr (WITH_SUM) {
        const T check = join_lanes<SUM, T>(sum);
        for (int64_t i = 0; check != check && i < n; i++)
            if (x[i] != x[i]) return x[i];
    }
    return total;
}

// a[j] folded with rows[0][j], rows[1][j], ..., where eight rows fold in a tree first.
template <int OP, class Wide, class T> void fold_rows(Wide* __restrict a, const T* const* rows, int64_t n, int64_t width) {
    int64_t j = 0;
    for (; n == ROW_GROUP && j + WIDTH<T> <= width; j += WIDTH<T>) {
        V<T> v[ROW_GROUP];
        UNROLL for (int k = 0; k < ROW_GROUP; k++) v[k] = load(rows[k] + j);
        UNROLL for (int half = ROW_GROUP / 2; half; half /= 2)
            UNROLL for (int k = 0; k < half; k++) v[k] = fold<OP>(v[k], v[k + half]);
        if constexpr (sizeof(Wide) == sizeof(T)) {
            store(a + j, fold<OP>(load(a + j), (V<Wide>)v[0]));
        } else {
            T folded[WIDTH<T>];
            store(folded, v[0]);
            for (int k = 0; k < WIDTH<T>; k++) a[j + k] = fold<OP>(a[j + k], Wide(folded[k]));
        }
    }
    for (int64_t k = 0; k < n; k++)
        for (int64_t i = j; i < width; i++) a[i] = fold<OP>(a[i], Wide(rows[k][i]));
}

// Where the first element equal to `folded` is, the extreme of x. If there is NaN, it is the extreme.
template <class T> int64_t find(const T* x, int64_t n, T folded) {
    int64_t i = 0;
    for (; i + 64 <= n; i += 64) {
        int here = 0;
        for (int k = 0; k < 64; k++) here |= (x[i + k] == folded) | (x[i + k] != x[i + k]);
        if (here) break;
    }
    while (x[i] != folded && x[i] == x[i]) i++;
    return i;
}

// The extreme of each column so far, and its row, after n more rows.
template <int OP, class T> void find_rows(T* value, int64_t* index, const T* const* rows, int64_t n, int64_t first, int64_t width) {
    int64_t j = 0;
    for (; j + WIDTH<T> <= width; j += WIDTH<T>) {
        V<T> best = load(value + j);
        V<Int<T>> at = broadcast(Int<T>(-1));
        for (int64_t k = 0; k < n; k++) {
            V<T> x = load(rows[k] + j);
            auto better = beats<OP>(x, best);
            best = better ? x : best, at = better ? broadcast(Int<T>(k)) : at;
        }
        store(value + j, best);
        Int<T> row[WIDTH<T>];
        store(row, at);
        for (int i = 0; i < WIDTH<T>; i++) index[j + i] = row[i] >= 0 ? first + row[i] : index[j + i];
    }
    for (int64_t k = 0; k < n; k++)
        for (int64_t i = j; i < width; i++)
            if (beats<OP>(rows[k][i], value[i])) value[i] = rows[k][i], index[i] = first + k;
}

template <bool FIRST, class A, class B> struct Choice { using type = A; };
template <class A, class B> struct Choice<false, A, B> { using type = B; };

template <int OP, int DTYPE> struct Reducer {
    // Sums of whole numbers may wrap, so they are unsigned.
    using T = typename Choice<ADDS<OP>, typename WrapsAs<Element<DTYPE>>::type, Element<DTYPE>>::type;
    using Wide = typename Choice<ADDS<OP>, Wider<T>, T>::type;
    static constexpr size_t VALUES = COLUMN_TILE * 8, SCRATCH = 2 * VALUES + most(LINE_PIECE, ROW_GROUP * COLUMN_TILE) * sizeof(T);
    const Reduce& r;
    const View& x;
    T* buffer;

    // n elements of x from `offset` on, in place or as a copy at `to`.
    const T* elements(int64_t offset, int64_t step, int64_t n, T* to) const {
        const char* from = x.data + offset * item_size(x.dtype);
        if (x.dtype == DTYPE && (step == 1 || n == 1)) return (const T*)from;
        convert(DTYPE, x.dtype)((char*)to, 1, from, step, n);
        return to;
    }

    void output(int64_t o, Range pieces, Wide& value, int64_t& index) const {
        const ReduceAxes& a = r.axes;
        int64_t start = offset_of(o, a.kept_n, a.kept_step, a.kept), of_line = ceil_div(r.line, LINE_PIECE);
        int64_t step = a.reduced ? a.step[a.reduced - 1] : 0;
        for (int64_t piece = pieces.begin; piece < pieces.end; piece++) {
            int64_t at = piece % of_line * LINE_PIECE, n = least(LINE_PIECE, r.line - at);
            int64_t line = a.reduced > 1 ? offset_of(piece / of_line, a.n, a.step, a.reduced - 1) : 0;
            const T* items = elements(start + line + at * step, step, n, buffer);
            const Wide folded = Wide(fold_row<OP>(items, n));
            if constexpr (OP == MAX || OP == MIN)
                if (r.arg && beats<OP>(folded, value)) index = at + find(items, n, folded);
            value = fold<OP>(value, folded);
        }
    }

    void tile(int64_t unit, Range groups, Wide* value, int64_t* index) const {
        const ReduceAxes& a = r.axes;
        int64_t tiles = ceil_div(r.width, COLUMN_TILE), column = unit % tiles * COLUMN_TILE, width = least(COLUMN_TILE, r.width - column);
        int64_t step = a.kept_step[a.kept - 1], start = offset_of(unit / tiles, a.kept_n, a.kept_step, a.kept - 1) + column * step;
        for (int64_t group = groups.begin; group < groups.end; group++) {
            int64_t first = group * ROW_GROUP, n = least(ROW_GROUP, r.length - first);
            const T* rows[ROW_GROUP];
            for (int64_t k = 0; k < n; k++)
                rows[k] = elements(start + offset_of(first + k, a.n, a.step, a.reduced), step, width, buffer + k * COLUMN_TILE);
            if constexpr (OP == MAX || OP == MIN)
                r.arg ? find_rows<OP>(value, index, rows, n, first, width) : fold_rows<OP>(value, rows, n, width);
            else
                fold_rows<OP>(value, rows, n, width);
        }
    }

    // Outputs first ... first + n are done: their values, or where they were found.
    void finish(const View& out, bool mean, int64_t first, int64_t n, Wide* value, const int64_t* index) const {
        if (mean)
            for (int64_t i = 0; i < n; i++) value[i] /= Wide(r.length);
        int wide = sizeof(Wide) < 8 || DTYPE == I64 ? DTYPE : F64;
        const char* from = r.arg ? (const char*)index : (const char*)value;
        convert(out.dtype, r.arg ? I64 : wide)(out.data + first * item_size(out.dtype), 1, from, 1, n);
    }

    static void run(const Call& call, const Reduce& r, int phase, int64_t part, char* scratch, char* shared) {
        const View &out = call.args[0], &x = call.args[1];
        Wide *value = (Wide*)scratch, *partial = (Wide*)shared;
        int64_t *index = (int64_t*)(scratch + VALUES), *partial_index = (int64_t*)(shared + r.chunks * r.outputs * 8);
        Reducer self{r, x, (T*)(scratch + 2 * VALUES)};
        bool mean = call.ints[0] == MEAN;
        int64_t tiles = r.columns ? ceil_div(r.width, COLUMN_TILE) : 1;
        auto begin = [](Wide* v, int64_t* i, int64_t n) {
            for (int64_t k = 0; k < n; k++) v[k] = start<OP, Wide>(), i[k] = 0;
        };
        if (phase == 1) {
            Range range = part_of(r.outputs, combine_parts(r), part);
            for (int64_t o = range.begin; o < range.end; o += COLUMN_TILE) {
                int64_t n = least(COLUMN_TILE, range.end - o);
                begin(value, index, n);
                for (int64_t chunk = 0; chunk < r.chunks; chunk++) {
                    const Wide* v = partial + chunk * r.outputs + o;
                    const int64_t* at = partial_index + chunk * r.outputs + o;
                    for (int64_t k = 0; k < n; k++) {
                        if (r.arg && beats<OP>(v[k], value[k])) index[k] = at[k];
                        value[k] = fold<OP>(value[k], v[k]);
                    }
                }
                self.finish(out, mean, o, n, value, index);
            }
            return;
        }
        Range chunk = part_of(r.pieces, r.chunks, part % r.chunks);
        Range units = r.chunks > 1 ? Range{part / r.chunks, part / r.chunks + 1} : part_of(r.units, r.parts, part);
        int64_t batch = r.columns || r.chunks > 1 ? 1 : COLUMN_TILE;  // lines finish in batches, tiles are batches of their own
        for (int64_t unit = units.begin; unit < units.end; unit += batch) {
            int64_t first = r.columns ? unit / tiles * r.width + unit % tiles * COLUMN_TILE : unit;
            int64_t n = r.columns ? least(COLUMN_TILE, r.width - unit % tiles * COLUMN_TILE) : least(batch, units.end - unit);
            begin(value, index, n);
            if (r.columns) self.tile(unit, chunk, value, index);
            else
                for (int64_t k = 0; k < n; k++) self.output(unit + k, chunk, value[k], index[k]);
            if (r.chunks == 1) {
                self.finish(out, mean, first, n, value, index);
            } else {
                memcpy(partial + part % r.chunks * r.outputs + first, value, n * sizeof(Wide));
                if (r.arg) memcpy(partial_index + part % r.chunks * r.outputs + first, index, n * 8);
            }
        }
    }

    static int64_t combine_parts(const Reduce& r) { return part_count(r.chunks * r.outputs * 8, r.outputs); }
};

template <int OP> void reduce_as(const Call& call, const Reduce& r, int phase, int64_t part, char* scratch, char* shared) {
    switch (r.dtype) {
        case F32: return Reducer<OP, F32>::run(call, r, phase, part, scratch, shared);
        case F64: return Reducer<OP, F64>::run(call, r, phase, part, scratch, shared);
        case I64: return Reducer<OP, I64>::run(call, r, phase, part, scratch, shared);
    }
    if constexpr (OP == MAX || OP == MIN) Reducer<OP, BOOL>::run(call, r, phase, part, scratch, shared);
}

inline const char* reduce_check(const Call& call) {
    if (!given(call, 2) || call.int_count != 2) return "reduce: expected the arguments out, x and the numbers op, axes";
    const View &out = call.args[0], &x = call.args[1];
    int64_t op = call.ints[0], axes = call.ints[1], n = 1;
    if (op < SUM || op > ALL) return "reduce: op: expected 0 to 8";
    if (axes < 0 || axes >> x.rank) return "reduce: axes: not axes of x";
    int kept = 0, reduced = 0;
    for (int i = 0; i < x.rank; i++) {
        if (axes >> i & 1) n *= x.shape[i], reduced++;
        else if (kept == out.rank || out.shape[kept++] != x.shape[i]) return "reduce: out: expected the shape of x without its axes";
    }
    if (kept != out.rank) return "reduce: out: expected the shape of x without its axes";
    if (!contiguous(out)) return "reduce: out: expected a contiguous array";
    bool arg = op == ARGMAX || op == ARGMIN, whole = x.dtype <= I32 && x.dtype != U32;
    if (arg && reduced != 1) return "reduce: argmax, argmin: expected one axis";
    if (arg && !is_index(out.dtype)) return "reduce: argmax, argmin: out: expected int32 or int64";
    if (op == MEAN && !is_float(x.dtype)) return "reduce: mean: x: expected float32 or float64";
    if ((op == ANY || op == ALL) && out.dtype != BOOL) return "reduce: any, all: out: expected bool";
    bool wider = (op == SUM || op == PROD) && whole && is_index(out.dtype);
    if (!arg && op < ANY && out.dtype != x.dtype && !wider)
        return "reduce: out: expected the dtype of x, or int32 or int64 for sums of small integers";
    if (n == 0 && (arg || op == MAX || op == MIN)) return "reduce: an empty range has no extreme";
    return nullptr;
}
inline void reduce_plan(const Call& call, Plan& plan) {
    Reduce r = reduce_of(call);
    using Largest = Reducer<SUM, F64>;
    bool chunked = r.chunks > 1;
    plan = {1 + chunked, {r.parts, Largest::combine_parts(r)}, Largest::SCRATCH, chunked ? size_t(r.chunks * r.outputs * 16) : 0};
}
inline void reduce_part(const Call& call, int phase, int64_t part, char* scratch, char* shared) {
    Reduce r = reduce_of(call);
    switch (r.op) {
        case SUM: return reduce_as<SUM>(call, r, phase, part, scratch, shared);
        case PROD: return reduce_as<PROD>(call, r, phase, part, scratch, shared);
        case MAX: return reduce_as<MAX>(call, r, phase, part, scratch, shared);
        default: return reduce_as<MIN>(call, r, phase, part, scratch, shared);
    }
}
const Kernel reduce_kernel = {"reduce", reduce_check, reduce_plan, reduce_part};
