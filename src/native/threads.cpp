#include "threads.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

using Clock = std::chrono::steady_clock;

constexpr auto SPIN = std::chrono::microseconds(50);  // longer than the gap between the jobs of a program
constexpr auto LOOK = std::chrono::milliseconds(20);

static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Spins until `done()`; false when it took longer than SPIN.
template <class Done> static bool spin_until(Done done) {
    for (int i = 0; i < 64; i++, pause())
        if (done()) return true;
    for (const auto end = Clock::now() + SPIN; Clock::now() < end;)
        for (int i = 0; i < 16; i++, pause())
            if (done()) return true;
    return false;
}

struct Pool {
    // The parts dealt to one thread, on a cache line of its own.
    struct alignas(64) Share {
        std::atomic<int64_t> next{0};
        int64_t end = 0;
    };

    explicit Pool(int count) : shares(new Share[count]) {
        for (int i = 0; i < count; i++) scratch.emplace_back(scratch_memory);
        try {
            for (size = 1; size < count; size++) workers.emplace_back(&Pool::work, this, size);
        } catch (const std::system_error&) {  // the system grants no more threads: these will do
        }
    }

    ~Pool() {
        {
            std::lock_guard<std::mutex> lock(mutex);
            quit = true;
        }
        wake.notify_all();
        for (std::thread& worker : workers) worker.join();
    }

    bool run(const Job& next, Team& team, bool interruptible) {
        job = next;
        stopped = false;
        threads = size;
        for (int64_t t = 0; t < threads; t++) {
            shares[t].next.store(job.parts * t / threads, std::memory_order_relaxed);
            shares[t].end = job.parts * (t + 1) / threads;
        }
        epoch += 1;
        if (sleepers > 0) {
            { std::lock_guard<std::mutex> lock(mutex); }  // whoever counted itself a sleeper now waits
            wake.notify_all();
        }
        take_parts(0, interruptible ? &team : nullptr);
        epoch += 1;
        while (!spin_until([&] { return inside == 0; })) std::this_thread::yield();
        return !stopped;
    }

    void take_parts(int thread, Team* team) {
        for (int i = 0; i < threads; i++) {
            Share& share = shares[(thread + i) % threads];
            while (share.next.load(std::memory_order_relaxed) < share.end) {
                const int64_t part = share.next.fetch_add(1, std::memory_order_relaxed);
                if (part >= share.end) break;
                if (team && team->stop_now()) stopped = true;
                if (stopped.load(std::memory_order_relaxed)) return;
                job.run(job.context, part, scratch[thread].data());
            }
        }
    }

    // A worker enters a job by counting itself in and then finding the epoch unchanged; the caller ends it by changing
    // the epoch and then finding nobody inside. So nobody reads `job` or `shares` while they change.
    void work(int thread) {
        uint64_t seen = 0;
        uint64_t now = 0;
        const auto has_work = [&] { return (now = epoch) % 2 && now != seen; };
        for (;;) {
            if (!spin_until([&] { return has_work() || quit; })) {
                std::unique_lock<std::mutex> lock(mutex);
                sleepers += 1;
                wake.wait(lock, [&] { return has_work() || quit; });
                sleepers -= 1;
            }
            if (quit) return;
            inside += 1;
            if (epoch == now) take_parts(thread, nullptr);
            inside -= 1;
            seen = now;
        }
    }

    Job job{};
    std::atomic<bool> stopped{false};
    int threads = 1;
    std::unique_ptr<Share[]> shares;
    std::vector<Buffer> scratch;
    int size = 1;
    alignas(64) std::atomic<uint64_t> epoch{0};  // odd while a job is open
    alignas(64) std::atomic<int> inside{0};
    alignas(64) std::atomic<int> sleepers{0};
    std::atomic<bool> quit{false};
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<std::thread> workers;
};

// The process' pool and who may use it.
static std::atomic<int> wanted{1};
static std::atomic<bool> taken{false};
static Pool* the_pool = nullptr;  // changed by whoever has set `taken`
static std::atomic<uint64_t> generation{0};

// Only the forking thread lives on in a child: the old pool's threads are gone, its locks may be held for ever. Leave it.
static void after_fork() {
    the_pool = nullptr;
    taken = false;
    generation += 1;
}

static const int fork_handler = pthread_atfork(nullptr, nullptr, after_fork);

uint64_t fork_generation() { return generation; }

int thread_count() { return wanted; }

void set_thread_count(int count) {
    while (taken.exchange(true)) std::this_thread::sleep_for(std::chrono::microseconds(100));
    wanted = count;
    delete the_pool;
    the_pool = nullptr;
    taken = false;
}

static Buffer& own_scratch() {
    static thread_local Buffer scratch(scratch_memory);
    return scratch;
}

// The pool, or null where another caller has it or there is but one thread.
static Pool* take_pool(size_t scratch, const char* owner) {
    if (wanted == 1 || taken.exchange(true)) return nullptr;
    try {
        if (!the_pool) the_pool = new Pool(wanted);
        for (Buffer& buffer : the_pool->scratch) buffer.reserve(scratch, owner);
    } catch (...) {
        taken = false;
        throw;
    }
    return the_pool;
}

Team::Team(bool parallel, size_t bytes, const char* owner, bool (*interrupted)())
    : pool(parallel ? take_pool(bytes, owner) : nullptr),
      scratch(own_scratch()),
      interrupted(interrupted),
      next_look(Clock::now() + LOOK) {
    if (!pool) scratch.reserve(bytes, owner);
    // With the pool, jobs of one part use its first scratch: this thread's own is then free for a nested run.
}

Team::~Team() {
    if (pool) taken = false;
}

bool Team::stop_now() {
    const auto now = Clock::now();
    if (now < next_look) return false;
    next_look = now + LOOK;
    return interrupted();
}

bool Team::run(const Job& job, bool interruptible) {
    if (pool && job.parts > 1) return pool->run(job, *this, interruptible);
    for (int64_t part = 0; part < job.parts; part++) {
        if (interruptible && stop_now()) return false;
        job.run(job.context, part, (pool ? pool->scratch[0] : scratch).data());
    }
    return true;
}
