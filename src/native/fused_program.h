// A program of the fused kernel, prepared: how its space is cut into blocks, where its values are, and which loops run over
// a block, in order. That is worked out once, for all runs of a call and all their parts, and holds no pointers: memory is an
// argument's number or none, for a part's own, and an offset.
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

// Parts of 50 microseconds or so; one where the work is not worth waking a thread. Costs are in bytes of memory traffic.
inline int64_t parts_of(const Call& c, const Space& s) {
    const int64_t *code = c.ints + 3 + c.ints[1], length = c.ints[2 + c.ints[1]];
    int64_t cost = length;
    bool columns = false;
    for (int i = 0; i < c.arg_count; i++) cost += item_size(c.args[i].dtype);
    for (int64_t i = 0; i < length; i++) {
        const Op op = Op(code[5 * i]);
        cost += is_long(op) ? 16 : 0;
        columns |= op == Op::ADD_COLUMNS;
    }
    const int64_t total = s.rows * s.columns * cost;
    const int64_t parts = total < (256 << 10) ? 1 : least(s.blocks, most<int64_t>(4, total >> 21));
    return most<int64_t>(1, columns ? least(parts, s.rows / 32) : parts);  // what parts share is much smaller than the arguments
}

inline int64_t register_bytes(const Space& s) { return (s.block_items() * item_size(s.dtype) + VECTOR_BYTES + 63) / 64 * 64; }

enum Varies { CONSTANT = 0, BY_ROW = 1, BY_COLUMN = 2, FULLY = 3 };

constexpr int SCRATCH = -1;

// What a register holds for a while. Its numbers for a block begin at offset + row * by_row + column * by_column of an argument
// or of scratch.
struct Value {
    int32_t where, varies;
    int64_t offset, by_row, by_column;
    int32_t maker;   // the step that fills it where it could fill an output instead, or -1
    int32_t spread;  // the same, one number for each element, or -1
    int32_t link;    // the link of a chain that makes it, or -1
};

enum class Form : int32_t { MAP, CHAIN, FILL, LOAD, LOAD_ROWS, STORE, STORE_ROWS, SPREAD, FOLD, PICK, SUM };

struct Step {
    Form form;
    Op op;
    int32_t dst, in[3], arg;  // CHAIN: in[0] first, then `arg` links from chained[in[1]] on
};

// An instruction of a chain, with the value that it needs besides, and its result's where that has to be kept.
struct Chained {
    int32_t op, operand, save;
};

struct Sum {
    Op op;
    int32_t arg;
    int64_t width, offset;  // how many numbers, and where they are in a part's share of `shared`
};

// A program, prepared; the steps that its instructions became lie behind it, with room for the most that so many can become.
struct Program {
    Space space;
    int64_t length;  // instructions
    int64_t parts, used, share;
    int32_t values, steps, once, sums, chains;

    Step* step() const { return (Step*)(this + 1); }  // for every block
    Step* first() const { return step() + 2 * length; }  // once a part
    Value* value() const { return (Value*)(first() + 2 * length); }
    Sum* sum() const { return (Sum*)(value() + 2 * length); }
    Chained* chained() const { return (Chained*)(sum() + length); }
    static constexpr size_t bytes(int64_t length) {
        return sizeof(Program) + size_t(length) * (4 * sizeof(Step) + 2 * sizeof(Value) + sizeof(Sum) + sizeof(Chained));
    }
};
static_assert(sizeof(Program) % 8 == 0 && sizeof(Step) % 8 == 0 && sizeof(Value) % 8 == 0 && sizeof(Sum) % 8 == 0);

// Works a program out. Arguments of `apart` may share memory with one that is written: they are copied when they are loaded,
// and written when they are stored.
struct Preparation {
    const Call& call;
    const uint64_t apart;
    Program& p;
    const Space& space;
    const int64_t item;  // bytes of a number
    Value* const value;
    Step* const step;

    Preparation(const Call& call, uint64_t apart, char* memory)
        : call(call), apart(apart), p(*(Program*)memory), space(p.space), item(item_size(int32_t(call.ints[0]))),
          value((p = Program{space_of(call), length(), 0, 0, 0, 0, 0, 0, 0, 0}).value()), step(p.step()) {
        p.parts = parts_of(call, space);
        prepare();
    }

    const int64_t* code() const { return call.ints + 3 + call.ints[1]; }
    int64_t length() const { return call.ints[2 + call.ints[1]]; }

    int64_t take(int64_t items) {
        const int64_t at = p.used;
        p.used += (items * item + VECTOR_BYTES + 63) / 64 * 64;
        return at;
    }

    // A value that varies so: one number for each element lies in its register's memory, what is shorter or stays in its own.
    int make(int varies, int reg) {
        int64_t at = reg * register_bytes(space);
        if (varies != FULLY)
            at = take(varies == CONSTANT ? VECTOR_BYTES / item : varies == BY_ROW ? space.block_rows : space.block_items());
        return add({SCRATCH, varies, at, 0, 0, -1, -1, -1});
    }
    int add(const Value& v) {
        value[p.values] = v;
        return p.values++;
    }

    void emit(const Step& s) {
        const bool varies = s.dst < 0 || value[s.dst].varies & BY_ROW;
        if (varies && s.dst >= 0) value[s.dst].maker = p.steps;
        (varies ? step[p.steps++] : p.first()[p.once++]) = s;
    }

