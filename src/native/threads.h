// A pool of threads for work that is cut into parts. The caller is thread 0 of it and works too. Parts are first dealt
// out in equal runs, so that a thread meets the same data again in the next job, and who has none left takes those of
// others. Idle threads spin for a moment and then sleep.
//
// One caller has the pool at a time. Others, and all callers for jobs of one part, run their parts themselves: waiting
// would be slower, and the results are the same. After a fork the child starts a pool of its own when it needs one.
#pragma once
#include <chrono>
#include <cstdint>

#include "memory.h"

struct Job {
    void (*run)(const void* context, int64_t part, char* scratch);
    const void* context;
    int64_t parts;
};

int thread_count();
void set_thread_count(int count);  // waits for the pool's present user
uint64_t fork_generation();        // another number in a forked child

// The threads that one run of jobs has, with `scratch` bytes for each.
class Team {
public:
    // `interrupted` is asked, by the caller's thread, every 20 ms or so; true makes run() stop.
    Team(bool parallel, size_t scratch, const char* owner, bool (*interrupted)());
    ~Team();
    Team(const Team&) = delete;

    // False where it was interrupted: parts that had begun are finished, others have not begun.
    bool run(const Job& job, bool interruptible);

private:
    friend struct Pool;
    bool stop_now();

    struct Pool* pool;
    Buffer& scratch;
    bool (*interrupted)();
    std::chrono::steady_clock::time_point next_look;
};
