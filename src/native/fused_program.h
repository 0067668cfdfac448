// A program of the fused kernel, prepared: how its space is cut into blocks, where its values are, and which loops run over
// a block, in order.
//
// A value varies by row, by column, by both or not at all, depending on what it was made from. What does not vary by row is
// computed once a part; what varies by row only (row reductions, arguments with stride 0 along the last axis) has one number
// a row. Rows shorter than SHORT_ROW are packed: several in one loop, where numbers per row are spread out first. Arguments
// in order, of the compute dtype, are read and written in place, unless an output shares memory with an input.
#pragma once
#include "fused_loops.h"

namespace fused {

constexpr int64_t BLOCK_BYTES = 4096, SHORT_ROW = 128;
constexpr int64_t SUM_BYTES = 8;  // of a sum that is not finished, in every dtype

// How the space is cut: `rows` of `columns`, blocks of block_rows whole rows, or pieces of a row.
struct Space {
    int32_t dtype, rank;
    int64_t shape[FUSED_AXES];
    int64_t rows, columns, block_rows, block_columns, pieces, blocks;
    bool packed;  // rows are short: a block is one loop

    int64_t block_items() const { return block_rows * block_columns; }
    int64_t row_offset(const View& v, int64_t row) const { return offset_of(row, shape, v.stride, rank - 1); }
};

inline Space space_of(const Call& c) {
    Space s{};
    s.dtype = int32_t(c.ints[0]), s.rank = int(c.ints[1]);
    for (int i = 0; i < s.rank; i++) s.shape[i] = c.ints[2 + i];
    s.rows = product(s.shape, s.rank - 1), s.columns = s.shape[s.rank - 1];
    const int64_t *code = c.ints + 3 + s.rank, length = c.ints[2 + s.rank], items = BLOCK_BYTES / item_size(s.dtype);
    bool whole_rows = false, by_position = false;
    for (int64_t i = 0; i < length; i++) {
        const Op op = Op(code[5 * i]);
        whole_rows |= is_row(op), by_position |= is_row(op) || op == Op::ADD_COLUMNS;
    }
    for (int i = 0; i < c.arg_count && !by_position; i++) {
        bool repeated = true;
        for (int j = 0; j < s.rank; j++) repeated &= c.args[i].stride[j] == 0;
        by_position = !repeated && !contiguous(c.args[i]);
    }
    if (!by_position) s.columns *= s.rows, s.rows = 1;
    const bool whole = whole_rows || s.columns <= items;
    s.block_columns = whole ? s.columns : items;
    s.block_rows = whole ? least(s.rows, most<int64_t>(1, items / most<int64_t>(1, s.columns))) : 1;
    s.pieces = whole ? 1 : ceil_div(s.columns, items);
    s.blocks = s.rows * s.columns == 0 ? 0 : ceil_div(s.rows, s.block_rows) * s.pieces;
    s.packed = s.columns < SHORT_ROW;
    return s;
}

enum Varies { CONSTANT = 0, BY_ROW = 1, BY_COLUMN = 2, FULLY = 3 };

// What a register holds for a while. Its numbers for a block begin at data + row * by_row + column * by_column.
struct Value {
    char* data;
    int64_t by_row, by_column;
    int varies;
    int maker;   // the step that fills it where it could fill an output instead, or -1
    int spread;  // the same, one number for each element, or -1
    int link;    // the link of a chain that makes it, or -1
};

enum class Form { MAP, CHAIN, LOAD, LOAD_ROWS, STORE, STORE_ROWS, SPREAD, FOLD, PICK, SUM };

struct Step {
    Form form;
    Op op;
    Map map;
    int dst, in[3], arg;  // CHAIN: in[0] first, then `arg` links from chained[in[1]] on
};

// An instruction of a chain, with the value that it needs besides, and its result's where that has to be kept.
struct Chained {
    int op, operand, save;
};

struct Sum {
    Op op;
    int arg;
    int64_t width, offset;  // how many numbers, and where they are in a part's share of `shared`
};

// The steps that the instructions become: those of `first` once a part, those of `step` for every block.
struct Program {
    const Call& call;
    const Space space;
    const int64_t item;  // bytes of a number
    char* scratch;
    bool planning;  // arguments and scratch have no memory yet: only sizes count
    int64_t used = 0, share = 0;
    int values = 0, steps = 0, once = 0, sums = 0;
    bool written[FUSED_ARGS], shared_memory[FUSED_ARGS];
    Value value[2 * FUSED_INSTRUCTIONS];
    Step step[2 * FUSED_INSTRUCTIONS], first[2 * FUSED_INSTRUCTIONS];
    Chained chained[FUSED_INSTRUCTIONS];
    int chained_count = 0;
    Sum sum[FUSED_SUMS];

    Program(const Call& call, const Space& space, char* scratch)
        : call(call), space(space), item(item_size(space.dtype)), scratch(scratch ? scratch : (char*)VECTOR_BYTES),
          planning(!scratch) {
        prepare();
    }

