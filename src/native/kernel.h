// What a kernel is. The runtime, compiled once, and the kernels, compiled once for each instruction set, share these
// types and nothing else: plain structs and enums, so that there is no function for the linker to keep a wrong copy of.
//
// A kernel works on views (a pointer, sizes, strides) in up to three phases. Each phase is cut into parts that may run
// in any order on any thread; how many parts there are depends on the views' sizes only, never on the threads, so the
// same call gives the same bits everywhere. A part takes some tens of microseconds to a few milliseconds: the runtime
// looks for Ctrl-C between parts.
#pragma once
#include <cstddef>
#include <cstdint>

enum Dtype : int32_t {
    NONE = -1,
#define DTYPE(NAME, NUMPY, TYPE, USE) NAME,
#include "codes.def"
};

enum Reduction {
#define REDUCTION(NAME, NUMPY) NAME,
#include "codes.def"
};

enum Activation {
#define ACTIVATION(NAME, PYTHON) NAME,
#include "codes.def"
};

#define LIMIT(NAME, MOST) constexpr int NAME = MOST;
#include "codes.def"

// An array, or a missing optional argument where dtype is NONE. Strides count elements and may be 0 or negative.
struct View {
    char* data;
    int32_t dtype, rank;
    int64_t shape[MAX_RANK], stride[MAX_RANK];
};

// A kernel's arguments: outputs first, then inputs; whole numbers (geometry, codes) and real ones (epsilon, alpha).
struct Call {
    const View* args;
    int32_t arg_count;
    const int64_t* ints;
    int32_t int_count;
    const double* reals;
    int32_t real_count;
    const char* prepared = nullptr;  // what `prepare` filled
};

struct Plan {
    int32_t phases;
    int64_t parts[3];  // of each phase
    size_t scratch;    // bytes that a part may use while it runs, 64-byte aligned, not cleared
    size_t shared;     // bytes that all parts of a call share across its phases, 64-byte aligned, not cleared
    size_t prepared = 0;  // bytes that `prepare` fills, 8-byte aligned
};

struct Kernel {
    const char* name;
    // What is wrong with the arguments ("kernel: argument: got, expected"), or null. Looks at no data: pointers are not
    // there yet. After it has returned null, `plan` and `run` stay inside the views whatever the data holds.
    const char* (*check)(const Call&);
    void (*plan)(const Call&, Plan&);
    void (*run)(const Call&, int phase, int64_t part, char* scratch, char* shared);
    // Works out what all parts of all runs have in common, if there is anything: plain bytes, which hold numbers of arguments
    // and offsets but no pointers. Bit i of `apart` says that argument i may share memory with one that is written where it is
    // read, or read where it is written.
    void (*prepare)(const Call&, uint64_t apart, char* prepared) = nullptr;
    // Of an optimizer's update: how many slots a variable has. Its new values w', slots' may be stored over its old ones.
    int32_t slots = -1;
};

constexpr uint64_t EVERY_ARGUMENT = ~uint64_t(0);

struct KernelTable {
    const char* isa;  // "x86-64-v4", ..., "portable"
    int vector_bytes;
    const Kernel* kernels;
    int count;
};
