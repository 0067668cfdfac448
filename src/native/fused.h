// fused: a row machine. It runs a short program of element-wise instructions with reductions over rows and columns, so that
// a loss, an optimizer's update or a normalisation reads each of its inputs and writes each of its outputs once.
//
//     ints = [compute dtype, rank (1..4), shape..., instructions, then for each: op, dst, a, b, c];  reals = constants
//
// Every argument has that shape (stride 0 where it repeats), outputs come first. Registers are numbered from 0. The machine
// walks the space in blocks that fit the first-level cache (some rows of the last axis, or a piece of one) and runs one
// instruction after the other over a block, each in a loop of its own; cheap ones in a row share one.
//
// instructions.def has the instructions, fused_loops.h the loops of several, fused_program.h prepares a program, and
// fused_machine.h runs it.
#pragma once
#include "fused_machine.h"

namespace fused {

// Whether an argument repeats along the axes that are summed.
inline bool takes_sum(const View& a, Op op) {
    for (int j = 0; j < a.rank; j++) {
        const bool kept = op == Op::ADD_COLUMNS && j == a.rank - 1;
        if (!kept && count(a) && a.shape[j] > 1 && a.stride[j] != 0) return false;
    }
    return true;
}

inline const char* check(const Call& c) {
    if (c.int_count < 4 || c.ints[1] < 1 || c.ints[1] > FUSED_AXES || c.int_count < 3 + c.ints[1])
        return "fused: ints: expected dtype, rank (1 to 4), shape, instructions";
    const int rank = int(c.ints[1]), dtype = use_of(c.ints[0]) >= Use::COMPUTED ? int(c.ints[0]) : NONE;
    const int64_t length = c.ints[2 + rank], *shape = c.ints + 2;
    if (dtype == NONE) return "fused: dtype: expected int32, uint32, int64, float32 or float64";
    if (length < 1 || length > FUSED_INSTRUCTIONS || c.int_count != 3 + rank + 5 * length)
        return "fused: instructions: expected 1 to 160, of five numbers each";
    if (c.arg_count > FUSED_ARGS) return "fused: arguments: expected 32 at most";
    for (int i = 0; i < c.arg_count; i++) {
        if (c.args[i].dtype == NONE || c.args[i].rank != rank) return "fused: arguments: expected the rank of the space";
        for (int j = 0; j < rank; j++)
            if (c.args[i].shape[j] != shape[j]) return "fused: arguments: expected the shape of the space";
    }
    const auto is_argument = [&](int64_t i) { return i >= 0 && i < c.arg_count; };
    bool filled[FUSED_REGISTERS] = {}, loaded[FUSED_ARGS] = {}, stored[FUSED_ARGS] = {};
    int sums = 0;
    for (const int64_t* p = c.ints + 3 + rank; p < c.ints + c.int_count; p += 5) {
        const Op op = Op(is_known(p[0]) ? p[0] : 0);
        const bool output = op == Op::STORE || is_sum(op);
        if (p[1] < 0 || p[1] >= FUSED_REGISTERS) return "fused: registers: expected 0 to 47";
        if ((op == Op::LOAD && !is_argument(p[2])) || (output && !is_argument(p[3])))
            return "fused: LOAD, STORE, ADD: expected the number of an argument";
        if (op == Op::LOAD) loaded[p[2]] = true;
        if (output) stored[p[3]] = true;
        if (op == Op::CONST && (p[2] < 0 || p[2] >= c.real_count)) return "fused: CONST: expected the number of a constant";
        if (is_sum(op) && sums++ == FUSED_SUMS) return "fused: expected 32 sums at most";
        if (is_sum(op) && !takes_sum(c.args[p[3]], op))
            return "fused: ADD: expected an argument that repeats along the axes that are summed";
        if (is_row(op) && shape[rank - 1] > FUSED_ROW) return "fused: expected rows of 65536 elements at most";
        const bool lacks = traits(op).kind == Kind::MAP ? !map_of(dtype, op) : op == Op::ROW_PICK && !is_float(dtype);
        if (lacks || !is_known(p[0])) return "fused: expected an instruction that the dtype has";
        for (int j = 0; j < operands(op); j++)
            if (p[2 + j] < 0 || p[2 + j] >= FUSED_REGISTERS || !filled[p[2 + j]])
                return "fused: expected registers that were filled before";
        if (!output) filled[p[1]] = true;
    }
    for (int i = 0; i < c.arg_count; i++)
        if (loaded[i] && stored[i]) return "fused: arguments: expected inputs and outputs apart (they may share memory)";
    return nullptr;
}

inline void plan(const Call& c, Plan& plan) {
    alignas(8) char memory[Program::bytes(FUSED_INSTRUCTIONS)];
    const Program& p = Preparation(c, EVERY_ARGUMENT, memory).p;  // the form that takes most memory
    plan = {};
    plan.parts[plan.phases++] = p.parts;
    if (p.sums) plan.parts[plan.phases++] = most<int64_t>(1, ceil_div(c.ints[1 + c.ints[1]], COMBINED));
    plan.scratch = size_t(p.used + register_bytes(p.space));
    plan.shared = size_t(p.parts * p.share);
    plan.prepared = Program::bytes(p.length);
}

inline void prepare(const Call& c, uint64_t apart, char* prepared) { Preparation(c, apart, prepared); }

inline void run(const Call& c, int phase, int64_t part, char* scratch, char* shared) {
    with_number(c.ints[0], [&](auto number) {
        const Machine<decltype(number)> machine(c, scratch);
        if (machine.space.blocks == 0) return;
        if (phase == 0) machine.run(part, shared);
        else machine.combine(shared, part);
    });
}

}  // namespace fused

const Kernel fused_kernel = {"fused", fused::check, fused::plan, fused::run, fused::prepare};