    const int64_t* code() const { return call.ints + 3 + call.ints[1]; }
    int64_t length() const { return call.ints[2 + call.ints[1]]; }

    char* take(int64_t items) {
        char* at = scratch + used;
        used += (items * item + VECTOR_BYTES + 63) / 64 * 64;
        return at;
    }

    // A vector of one number.
    void fill(char* to, double real) const {
        const int64_t whole = is_float(space.dtype) ? 0 : int64_t(real);
        if (is_float(space.dtype)) convert(space.dtype, F64)(to, 1, (const char*)&real, 0, VECTOR_BYTES / item);
        else convert(space.dtype, I64)(to, 1, (const char*)&whole, 0, VECTOR_BYTES / item);
    }

    // A value that varies so: one number for each element lies in its register's memory, what is shorter or stays in its own.
    int make(int varies, int reg) {
        Value& v = value[values];
        v = {nullptr, 0, 0, varies, -1, -1, -1};
        if (varies == FULLY) v.data = scratch + reg * register_bytes();
        else v.data = take(varies == CONSTANT ? VECTOR_BYTES / item : varies == BY_ROW ? space.block_rows : space.block_items());
        return values++;
    }
    int64_t register_bytes() const { return (space.block_items() * item + VECTOR_BYTES + 63) / 64 * 64; }

    void emit(const Step& s) {
        const bool varies = s.dst < 0 || value[s.dst].varies & BY_ROW;
        if (varies && s.dst >= 0) value[s.dst].maker = steps;
        (varies ? step[steps++] : first[once++]) = s;
    }

    // A step that fills memory of its own goes before a chain that may still grow.
    void emit_early(const Step& s) {
        emit(s);
        if (steps < 2 || value[s.dst].maker != steps - 1 || step[steps - 2].form != Form::CHAIN) return;
        const Step last = step[steps - 1];
        step[steps - 1] = step[steps - 2], step[steps - 2] = last;
    }

    // A value that is read from memory: a chain has to keep it.
    int kept(int v) {
        if (value[v].link >= 0) chained[value[v].link].save = v;
        return v;
    }

    // An instruction over all elements as a link: of the chain before, if it takes the result of that.
    void emit_link(const Step& s) {
        const Step* last = steps && step[steps - 1].form == Form::CHAIN ? &step[steps - 1] : nullptr;
        const bool binary = operands(s.op) == 2, joins = last && last->arg < MAX_CHAIN;
        const bool left = joins && s.in[0] == last->dst, right = joins && binary && !left && s.in[1] == last->dst;
        const int operand = !binary ? -1 : kept(s.in[right ? 0 : 1]);
        chained[chained_count] = {int(s.op) + (right ? REVERSED : 0), operand, -1};
        value[s.dst].link = chained_count++;
        if (left || right) {
            step[steps - 1].dst = s.dst, step[steps - 1].arg++;
            value[s.dst].maker = steps - 1;
        } else {
            emit({Form::CHAIN, s.op, nullptr, s.dst, {kept(s.in[0]), chained_count - 1}, 1});
        }
    }

    // The value with one number for each element.
    int spread(int v) {
        const int varies = value[v].varies;
        if (varies == FULLY || (varies == BY_COLUMN && space.packed)) return v;
        if (value[v].spread < 0) {
            const int full = values++;
            value[full] = {take(space.block_items()), 0, 0, FULLY, -1, -1, -1};
            emit_early({Form::SPREAD, Op::LOAD, nullptr, full, {v}, -1});
            value[full].maker = -1;  // it writes beyond its last element
            value[v].spread = full;
        }
        return value[v].spread;
    }

    int vary(const View& a) const {
        const int last = space.rank - 1;
        bool by_row = false;
        for (int i = 0; i < last; i++) by_row |= space.shape[i] > 1 && a.stride[i] != 0;
        if (space.columns == 1 || space.rows == 1) {
            const bool moves = by_row || (a.stride[last] && space.columns > 1);
            return moves || space.columns * space.rows == 1 ? FULLY : CONSTANT;
        }
        const int varies = (by_row ? BY_ROW : 0) | (a.stride[last] ? BY_COLUMN : 0);
        return varies == BY_COLUMN && space.pieces > 1 ? FULLY : varies;
    }

    // Whether the rows' first elements lie one after the other.
    bool dense_rows(const View& a) const {
        int64_t expected = 1;
        for (int i = space.rank - 2; i >= 0; expected *= space.shape[i--])
            if (space.shape[i] > 1 && a.stride[i] != expected) return false;
        return true;
    }

    // Points `v` at the argument's own memory, if its elements lie as a value's do.
    bool in_place(Value& v, const View& a) {
        const int last = space.rank - 1;
        if (a.dtype != space.dtype) return false;
        const bool one_step = space.columns == 1 || a.stride[last] == 1;
        if (v.varies == FULLY) {
            const bool regular = space.block_rows == 1 && space.rank <= 2 && one_step;
            if (!contiguous(a) && !regular) return false;
            v.by_row = (contiguous(a) ? space.columns : space.rank == 2 ? a.stride[0] : 0) * item, v.by_column = item;
        } else if (v.varies == BY_ROW) {
            if (!dense_rows(a)) return false;
            v.by_row = item;
        } else if (v.varies == CONSTANT || space.packed || !one_step) {
            return false;
        }
        v.data = a.data;
        return true;
    }

