// Recorded calls of kernels, checked once and replayed without Python: for a model's step of fixed shape.
//
// Arguments live in slots. Slot 0 is the arena, which the program owns; the others are buffers that every run brings.
// Adding a call checks the kernel's own conditions and that every element of every argument lies inside its slot, so a
// run has but to compare the buffers' sizes. Neighbouring calls of the same stage do not depend on each other and share
// the threads. Calls between begin_loop and end_loop are run several times, their arguments going on by their own steps.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernel.h"
#include "memory.h"
#include "threads.h"

int64_t item_size(int64_t dtype);  // 0 for what is no dtype

// A kernel with its arguments, checked and planned.
struct Task {
    Task(const Kernel& kernel, const Call& call);  // throws std::invalid_argument with what `check` says
    Task(Task&&) = default;
    void prepare(uint64_t apart);  // the kernel's own meaning of `apart`; nothing runs meanwhile

    const Kernel* kernel;
    Call call;
    Plan plan;
    char* shared = nullptr;
    std::vector<char> prepared;
};

// Tasks that do not depend on each other, and the order in which the parts of each phase are dealt to threads: by their
// place within their task, so that a thread gets the same stretch of every array.
struct Stage {
    struct Unit {
        int64_t task, part;
    };
    const Task* tasks;
    std::vector<std::vector<Unit>> phases;

    Stage(const Task* tasks, int64_t count);
    bool run(Team& team, bool interruptible) const;  // false where it was interrupted
};

// An argument and where it lies, at first; its dtype is NONE where it is missing.
struct Argument {
    int64_t slot = -1, offset = 0;
    View view{nullptr, NONE, 0, {}, {}};
    std::vector<int64_t> steps{};  // how many bytes it goes on by in each turn of the loops around it, outermost first
};

// The arguments, as bits, that share memory with one that is written where they are read, or read where they are written.
// Of those that have places, inside loops of so many turns, all in different slots are apart; the others have addresses.
uint64_t apart(const Call& call, int64_t outputs, const Argument* places = nullptr, const std::vector<int64_t>& turns = {});

class Program {
public:
    explicit Program(const std::vector<int64_t>& slot_bytes);

    void add(const std::string& kernel, int64_t outputs, const std::vector<Argument>& args, std::vector<int64_t> ints,
             std::vector<double> reals, int64_t stage);
    void begin_loop(int64_t times);
    void end_loop();
    void commit_from(int64_t index) { commit = index; }

    struct Slot {
        int64_t bytes;
        int64_t alignment = 1;  // the largest item in it
        bool written = false;
    };
    const std::vector<Slot>& slots() const { return all_slots; }
    const Buffer& arena() const { return memory; }
    int64_t size() const { return int64_t(recorded.size()); }

    // A run is begin, bind, run, end. begin() is false while another thread runs this program, and throws
    // std::logic_error where this thread does, in a signal handler.
    bool begin();
    void end() { running = 0; }
    // bases[i] is where slot i lies; null is fine where no call of [start, stop) uses it. Throws std::invalid_argument.
    void bind(const std::vector<char*>& bases, int64_t start, int64_t stop, int64_t times, int64_t moving);
    // The calls [start, stop) `times` times, slot `moving` (if any) further on by its own size each time; false where it
    // was interrupted.
    bool run(int64_t start, int64_t stop, int64_t times, int64_t moving, bool (*interrupted)());

private:
    struct Recorded {
        std::vector<View> views;
        std::vector<std::pair<int64_t, int64_t>> places;  // slot and offset of each
        std::vector<int64_t> ints;
        std::vector<double> reals;
        int64_t stage;
        size_t shared_at;
        uint64_t apart;  // arguments that share memory within a slot
    };
    // Whether memory that is written and other memory of the run are not apart.
    bool overlaps(const std::vector<char*>& bases, int64_t times, int64_t moving) const;

    const KernelTable& table;
    std::vector<Slot> all_slots;
    Buffer memory, shared;
    std::vector<Recorded> recorded;
    std::vector<Task> tasks;
    struct Loop {
        int64_t first, end, times, depth;
        std::vector<std::pair<char**, int64_t>> moving;  // an argument's address and what is added to it each time
    };
    std::vector<Loop> loops;     // in the order in which they begin
    std::vector<size_t> opened;  // those that have not ended
    // A stage or a loop of such.
    struct Planned {
        int64_t first, end;
        Stage stage;
        const Loop* loop;
        std::vector<Planned> body;
    };
    std::vector<Planned> planned(int64_t first, int64_t end, int64_t depth) const;
    bool run(const std::vector<Planned>& all, int64_t start, int64_t stop, Team& team) const;
    std::vector<Planned> stages;  // of all tasks, made when they are first run
    size_t scratch_bytes = 0, shared_bytes = 0;
    const char* largest = "Program";  // the kernel that needs most scratch
    bool overlapping = false;  // whether tasks are prepared for slots that share memory
    int64_t commit = INT64_MAX;
    std::atomic<uint64_t> running{0};  // the thread that runs it
};