    // A step that fills memory of its own goes before a chain that may still grow.
    void emit_early(const Step& s) {
        emit(s);
        Step* last = step + p.steps - 1;
        if (p.steps < 2 || value[s.dst].maker != p.steps - 1 || last[-1].form != Form::CHAIN) return;
        const Step chain = last[-1];
        last[-1] = *last, *last = chain;
    }

    // A value that is read from memory: a chain has to keep it.
    int kept(int v) {
        if (value[v].link >= 0) p.chained()[value[v].link].save = v;
        return v;
    }

    // An instruction over all elements as a link: of the chain before, if it takes the result of that.
    void emit_link(const Step& s) {
        Step* last = p.steps && step[p.steps - 1].form == Form::CHAIN ? step + p.steps - 1 : nullptr;
        const bool binary = operands(s.op) == 2, joins = last && last->arg < MAX_CHAIN;
        const bool left = joins && s.in[0] == last->dst, right = joins && binary && !left && s.in[1] == last->dst;
        const int operand = !binary ? -1 : kept(s.in[right ? 0 : 1]);
        p.chained()[p.chains] = {int(s.op) + (right ? REVERSED : 0), operand, -1};
        value[s.dst].link = p.chains++;
        if (left || right) {
            last->dst = s.dst, last->arg++;
            value[s.dst].maker = p.steps - 1;
        } else {
            emit({Form::CHAIN, s.op, s.dst, {kept(s.in[0]), p.chains - 1}, 1});
        }
    }

    // The value with one number for each element.
    int spread(int v) {
        const int varies = value[v].varies;
        if (varies == FULLY || (varies == BY_COLUMN && space.packed)) return v;
        if (value[v].spread < 0) {
            const int full = add({SCRATCH, FULLY, take(space.block_items()), 0, 0, -1, -1, -1});
            emit_early({Form::SPREAD, Op::LOAD, full, {v}, -1});
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
    bool in_place(Value& v, int arg) const {
        const View& a = call.args[arg];
        const int last = space.rank - 1;
        if (a.dtype != space.dtype || apart >> arg & 1) return false;
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
        v.where = arg, v.offset = 0;
        return true;
    }

    int load_argument(int arg, int reg) {
        const int varies = vary(call.args[arg]);
        Value v{arg, varies, 0, 0, 0, -1, -1, -1};
        if (in_place(v, arg)) return add(v);
        const int made = make(varies, reg);
        if (varies == FULLY) value[made].offset = take(space.block_items());
        emit_early({varies == BY_ROW ? Form::LOAD_ROWS : Form::LOAD, Op::LOAD, made, {}, arg});
        return made;
    }

    void store_argument(int v, int arg) {
        const View& a = call.args[arg];
        const bool per_row = space.columns > 1 && a.stride[space.rank - 1] == 0 && !contiguous(a);
        if (!per_row) v = spread(v);
        Value target = value[v];
        target.varies = per_row ? BY_ROW : FULLY;
        if (value[v].maker >= 0 && value[v].varies == target.varies && in_place(target, arg)) {
            value[v] = target, value[v].maker = -1;
            kept(v);
            return;
        }
        emit({per_row ? Form::STORE_ROWS : Form::STORE, Op::STORE, -1, {kept(v)}, arg});
    }

    // An instruction on vectors.
    int apply(Op op, const int* operand, int reg) {
        Step s{Form::MAP, op, -1, {}, -1};
        int varies = CONSTANT;
        for (int j = 0; j < operands(op); j++) varies |= value[s.in[j] = operand[j]].varies;
        for (int j = 0; j < operands(op) && varies == FULLY && space.packed; j++)
            if (value[s.in[j]].varies != CONSTANT) s.in[j] = spread(s.in[j]);
        s.dst = make(varies, reg);
        if (is_float(space.dtype) && varies == FULLY && is_cheap(op)) {
            emit_link(s);
        } else {
            for (int j = 0; j < operands(op); j++) kept(s.in[j]);
            emit(s);
        }
        return s.dst;
    }

    void total(Op op, int v, int arg) {
        const int64_t width = op == Op::ADD_COLUMNS ? space.columns : 1;
        p.sum()[p.sums] = {op, arg, width, p.share};
        p.share += (width * SUM_BYTES + 63) / 64 * 64;
        emit({Form::SUM, op, -1, {kept(spread(v))}, p.sums++});
    }

    void prepare() {
        int current[FUSED_REGISTERS];
        const int64_t* line = code();
        int64_t registers = 0;
        for (int64_t i = 0; i < length(); i++) registers = most(registers, line[5 * i + 1] + 1);
        p.used = registers * register_bytes(space);
        for (int64_t i = 0; i < length(); i++, line += 5) {
            const Op op = Op(line[0]);
            int operand[3] = {};
            for (int j = 0; j < operands(op); j++) operand[j] = current[line[2 + j]];
            int& dst = current[line[1]];
            if (op == Op::LOAD) {
                dst = load_argument(int(line[2]), int(line[1]));
            } else if (op == Op::CONST) {
                dst = make(CONSTANT, 0);
                emit({Form::FILL, op, dst, {}, int(line[2])});
            } else if (op == Op::STORE) {
                store_argument(operand[0], int(line[3]));
            } else if (is_sum(op)) {
                total(op, operand[0], int(line[3]));
            } else if (is_row(op)) {
                const int a = kept(spread(operand[0])), b = op == Op::ROW_PICK ? kept(operand[1]) : a;
                dst = make(BY_ROW, int(line[1]));
                emit({op == Op::ROW_PICK ? Form::PICK : Form::FOLD, op, dst, {a, b}, -1});
            } else {
                dst = apply(op, operand, int(line[1]));
            }
        }
    }
};

}  // namespace fused