    int load_argument(int arg, int reg) {
        const View& a = call.args[arg];
        const int varies = vary(a);
        Value v{nullptr, 0, 0, varies, -1, -1, -1};
        if (!shared_memory[arg] && in_place(v, a)) return value[values] = v, values++;
        const int made = make(varies, reg);
        if (varies == FULLY) value[made].data = take(space.block_items());
        emit_early({varies == BY_ROW ? Form::LOAD_ROWS : Form::LOAD, Op::LOAD, nullptr, made, {}, arg});
        return made;
    }

    void store_argument(int v, int arg) {
        const View& a = call.args[arg];
        const bool per_row = space.columns > 1 && a.stride[space.rank - 1] == 0 && !contiguous(a);
        if (!per_row) v = spread(v);
        Value target = value[v];
        target.varies = per_row ? BY_ROW : FULLY;
        if (value[v].maker >= 0 && value[v].varies == target.varies && !shared_memory[arg] && in_place(target, a)) {
            value[v] = target, value[v].maker = -1;
            kept(v);
            return;
        }
        emit({per_row ? Form::STORE_ROWS : Form::STORE, Op::STORE, nullptr, -1, {kept(v)}, arg});
    }

    // The memory of an argument, as far as the space goes.
    void extent(const View& a, const char*& low, const char*& high) const {
        low = high = a.data;
        for (int i = 0; i < space.rank; i++) {
            const int64_t reach = (a.shape[i] - 1) * a.stride[i] * item_size(a.dtype);
            (reach < 0 ? low : high) += reach;
        }
        high += item_size(a.dtype);
    }

    // An input that is also written is copied when it is loaded, and written when it is stored.
    void find_shared_memory() {
        for (int i = 0; i < call.arg_count; i++) written[i] = false, shared_memory[i] = planning;
        if (planning) return;
        const int64_t* p = code();
        for (int64_t i = 0; i < length(); i++, p += 5)
            if (Op(p[0]) == Op::STORE || is_sum(Op(p[0]))) written[p[3]] = true;
        for (int i = 0; i < call.arg_count; i++)
            for (int j = 0; j < call.arg_count; j++) {
                if (!written[i] || written[j]) continue;
                const char *low, *high, *other_low, *other_high;
                extent(call.args[i], low, high), extent(call.args[j], other_low, other_high);
                if (low < other_high && other_low < high) shared_memory[i] = shared_memory[j] = true;
            }
    }

    void prepare() {
        find_shared_memory();
        int current[FUSED_REGISTERS];
        const int64_t* p = code();
        int64_t registers = 0;
        for (int64_t i = 0; i < length(); i++) registers = most(registers, p[5 * i + 1] + 1);
        used = registers * register_bytes();
        for (int64_t i = 0; i < length(); i++, p += 5) {
            const Op op = Op(p[0]);
            int& dst = current[p[1]];
            if (op == Op::LOAD) {
                dst = load_argument(int(p[2]), int(p[1]));
            } else if (op == Op::CONST) {
                dst = make(CONSTANT, 0);
                if (!planning) fill(value[dst].data, call.reals[p[2]]);
            } else if (op == Op::STORE) {
                store_argument(current[p[2]], int(p[3]));
            } else if (is_sum(op)) {
                const int v = kept(spread(current[p[2]]));
                const int64_t width = op == Op::ADD_COLUMNS ? space.columns : 1;
                sum[sums] = {op, int(p[3]), width, share};
                share += (width * SUM_BYTES + 63) / 64 * 64;
                emit({Form::SUM, op, nullptr, -1, {v}, sums++});
            } else if (is_row(op)) {
                const int a = kept(spread(current[p[2]])), b = op == Op::ROW_PICK ? kept(current[p[3]]) : a;
                dst = make(BY_ROW, int(p[1]));
                emit({op == Op::ROW_PICK ? Form::PICK : Form::FOLD, op, nullptr, dst, {a, b}, -1});
            } else {
                Step s{Form::MAP, op, map_of(space.dtype, op), -1, {}, -1};
                int varies = CONSTANT;
                for (int j = 0; j < operands(op); j++) varies |= value[s.in[j] = current[p[2 + j]]].varies;
                for (int j = 0; j < operands(op) && varies == FULLY && space.packed; j++)
                    if (value[s.in[j]].varies != CONSTANT) s.in[j] = spread(s.in[j]);
                s.dst = dst = make(varies, int(p[1]));
                if (is_float(space.dtype) && varies == FULLY && is_cheap(op)) {
                    emit_link(s);
                } else {
                    for (int j = 0; j < operands(op); j++) kept(s.in[j]);
                    emit(s);
                }
            }
        }
    }
};

}  // namespace fused
