// The machine that runs a prepared program of the fused kernel: one step after the other over a block, then the next block.
//
// Sums over columns and over everything: each block is folded onto itself by halves, blocks are added up in their part's
// share of memory, and a second phase adds up the parts.
#pragma once
#include "fused_program.h"

namespace fused {

constexpr int64_t COMBINED = 512;  // numbers of a sum that one part of the second phase adds up
constexpr int64_t NEAR = 512 << 10;  // bytes of an argument that the second-level cache may hold

template <class T> struct Machine {
    static constexpr int64_t SIZE = sizeof(T);
    using SumOf = decltype(sum_row((const T*)nullptr, 0));
    static_assert(sizeof(SumOf) == SUM_BYTES);

    const Call& call;
    char* const scratch;
    const Program& program;
    const Space space;  // a copy: nearer than the program
    const Step* const step;
    const Chained* const chained;
    const Value* const value;
    char* data[2 * FUSED_INSTRUCTIONS];  // where each value begins
    const View* ordered[FUSED_ARGS];     // the arguments that lie in order
    int ordered_count = 0;

    Machine(const Call& call, char* scratch)
        : call(call), scratch(scratch), program(*(const Program*)call.prepared), space(program.space), step(program.step()),
          chained(program.chained()), value(program.value()) {
        for (int i = 0; i < program.values; i++)
            data[i] = (value[i].where == SCRATCH ? scratch : call.args[value[i].where].data) + value[i].offset;
        for (int i = 0; i < call.arg_count; i++)
            if (contiguous(call.args[i])) ordered[ordered_count++] = call.args + i;
    }

    struct Block {
        int64_t row, column, rows, columns;
    };

    T* at(int v, const Block& b) const { return (T*)(data[v] + b.row * value[v].by_row + b.column * value[v].by_column); }

    int64_t items(const Value& v, const Block& b) const {
        switch (v.varies) {
            case CONSTANT: return WIDTH<T>;
            case BY_ROW: return b.rows;
            case BY_COLUMN: return space.packed ? b.rows * b.columns : b.columns;
            default: return b.rows * b.columns;
        }
    }

    // How far apart rows of a value are in a block.
    int64_t row_step(const Value& v, const Block& b) const {
        return v.varies == FULLY || (v.varies == BY_COLUMN && space.packed) ? b.columns : v.varies == BY_ROW;
    }

    Input input(int v, const Block& b) const { return {(const char*)at(v, b), value[v].varies != CONSTANT}; }

    // An operand of an instruction, row by row: numbers per row are repeated in `room` for that.
    struct Rows {
        Input first;
        int64_t next;
        bool repeated;

        Input row(int64_t r, T* room) const {
            const T* x = (const T*)first.data + r * next;
            if (!repeated) return {(const char*)x, first.step};
            store(room, broadcast(*x));
            return {(const char*)room, 0};
        }
    };
    Rows rows(int v, const Input& first, const Block& b) const {
        return {first, row_step(value[v], b), value[v].varies == BY_ROW};
    }
    bool needs_rows(int v, const Block& b) const {
        return value[v].varies == BY_ROW || (value[v].varies == BY_COLUMN && !space.packed && b.rows > 1);
    }

    void run_map(const Step& s, const Block& b) const {
        const int n = operands(s.op);
        const int varies = value[s.dst].varies;
        Input in[3];
        bool by_rows = false;
        for (int j = 0; j < n; j++) in[j] = input(s.in[j], b), by_rows |= varies == FULLY && needs_rows(s.in[j], b);
        T* y = at(s.dst, b);
        const Map map = MAPS<T>[int64_t(s.op)];
        if (!by_rows) return map(items(value[s.dst], b), (char*)y, in);
        Rows operand[3];
        T room[3][WIDTH<T>];
        for (int j = 0; j < n; j++) operand[j] = rows(s.in[j], in[j], b);
        for (int64_t r = 0; r < b.rows; r++) {
            for (int j = 0; j < n; j++) in[j] = operand[j].row(r, room[j]);
            map(b.columns, (char*)(y + r * b.columns), in);
        }
    }

    void run_chain(const Step& s, const Block& b) const {
        const Chained* c = chained + s.in[1];
        const int n = s.arg;
        Link links[MAX_CHAIN];
        bool by_rows = needs_rows(s.in[0], b);
        for (int j = 0; j < n; j++) {
            const Input in = c[j].operand < 0 ? Input{nullptr, 0} : input(c[j].operand, b);
            links[j] = {c[j].op, in.data, in.step, c[j].save < 0 ? nullptr : (char*)at(c[j].save, b)};
            by_rows |= c[j].operand >= 0 && needs_rows(c[j].operand, b);
        }
        const Input head = input(s.in[0], b);
        if (!by_rows) return chain<T>(b.rows * b.columns, head, links, n);
        Rows first = rows(s.in[0], head, b), operand[MAX_CHAIN];
        T room[MAX_CHAIN + 1][WIDTH<T>];
        for (int j = 0; j < n; j++)
            if (c[j].operand >= 0) operand[j] = rows(c[j].operand, {links[j].data, links[j].step}, b);
        for (int64_t r = 0; r < b.rows; r++) {
            for (int j = 0; j < n; j++) {
                if (r && links[j].save) links[j].save += b.columns * SIZE;
                if (c[j].operand < 0) continue;
                const Input in = operand[j].row(r, room[j]);
                links[j].data = in.data, links[j].step = in.step;
            }
            chain<T>(b.columns, first.row(r, room[n]), links, n);
        }
    }

    // Where a block of an argument begins that is contiguous, and a row of a block of any other.
    char* whole_block(const View& a, const Block& b) const {
        return a.data + (b.row * space.columns + b.column) * item_size(a.dtype);
    }
    char* block_row(const View& a, const Block& b, int64_t r) const {
        return a.data + (space.row_offset(a, b.row + r) + b.column * a.stride[space.rank - 1]) * item_size(a.dtype);
    }

    // Between an argument and a value: as it is, or one number a row.
    void run_move(const Step& s, const Block& b, bool out, bool one_a_row) const {
        const View& a = call.args[s.arg];
        const ConvertRow converted = out ? convert(a.dtype, space.dtype) : convert(space.dtype, a.dtype);
        const Value& v = value[out ? s.in[0] : s.dst];
        char* x = (char*)at(out ? s.in[0] : s.dst, b);
        const auto move = [&](char* y, int64_t y_step, int64_t x_step, int64_t n) {
            if (out) converted(y, y_step, x, x_step, n);
            else converted(x, x_step, y, y_step, n);
            x += n * x_step * SIZE;
        };
        if (one_a_row) {
            if (out && b.column > 0) return;  // a row's first piece has it
            const int64_t step = space.rank <= 2 ? a.stride[0] : 0, n = space.rank <= 2 ? b.rows : 1;
            for (int64_t r = 0; r < b.rows; r += n)
                move(a.data + space.row_offset(a, b.row + r) * item_size(a.dtype), step, row_step(v, b), n);
        } else if (v.varies == CONSTANT) {
            move(a.data, 0, 1, WIDTH<T>);
        } else if (contiguous(a)) {
            move(whole_block(a, b), 1, 1, b.rows * b.columns);
        } else {
            const int64_t rows = v.varies == BY_COLUMN && !space.packed ? 1 : b.rows;
            for (int64_t r = 0; r < rows; r++) move(block_row(a, b, r), a.stride[space.rank - 1], 1, b.columns);
        }
    }

    void run_spread(const Step& s, const Block& b) const {
        const Value& v = value[s.in[0]];
        const T* x = at(s.in[0], b);
        T* y = at(s.dst, b);
        const bool columns = v.varies == BY_COLUMN;
        for (int64_t r = 0; r < b.rows; r++, y += b.columns, x += row_step(v, b)) {
            if (columns) __builtin_memcpy(y, x, size_t(b.columns * SIZE));
            else  // beyond the row's end the next row, or the memory's spare vector, is written
                for (int64_t i = 0; i < b.columns; i += WIDTH<T>) store(y + i, broadcast(*x));
        }
    }

    void run_fold(const Step& s, const Block& b) const {
        const T* x = at(s.in[0], b);
        T* y = at(s.dst, b);
        const Value& index = value[s.in[1]];
        const T* picked = at(s.in[1], b);
        for (int64_t r = 0; r < b.rows; r++, x += b.columns) {
            if (s.form == Form::FOLD) {
                y[r] = fold_as<T>(s.op, x, b.columns);
            } else if constexpr (REAL<T>) {
                const T i = picked[r * row_step(index, b)], n = T(b.columns);
                y[r] = i >= -n && i < n ? x[int64_t(i < 0 ? i + n : i)] : T(__builtin_nan(""));
            }
        }
    }

    void run_sum(const Step& s, const Block& b, char* share) const {
        const Sum& total = program.sum()[s.arg];
        const T* x = at(s.in[0], b);
        if (s.op == Op::ADD_COLUMNS) {
            T *acc = (T*)(share + total.offset) + b.column, *folded = (T*)(scratch + program.used);
            // The second half of the rows onto the first; the middle one of an odd number stays.
            for (int64_t rows = b.rows; rows > 1;) {
                const int64_t half = rows / 2, kept = rows - half;
                add(half * b.columns, folded, x, x + kept * b.columns);
                if (x != folded && kept > half)
                    __builtin_memcpy(folded + half * b.columns, x + half * b.columns, size_t(b.columns * SIZE));
                x = folded, rows = kept;
            }
            add(b.columns, acc, acc, x);
        } else {
            *(SumOf*)(share + total.offset) += sum_row(x, b.rows * b.columns);
        }
    }

    static void add(int64_t n, T* y, const T* a, const T* b) {
        const Input in[2] = {{(const char*)a, 1}, {(const char*)b, 1}};
        map<Op::ADD, T>(n, (char*)y, in);
    }

    // Adds up the shares of all parts, for piece `piece` of each sum's numbers.
    void combine(const char* shared, int64_t piece) const {
        for (const Sum* sum = program.sum(); sum < program.sum() + program.sums; sum++) {
            const View& a = call.args[sum->arg];
            const int64_t begin = piece * COMBINED, n = least(sum->width - begin, COMBINED);
            if (n <= 0) continue;
            SumOf total[COMBINED] = {};
            T result[COMBINED];
            for (int64_t part = 0; part < program.parts; part++) {
                const char* at = shared + part * program.share + sum->offset;
                if (sum->op == Op::ADD_COLUMNS)
                    for (int64_t j = 0; j < n; j++) total[j] += SumOf(((const T*)at)[begin + j]);
                else total[0] += *(const SumOf*)at;
            }
            for (int64_t j = 0; j < n; j++) result[j] = T(total[j]);
            const int64_t step = a.stride[space.rank - 1];
            convert(a.dtype, space.dtype)(a.data + begin * step * item_size(a.dtype), step, (const char*)result, 1, n);
        }
    }

    void run_step(const Step& s, const Block& b, char* share) const {
        switch (s.form) {
            case Form::MAP: return run_map(s, b);
            case Form::CHAIN:
                if constexpr (REAL<T>) run_chain(s, b);
                return;
            case Form::FILL: return store(at(s.dst, b), broadcast(REAL<T> ? T(call.reals[s.arg]) : T(int64_t(call.reals[s.arg]))));
            case Form::LOAD: return run_move(s, b, false, false);
            case Form::STORE: return run_move(s, b, true, false);
            case Form::LOAD_ROWS: return run_move(s, b, false, true);
            case Form::STORE_ROWS: return run_move(s, b, true, true);
            case Form::SPREAD: return run_spread(s, b);
            case Form::FOLD:
            case Form::PICK: return run_fold(s, b);
            case Form::SUM: return run_sum(s, b, share);
        }
    }

    Block block(int64_t i) const {
        Block b{i / space.pieces * space.block_rows, i % space.pieces * space.block_columns, 0, 0};
        b.rows = least(space.block_rows, space.rows - b.row), b.columns = least(space.block_columns, space.columns - b.column);
        return b;
    }

    // Asks for a share of a block's memory, where it lies in order. (Inlined: a function of nothing else counts as doing nothing.)
    INLINE void fetch(const Block& b, int share, int shares) const {
        for (int k = 0; k < ordered_count; k++) {
            const View& a = *ordered[k];
            const int64_t bytes = b.rows * b.columns * item_size(a.dtype), end = bytes * (share + 1) / shares;
            for (int64_t i = bytes * share / shares; i < end; i += 64) __builtin_prefetch(whole_block(a, b) + i, 0, 3);
        }
    }

    void run(int64_t part, char* shared) const {
        const Range blocks = part_of(space.blocks, program.parts, part);
        char* share = shared + part * program.share;
        if (program.sums) __builtin_memset(share, 0, size_t(program.share));
        const Block whole{0, 0, space.block_rows, space.block_columns};
        for (int i = 0; i < program.once; i++) run_step(program.first()[i], whole, share);
        const int steps = program.steps;
        const bool far = space.rows * space.columns * SIZE > NEAR;
        for (int64_t i = blocks.begin; i < blocks.end; i++) {
            const Block b = block(i), next = block(i + 1);
            for (int j = 0; j < steps; j++) {
                if (far && i + 1 < blocks.end) fetch(next, j, steps);
                run_step(step[j], b, share);
            }
        }
    }
};

}  // namespace fused
